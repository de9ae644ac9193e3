// Package anthropic is an example: application code that calls Claude through
// anthropic-sdk-go, and a gate over it.
//
//	cd examples/sdks && go test ./anthropic -run Latency -v
//
// The SDK takes the recorder's client in option.WithHTTPClient. It tries twice more
// after a refusal; that is time the user waits, so a sample runs from the first
// attempt. A stream that ends early is no error to the SDK unless the connection
// was reset; the gate counts it as truncated either way.
//
// Where a program has set an OpenTelemetry provider up, the SDK makes spans and adds
// trace headers to its requests; ANTHROPIC_OPEN_TELEMETRY=false turns both off.
package anthropic

import (
	"context"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
)

// Model is what answers.
const Model = "claude-haiku-4-5"

// Support answers customers.
type Support struct {
	client anthropic.Client
}

// NewSupport returns a Support that asks through client.
func NewSupport(client anthropic.Client) *Support {
	return &Support{client: client}
}

// Answer returns the answer to a question.
func (s *Support) Answer(ctx context.Context, question string) (string, error) {
	stream := s.client.Messages.NewStreaming(ctx, anthropic.MessageNewParams{
		Model:     Model,
		System:    []anthropic.TextBlockParam{{Text: "You are a patient support agent. Answer briefly."}},
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
		MaxTokens: 300,
	})
	defer stream.Close()
	var answer strings.Builder
	for stream.Next() {
		if event, ok := stream.Current().AsAny().(anthropic.ContentBlockDeltaEvent); ok {
			if text, ok := event.Delta.AsAny().(anthropic.TextDelta); ok {
				answer.WriteString(text.Text)
			}
		}
	}
	return answer.String(), stream.Err()
}
