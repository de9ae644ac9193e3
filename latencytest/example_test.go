package latencytest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// Measure needs no test: here it measures a fake Bedrock on the loopback
// interface, in real time.
func ExampleMeasure() {
	server := fakes.NewServer(fakes.Bedrock(fakes.Script{TTFT: fakes.Constant(5 * time.Millisecond)}))
	defer server.Close()
	sdk := client(server.Client().Transport, func(o *bedrockruntime.Options) { o.BaseEndpoint = &server.URL })

	res, err := latencytest.Measure(context.Background(), bedrock.ConverseStream(sdk, "us.anthropic.claude-haiku-4-5-20251001-v1:0"), latencytest.Plan{
		Prompts:  []providers.Prompt{{Text: "Where is my order?"}, {Text: "I want a refund."}},
		Requests: 20,
		Load:     latencytest.Closed(4),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := res.Scenarios[0]
	p90 := time.Duration(s.Quantile(latencytest.TTFT, latencytest.P90))
	fmt.Println(s.Ends())
	fmt.Println(p90 >= 5*time.Millisecond)
	// Output:
	// 20/20 ok
	// true
}

// The P90 of a metric where higher is better is the value that 90 % of requests
// reach.
func ExampleQuantile() {
	fmt.Println(latencytest.P90, latencytest.P90.Rank(latencytest.TTFT))
	fmt.Printf("%v %.1f\n", latencytest.P90, latencytest.P90.Rank(latencytest.OTPS))
	// Output:
	// P90 0.9
	// P90 0.1
}

func ExampleMetric_Format() {
	fmt.Println(latencytest.TTFT.Format(612_345_678))
	fmt.Println(latencytest.OTPS.Format(48.21))
	fmt.Println(latencytest.TTFT.Unit(), latencytest.OTPS.Unit())
	// Output:
	// 612 ms
	// 48.2 tok/s
	// ttft-ns otps-tok/s
}

func ExampleType7() {
	fmt.Println(latencytest.Type7([]float64{4, 1, 3, 2}, .9))
	// Output:
	// 3.7
}

func ExampleFileName() {
	fmt.Println(latencytest.FileName("TestLatency/us.anthropic.claude-haiku-4-5-20251001-v1:0"))
	// Output:
	// TestLatency_us.anthropic.claude-haiku-4-5-20251001-v1_0
}
