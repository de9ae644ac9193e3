package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/history"
	"github.com/latgate/latgate/latencytest"
)

// exitStep is that of a regression: the history has a step for the worse.
const exitStep = 10

type historyFlags struct {
	runs, tests, scenarios, metrics, quantiles []string

	minEffect, tolerance, alpha, since, format string
	failOnStep                                 bool
}

func (p *program) historyCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "history [DIRECTORY|ADDRESS]",
		Short: "Look for steps and creep in the runs of weeks and months",
		Long: `History reads stored runs (.bench files): the baselines below a directory, which is
` + latencytest.Dir + ` unless another is given, or all that a remote store has ever held,
and those of an archive of nightly runs.
Of runs of one key it tells when a quantile changed its level, between which commits,
and by how much; and how far it has crept since the pinned run (pinned.bench, beside
the baselines of its key), or since the first runs where none is pinned.

A level needs three runs, so a step is seen in the third run after it. One or two runs
away from all others are outliers and, at the end, a change that is pending.

It exits with 0 whether there are steps or not, with 2 where files cannot be read and,
with --fail-on-step, with 10 where there is a step or creep for the worse.`,
		Example: `  latgate history
  latgate history --runs nightly/ --metric ttft,otps --quantile p50,p90
  latgate history --runs nightly/ --test TestLatencyChat --since 2026-11-01 --fail-on-step
  latgate history --runs nightly/ --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.history(cmd.Context(), f, append(args, latencytest.Dir)[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.runs, "runs", nil, "a `directory` of more runs, with what is below it; may be given several times")
	flags.StringArrayVar(&f.tests, "test", nil, "only runs of the test of that `name`; may be given several times")
	flags.StringArrayVar(&f.scenarios, "scenario", nil, "only runs of the scenario of that `name`; may be given several times")
	flags.StringSliceVar(&f.metrics, "metric", []string{"ttft", "otps"}, "the `metrics` to look at")
	flags.StringSliceVar(&f.quantiles, "quantile", []string{"p50", "p90"}, "the `quantiles` to look at, towards the bad end")
	flags.StringVar(&f.minEffect, "min-effect", "5%", "the smallest `step` that matters")
	flags.StringVar(&f.tolerance, "tolerance", "20%", "how `far` a quantile may creep")
	flags.StringVar(&f.alpha, "alpha", "1%", "the `chance` that a series without a step shows one")
	flags.StringVar(&f.since, "since", "", "only steps since that `day`, as in 2026-11-01; older runs are still looked at")
	flags.BoolVar(&f.failOnStep, "fail-on-step", false, "exit with 10 where there is a step for the worse, or creep")
	flags.StringVar(&f.format, "format", "table", "the `format` to print: table or json")
	choices(cmd, "metric", metricNames()...)
	choices(cmd, "format", "table", "json")
	return cmd
}

func (p *program) history(ctx context.Context, f historyFlags, dir string) error {
	questions, err := f.questions()
	if err != nil {
		return err
	}
	options, since, err := f.options()
	if err != nil {
		return err
	}
	archive, err := readArchive(ctx, dir, f.runs)
	if err != nil {
		return err
	}
	var found []keyHistory
	for _, stored := range archive {
		if !wanted(f.tests, stored.key.Get("test")) || !wanted(f.scenarios, stored.key.Get("scenario")) {
			continue
		}
		one := keyHistory{storedRuns: stored}
		for _, q := range questions {
			report, err := stored.analyze(q, options, since)
			if err != nil {
				return fmt.Errorf("%s: %w", stored.name(), err)
			}
			one.reports = append(one.reports, report)
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		return fmt.Errorf("there are no runs of these tests and scenarios: what is stored is of %s", strings.Join(names(archive), ", "))
	}
	if f.format == "json" {
		err = p.printHistoryJSON(found)
	} else {
		err = p.printHistory(found)
	}
	if err != nil {
		return printed(err)
	}
	if f.failOnStep {
		return worse(found)
	}
	return nil
}

func wanted(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// options reads how steps are looked for, and since when they are told.
func (f historyFlags) options() (o history.Options, since time.Time, err error) {
	var errs [5]error
	errs[0] = oneOf("format", f.format, "table", "json")
	o.MinEffect, errs[1] = share("min-effect", f.minEffect)
	o.Tolerance, errs[2] = share("tolerance", f.tolerance)
	o.Alpha, errs[3] = share("alpha", f.alpha)
	if f.since != "" {
		if since, err = time.Parse(time.DateOnly, f.since); err != nil {
			errs[4] = fmt.Errorf("--since: want a day, as in 2026-11-01, got %q", f.since)
		}
	}
	return o, since, errors.Join(errs[:]...)
}

// questions reads what is asked.
func (f historyFlags) questions() ([]baseline.Question, error) {
	metrics, err := metricsNamed("metric", f.metrics)
	if err != nil {
		return nil, err
	}
	quantiles, err := quantilesNamed("quantile", f.quantiles)
	if err != nil {
		return nil, err
	}
	var questions []baseline.Question
	for _, m := range metrics {
		for _, q := range quantiles {
			questions = append(questions, baseline.Question{Metric: m, Quantile: q})
		}
	}
	return questions, nil
}

// metricsNamed finds the metrics that a flag names.
func metricsNamed(flag string, names []string) ([]latencytest.Metric, error) {
	var metrics []latencytest.Metric
	for _, name := range names {
		i := slices.Index(metricNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("--%s: there is no metric %q: want some of %s", flag, name, strings.Join(metricNames(), ", "))
		}
		metrics = append(metrics, latencytest.Metrics[i])
	}
	if len(metrics) == 0 {
		return nil, fmt.Errorf("--%s: name one", flag)
	}
	return metrics, nil
}

// quantilesNamed reads quantiles such as p90 and P99.9.
func quantilesNamed(flag string, names []string) ([]latencytest.Quantile, error) {
	var quantiles []latencytest.Quantile
	for _, name := range names {
		digits, found := strings.CutPrefix(strings.ToLower(name), "p")
		percent, err := strconv.ParseFloat(digits, 64)
		if !found || err != nil || !(percent > 0 && percent < 100) {
			return nil, fmt.Errorf("--%s: want percentiles such as p50 or p90, got %q", flag, name)
		}
		quantiles = append(quantiles, latencytest.Quantile(percent/100))
	}
	if len(quantiles) == 0 {
		return nil, fmt.Errorf("--%s: name one", flag)
	}
	return quantiles, nil
}

// A keyHistory is what the runs of one key show, a report for each question.
type keyHistory struct {
	storedRuns
	reports []*history.Report
}

// analyze answers one question, without the steps before since.
func (s storedRuns) analyze(q baseline.Question, o history.Options, since time.Time) (*history.Report, error) {
	series, err := history.NewSeries(q, s.runs, s.pinned)
	if err != nil {
		return nil, err
	}
	report, err := history.Analyze(series, o)
	if err != nil {
		return nil, err
	}
	report.Steps = slices.DeleteFunc(report.Steps, func(step history.Step) bool { return step.First.Time.Before(since) })
	report.Outliers = slices.DeleteFunc(report.Outliers, func(o history.Outlier) bool { return o.Run.Time.Before(since) })
	return report, nil
}

// worse returns what to exit with where something has become worse, else nil.
func worse(found []keyHistory) error {
	var errs []error
	say := func(k keyHistory, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", k.name(), fmt.Sprintf(format, args...)))
	}
	for _, k := range found {
		for _, r := range k.reports {
			for _, step := range r.Steps {
				if step.Worse {
					say(k, "%v changed by %s with the run of %v", r.Series.Question, percent(step.Ratio), step.First)
				}
			}
			if d := r.Drift; d != nil && d.Creep && d.Worse {
				say(k, "%v crept by %s since %s", r.Series.Question, percent(d.Ratio), d.Since.Format(time.DateOnly))
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &exitError{exitStep, errors.Join(errs...)}
}
