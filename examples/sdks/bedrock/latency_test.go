package bedrock_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/examples/sdks/bedrock"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// TestLatencyAnswer gates the application's own code, through its own SDK client.
func TestLatencyAnswer(t *testing.T) {
	fakebedrock.Test(t, func(t *testing.T, cfg aws.Config) {
		rec := latencytest.NewRecorder(t)
		if fake, ok := cfg.HTTPClient.(*http.Client); ok { // not for real Bedrock
			rec.Base = fake.Transport
		}
		cfg.HTTPClient = rec.Client()
		support := bedrock.NewSupport(cfg)

		res := latencytest.RunFunc(t, rec, latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "../testdata/questions.jsonl"),
			Requests: 50,
			Load:     latencytest.Closed(1), // see the package's comment
		}, func(ctx context.Context, p providers.Prompt) error {
			_, err := support.Answer(ctx, p.Text)
			return err
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.TTFT, latencytest.P90),
			assertions.NoRegression(latencytest.TTLT, latencytest.P90),
			assertions.ErrorRate(.02),
		)
	})
}
