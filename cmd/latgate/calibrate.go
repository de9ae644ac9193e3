package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/calibrate"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// calibrateFlags are the flags of calibrate besides those of profile.
type calibrateFlags struct {
	profileFlags

	sessions, storedRuns int
	sessionPause         time.Duration
	metrics, quantiles   []string
	tolerance            string
}

func (p *program) calibrateCommand() *cobra.Command {
	f := new(calibrateFlags)
	cmd := &cobra.Command{
		Use:   "calibrate [FILE...]",
		Short: "Measure an endpoint's own noise, and what a gate needs to see through it",
		Long: `Calibrate runs the same plan several times against the same endpoint, each time with
new connections, and prints how much the quantiles vary although nothing has changed:
between sessions, and by the requests of each. From that follow the noise floor, below
which no number of requests sees a slow-down, and what each tolerance needs. It also has
the gate judge every session against the others, and counts its false alarms.

It takes the flags of profile, which see, or reads the sample files of runs that are
there (profile --output, or testdata/latgate/TEST/latest.samples.jsonl). Sessions an hour
or a day apart vary more than those of one afternoon: files of several days tell more.
The limits of --budget and --max-tokens-total hold for all sessions together, an equal
part for each. An --output wants {session} in its name.

It exits with 0, with 2 where --tolerance is below the noise floor, and as profile does
where a session failed.`,
		Example: `  latgate calibrate --provider openai --model gpt-5-mini --prompts support.jsonl --sessions 8 --session-pause 10m -n 200 -c 4
  latgate calibrate --provider ollama --model llama3.2 --prompt "Hello" --tolerance 15%
  latgate calibrate monday.samples.jsonl tuesday.samples.jsonl wednesday.samples.jsonl --metric ttft --format json`,
	}
	f.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error { return p.calibrate(cmd.Context(), f, files) }
	return cmd
}

func (f *calibrateFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.sessions, "sessions", 8, "the `number` of sessions")
	flags.DurationVar(&f.sessionPause, "session-pause", time.Minute, "the `time` between one session and the next")
	flags.StringSliceVar(&f.metrics, "metric", []string{"ttft", "otps"}, "the `metrics` to calibrate")
	flags.StringSliceVar(&f.quantiles, "quantile", []string{"p50", "p90"}, "their `quantiles`, towards the bad end")
	flags.StringVar(&f.tolerance, "tolerance", "", "a `slow-down`, such as 15%, that a gate is to see: exit with 2 where it cannot")
	flags.IntVar(&f.storedRuns, "stored-runs", 5, "the `number` of runs in the baseline of that gate")
	f.profileFlags.register(cmd)
	choices(cmd, "metric", metricNames()...)
}

// A calibration is what calibrate is asked.
type calibration struct {
	questions  []baseline.Question
	tolerances []float64
	asked      float64 // the tolerance that was asked for, 0 for none
	design     calibrate.Design
	format     string
}

// usual are the tolerances that are told of.
var usual = []float64{.10, .15, .20, .30, .50}

func (f *calibrateFlags) calibration() (*calibration, error) {
	if err := f.output.check(); err != nil {
		return nil, err
	}
	metrics, err := metricsNamed("metric", f.metrics)
	if err != nil {
		return nil, err
	}
	quantiles, err := quantilesNamed("quantile", f.quantiles)
	if err != nil {
		return nil, err
	}
	if f.storedRuns < 1 || f.storedRuns > baseline.Keep {
		return nil, fmt.Errorf("--stored-runs: want 1 to %d, got %d", baseline.Keep, f.storedRuns)
	}
	c := &calibration{tolerances: slices.Clone(usual), design: calibrate.Design{StoredRuns: f.storedRuns}, format: f.output.format}
	if f.tolerance != "" {
		if c.asked, err = share("tolerance", f.tolerance); err != nil {
			return nil, err
		}
		if !slices.Contains(c.tolerances, c.asked) {
			c.tolerances = append(c.tolerances, c.asked)
			slices.Sort(c.tolerances)
		}
	}
	for _, m := range metrics {
		for _, q := range quantiles {
			c.questions = append(c.questions, baseline.Question{Metric: m, Quantile: q})
		}
	}
	return c, nil
}

func (p *program) calibrate(ctx context.Context, f *calibrateFlags, files []string) error {
	c, err := f.calibration()
	if err != nil {
		return err
	}
	var results []*latencytest.Result
	var outcome error
	if len(files) > 0 {
		if f.given("provider") {
			return errors.New("--provider: give sample files, or an endpoint to measure, not both")
		}
		results, err = loadSessions(files)
	} else {
		results, outcome, err = p.measureSessions(ctx, f, c.questions)
	}
	if err != nil {
		return err
	}
	if outcome != nil && len(results) < calibrate.Fewest {
		return outcome
	}
	report, err := calibrate.Of(results, c.questions, stat.Options{})
	if err != nil {
		return errors.Join(outcome, err)
	}
	if outcome == nil {
		outcome = c.refuse(report)
	}
	if c.format == "json" {
		err = p.printCalibrationJSON(report, c, outcome)
	} else {
		err = p.printCalibration(report, c)
	}
	if err != nil {
		return printed(err)
	}
	return outcome
}

