package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

type compareFlags struct {
	metrics, quantiles        []string
	alpha, minEffect, ruleOut string

	// Of a benchmark file.
	config, baseURLs, export, format string
	live                             []string
	quiet                            bool
}

func (p *program) compareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare BASE HEAD | compare --config FILE",
		Short: "Compare what was measured at two times, or measure endpoints and compare them",
		Long: `Compare judges whether HEAD is slower than BASE, by the gate's own statistics. Each is
a sample file, a file of a stored run (.bench), or a directory with such files below it.
Scenarios are matched by test, plan and scenario, and a single one of each side with the
other, whatever they are called: two models, say. What else differs is told.

BASE may have several runs of a scenario: the variation between them is then known, and
not only assumed. The first session of HEAD counts; its others are left out, and told.

It exits with the code of the worst verdict, as latgate gate does.

With --config it measures first: each scenario of a benchmark file with each model of
each provider, and compares each with the file's first one. That two endpoints differ is
no failure then, whichever is slower: it exits with 0, and with 15 where a run could not
be measured, or its times say nothing. What was measured is printed all the same.`,
		Example: `  latgate compare before.samples.jsonl after.samples.jsonl
  latgate compare testdata/latgate/TestLatencyChat run.samples.jsonl --metric ttft --quantile p90,p99
  latgate compare base/.latgate head/.latgate
  latgate compare --config benchmark.yaml --output results.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.config == "" {
				return cobra.ExactArgs(2)(cmd, args)
			}
			if len(args) > 0 {
				return fmt.Errorf("--config and BASE HEAD: compare what %s measures, or what is stored, not both", f.config)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.config != "" {
				return p.compareEndpoints(cmd.Context(), f)
			}
			for _, flag := range []string{"output", "base-url", "format", "live", "quiet"} {
				if cmd.Flags().Changed(flag) {
					return fmt.Errorf("--%s: needs --config, of what is to be measured", flag)
				}
			}
			return p.compare(f, args[0], args[1])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.metrics, "metric", []string{"ttft", "otps"}, "the `metrics` to compare")
	flags.StringSliceVar(&f.quantiles, "quantile", []string{"p50", "p90"}, "the `quantiles` to compare, towards the bad end")
	flags.StringVar(&f.minEffect, "min-effect", "10%", "the smallest `slow-down` that is a regression")
	flags.StringVar(&f.ruleOut, "rule-out", "20%", "the `slow-down` that a pass excludes")
	flags.StringVar(&f.alpha, "alpha", "5%", "the `chance` of any false regression")
	flags.StringVar(&f.config, "config", "", "the benchmark `file` whose endpoints are measured and compared")
	flags.StringVar(&f.export, "output", "", "with --config: the `file` to write results to, which ends in .json or .csv; {timestamp} in its name is the time")
	flags.StringVar(&f.baseURLs, "base-url", "", "with --config: `PROVIDER=URL` of a provider that is to be asked there; several with commas between them")
	flags.StringVar(&f.format, "format", "table", "with --config: the `format` to print, table or json")
	flags.StringSliceVar(&f.live, "live", []string{"ttft", "ttlt"}, "with --config: the `metrics` of the live view")
	flags.BoolVar(&f.quiet, "quiet", false, "with --config: no live view")
	choices(cmd, "metric", metricNames()...)
	choices(cmd, "format", "table", "json")
	choices(cmd, "live", metricNames()...)
	return cmd
}

// A measuredRun is one run of a scenario, from whatever file.
type measuredRun struct {
	file    string
	key     baseline.Key
	values  func(latencytest.Metric) []float64
	invalid func(latencytest.Metric) string
}

// name is what a scenario is matched by.
func (r measuredRun) name() string {
	parts := []string{r.key.Get("test"), r.key.Get("plan"), r.key.Get("scenario")}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
}

// A comparedSide is the runs of each scenario, by name, and the names in order.
type comparedSide struct {
	names []string
	runs  map[string][]measuredRun
}

func readSide(path string) (comparedSide, error) {
	side := comparedSide{runs: make(map[string][]measuredRun)}
	add := func(r measuredRun) {
		if side.runs[r.name()] == nil {
			side.names = append(side.names, r.name())
		}
		side.runs[r.name()] = append(side.runs[r.name()], r)
	}
	files := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return side, err
	}
	if info.IsDir() {
		if files, err = measuredFiles(path); err != nil {
			return side, err
		}
	}
	for _, file := range files {
		if filepath.Ext(file) == ".bench" {
			run, err := readStoredRun(file)
			if err != nil {
				return side, err
			}
			add(measuredRun{file, run.Key, run.Values, func(m latencytest.Metric) string {
				if len(run.Values(m)) == 0 {
					return fmt.Sprintf("it holds no %v", m)
				}
				return ""
			}})
			continue
		}
		res, err := latencytest.Load(file)
		if err != nil {
			return side, err
		}
		for _, s := range res.Scenarios {
			add(measuredRun{
				file, baseline.KeyOf(s),
				func(m latencytest.Metric) []float64 { return baseline.Values(s, m) },
				func(m latencytest.Metric) string { return baseline.Invalid(s, m) },
			})
		}
	}
	if len(side.names) == 0 {
		return side, fmt.Errorf("%s: there are no sample files (.samples.jsonl) and no stored runs (.bench)", path)
	}
	return side, nil
}

// measuredFiles are those below a directory; samples of second sessions, which have a
// first one beside them, are left out.
func measuredFiles(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "second":
			return fs.SkipDir
		case !d.IsDir() && (strings.HasSuffix(path, ".samples.jsonl") || filepath.Ext(path) == ".bench" && d.Name() != baseline.PinnedFile):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// A comparedPair is a scenario of both sides.
type comparedPair struct {
	name       string
	base, head []measuredRun
}

// pairs matches the scenarios of two sides.
func pairs(base, head comparedSide) []comparedPair {
	if len(base.names) == 1 && len(head.names) == 1 {
		return []comparedPair{{head.names[0], base.runs[base.names[0]], head.runs[head.names[0]]}}
	}
	var all []comparedPair
	for _, name := range head.names {
		all = append(all, comparedPair{name, base.runs[name], head.runs[name]})
	}
	for _, name := range base.names {
		if head.runs[name] == nil {
			all = append(all, comparedPair{name, base.runs[name], nil})
		}
	}
	return all
}

// options reads how to compare, and what.
func (f compareFlags) options() (o stat.Options, questions []baseline.Question, err error) {
	var errs [4]error
	o.Alpha, errs[0] = share("alpha", f.alpha)
	o.MinEffect, errs[1] = share("min-effect", f.minEffect)
	o.RuleOut, errs[2] = share("rule-out", f.ruleOut)
	o.SingleSession, o.MinRuns = true, 1
	questions, errs[3] = historyFlags{metrics: f.metrics, quantiles: f.quantiles}.questions()
	return o, questions, errors.Join(errs[:]...)
}

func (p *program) compare(f compareFlags, basePath, headPath string) error {
	o, questions, err := f.options()
	if err != nil {
		return err
	}
	base, err := readSide(basePath)
	if err != nil {
		return err
	}
	head, err := readSide(headPath)
	if err != nil {
		return err
	}
	var answers []baseline.Comparison
	var family []stat.Comparison
	var asked []int
	var notes []string
	for _, pair := range pairs(base, head) {
		if note := pair.differences(); note != "" {
			notes = append(notes, pair.name+": "+note)
		}
		for _, q := range questions {
			c := baseline.Comparison{Question: q, Scenario: pair.name, Runs: len(pair.base)}
			if c.Verdict, c.Reason = pair.incomparable(q); c.Verdict == "" {
				asked = append(asked, len(answers))
				family = append(family, pair.question(q))
			}
			if c.Reason == neitherSide {
				continue
			}
			answers = append(answers, c)
		}
	}
	results, err := stat.Judge(family, o)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	for i := range results {
		c := &answers[asked[i]]
		c.Result, c.Verdict, c.Reason = &results[i], baseline.Verdict(results[i].Verdict), results[i].Reason
	}
	return p.tellCompared(answers, notes)
}

// neitherSide says that neither side has a value, as short answers have no speed.
const neitherSide = "neither side has a value"

func (c comparedPair) incomparable(q baseline.Question) (baseline.Verdict, string) {
	switch {
	case len(c.base) == 0:
		return baseline.Missing, "BASE does not have it"
	case len(c.head) == 0:
		return baseline.Missing, "HEAD does not have it"
	}
	withBase := slices.DeleteFunc(slices.Clone(c.base), func(r measuredRun) bool { return len(r.values(q.Metric)) == 0 })
	if len(withBase) == 0 && len(c.head[0].values(q.Metric)) == 0 {
		return baseline.Missing, neitherSide
	}
	if reason := append(withBase, c.base...)[0].invalid(q.Metric); reason != "" {
		return baseline.Infrastructure, "BASE: " + reason
	}
	if reason := c.head[0].invalid(q.Metric); reason != "" {
		return baseline.Infrastructure, "HEAD: " + reason
	}
	return "", ""
}

func (c comparedPair) question(q baseline.Question) stat.Comparison {
	n := stat.Comparison{
		Scenario: c.name, Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		Candidate: [][]float64{c.head[0].values(q.Metric)}, Fresh: true,
	}
	for _, r := range c.base {
		if values := r.values(q.Metric); len(values) > 0 {
			n.Baseline = append(n.Baseline, values)
		}
	}
	return n
}

// differences say what the sides did not have in common.
func (c comparedPair) differences() string {
	if len(c.base) == 0 || len(c.head) == 0 {
		return ""
	}
	var parts []string
	for _, m := range c.head[0].key.Mismatches(c.base[0].key) {
		parts = append(parts, fmt.Sprintf("%s %q against %q", m.Name, m.Have, m.Want))
	}
	if len(c.head) > 1 {
		parts = append(parts, fmt.Sprintf("of %d sessions of HEAD the first is compared", len(c.head)))
	}
	return strings.Join(parts, ", ")
}

func (p *program) tellCompared(answers []baseline.Comparison, notes []string) error {
	var verdicts []baseline.Verdict
	for _, c := range answers {
		verdicts = append(verdicts, c.Verdict)
		if _, err := fmt.Fprintln(p.stdout, plain(c.String())); err != nil {
			return printed(err)
		}
	}
	for _, note := range notes {
		if _, err := fmt.Fprintln(p.stdout, plain("note: "+note)); err != nil {
			return printed(err)
		}
	}
	worst := cmp.Or(report.Worst(verdicts...), baseline.Missing)
	if code := report.ExitCode(worst); code != exitOK {
		return &exitError{code, fmt.Errorf("%s", worst)}
	}
	return nil
}
