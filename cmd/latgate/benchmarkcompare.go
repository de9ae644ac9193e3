package main

import (
	"context"
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/benchmark"
)

// compareEndpoints measures the endpoints of a benchmark file and compares them.
func (p *program) compareEndpoints(ctx context.Context, f compareFlags) error {
	o, questions, err := f.options()
	if err != nil {
		return err
	}
	live, err := (&profileFlags{live: f.live}).liveMetrics()
	if err != nil {
		return err
	}
	output := outputFlags{format: f.format}
	if err := output.check(); err != nil {
		return err
	}
	return p.benchmark(ctx, benchmarkRun{
		config: f.config, baseURLs: f.baseURLs, export: f.export, live: live, quiet: f.quiet, output: output,
		compare: func(r *benchmark.Results) error {
			comparisons, err := r.Compare(o, questions...)
			if err != nil {
				return &exitError{exitInternal, err}
			}
			return incomparable(comparisons)
		},
	})
}

// incomparable says what could not be compared because it could not be measured. That
// endpoints differ, or do not have a metric, is no failure.
func incomparable(comparisons []benchmark.Comparison) error {
	n, example := 0, ""
	for _, c := range comparisons {
		if c.Verdict == baseline.Infrastructure {
			n++
			example = c.String()
		}
	}
	if n == 0 {
		return nil
	}
	return &exitError{exitEndpoint, fmt.Errorf("%d of %d comparisons could not be made, such as %s", n, len(comparisons), example)}
}
