package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// TestLatencyRealTime is the same gate over a real socket and a real clock. The
// scripted waits outweigh what the machine adds, so the runs of all machines may
// be compared, which Environment says; but a laptop that compiles something at the
// same time does add to them, hence the wider limits.
func TestLatencyRealTime(t *testing.T) {
	if live, err := fakebedrock.Live(); live || err != nil {
		t.Skip("this example is about the loopback network; LATGATE_MODE asks for another")
	}
	script, err := fakebedrock.Script()
	if err != nil {
		t.Fatal(err)
	}
	script.OutputTokens = 8
	server := fakes.NewServer(fakes.Bedrock(script))
	defer server.Close()
	client := bedrockruntime.NewFromConfig(fakebedrock.Config(server.Client()), func(o *bedrockruntime.Options) {
		o.BaseEndpoint = aws.String(server.URL)
	})
	res := latencytest.Run(t, bedrock.ConverseStream(client, model), latencytest.Plan{
		Prompts:     latencytest.Prompts(t, "testdata/support.jsonl"),
		Requests:    100,
		Load:        latencytest.Closed(6),
		Environment: "loopback",
	})
	assertions.Check(t, res, baseline.Dir(latencytest.Dir),
		assertions.NoRegression(latencytest.TTFT, latencytest.P90),
		assertions.MinEffect(.3),
		assertions.RuleOut(.6),
		assertions.ErrorRate(.02),
	)
}
