package openai_test

import (
	"context"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	support "github.com/latgate/latgate/examples/sdks/openai"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestLatencyChat gates the application's own code over chat completions.
func TestLatencyChat(t *testing.T) {
	fakeapi.Test(t, fakes.OpenAI, "OPENAI_API_KEY", func(t *testing.T, rec *latencytest.Recorder, key string) {
		app := support.NewChatSupport(openai.NewClient(option.WithAPIKey(key), option.WithHTTPClient(rec.Client())))
		res := latencytest.RunFunc(t, rec, plan(t), func(ctx context.Context, p providers.Prompt) error {
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

// TestLatencyResponses gates the application's own code over the Responses API.
func TestLatencyResponses(t *testing.T) {
	fakeapi.Test(t, fakes.OpenAI, "OPENAI_API_KEY", func(t *testing.T, rec *latencytest.Recorder, key string) {
		app := support.NewResponsesSupport(openai.NewClient(option.WithAPIKey(key), option.WithHTTPClient(rec.Client())))
		res := latencytest.RunFunc(t, rec, plan(t), func(ctx context.Context, p providers.Prompt) error {
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

func plan(t *testing.T) latencytest.Plan {
	return latencytest.Plan{
		Prompts:  latencytest.Prompts(t, "../testdata/questions.jsonl"),
		Requests: 50,
		Load:     latencytest.Closed(4),
	}
}
