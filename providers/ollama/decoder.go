package ollama

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const provider = "ollama"

// The APIs, which end their paths.
const (
	chat     = "chat"
	generate = "generate"
)

// A Decoder decodes replies of /api/chat and /api/generate, which are lines of
// JSON, or a single object. The API of a response is "chat" or "generate".
type Decoder struct{}

var _ providers.Sniffer = Decoder{}

// Recognizes reports whether x is a request to .../api/chat or .../api/generate
// that was not answered with server-sent events: web applications have paths of
// these names, too, and stream such events.
func (Decoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost &&
		(strings.HasSuffix(x.Path, "/api/"+chat) || strings.HasSuffix(x.Path, "/api/"+generate)) &&
		!strings.HasPrefix(x.Header.Get("Content-Type"), "text/event-stream")
}

// Sniff reports whether a reply begins as one of Ollama does.
func (Decoder) Sniff(f providers.Frame) bool {
	var l struct {
		CreatedAt string           `json:"created_at"`
		Message   *json.RawMessage `json:"message"`
		Response  *string          `json:"response"`
		Done      *bool            `json:"done"`
	}
	return json.Unmarshal(f.Data, &l) == nil &&
		l.CreatedAt != "" && l.Done != nil && (l.Message != nil || l.Response != nil)
}

// Decode implements [providers.Decoder].
func (Decoder) Decode(x *wire.Exchange) *providers.Response {
	api := chat
	if strings.HasSuffix(x.Path, "/"+generate) {
		api = generate
	}
	r := reply{providers.NewBuilder(provider, api, x)}
	switch {
	case r.Refused():
		r.Refuse(providers.ErrorOf(r.Exchange.Body))
	case r.MediaType() == "application/json" && !bytes.Contains(bytes.TrimSpace(r.Exchange.Body), []byte("\n{")):
		r.whole()
	default:
		r.Lines(r.line)
	}
	r.ServerLatency = r.ServerTime("total_duration")
	return r.Done()
}

// A reply is being decoded. Its last line says that it is done.
type reply struct{ *providers.Builder }

func (r reply) line(raw wire.Line) error {
	if data := bytes.TrimLeft(raw.Data, " \t\r\n"); len(data) > 0 && data[0] != '{' {
		r.Fail(providers.Parse, "", "a line that is no JSON object in a reply of content type "+r.MediaType())
		return nil
	}
	var l line
	if err := json.Unmarshal(raw.Data, &l); err != nil {
		return err
	}
	r.add(l)
	return nil
}

// whole reads a reply that is one JSON object.
func (r reply) whole() {
	var l line
	if !r.Whole(&l) {
		return
	}
	r.add(l)
	if !l.Done {
		r.Fail(providers.Parse, "", "a reply that is not done")
	}
}

// add notes what a line says.
func (r reply) add(l line) {
	if l.Model != "" {
		r.Model = l.Model
	}
	if len(l.Error) > 0 && string(l.Error) != "null" {
		report := providers.ErrorOf(l.Error)
		r.FailStream(report)
		return
	}
	r.Add(providers.Reasoning, l.Message.Thinking)
	r.Add(providers.Reasoning, l.Thinking)
	r.Add(providers.Text, l.Message.Content)
	r.Add(providers.Text, l.Response)
	for _, call := range l.Message.ToolCalls {
		r.AddBytes(providers.Tool, call.bytes())
	}
	if !l.Done {
		return
	}
	r.Stop = l.DoneReason
	r.Usage = providers.Usage{Input: l.PromptCount, Output: l.OutputCount}
	r.AddTime("total_duration", l.TotalDuration.ns, time.Nanosecond)
	r.AddTime("load_duration", l.LoadDuration.ns, time.Nanosecond)
	r.AddTime("prompt_eval_duration", l.PromptDuration.ns, time.Nanosecond)
	r.AddTime("eval_duration", l.OutputDuration.ns, time.Nanosecond)
	r.Finish()
}
