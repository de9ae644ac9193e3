package tgi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const (
	provider = "tgi"
	api      = "generate"
)

// A Decoder decodes generated text, streamed as server-sent events or as lines of
// JSON, or whole. A stream has an event for each token, so that the number of
// tokens in the first content is known. Special tokens are no content.
//
// A stream reports all its errors at status 200, also those that came before the
// first token.
type Decoder struct{}

var _ providers.Sniffer = Decoder{}

// Recognizes reports whether x is a request to .../generate_stream or .../generate.
// The path / is everybody's, .../api/generate Ollama's and those of models Triton's.
func (Decoder) Recognizes(x *wire.Exchange) bool {
	switch {
	case x.Method != http.MethodPost, strings.HasSuffix(x.Path, "/api/generate"), strings.Contains(x.Path, "/v2/models/"):
		return false
	}
	return strings.HasSuffix(x.Path, "/generate_stream") || strings.HasSuffix(x.Path, "/generate")
}

// Sniff reports whether a reply begins as one of generated text does.
func (Decoder) Sniff(f providers.Frame) bool {
	data := f.Data
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil && len(list) > 0 {
		data = list[0]
	}
	var head struct {
		Token *struct {
			ID   *float64 `json:"id"`
			Text *string  `json:"text"`
		} `json:"token"`
		Generated *string `json:"generated_text"`
	}
	if json.Unmarshal(data, &head) != nil {
		return false
	}
	return head.Generated != nil || head.Token != nil && (head.Token.ID != nil || head.Token.Text != nil)
}

// Decode implements [providers.Decoder].
func (Decoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(provider, api, x)
	d := reply{Builder: b}
	switch mediaType := b.MediaType(); {
	case b.Refused():
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case slices.Contains(lineTypes, mediaType):
		b.Lines(func(line wire.Line) error { return d.event(line.Data) })
	case mediaType == "application/json":
		d.whole()
	default:
		b.SSE(func(e wire.SSEEvent) error { return d.event(e.Data) })
	}
	b.ServerLatency = b.ServerTime("x-total-time")
	return b.Done()
}

// lineTypes are the media types of JSON in lines: the first in DJL's containers.
var lineTypes = []string{
	"application/jsonlines", "application/x-jsonlines", "application/jsonl", "application/x-jsonl",
	"application/x-ndjson", "application/ndjson",
}

// A reply is one being decoded.
type reply struct {
	*providers.Builder
	tokens int64 // so far
}

// event is one event of a stream, and the body of a whole reply.
type event struct {
	Token *struct {
		Text       string                  `json:"text"`
		Special    providers.Lenient[bool] `json:"special"`
		DJLSpecial providers.Lenient[bool] `json:"special_token"`
	} `json:"token"`
	Generated *string                    `json:"generated_text"` // in the last event
	Details   providers.Lenient[details] `json:"details"`        // there too, where asked for
	Error     json.RawMessage            `json:"error"`
}

type details struct {
	FinishReason providers.Lenient[string] `json:"finish_reason"`
	Generated    providers.Count           `json:"generated_tokens"`
	Input        providers.Count           `json:"input_length"`
}

func (d *reply) event(data []byte) error {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if providers.Reports(e.Error) {
		d.FailStream(providers.ErrorOf(data))
		return nil
	}
	if t := e.Token; t != nil {
		d.tokens++
		if !t.Special.Value && !t.DJLSpecial.Value {
			d.Add(providers.Text, t.Text)
		}
		d.Running(providers.CountOf(d.tokens))
	}
	d.note(e.Details.Value)
	switch {
	case d.failed():
	case e.Generated != nil, d.Stop != "":
		d.Finish()
	}
	return nil
}

// note keeps what the details tell, where there are any.
func (d *reply) note(details details) {
	if details.FinishReason.Value != "" {
		d.Stop = details.FinishReason.Value
	}
	d.Usage.Output = d.Usage.Output.Update(details.Generated)
	d.Usage.Input = d.Usage.Input.Update(details.Input)
}

// failed ends a reply whose finish reason is that something went wrong, which is
// all that DJL says of it.
func (d *reply) failed() bool {
	if d.Stop != "error" {
		return false
	}
	d.FailStream(providers.ServerError{Message: `the reply has the finish reason "error"`})
	return true
}

// whole reads a reply in one piece: an object, or with some clients a list of one.
func (d *reply) whole() {
	var raw json.RawMessage
	if !d.Whole(&raw) {
		return
	}
	objects := providers.Capped[json.RawMessage]{raw}
	if raw[0] == '[' {
		_ = json.Unmarshal(raw, &objects) // cannot fail: it is a list
	}
	if len(objects) == 0 {
		d.Fail(providers.Parse, "", "a list without a reply")
	}
	d.counts()
	for _, object := range objects {
		var e event
		if err := json.Unmarshal(object, &e); err != nil {
			d.Fail(providers.Parse, "", err.Error())
			return
		}
		switch {
		case providers.Reports(e.Error):
			d.FailStream(providers.ErrorOf(object))
			return
		case e.Generated == nil:
			d.Fail(providers.Parse, "", "a reply without generated_text")
			return
		}
		d.Add(providers.Text, *e.Generated)
		d.note(e.Details.Value)
		if d.failed() {
			return
		}
	}
	d.Complete()
}

// counts reads the tokens that the head of a whole reply tells; only there does it
// tell those of the prompt.
func (d *reply) counts() {
	count := func(name string) (c providers.Count) {
		_ = c.UnmarshalJSON([]byte(d.Exchange.Header.Get(name))) // what is no count is not reported
		return c
	}
	d.Usage.Input, d.Usage.Output = count("x-prompt-tokens"), count("x-generated-tokens")
}
