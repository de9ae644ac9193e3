package langchain_test

import (
	"context"
	"testing"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/examples/sdks/langchain"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestLatencyAnswer gates the application's own code, through langchaingo.
func TestLatencyAnswer(t *testing.T) {
	fakeapi.Test(t, fakes.OpenAI, "OPENAI_API_KEY", func(t *testing.T, rec *latencytest.Recorder, key string) {
		llm, err := openai.New(openai.WithModel(langchain.Model), openai.WithToken(key), openai.WithHTTPClient(rec.Client()))
		if err != nil {
			t.Fatal(err)
		}
		app := langchain.NewSupport(llm)

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
