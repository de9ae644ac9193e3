package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// BenchmarkLatencySupportChat gives benchstat something to compare:
//
//	go test ./examples/bedrock -run '^$' -bench Latency -benchtime 40x -count 6
func BenchmarkLatencySupportChat(b *testing.B) {
	script, err := fakebedrock.Script()
	if err != nil {
		b.Fatal(err)
	}
	script.TTFT, script.Gap = fakes.Scale(script.TTFT, .05), fakes.Scale(script.Gap, .05) // a benchmark waits for every iteration
	server := fakes.NewServer(fakes.Bedrock(script))
	defer server.Close()
	client := bedrockruntime.NewFromConfig(fakebedrock.Config(server.Client()), func(o *bedrockruntime.Options) {
		o.BaseEndpoint = aws.String(server.URL)
	})
	latencytest.Bench(b, bedrock.ConverseStream(client, model), latencytest.Plan{
		Prompts: latencytest.Prompts(b, "testdata/support.jsonl"),
		Load:    latencytest.Closed(4),
	})
}
