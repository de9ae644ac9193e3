package cohere

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const (
	provider = "cohere"
	api      = "chat"
)

// A Decoder decodes replies of the chat API in version 2, streamed or whole.
//
// Cohere names no model in its replies.
type Decoder struct{}

var _ providers.Sniffer = Decoder{}

// Recognizes reports whether x is a request to .../v2/chat.
func (Decoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/v2/chat")
}

// Sniff reports whether a reply begins as one of the chat API does.
func (Decoder) Sniff(f providers.Frame) bool {
	var e event
	if json.Unmarshal(f.Data, &e) != nil {
		return false
	}
	if e.Type != "" {
		var start struct {
			Message struct {
				Role string `json:"role"`
			} `json:"message"`
		}
		return e.Type == "message-start" && json.Unmarshal(e.Delta, &start) == nil && start.Message.Role != ""
	}
	var w whole
	return json.Unmarshal(f.Data, &w) == nil && w.FinishReason.Value != "" && w.Message.Role.Value != ""
}

// Decode implements [providers.Decoder].
func (Decoder) Decode(x *wire.Exchange) *providers.Response {
	r := reply{providers.NewBuilder(provider, api, x)}
	switch {
	case r.Refused():
		r.Refuse(providers.ErrorOf(r.Exchange.Body))
	case r.MediaType() == "application/json":
		r.whole()
	default:
		r.SSE(r.event)
	}
	return r.Done()
}

// A reply is being decoded. It is complete with the event message-end, after which
// [DONE] comes.
type reply struct{ *providers.Builder }

func (r reply) event(raw wire.SSEEvent) error {
	if isDone(raw.Data) {
		r.Finish()
		return nil
	}
	var e event
	if err := json.Unmarshal(raw.Data, &e); err != nil {
		return err
	}
	if report, failed := e.failure(raw.Data); failed {
		r.FailStream(report)
		return nil
	}
	switch e.Type {
	case "message-start":
		r.name(e.ID.Value)
	case "tool-call-start":
		r.Nonempty() // of a tool that takes no arguments, more may not come
	case "content-start", "content-delta", "tool-plan-delta", "tool-call-delta":
		var d delta
		if err := json.Unmarshal(e.Delta, &d); err != nil {
			return err
		}
		r.add(d.Message, false)
	case "message-end":
		var d delta
		if err := json.Unmarshal(e.Delta, &d); err != nil {
			return err
		}
		r.end(d.ending)
	}
	return nil
}

// isDone reports whether data is the mark that ends a stream.
func isDone(data []byte) bool { return bytes.HasPrefix(data, []byte("[DONE]")) }

// whole reads a reply that is one JSON object.
func (r reply) whole() {
	var w whole
	if report, failed := errorIn(r.Exchange.Body); failed {
		if r.Whole(&event{}) {
			r.FailStream(report)
		}
		return
	}
	if !r.Whole(&w) {
		return
	}
	if w.Message.Role.Value == "" && w.FinishReason.Value == "" {
		r.Fail(providers.Parse, "", "a reply without a message")
		return
	}
	r.name(w.ID.Value)
	r.add(w.Message, true)
	r.end(w.ending)
}

// errorIn returns the error that a whole reply, or the data of an event, is.
func errorIn(body []byte) (report providers.ServerError, failed bool) {
	var e event
	if json.Unmarshal(body, &e) != nil {
		return report, false
	}
	return e.failure(body)
}

func (r reply) name(id string) {
	if r.RequestID == "" {
		r.RequestID = id
	}
}

// add notes the content of a message. The name of a tool is content in a whole
// reply only: a stream tells it before the model has written any argument.
func (r reply) add(m message, names bool) {
	r.Add(providers.Reasoning, m.ToolPlan.Value)
	for _, c := range m.Content {
		r.Add(providers.Reasoning, c.Thinking.Value)
		r.Add(providers.Text, c.Text)
	}
	for _, call := range m.ToolCalls {
		n := len(call.Function.Arguments)
		if names {
			n += len(call.Function.Name.Value)
		}
		r.AddBytes(providers.Tool, n)
	}
}

// end notes how the reply ended. The API reports a generation that failed as the
// reason why it finished.
func (r reply) end(e ending) {
	r.Stop = e.FinishReason.Value
	r.Usage = e.Usage.Value.canonical()
	failed := strings.HasPrefix(r.Stop, "ERROR") || r.Stop == "TIMEOUT"
	if failed || providers.Reports(e.Error) {
		report := providers.ErrorOf(e.Error)
		if report.Code == "" {
			report.Code = r.Stop
		}
		r.FailStream(report)
		return
	}
	r.Complete()
}
