package openai_test

import (
	"context"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	support "github.com/latgate/latgate/examples/sdks/openai"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestRecordChat makes the recording that TestLatencyChatReplay replays over chat completions:
//
//	LATGATE_RECORD=TestRecord go test ./openai -run TestRecord
func TestRecordChat(t *testing.T) {
	fakeapi.Record(t, fakes.OpenAI, replayedChat)
}

// TestLatencyChatReplay gates the application's own code over chat completions against a recording:
// without a key or a network, and to the nanosecond.
func TestLatencyChatReplay(t *testing.T) {
	fakeapi.Replay(t, "TestRecordChat", replayedChat)
}

func replayedChat(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	app := support.NewChatSupport(openai.NewClient(option.WithAPIKey("fake"), option.WithHTTPClient(rec.Client())))
	return latencytest.RunFunc(t, rec, fakeapi.Few(t, latencytest.Closed(2)), func(ctx context.Context, p providers.Prompt) error {
		_, err := app.Answer(ctx, p.Text)
		return err
	})
}

// TestRecordResponses makes the recording that TestLatencyResponsesReplay replays over the Responses API:
//
//	LATGATE_RECORD=TestRecord go test ./openai -run TestRecord
func TestRecordResponses(t *testing.T) {
	fakeapi.Record(t, fakes.OpenAI, replayedResponses)
}

// TestLatencyResponsesReplay gates the application's own code over the Responses API against a recording:
// without a key or a network, and to the nanosecond.
func TestLatencyResponsesReplay(t *testing.T) {
	fakeapi.Replay(t, "TestRecordResponses", replayedResponses)
}

func replayedResponses(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	app := support.NewResponsesSupport(openai.NewClient(option.WithAPIKey("fake"), option.WithHTTPClient(rec.Client())))
	return latencytest.RunFunc(t, rec, fakeapi.Few(t, latencytest.Closed(2)), func(ctx context.Context, p providers.Prompt) error {
		_, err := app.Answer(ctx, p.Text)
		return err
	})
}
