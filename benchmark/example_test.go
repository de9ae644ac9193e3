package benchmark_test

import (
	"context"
	"fmt"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// A file is read, expanded into runs and measured, here against a fake endpoint.
func Example() {
	network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{OutputTokens: 8}))
	defer network.Close()
	file, err := benchmark.Parse([]byte(`
providers:
  - {name: openai, models: [fast, large]}
workload:
  scenarios:
    - {name: short, prompt: "What is the capital of France?", requests: 20, concurrency: 4}
    - {name: long, prompt: "Write a guide.", requests: 10}
execution: {max_concurrency: 2}
`), "benchmark.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	prepared, err := file.Prepare(context.Background(), func(_ context.Context, e benchmark.Endpoint) (providers.Target, error) {
		return openai.Chat(e.Model, endpoint.Options{BaseURL: "http://openai.test/v1", Unary: e.Unary, Client: network.Client()}), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := prepared.Measure(context.Background(), benchmark.Watch{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(results.Notes)
	for _, o := range results.Outcomes {
		fmt.Printf("%v: %s, %s\n", o.Combination, o.Status, o.Result.Scenarios[0].Ends())
	}
	// Output:
	// [short: concurrency is 2, not 4: max_concurrency caps it]
	// openai fast, short: measured, 20/20 ok
	// openai fast, long: measured, 10/10 ok
	// openai large, short: measured, 20/20 ok
	// openai large, long: measured, 10/10 ok
}
