package providers

import (
	"context"
	"strings"

	"github.com/latgate/latgate/providers/wire"
)

// A Target is an endpoint that prompts can be sent to.
type Target interface {
	// Describe returns what makes measurements of this prompt comparable with
	// others: provider, API, model, region, inference parameters, as they will
	// be sent. It must not hold secrets or the prompt's text.
	Describe(Prompt) Facts

	// Send makes one request and returns when its reply has ended. The HTTP
	// exchange must happen through a [wire.Transport] under ctx. The error
	// matters only where no exchange came about, or none with a response:
	// everything else is judged from the captured bytes.
	Send(ctx context.Context, p Prompt) error

	Decoder
}

// A Decoder turns captured bytes into a [Response]. Decode never fails and never
// panics: what cannot be read is a Class of the response.
type Decoder interface {
	// Recognizes reports whether the exchange speaks the decoder's protocol,
	// from its host, path and content type alone.
	Recognizes(*wire.Exchange) bool
	Decode(*wire.Exchange) *Response
}

// Decoders decode with the first of them that recognizes the exchange.
type Decoders []Decoder

// Decode returns the decoded response. A stream that nobody recognizes is
// reported as such: its bytes have times, but which of them are content would
// be a guess.
func (ds Decoders) Decode(x *wire.Exchange) *Response {
	for _, d := range ds {
		if d.Recognizes(x) {
			return d.Decode(x)
		}
	}
	r := &Response{Provider: "unknown", API: "unknown", Class: Parse, End: x.End}
	switch {
	case x.Status == 0:
		r.Class, r.Detail = ClassOfError(x.Err), "no response"
	case x.Status >= 400:
		r.Class = ClassOfStatus(x.Status, "")
	default:
		r.Detail = "no decoder recognizes " + x.Method + " " + x.Host + x.Path +
			" with content type " + x.Header.Get("Content-Type")
	}
	return r
}

// A Fact is one named property of a measurement.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Facts are ordered by the one who states them; names do not repeat.
type Facts []Fact

// Get returns the value of a fact, "" where it is not stated.
func (fs Facts) Get(name string) string {
	for _, f := range fs {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func (fs Facts) String() string {
	var b strings.Builder
	for i, f := range fs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.Name + "=" + f.Value)
	}
	return b.String()
}
