// Package yourapp is an example: application code that calls Bedrock through
// AWS's SDK, and a gate over that code.
//
//	go test ./examples/yourapp -run Latency -v
//
// The application knows nothing of latgate. Its test gives the SDK an HTTP client
// that records, and measures what the application's users wait for.
package yourapp

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Support answers customers.
type Support struct {
	client *bedrockruntime.Client
	model  string
}

// NewSupport returns a Support that asks the model through client.
func NewSupport(client *bedrockruntime.Client, model string) *Support {
	return &Support{client: client, model: model}
}

// Answer writes the answer to a question as it is generated.
func (s *Support) Answer(ctx context.Context, w io.Writer, question string) error {
	out, err := s.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: &s.model,
		System:  []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "You are a patient support agent. Answer briefly."}},
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: question}},
		}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(60)},
	})
	if err != nil {
		return fmt.Errorf("asking %s: %w", s.model, err)
	}
	stream := out.GetStream()
	defer stream.Close()
	complete := false
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if text, ok := e.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				if _, err := io.WriteString(w, text.Value); err != nil {
					return err
				}
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			complete = true
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if !complete { // the SDK reports no error for a stream that was cut
		return errors.New("the answer broke off")
	}
	return nil
}
