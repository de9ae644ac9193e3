package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const (
	provider = "gemini"
	api      = "generate-content"
)

// A Decoder decodes generateContent and streamGenerateContent of the Gemini API
// and of Vertex AI. A stream that was not asked for as server-sent events is one
// JSON array whose elements arrive over time; it is decoded as well.
//
// Images and the output of executed code are no content here: no channel of
// [providers.Channel] stands for them.
type Decoder struct{}

var _ providers.Sniffer = Decoder{}

// Recognizes reports whether x is a request to ...:streamGenerateContent or
// ...:generateContent.
func (Decoder) Recognizes(x *wire.Exchange) bool {
	path, err := url.PathUnescape(x.Path) // some clients escape the colon
	if err != nil || x.Method != http.MethodPost {
		return false
	}
	return strings.HasSuffix(path, ":streamGenerateContent") || strings.HasSuffix(path, ":generateContent")
}

// Sniff reports whether a reply begins as a generated content does. Candidates alone
// do not tell: Google's search for places has some, too.
func (Decoder) Sniff(f providers.Frame) bool {
	data := bytes.TrimSpace(f.Data)
	if bytes.HasPrefix(data, []byte("[")) {
		elements := json.NewDecoder(bytes.NewReader(data))
		var first json.RawMessage
		if _, err := elements.Token(); err != nil || elements.Decode(&first) != nil {
			return false
		}
		data = first
	}
	var c struct {
		Candidates providers.Capped[struct {
			Content      json.RawMessage `json:"content"`
			FinishReason string          `json:"finishReason"`
		}] `json:"candidates"`
		PromptFeedback promptFeedback `json:"promptFeedback"`
		Usage          struct {
			Prompt providers.Count `json:"promptTokenCount"`
		} `json:"usageMetadata"`
	}
	if json.Unmarshal(data, &c) != nil {
		return false
	}
	for _, candidate := range c.Candidates {
		if bytes.HasPrefix(candidate.Content, []byte("{")) || candidate.FinishReason != "" {
			return true
		}
	}
	return c.PromptFeedback.BlockReason != "" || c.Usage.Prompt.Known()
}

// Decode implements [providers.Decoder].
func (Decoder) Decode(x *wire.Exchange) *providers.Response {
	r := reply{Builder: providers.NewBuilder(provider, api, x)}
	body := bytes.TrimLeft(r.Exchange.Body, " \t\r\n")
	switch {
	case r.Refused():
		r.Refuse(providers.ErrorOf(r.Exchange.Body))
	case r.MediaType() == "text/event-stream":
		r.events()
	case bytes.HasPrefix(body, []byte("[")):
		r.array()
	case bytes.HasPrefix(body, []byte("{")), r.MediaType() == "application/json":
		r.whole()
	default:
		r.events()
	}
	r.countFirst()
	return r.Done()
}

// A reply is being decoded. It is complete when each candidate that has begun has
// finished; a prompt that is refused has no candidates.
type reply struct {
	*providers.Builder
	open     map[int64]bool // the candidates that have begun: whether they go on
	running  int            // how many do
	finished bool           // nothing more is to come, as far as the chunks so far tell
	cut      bool           // the body ends inside a chunk
	end      int64          // of the last event
	usage    usage          // so far
	first    usage          // with the first content
}

// events reads server-sent events, each of them a chunk. Only their end tells whether
// a finish reason was the last: another candidate may begin after it.
func (r *reply) events() {
	var c chunk // one for all: a hostile stream has an event for every few bytes
	r.SSE(func(e wire.SSEEvent) error {
		r.end, c = e.End, chunk{}
		if err := json.Unmarshal(e.Data, &c); err != nil {
			r.cut = e.Unterminated
			return err
		}
		r.add(c)
		return nil
	})
	if r.finished && !r.cut && r.endsWithEvents() {
		r.Complete()
	}
}

// endsWithEvents reports whether what follows the last chunk, comments for one, is
// not cut.
func (r *reply) endsWithEvents() bool {
	rest := wire.NewSSEReader(bytes.NewReader(r.Exchange.Body[r.end:]))
	for {
		e, err := rest.Next()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if e.Unterminated {
			return false
		}
	}
}

// array reads a stream that is a JSON array: each element is a frame.
func (r *reply) array() {
	elements := json.NewDecoder(bytes.NewReader(r.Exchange.Body))
	_, err := elements.Token()
	var c chunk
	for err == nil && r.Class == "" && elements.More() {
		c = chunk{}
		err = elements.Decode(&c)
		var wrong *json.UnmarshalTypeError
		switch {
		case err == nil:
			r.Frame(elements.InputOffset())
			r.add(c)
		case errors.As(err, &wrong): // a whole element that is no chunk
			r.Frame(elements.InputOffset())
			r.Fail(providers.Parse, "", err.Error())
			return
		}
	}
	if err == nil && r.Class == "" {
		_, err = elements.Token() // the bracket that closes the array
		if r.finished && (err == nil || errors.Is(err, io.EOF)) {
			r.Complete()
		}
	}
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || r.Exchange.Ending == wire.EndFailed
	if err != nil && !cut {
		r.Fail(providers.Parse, "", err.Error())
	}
}

// whole reads a reply that is one JSON object.
func (r *reply) whole() {
	var c chunk
	if !r.Whole(&c) {
		return
	}
	if c.isNone() {
		r.Fail(providers.Parse, "", "a reply without candidates")
		return
	}
	r.add(c)
	r.first = usage{} // the first chunk is all there is
	r.Complete()
}

// add notes what a chunk says.
func (r *reply) add(c chunk) {
	r.note(c)
	if providers.Present(c.Error) {
		r.FailStream(providers.ErrorOf(c.Error))
		return
	}
	before := len(r.Events)
	for _, candidate := range c.candidates() {
		for _, part := range candidate.Content.Parts {
			r.part(part)
		}
		r.follow(candidate)
	}
	if before == 0 && len(r.Events) > 0 {
		r.first = c.Usage.Value
	}
	if reason := c.PromptFeedback.Value.BlockReason; reason != "" && len(c.candidates()) == 0 {
		r.Stop, r.finished = reason, true
	}
}

// part notes the content of one part.
func (r *reply) part(p part) {
	if p.Thought {
		r.AddSummary(p.Text)
	} else {
		r.Add(providers.Text, p.Text)
	}
	r.AddBytes(providers.Tool, p.tool())
}

// follow notes whether a candidate goes on.
func (r *reply) follow(c candidate) {
	if r.open == nil {
		r.open = make(map[int64]bool, 1)
	}
	index, _ := c.Index.Get()
	open, begun := r.open[index]
	if !begun {
		r.open[index], open = true, true
		r.running++
	}
	if reason := c.FinishReason; reason != "" && reason != "FINISH_REASON_UNSPECIFIED" {
		r.Stop = reason
		if open {
			r.open[index] = false
			r.running--
		}
	}
	r.finished = r.running == 0
}

// note keeps what any chunk may tell.
func (r *reply) note(c chunk) {
	if model := c.ModelVersion.Value; model != "" {
		r.Model = model
	}
	if r.RequestID == "" {
		r.RequestID = c.ResponseID.Value
	}
	r.usage.update(c.Usage.Value)
	r.Usage = r.usage.canonical()
}

// countFirst tells the tokens of the first chunk in the channels that were
// streamed: where no thought was shown, none of them lies between the first
// content and the last.
func (r *reply) countFirst() {
	count := r.first.Candidates
	if r.Reasoning > 0 {
		count = count.Plus(r.first.Thoughts)
	}
	if n, _ := count.Get(); n > 0 {
		r.FirstCount = count
	}
}
