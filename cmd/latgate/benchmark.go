package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/latencytest"
)

// A benchmarkRun is a benchmark file and what to do with its results.
type benchmarkRun struct {
	config, baseURLs, export string // file names, and PROVIDER=URL,...
	live                     []latencytest.Metric
	quiet                    bool
	output                   outputFlags

	// compare, where not nil, compares the results, and says what could not be compared.
	compare func(*benchmark.Results) error
}

// benchmark makes the runs of a file.
func (p *program) benchmark(ctx context.Context, job benchmarkRun) error {
	if ctx == nil {
		ctx = context.Background()
	}
	env := &environment{lookup: p.lookup}
	prepared, err := p.prepareBenchmark(ctx, job, env)
	if err != nil {
		return err
	}
	view := &view{out: p.stderr, size: p.terminal, quiet: job.quiet}
	gentle, hard, stop := p.interruptible(ctx, func() {
		view.say("interrupted: requests under way have 10 s to end; once more ends them at once")
	})
	defer stop()
	for _, r := range prepared.Runs {
		target := abortable{r.Target, hard}
		r.Target = target
		if c, ok := target.Target.(interface{ CloseIdleConnections() }); ok {
			r.Target = closable{target, c.CloseIdleConnections}
		}
	}
	results, err := prepared.Measure(gentle, benchmark.Watch{
		Begin: func(r *benchmark.Run) {
			view.begin(fmt.Sprintf("run %d of %d: %v", r.Number, len(prepared.Runs), r.Combination))
		},
		Progress: view.show,
		OnSample: env.redact,
		Plan: func(plan *latencytest.Plan) {
			plan.ProgressEvery, plan.Live = view.every(), job.live
		},
		After: (*benchmark.Results).Export, // so that it is there, whatever comes
	})
	outcome := benchmarkOutcome(results)
	if err == nil && job.compare != nil {
		if incomparable := job.compare(results); outcome == nil {
			outcome = incomparable
		}
		err = results.Export()
	}
	if err != nil {
		err = &exitError{exitInternal, err}
	}
	return errors.Join(err, p.printBenchmark(job, results), outcome)
}

// A closable target closes its connections.
type closable struct {
	abortable
	close func()
}

// CloseIdleConnections closes the connections that are kept for further requests.
func (c closable) CloseIdleConnections() { c.close() }

// prepareBenchmark reads a file, with all that it names. Its errors are those of a wrong
// use.
func (p *program) prepareBenchmark(ctx context.Context, job benchmarkRun, env *environment) (*benchmark.Benchmark, error) {
	file, err := benchmark.Read(job.config)
	if err != nil {
		return nil, err // it names the file
	}
	if v, set := p.lookup("LATGATE_REQUESTS"); set {
		return nil, fmt.Errorf("LATGATE_REQUESTS=%s would go before the requests of %s: unset it", v, job.config)
	}
	if err := redirect(file, job.baseURLs); err != nil {
		return nil, err
	}
	var exports []benchmark.Export
	if job.export != "" {
		e, err := benchmark.ExportTo(job.export)
		if err != nil {
			return nil, fmt.Errorf("--output: %w", err)
		}
		exports = append(exports, e)
	}
	prepared, err := file.Prepare(ctx, targetOf(env), exports...)
	if err != nil {
		return nil, err
	}
	return prepared, prepared.Check()
}

// redirect has providers of a file asked elsewhere: "openai=http://127.0.0.1:8080/v1".
func redirect(file *benchmark.File, urls string) error {
	if urls == "" {
		return nil
	}
	var labels []string
	for _, p := range file.Providers {
		labels = append(labels, p.Label)
	}
	for one := range strings.SplitSeq(urls, ",") {
		label, url, found := strings.Cut(one, "=")
		i := slices.Index(labels, label)
		switch {
		case !found || url == "" || strings.Contains(label, "://"):
			return errors.New("--base-url: with --config, want PROVIDER=URL, as in openai=http://127.0.0.1:8080/v1")
		case i < 0:
			return fmt.Errorf("--base-url: %s has no provider %q, it has %s", file.Path, label, strings.Join(slices.Compact(labels), ", "))
		}
		for i := range file.Providers {
			if file.Providers[i].Label != label {
				continue
			}
			if file.Providers[i].BaseURL != "" {
				return fmt.Errorf("--base-url contradicts providers[%d].base_url of %s: change it there, or leave --base-url out", i, file.Path)
			}
			file.Providers[i].BaseURL = url
		}
	}
	return nil
}

// benchmarkOutcome returns what to exit with after these runs, nil where all went well.
func benchmarkOutcome(r *benchmark.Results) error {
	switch r.Worst() {
	case benchmark.Measured:
		return nil
	case benchmark.Broken:
		return &exitError{exitInternal, r.Err()}
	case benchmark.Interrupted:
		return &exitError{exitInterrupted, r.Err()}
	}
	return &exitError{exitEndpoint, r.Err()}
}

// printBenchmark prints results, and then where they are stored.
func (p *program) printBenchmark(job benchmarkRun, r *benchmark.Results) error {
	if job.output.format == "json" {
		return printed(p.printDocument(r.Document()))
	}
	text := r.String()
	for _, o := range r.Outcomes {
		if o.Result == nil {
			continue
		}
		if more := job.output.more([]*latencytest.Result{o.Result}); more != "" {
			text += fmt.Sprintf("\n%v:\n%s", o.Combination, more)
		}
	}
	if job.compare != nil {
		text += "\n" + r.ComparisonTable()
	}
	for _, e := range r.Exports {
		if e.Format != "jsonl" { // each run tells of its samples
			text += fmt.Sprintf("\nresults: %s", e.Path)
		}
	}
	_, err := fmt.Fprint(p.stdout, plain(strings.TrimRight(text, "\n")+"\n"))
	return printed(err)
}

// besideConfig are the flags of profile that can be given together with a file.
var besideConfig = []string{"config", "base-url", "output", "format", "percentiles", "heat-map", "live", "quiet"}

// keyOf is where a benchmark file says what a flag of profile does, "" where it cannot.
func keyOf(flag string) string {
	const provider, scenario, execution = "providers[].", "workload.scenarios[].", "execution."
	switch flag {
	case "provider":
		return provider + "name"
	case "model", "header", "field":
		return provider + flag + "s"
	case "key-env", "region", "project", "api-version", "latency", "family", "endpoint", "temperature", "top-p", "top-k", "thinking-budget", "rate-limit":
		return provider + underscored(flag)
	case "prompt", "prompts", "system", "max-tokens", "requests", "repetitions", "concurrency", "rate", "arrivals", "ramp", "duration", "pause", "cache", "stream":
		return scenario + underscored(flag)
	case "unary":
		return scenario + "stream"
	case "retries":
		return execution + "retry.max_attempts"
	case "warmup":
		return execution + "warmup_requests"
	case "timeout", "seed", "dial-anew", "budget", "prices":
		return execution + underscored(flag)
	}
	return ""
}

func underscored(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// contradiction returns an error for the first flag that says what a file says.
func contradiction(flags *pflag.FlagSet, config string) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		switch key := keyOf(f.Name); {
		case err != nil || slices.Contains(besideConfig, f.Name):
		case key == "":
			err = fmt.Errorf("--%s and --config: a benchmark file such as %s has no such setting: leave one of them out", f.Name, config)
		default:
			err = fmt.Errorf("--%s contradicts %s of %s: change it there, or leave --config out", f.Name, key, config)
		}
	})
	return err
}
