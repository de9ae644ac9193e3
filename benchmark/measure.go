package benchmark

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// A Watch is told how a benchmark goes. Each of its functions may be nil.
type Watch struct {
	Begin    func(*Run)
	Progress func(latencytest.Progress)
	OnSample func(*latencytest.Sample)

	// After is called with the results so far when a run has ended. An error ends the
	// benchmark: what cannot be stored need not be measured.
	After func(*Results) error

	// Plan, where not nil, may change a run's plan before it begins: how often Progress
	// is told what.
	Plan func(*latencytest.Plan)
}

// A Status is how a run went.
type Status string

// The statuses of runs.
const (
	Measured    Status = "measured"
	Failed      Status = "failed"      // the endpoint was down, or answered nothing well
	Interrupted Status = "interrupted" // by the end of the context
	NotMade     Status = "not made"    // the benchmark ended before, or its budget was spent
	Broken      Status = "broken"      // by this machine: a file could not be written
)

// An Outcome is what came of a run.
type Outcome struct {
	*Run
	Status  Status
	Reason  string              // why it was not measured; "" where it was
	Result  *latencytest.Result // nil where nothing is known; partial where the run ended early
	Samples string              // the sample file; "" where there is none
}

// Results are what came of a benchmark, run by run in the order of the file.
type Results struct {
	*Benchmark
	Outcomes    []Outcome
	Comparisons []Comparison // see [Results.Compare]
}

// Measure makes all runs, one after the other, each with its own warm-up. One that fails
// does not end the others, and what was measured of it stays. The end of the context ends
// the benchmark, with what there is so far. The error is that of
// [Watch.After].
func (b *Benchmark) Measure(ctx context.Context, w Watch) (*Results, error) {
	results := &Results{Benchmark: b}
	for _, r := range b.Runs {
		results.Outcomes = append(results.Outcomes, Outcome{Run: r, Status: NotMade, Reason: "its turn has not come"})
	}
	for _, i := range b.order() {
		results.Outcomes[i] = results.measure(ctx, b.Runs[i], w)
		if c, ok := b.Runs[i].Target.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
		if w.After != nil {
			if err := w.After(results); err != nil {
				return results, err
			}
		}
	}
	return results, nil
}

// order returns the places of the runs as they are made.
func (b *Benchmark) order() []int {
	order := make([]int, len(b.Runs))
	for i := range order {
		order[i] = i
	}
	if b.File.Execution.Shuffled {
		seed := b.File.Execution.Seed
		if seed == 0 {
			seed = latencytest.Seed()
		}
		rand.New(rand.NewPCG(seed, uint64(len(order)))).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// measure makes one run.
func (r *Results) measure(ctx context.Context, run *Run, w Watch) Outcome {
	o := Outcome{Run: run, Status: NotMade}
	plan := run.Plan
	if ctx.Err() != nil {
		o.Status, o.Reason = Interrupted, context.Cause(ctx).Error()
		return o
	}
	if budget := r.File.Execution.Budget; budget > 0 {
		if plan.Budget = budget - r.spent(); plan.Budget <= 0 {
			o.Reason = fmt.Sprintf("the budget of $%g was spent", budget)
			return o
		}
	}
	if w.Begin != nil {
		w.Begin(run)
	}
	plan.Progress, plan.OnSample = w.Progress, w.OnSample
	if w.Plan != nil {
		w.Plan(&plan)
	}
	before := PartialFiles(plan.SampleFile)
	var err error
	o.Result, err = latencytest.Measure(ctx, run.Target, plan)
	if o.Result != nil {
		for _, file := range SampleFiles([]*latencytest.Result{o.Result}, before) {
			o.Samples = file
		}
	}
	o.Status, o.Reason = statusOf(o.Result, err, ctx.Err() != nil)
	return o
}

// spent is what the runs so far have cost, warm-up included, as far as it is known.
func (r *Results) spent() float64 {
	sum := 0.
	for _, o := range r.Outcomes {
		if o.Result == nil {
			continue
		}
		for i := range o.Result.Samples {
			if cost := o.Result.Samples[i].Cost; cost != nil {
				sum += *cost
			}
		}
	}
	return sum
}

// statusOf says how a run went that returned this.
func statusOf(res *latencytest.Result, err error, interrupted bool) (Status, string) {
	if err != nil {
		_, storm := errors.AsType[*latencytest.StormError](err)
		_, warmup := errors.AsType[*latencytest.WarmupError](err)
		status := Broken
		switch {
		case interrupted:
			status = Interrupted
		case storm || warmup:
			status = Failed
		}
		return status, inKeys.Replace(err.Error())
	}
	attempts, ok := 0, 0
	for _, s := range res.Scenarios {
		attempts += s.Attempts()
		ok += s.Attempts() - s.Failed()
	}
	switch {
	case attempts == 0:
		return Failed, "nothing was measured: " + res.Ended
	case ok == 0:
		return Failed, fmt.Sprintf("none of %d requests ended well, the last one as %s", attempts, LastEnd(res))
	}
	return Measured, ""
}

// LastEnd says how the last attempt of a result ended, with the last error that there was.
func LastEnd(res *latencytest.Result) string {
	class, text := providers.Class("failure"), "it does not say why"
	for _, s := range res.Samples {
		class = s.Class
		if s.Error != "" {
			text = s.Error
		}
	}
	return fmt.Sprintf("%s: %s", class, text)
}

// inKeys says an error of a plan in terms of the file.
var inKeys = strings.NewReplacer(
	"Plan.Prompts", "prompt", "Plan.Requests", "requests", "Plan.Repetitions", "repetitions", "Plan.Warmup", "warmup_requests",
	"Plan.Load", "concurrency or rate", "Plan.Timeout", "timeout", "Plan.Duration", "duration", "Plan.Pause", "pause",
	"Plan.Budget", "budget", "Plan.RateLimit", "rate_limit", "Plan.Retries", "max_attempts", "Plan.Backoff", "initial_backoff_ms", "Plan.Cache", "cache",
)

// Worst returns the worst status of the runs, and Measured where all were. The worst is
// Broken, then Interrupted, then Failed and NotMade.
func (r *Results) Worst() Status {
	for _, status := range []Status{Broken, Interrupted, Failed, NotMade} {
		if slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Status == status }) {
			return status
		}
	}
	return Measured
}

// Err says which runs were not measured, nil where all were.
func (r *Results) Err() error {
	var lines []string
	for _, o := range r.Outcomes {
		if o.Status != Measured {
			lines = append(lines, fmt.Sprintf("  %v: %s: %s", o.Combination, o.Status, providers.Inert(o.Reason)))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d runs were not measured:\n%s", len(lines), len(r.Outcomes), strings.Join(lines, "\n"))
}
