// Package genai is an example: application code that calls Gemini through
// google.golang.org/genai, and a gate over it.
//
//	cd examples/sdks && go test ./genai -run Latency -v
//
// The SDK takes the recorder's client in genai.ClientConfig.HTTPClient. On Vertex AI
// that client must add the credentials too: put a transport that does between the
// two. The SDK tries once unless RetryOptions are set. A stream that ends early is no
// error to it unless the connection was reset; the gate counts it as truncated
// either way.
package genai

import (
	"context"
	"strings"

	"google.golang.org/genai"
)

// Model is what answers.
const Model = "gemini-2.5-flash"

// Support answers customers.
type Support struct {
	client *genai.Client
}

// NewSupport returns a Support that asks through client.
func NewSupport(client *genai.Client) *Support {
	return &Support{client: client}
}

// Answer returns the answer to a question.
func (s *Support) Answer(ctx context.Context, question string) (string, error) {
	var answer strings.Builder
	for reply, err := range s.client.Models.GenerateContentStream(ctx, Model, genai.Text(question), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("You are a patient support agent. Answer briefly.", genai.RoleUser),
		MaxOutputTokens:   300,
	}) {
		if err != nil {
			return answer.String(), err
		}
		answer.WriteString(text(reply))
	}
	return answer.String(), nil
}

// text returns what a user gets to see of a chunk. GenerateContentResponse.Text does
// the same, but writes a warning to the log for every chunk with a function call.
func text(reply *genai.GenerateContentResponse) string {
	if len(reply.Candidates) == 0 || reply.Candidates[0].Content == nil {
		return "" // a chunk of usage alone
	}
	var b strings.Builder
	for _, part := range reply.Candidates[0].Content.Parts {
		if !part.Thought {
			b.WriteString(part.Text)
		}
	}
	return b.String()
}
