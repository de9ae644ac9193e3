// Package cohere is an example: application code that calls Cohere through
// cohere-go, and a gate over it.
//
//	cd examples/sdks && go test ./cohere -run Latency -v
//
// The SDK takes the recorder's client in client.WithHTTPClient. As of v2.15.3 it
// cannot read a stream whose events come one at a time, which is how a stream comes:
// it takes the blank line after an event for an event, and fails with "unexpected
// end of JSON input" unless the next event is there already. An application that
// streams has to work around that, gate or no gate. This one does so with
// [Transport], above the recorder, which therefore sees each byte when it comes.
//
// The SDK tries once more after a refusal; that is time the user waits, so a sample
// runs from the first attempt. It reports neither a stream that ends early, as long
// as it ends between two events, nor an error that the server sends within one: the
// application gets half an answer and no error. The gate sees both.
package cohere

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/client"
)

// Model is what answers.
const Model = "command-a-03-2025"

// Support answers customers.
type Support struct {
	client *client.Client
}

// NewSupport returns a Support that asks through client, which [NewClient] makes.
func NewSupport(client *client.Client) *Support {
	return &Support{client: client}
}

// NewClient returns an SDK client that can read streams. Requests are made over an
// HTTP client such as a recorder's; nil means one of its own.
func NewClient(key string, over *http.Client) *client.Client {
	readable := http.Client{}
	if over != nil {
		readable = *over
	}
	readable.Transport = Transport{Base: readable.Transport}
	return client.NewClient(client.WithToken(key), client.WithHTTPClient(&readable))
}

// Answer returns the answer to a question.
func (s *Support) Answer(ctx context.Context, question string) (string, error) {
	maxTokens := 300
	stream, err := s.client.V2.ChatStream(ctx, &cohere.V2ChatStreamRequest{
		Model: Model,
		Messages: cohere.ChatMessages{
			{Role: "system", System: &cohere.SystemMessageV2{Content: &cohere.SystemMessageV2Content{String: "You are a patient support agent. Answer briefly."}}},
			{Role: "user", User: &cohere.UserMessageV2{Content: &cohere.UserMessageV2Content{String: question}}},
		},
		MaxTokens: &maxTokens,
	})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var text strings.Builder
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return text.String(), err
		}
		if delta := event.ContentDelta.GetDelta().GetMessage().GetContent().GetText(); delta != nil {
			text.WriteString(*delta)
		}
	}
}
