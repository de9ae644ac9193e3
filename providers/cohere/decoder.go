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
	return json.Unmarshal(f.Data, &w) == nil && w.FinishReason != "" && w.Message.Role != ""
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
	if bytes.HasPrefix(raw.Data, []byte("[DONE]")) {
		r.Finish()
		return nil
	}
	var e event
	if err := json.Unmarshal(raw.Data, &e); err != nil {
		return err
	}
	switch e.Type {
	case "message-start":
		r.name(e.ID)
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
	case "error", "":
		if report := providers.ErrorOf(raw.Data); report != (providers.ServerError{}) {
			r.FailStream(report)
		}
	}
	return nil
}

// whole reads a reply that is one JSON object.
func (r reply) whole() {
	var w whole
	if body := r.Exchange.Body; isError(body) {
		if r.Whole(&event{}) {
			r.FailStream(providers.ErrorOf(body))
		}
		return
	}
	if !r.Whole(&w) {
		return
	}
	if w.Message.Role == "" && w.FinishReason == "" {
		r.Fail(providers.Parse, "", "a reply without a message")
		return
	}
	r.name(w.ID)
	r.add(w.Message, true)
	r.end(w.ending)
}

// isError reports whether a whole reply is an error, the message of which is a
// string and not that of a model.
func isError(body []byte) bool {
	var e event
	return json.Unmarshal(body, &e) == nil && (present(e.Error) || bytes.HasPrefix(e.Message, []byte(`"`)))
}

func (r reply) name(id string) {
	if r.RequestID == "" {
		r.RequestID = id
	}
}

// add notes the content of a message. The name of a tool is content in a whole
// reply only: a stream tells it before the model has written any argument.
func (r reply) add(m message, names bool) {
	r.Add(providers.Reasoning, m.ToolPlan)
	for _, c := range m.Content {
		r.Add(providers.Reasoning, c.Thinking)
		r.Add(providers.Text, c.Text)
	}
	for _, call := range m.ToolCalls {
		n := len(call.Function.Arguments)
		if names {
			n += len(call.Function.Name)
		}
		r.AddBytes(providers.Tool, n)
	}
}

// end notes how the reply ended. The API reports a generation that failed as the
// reason why it finished.
func (r reply) end(e ending) {
	r.Stop = e.FinishReason
	r.Usage = e.Usage.canonical()
	failed := strings.HasPrefix(e.FinishReason, "ERROR") || e.FinishReason == "TIMEOUT"
	if failed || present(e.Error) {
		report := providers.ErrorOf(e.Error)
		if report.Code == "" {
			report.Code = e.FinishReason
		}
		r.FailStream(report)
		return
	}
	r.Complete()
}
