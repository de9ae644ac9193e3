package openai

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

// ResponsesSupport answers customers with the Responses API.
type ResponsesSupport struct {
	client openai.Client
}

// NewResponsesSupport returns a ResponsesSupport that asks through client.
func NewResponsesSupport(client openai.Client) *ResponsesSupport {
	return &ResponsesSupport{client: client}
}

// Answer returns the answer to a question.
func (s *ResponsesSupport) Answer(ctx context.Context, question string) (string, error) {
	stream := s.client.Responses.NewStreaming(ctx, responses.ResponseNewParams{
		Model:           Model,
		Instructions:    openai.String(instructions),
		Input:           responses.ResponseNewParamsInputUnion{OfString: openai.String(question)},
		MaxOutputTokens: openai.Int(300),
	})
	defer stream.Close()
	var answer strings.Builder
	for stream.Next() {
		if delta, ok := stream.Current().AsAny().(responses.ResponseTextDeltaEvent); ok {
			answer.WriteString(delta.Delta)
		}
	}
	return answer.String(), stream.Err()
}
