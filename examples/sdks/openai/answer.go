// Package openai is an example: application code that calls OpenAI through
// openai-go, once with chat completions and once with the Responses API, and gates
// over it.
//
//	cd examples/sdks && go test ./openai -run Latency -v
//
// The SDK takes the recorder's client in option.WithHTTPClient. It tries twice more
// after a refusal; that is time the user waits, so a sample runs from the first
// attempt. A stream that ends early is no error to the SDK unless the connection
// was reset; the gate counts it as truncated either way.
package openai

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
)

// Model is what answers.
const Model = "gpt-5-mini"

const instructions = "You are a patient support agent. Answer briefly."

// ChatSupport answers customers with chat completions.
type ChatSupport struct {
	client openai.Client
}

// NewChatSupport returns a ChatSupport that asks through client.
func NewChatSupport(client openai.Client) *ChatSupport {
	return &ChatSupport{client: client}
}

// Answer returns the answer to a question.
func (s *ChatSupport) Answer(ctx context.Context, question string) (string, error) {
	stream := s.client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model: Model,
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.SystemMessage(instructions),
			openai.UserMessage(question),
		},
		MaxCompletionTokens: openai.Int(300),
		// Without it there is no token count in the stream, so no tokens per second.
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	})
	defer stream.Close()
	var answer strings.Builder
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			answer.WriteString(choice.Delta.Content)
		}
	}
	return answer.String(), stream.Err()
}