// refuse returns an error where the tolerance that was asked for is below a floor.
func (c *calibration) refuse(report *calibrate.Report) error {
	if c.asked == 0 {
		return nil
	}
	var errs []error
	for i := range report.Noise {
		if err := report.Noise[i].Check(c.asked, c.design); err != nil {
			errs = append(errs, fmt.Errorf("--tolerance: %w", err))
		}
	}
	return errors.Join(errs...)
}

func loadSessions(files []string) ([]*latencytest.Result, error) {
	var results []*latencytest.Result
	var errs []error
	for _, file := range files {
		res, err := latencytest.Load(file) // one that was cut short is no session like the others
		if err != nil {
			errs = append(errs, err)
		}
		results = append(results, res)
	}
	return results, errors.Join(errs...)
}

// alike returns an error for flags that would make sessions differ, or that mean
// nothing here.
func (f *calibrateFlags) alike() error {
	for _, flag := range []string{"sweep", "low-memory", "percentiles"} {
		if f.given(flag) {
			return fmt.Errorf("--%s: calibrate has no use for it, only profile", flag)
		}
	}
	switch {
	case f.sessions < calibrate.Fewest:
		return fmt.Errorf("--sessions: want %d or more, better 8, got %d", calibrate.Fewest, f.sessions)
	case f.sessionPause < 0:
		return fmt.Errorf("--session-pause: want 0 or more, got %v", f.sessionPause)
	case f.sampleFile != "" && !strings.Contains(f.sampleFile, "{session}"):
		return errors.New("--output: each session has a file of its own: want {session} in its name, as in run-{session}.samples.jsonl")
	}
	return nil
}

// measureSessions runs the sessions. The outcome is that of one which failed and ended
// them; what was measured before it is returned with it. An error means that nothing
// was sent.
func (p *program) measureSessions(ctx context.Context, f *calibrateFlags, questions []baseline.Question) (results []*latencytest.Result, outcome, err error) {
	if err := f.alike(); err != nil {
		return nil, nil, err
	}
	job, err := p.prepare(ctx, &f.profileFlags)
	if err != nil {
		return nil, nil, err
	}
	view := &view{out: p.stderr, size: p.terminal, quiet: f.quiet}
	gentle, hard, stop := p.interruptible(ctx, func() {
		view.say("interrupted: requests under way have 10 s to end; once more ends them at once")
	})
	defer stop()
	job.plan.Progress, job.plan.ProgressEvery = view.show, view.every()
	job.plan.OnSample = job.env.redact
	job.plan.Budget /= float64(f.sessions)
	if job.plan.MaxTokens > 0 {
		job.plan.MaxTokens = max(1, job.plan.MaxTokens/int64(f.sessions)) // 0 is no limit
	}
	for i := range f.sessions {
		if i > 0 && !wait(gentle, f.sessionPause) {
			return results, &exitError{exitInterrupted, fmt.Errorf("interrupted after %d of %d sessions", i, f.sessions)}, nil
		}
		say := func(format string, args ...any) {
			if !f.quiet {
				view.say(fmt.Sprintf("session %d of %d", i+1, f.sessions) + fmt.Sprintf(format, args...))
			}
		}
		say("")
		res, err := job.session(gentle, hard, i)
		if outcome := outcomeOf(existing(res), err, gentle.Err() != nil); outcome != nil {
			if i == 0 && res == nil {
				return nil, nil, outcome
			}
			return results, fmt.Errorf("session %d of %d: %w", i+1, f.sessions, outcome), nil
		}
		results = append(results, res)
		for _, s := range res.Scenarios {
			say(": %s: %s", s.Name, quantiles(s, questions))
		}
	}
	return results, nil, nil
}

// quantiles is "P50 ttft 402 ms, P90 ttft 612 ms" of those questions that have values.
func quantiles(s *latencytest.Scenario, questions []baseline.Question) string {
	var parts []string
	for _, q := range questions {
		if v := s.Quantile(q.Metric, q.Quantile); !math.IsNaN(v) {
			parts = append(parts, fmt.Sprintf("%v %s", q, q.Metric.Format(v)))
		}
	}
	return strings.Join(parts, ", ")
}

func existing(res *latencytest.Result) []*latencytest.Result {
	if res == nil {
		return nil
	}
	return []*latencytest.Result{res}
}

// session runs the plan once more, over connections of its own.
func (job *prepared) session(gentle, hard context.Context, number int) (*latencytest.Result, error) {
	target := job.target
	if number > 0 {
		var err error
		if target, err = job.again(gentle); err != nil {
			return nil, err
		}
	}
	if c, ok := target.(interface{ CloseIdleConnections() }); ok {
		defer c.CloseIdleConnections()
	}
	plan := job.plan
	plan.SampleFile = strings.ReplaceAll(plan.SampleFile, "{session}", strconv.Itoa(number+1))
	return latencytest.Measure(gentle, abortable{target, hard}, plan)
}

// wait lets time pass, and reports whether it did before the context ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
