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
// that was refused, or answered with JSON: web applications have paths of these
// names, too, and stream plain text and server-sent events.
func (Decoder) Recognizes(x *wire.Exchange) bool {
	if x.Method != http.MethodPost || !strings.HasSuffix(x.Path, "/api/"+chat) && !strings.HasSuffix(x.Path, "/api/"+generate) {
		return false
	}
	succeeded := x.Status >= 200 && x.Status < 300
	return !succeeded || strings.Contains(strings.ToLower(x.Header.Get("Content-Type")), "json")
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
	r := &reply{Builder: providers.NewBuilder(provider, api, x)}
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
type reply struct {
	*providers.Builder
	current line // one for all: a hostile stream has a line for every few bytes
}

func (r *reply) line(raw wire.Line) error {
	if data := bytes.TrimLeft(raw.Data, " \t\r\n"); len(data) > 0 && data[0] != '{' {
		r.Fail(providers.Parse, "", "a line that is no JSON object in a reply of content type "+r.MediaType())
		return nil
	}
	r.current = line{}
	if err := json.Unmarshal(raw.Data, &r.current); err != nil {
		return err
	}
	r.add(&r.current)
	return nil
}

// whole reads a reply that is one JSON object. One that is not done is the first
// line of a stream by another name, which was cut after it.
func (r *reply) whole() {
	var l line
	if !r.Whole(&l) {
		return
	}
	r.add(&l)
	if l.Done == nil {
		r.Fail(providers.Parse, "", "a reply that does not say whether it is done")
	}
}

// add notes what a line says.
func (r *reply) add(l *line) {
	if model := l.Model.Value; model != "" {
		r.Model = model
	}
	if providers.Present(l.Error) {
		r.FailStream(providers.ErrorOf(l.Error))
		return
	}
	r.Add(providers.Reasoning, l.Message.Thinking)
	r.Add(providers.Reasoning, l.Thinking)
	r.Add(providers.Text, l.Message.Content)
	r.Add(providers.Text, l.Response)
	for _, call := range l.Message.ToolCalls {
		r.AddBytes(providers.Tool, call.bytes())
	}
	if !l.done() {
		return
	}
	r.Stop = l.DoneReason.Value
	r.Usage = providers.Usage{Input: l.PromptCount, Output: l.OutputCount}
	r.AddTime("total_duration", l.TotalDuration.Value, time.Nanosecond)
	r.AddTime("load_duration", l.LoadDuration.Value, time.Nanosecond)
	r.AddTime("prompt_eval_duration", l.PromptDuration.Value, time.Nanosecond)
	r.AddTime("eval_duration", l.OutputDuration.Value, time.Nanosecond)
	r.Finish()
}
