package providers

import (
	"context"
	"strings"
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
