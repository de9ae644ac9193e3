package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// TestLatencyOptimized asks whether latency-optimized inference is worth its price:
// both profiles answer the same prompts in one session, in blocks A B B A, so that
// the load of the hour meets both alike and no stored runs are needed. It logs
//
//	A against B, interleaved in 10 blocks A B B A: profile "standard" against "optimized"
//	all: P50 ttft 407 → 283 ms (type-7 405 → 282 ms), ratio 0.69 [0.65, 0.74], …, n 200 + 200 in 20 pairs, …: improved: 1.44 times better …
//
// and fails where the optimized profile has become slower than the standard one.
func TestLatencyOptimized(t *testing.T) {
	fakebedrock.TestProfiles(t, func(t *testing.T, cfg aws.Config) {
		client := bedrockruntime.NewFromConfig(cfg)
		standard := bedrock.ConverseStream(client, model, bedrock.Temperature(0), bedrock.Standard())
		optimized := bedrock.ConverseStream(client, model, bedrock.Temperature(0), bedrock.Optimized())
		pair := latencytest.Compare(t, standard, optimized, latencytest.Plan{
			Prompts:  latencytest.Prompts(t, "testdata/support.jsonl"),
			Requests: 200,
			Warmup:   8,
			Load:     latencytest.Closed(4),
		})
		assertions.CheckAB(t, pair,
			assertions.NoRegression(latencytest.TTFT),
			assertions.NoRegression(latencytest.OTPS, latencytest.P90),
			assertions.ErrorRate(.02),
		)
	})
}
