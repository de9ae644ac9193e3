package yourapp_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/examples/yourapp"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

const model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

// TestLatencyAnswer gates the application's own code: what is measured is the
// request that it makes, with its prompt, its SDK and its settings.
func TestLatencyAnswer(t *testing.T) {
	fakebedrock.Test(t, func(t *testing.T, cfg aws.Config) {
		rec := latencytest.NewRecorder(t)
		rec.Base = network(cfg)
		cfg.HTTPClient = rec.Client()
		support := yourapp.NewSupport(bedrockruntime.NewFromConfig(cfg), model)

		res := latencytest.RunFunc(t, rec, latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "testdata/questions.jsonl"),
			Requests: 200,
			Warmup:   5,
			// One at a time: concurrent streams of one AWS client share a buffer in
			// smithy-go, which go test -race reports as what it is, a data race.
			Load: latencytest.Closed(1),
		}, func(ctx context.Context, p providers.Prompt) error {
			return support.Answer(ctx, io.Discard, p.Text)
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.TTFT),
			assertions.NoRegression(latencytest.TTLT, latencytest.P90),
			assertions.ErrorRate(.02),
		)
	})
}

// network is the fake's, and nil for real Bedrock: a recorder then uses a network
// of its own.
func network(cfg aws.Config) http.RoundTripper {
	if client, ok := cfg.HTTPClient.(*http.Client); ok {
		return client.Transport
	}
	return nil
}
