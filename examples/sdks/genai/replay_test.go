package genai_test

import (
	"context"
	"testing"

	"google.golang.org/genai"

	support "github.com/latgate/latgate/examples/sdks/genai"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestRecordAnswer makes the recording that TestLatencyAnswerReplay replays:
//
//	LATGATE_RECORD=TestRecord go test ./genai -run TestRecord
func TestRecordAnswer(t *testing.T) {
	fakeapi.Record(t, fakes.Gemini, replayedAnswer)
}

// TestLatencyAnswerReplay gates the application's own code against a recording:
// without a key or a network, and to the nanosecond.
func TestLatencyAnswerReplay(t *testing.T) {
	fakeapi.Replay(t, "TestRecordAnswer", replayedAnswer)
}

func replayedAnswer(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: "fake", HTTPClient: rec.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := support.NewSupport(client)
	return latencytest.RunFunc(t, rec, fakeapi.Few(t, latencytest.Closed(2)), func(ctx context.Context, p providers.Prompt) error {
		_, err := app.Answer(ctx, p.Text)
		return err
	})
}
