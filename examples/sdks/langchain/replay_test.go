package langchain_test

import (
	"context"
	"testing"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/examples/sdks/langchain"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestRecordAnswer makes the recording that TestLatencyAnswerReplay replays:
//
//	LATGATE_RECORD=TestRecord go test ./langchain -run TestRecord
func TestRecordAnswer(t *testing.T) {
	fakeapi.Record(t, fakes.OpenAI, replayedAnswer)
}

// TestLatencyAnswerReplay gates the application's own code against a recording:
// without a key or a network, and to the nanosecond.
func TestLatencyAnswerReplay(t *testing.T) {
	fakeapi.Replay(t, "TestRecordAnswer", replayedAnswer)
}

func replayedAnswer(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	llm, err := openai.New(openai.WithModel(langchain.Model), openai.WithToken("fake"), openai.WithHTTPClient(rec.Client()))
	if err != nil {
		t.Fatal(err)
	}
	app := langchain.NewSupport(llm)
	return latencytest.RunFunc(t, rec, fakeapi.Few(t, latencytest.Closed(2)), func(ctx context.Context, p providers.Prompt) error {
		_, err := app.Answer(ctx, p.Text)
		return err
	})
}
