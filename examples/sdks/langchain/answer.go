// Package langchain is an example: application code that calls an OpenAI-compatible
// endpoint through langchaingo, and a gate over it.
//
//	cd examples/sdks && go test ./langchain -run Latency -v
//
// The library takes the recorder's client in openai.WithHTTPClient, as its other
// vendors' packages do under the same name (for Bedrock, give WithClient an AWS
// client that records). It does not try again after a refusal, and it reports
// neither a stream that ends early nor an error that the server sends within one:
// the application gets half an answer and no error. The gate sees both.
package langchain

import (
	"context"
	"errors"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// Model is what answers.
const Model = "gpt-5-mini"

// Support answers customers.
type Support struct {
	llm llms.Model
}

// NewSupport returns a Support that asks a model.
func NewSupport(llm llms.Model) *Support {
	return &Support{llm: llm}
}

// Answer returns the answer to a question.
func (s *Support) Answer(ctx context.Context, question string) (string, error) {
	var answer strings.Builder
	reply, err := s.llm.GenerateContent(ctx, []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You are a patient support agent. Answer briefly."),
		llms.TextParts(llms.ChatMessageTypeHuman, question),
	}, llms.WithMaxTokens(300), llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		answer.Write(chunk)
		return nil
	}))
	if err != nil {
		return answer.String(), err
	}
	if len(reply.Choices) == 0 {
		return "", errors.New("no answer")
	}
	return reply.Choices[0].Content, nil
}
