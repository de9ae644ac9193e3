package cohere_test

import (
	"context"
	"testing"

	"github.com/latgate/latgate/examples/sdks/cohere"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestRecordAnswer makes the recording that TestLatencyAnswerReplay replays:
//
//	LATGATE_RECORD=TestRecord go test ./cohere -run TestRecord
func TestRecordAnswer(t *testing.T) {
	fakeapi.Record(t, fakes.Cohere, replayedAnswer)
}

// TestLatencyAnswerReplay gates the application's own code against a recording:
// without a key or a network, and to the nanosecond.
func TestLatencyAnswerReplay(t *testing.T) {
	fakeapi.Replay(t, "TestRecordAnswer", replayedAnswer)
}

func replayedAnswer(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	app := cohere.NewSupport(cohere.NewClient("fake", rec.Client()))
	return latencytest.RunFunc(t, rec, fakeapi.Few(t, latencytest.Closed(2)), func(ctx context.Context, p providers.Prompt) error {
		_, err := app.Answer(ctx, p.Text)
		return err
	})
}
