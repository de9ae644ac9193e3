package bedrock_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

const model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

// TestLatencySupportChat is the gate as a team would write it: one endpoint, one
// prompt set, and what must not get worse.
func TestLatencySupportChat(t *testing.T) {
	fakebedrock.Test(t, func(t *testing.T, cfg aws.Config) {
		client := bedrockruntime.NewFromConfig(cfg)
		res := latencytest.Run(t, bedrock.ConverseStream(client, model, bedrock.Temperature(0)), latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "testdata/support.jsonl"),
			Requests: 200,
			Warmup:   8,
			Load:     latencytest.Closed(4),
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.TTFT),
			assertions.NoRegression(latencytest.OTPS, latencytest.P90),
			assertions.Below(latencytest.TTFT, latencytest.P99, 3*time.Second),
			assertions.ErrorRate(.02),
		)
	})
}

// TestLatencyNotebook reads a file of AWS's latency notebook as it is: each of
// its models, regions and profiles is a scenario of its own.
func TestLatencyNotebook(t *testing.T) {
	fakebedrock.Test(t, func(t *testing.T, cfg aws.Config) {
		client := bedrockruntime.NewFromConfig(cfg)
		res := latencytest.Run(t, bedrock.ConverseStream(client, model), latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "testdata/notebook.jsonl"),
			Requests: 100,
			Load:     latencytest.Closed(4),
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.TTFT, latencytest.P90))
	})
}
