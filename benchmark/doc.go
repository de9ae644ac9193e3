// Package benchmark runs the scenarios of a YAML file against several providers and
// models, and tells what came of it: as a table, as JSON, as CSV, and as a comparison
// of each endpoint with the first one. It is what latgate profile --config and latgate
// compare --config are made of; the files are those of LLM-Latency-Lens, with more keys.
//
//	providers:
//	  - name: openai
//	    models: [gpt-5-mini, gpt-5-nano]
//	workload:
//	  scenarios:
//	    - name: short
//	      prompt: "What is the capital of France?"
//	      requests: 100
//	      concurrency: 4
//
// [Read] reads such a file strictly. [File.Prepare] expands it into runs, one for each
// provider, model and scenario in the order of the file, and [Benchmark.Measure] makes
// them, one after the other:
//
//	file, err := benchmark.Read("benchmark.yaml")
//	if err != nil {
//		return err
//	}
//	prepared, err := file.Prepare(ctx, func(_ context.Context, e benchmark.Endpoint) (providers.Target, error) {
//		return openai.Chat(e.Model, endpoint.Options{BaseURL: e.BaseURL, Unary: e.Unary}), nil
//	})
//	if err != nil {
//		return err
//	}
//	results, err := prepared.Measure(ctx, benchmark.Watch{})
//	if err != nil {
//		return err
//	}
//	fmt.Println(results)
//
// The package knows no vendor: the function given to Prepare makes the target of an
// [Endpoint]. [Document] is also what latgate profile --format json prints of a run that
// has no file.
package benchmark
