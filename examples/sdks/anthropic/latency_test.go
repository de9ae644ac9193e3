package anthropic_test

import (
	"context"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	support "github.com/latgate/latgate/examples/sdks/anthropic"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestLatencyAnswer gates the application's own code, through its own SDK client.
func TestLatencyAnswer(t *testing.T) {
	fakeapi.Test(t, fakes.Anthropic, "ANTHROPIC_API_KEY", func(t *testing.T, rec *latencytest.Recorder, key string) {
		app := support.NewSupport(anthropic.NewClient(option.WithAPIKey(key), option.WithHTTPClient(rec.Client())))

		res := latencytest.RunFunc(t, rec, latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "../testdata/questions.jsonl"),
			Requests: 50,
			Load:     latencytest.Closed(4),
		}, func(ctx context.Context, p providers.Prompt) error {
			_, err := app.Answer(ctx, p.Text)
			return err
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.TTFT, latencytest.P90),
			assertions.NoRegression(latencytest.TTLT, latencytest.P90),
			assertions.ErrorRate(.02),
		)
	})
}
