// Package bedrock is an example: application code that calls Amazon Bedrock through
// aws-sdk-go-v2, and a gate over it.
//
//	cd examples/sdks && go test ./bedrock -run Latency -v
//
// The SDK takes the recorder's client in aws.Config.HTTPClient. What it reports is
// not enough to tell a whole answer from one that was cut: it returns no error for
// a stream that breaks off. The gate does not ask the SDK, and counts such answers
// as truncated.
//
// Streams that share one client race with one another inside smithy-go, which go
// test -race reports; so the gate sends one request at a time.
package bedrock

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Model is what answers.
const Model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

// Support answers customers.
type Support struct {
	client *bedrockruntime.Client
}

// NewSupport returns a Support that calls Bedrock with a configuration.
func NewSupport(cfg aws.Config) *Support {
	return &Support{client: bedrockruntime.NewFromConfig(cfg)}
}

// Answer returns the answer to a question.
func (s *Support) Answer(ctx context.Context, question string) (string, error) {
	out, err := s.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(Model),
		System:  []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "You are a patient support agent. Answer briefly."}},
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: question}},
		}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(300)},
	})
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", Model, err)
	}
	stream := out.GetStream()
	defer stream.Close()
	var answer strings.Builder
	for event := range stream.Events() {
		if delta, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
			if text, ok := delta.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				answer.WriteString(text.Value)
			}
		}
	}
	return answer.String(), stream.Err()
}
