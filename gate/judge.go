package gate

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// Options say what is judged, and by what. The zero value judges the directory
// .latgate by the baselines of the working tree.
type Options struct {
	// Dir is where the build has left its results. Empty means .latgate.
	Dir string

	// Root is the root of the module. Empty means the working directory.
	Root string

	// Base is the commit whose baselines are compared with; those of the working tree
	// are then proposals of the change. Empty means that the working tree's are compared
	// with.
	Base string

	// Open opens the store of a check that names none in the repository: a URL, as
	// s3store knows them. Nil refuses such a check.
	Open func(ctx context.Context, url string) (baseline.Store, error)

	// Require are patterns of "package test" of which each must have left a record.
	Require []*regexp.Regexp

	// FailOn are the verdicts that fail the build. Nil means all but inconclusive
	// that do not pass. What is left out of it is told as relaxed.
	FailOn []baseline.Verdict

	Waivers []Waiver // accepted regressions
	Tool    string   // the version of latgate that judges
}

// failing are the verdicts that fail a build where nothing else is said.
var failing = []baseline.Verdict{
	baseline.Tampered, baseline.Regression, baseline.OverBudget, baseline.Infrastructure,
	baseline.Incomparable, baseline.Missing, baseline.CassetteMiss,
}

// Judge judges a build. An error means that its results, or the repository, could not
// be read.
func Judge(ctx context.Context, o Options) (*report.Build, error) {
	if o.Dir == "" {
		o.Dir = ".latgate"
	}
	if o.Root == "" {
		o.Root = "."
	}
	manifest, err := ReadManifest(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("there is no build to judge: %w", err)
	}
	records, err := readRecords(o.Dir)
	if err != nil {
		return nil, err
	}
	stores := stores{Options: o}
	defer stores.close()
	var inputs []assertions.Input
	for _, r := range records {
		in, err := stores.input(ctx, r)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	judged, err := assertions.JudgeAll(inputs)
	if err != nil {
		return nil, err
	}
	build := &report.Build{
		Tool: o.Tool, Mode: manifest.Mode, ModeReason: manifest.ModeReason, Base: o.Base, Head: manifest.Head,
		Started: manifest.Started, Ended: manifest.Ended,
		Requests: judged.Requests, Failed: judged.Failed, Dollars: judged.Dollars, Rows: judged.Rows,
	}
	build.Rows = append(build.Rows, whatDidNotRun(manifest, records, build.Rows)...)
	build.Rows = append(build.Rows, o.required(records)...)
	build.Rows = append(build.Rows, waive(build.Rows, o.Waivers, manifest.Ended)...)
	for i := range build.Rows {
		if path, err := filepath.Rel(o.Dir, build.Rows[i].Samples); err == nil && build.Rows[i].Samples != "" {
			build.Rows[i].Samples = filepath.ToSlash(path)
		}
	}
	order(build.Rows)
	o.conclude(build)
	return build, nil
}

// readRecords returns the records of all checks below a directory, in the order of
// their paths.
func readRecords(dir string) (records []*assertions.Record, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, assertions.RecordSuffix) {
			return err
		}
		r, err := assertions.ReadRecord(path)
		records = append(records, r)
		return err
	})
	return records, err
}

// order sorts rows by where they come from, so that the order in which shards were
// merged does not matter. The rows of one check keep theirs.
func order(rows []report.Row) {
	slices.SortStableFunc(rows, func(a, b report.Row) int {
		return strings.Compare(a.Package+"\x00"+a.Test+"\x00"+a.Plan, b.Package+"\x00"+b.Test+"\x00"+b.Plan)
	})
}

// conclude gives the build its verdict: the worst of its rows, and the exit code of the
// worst that fails it.
func (o Options) conclude(build *report.Build) {
	failOn := o.FailOn
	if failOn == nil {
		failOn = failing
	}
	var all, red []baseline.Verdict
	for _, row := range build.Rows {
		all = append(all, row.Verdict)
		if slices.Contains(failOn, row.Verdict) {
			red = append(red, row.Verdict)
		}
	}
	if len(build.Rows) == 0 {
		build.Rows = append(build.Rows, wholeBuild(baseline.Missing, "nothing was judged"))
		all, red = append(all, baseline.Missing), append(red, baseline.Missing)
	}
	build.Verdict = report.Worst(all...)
	build.ExitCode = report.ExitPass
	if len(red) > 0 {
		build.ExitCode = report.ExitCode(report.Worst(red...))
	}
	for _, v := range failing {
		if !slices.Contains(failOn, v) && slices.Contains(all, v) {
			build.Relaxed = append(build.Relaxed, fmt.Sprintf("%s does not fail this build: fail_on leaves it out", v))
		}
	}
}

// required are rows for what had to leave a record, and did not.
func (o Options) required(records []*assertions.Record) (rows []report.Row) {
	for _, pattern := range o.Require {
		if !slices.ContainsFunc(records, func(r *assertions.Record) bool { return pattern.MatchString(r.Package + " " + r.Test) }) {
			rows = append(rows, wholeBuild(baseline.Missing, fmt.Sprintf("no check of a test that matches %q was made, which is required", pattern)))
		}
	}
	return rows
}

func wholeBuild(v baseline.Verdict, text string) report.Row {
	return report.Row{Test: "(build)", Gate: "manifest", Verdict: v, Reason: text, Text: "the build: " + string(v) + ": " + text}
}

// whatDidNotRun are rows for tests that ran and say nothing, or did not run.
func whatDidNotRun(m *Manifest, records []*assertions.Record, judged []report.Row) (rows []report.Row) {
	add := func(r Ran, v baseline.Verdict, text string) {
		name := r.Test
		if name == "" {
			name = "(package)"
		}
		rows = append(rows, report.Row{Package: r.Dir, Test: name, Gate: "manifest", Verdict: v, Reason: text, Text: fmt.Sprintf("%s: %s: %s", name, v, text)})
	}
	skipped := 0
	for _, t := range m.Tests {
		switch {
		case t.Cached:
			add(t, baseline.Missing, "the result is from go's cache, nothing was measured: use -count=1")
		case t.Outcome == Skipped:
			skipped++
			add(t, baseline.Inconclusive, "it was skipped"+because(t.Output))
		case t.Outcome == Failed && !explained(t, judged):
			add(t, baseline.Infrastructure, "it failed, and not by a gate"+because(t.Output))
		}
	}
	for _, p := range m.Packages {
		ran := slices.ContainsFunc(m.Tests, func(t Ran) bool { return t.Package == p.Package })
		if p.Outcome == Failed && !ran {
			add(p, baseline.Missing, "its tests did not run"+because(p.Output))
		}
	}
	switch {
	case len(m.Tests) == 0:
		rows = append(rows, wholeBuild(baseline.Missing, "no test matched "+strings.Join(m.Arguments, " ")))
	case skipped == len(m.Tests):
		rows = append(rows, wholeBuild(baseline.Missing, fmt.Sprintf("all %d tests were skipped", skipped)))
	case len(records) == 0:
		rows = append(rows, wholeBuild(baseline.Missing, "no test has checked anything: is assertions.Check called?"))
	}
	return rows
}

// explained reports whether a gate says why a test failed.
func explained(t Ran, rows []report.Row) bool {
	return slices.ContainsFunc(rows, func(r report.Row) bool {
		of, _, _ := strings.Cut(r.Test, "/")
		return r.Package == t.Dir && of == t.Test && r.Verdict != baseline.Pass && r.Verdict != baseline.Improved
	})
}

func because(output string) string {
	if output = strings.TrimSpace(output); output == "" {
		return ""
	}
	return ": " + output
}
