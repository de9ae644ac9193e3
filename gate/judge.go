package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

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

	// Base is the commit whose baselines and configuration are compared with; those of
	// the working tree are then proposals of the change, and the trailers Latency-Accept
	// of its commits are read. Empty means that the working tree's are compared with.
	Base string

	// Mode, where not empty, is what must have been measured.
	Mode report.Mode

	// Open opens the store of a check that names none in the repository: a URL, as
	// s3store knows them. Nil refuses such a check. Unreachable reports whether an error
	// of such a store is about its server, and not about what it holds: that is nobody's
	// change, any other a sign that somebody changed what was stored.
	Open        func(ctx context.Context, url string) (baseline.Store, error)
	Unreachable func(error) bool

	// Require are patterns of "package test", beside those of the configuration, of
	// which each must match a check that was made.
	Require []*regexp.Regexp

	// FailOn are the verdicts that fail the build. Nil means those of the
	// configuration, which are all that do not pass but inconclusive, unless it says
	// otherwise. What is left out of the usual ones is told as relaxed.
	FailOn []baseline.Verdict

	Waivers []Waiver // accepted regressions, beside those of trailers
	Tool    string   // the version of latgate that judges
}

// failing are the verdicts that fail a build where nothing else is said.
var failing = []baseline.Verdict{
	baseline.Tampered, baseline.Regression, baseline.OverBudget, baseline.Infrastructure,
	baseline.Incomparable, baseline.Missing, baseline.CassetteMiss,
}

// Judge judges a build. An error means that its results, or the repository, could not
// be read; [ExitCode] tells what it means for the build.
func Judge(ctx context.Context, o Options) (*report.Build, error) {
	o.Dir, o.Root = cmp.Or(o.Dir, ".latgate"), cmp.Or(o.Root, ".")
	parts, err := readParts(o.Dir)
	if err != nil {
		return nil, err
	}
	j := judge{Options: o, parts: parts}
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	defer j.stores.close()
	judged, err := j.judged(ctx)
	if err != nil {
		return nil, err
	}
	build := &report.Build{
		Tool: o.Tool, Base: j.Base, Head: parts[0].Head, Started: parts[0].Started, Ended: parts[0].Ended,
		Requests: judged.Requests, Failed: judged.Failed, Dollars: judged.Dollars, Rows: append(judged.Rows, j.rows...),
	}
	build.Mode, build.ModeReason = modeOf(parts)
	for _, p := range parts {
		if p.Started.Before(build.Started) {
			build.Started = p.Started
		}
		if p.Ended.After(build.Ended) {
			build.Ended = p.Ended
		}
		build.Rows = append(build.Rows, p.withoutStore(j.records)...)
		build.Rows = append(build.Rows, p.whatDidNotRun(j.records)...)
	}
	for _, res := range judged.Results {
		if strings.HasPrefix(res.Ended, "LATGATE_MAX_") {
			build.Rows = append(build.Rows, wholeBuild(baseline.Infrastructure, fmt.Sprintf("%s was ended: %s", res.Test, res.Ended)))
		}
	}
	build.Rows = append(build.Rows, j.required()...)
	build.Rows = append(build.Rows, waive(build.Rows, j.Waivers, time.Now())...)
	for i := range build.Rows {
		j.tidy(&build.Rows[i])
	}
	order(build.Rows)
	j.conclude(build)
	return build, nil
}

// A judge judges a build.
type judge struct {
	Options
	parts   []*Manifest
	config  Config
	stores  stores
	records []*assertions.Record
	rows    []report.Row // that are about no check

	doubtFails bool // what is compared and cannot be told: in a merge queue
}

// readParts reads the manifest of a directory or, of several strata that were merged,
// those of the directories in it.
func readParts(dir string) ([]*Manifest, error) {
	m, err := ReadManifest(dir)
	parts := []*Manifest{m}
	if errors.Is(err, fs.ErrNotExist) {
		parts = nil
		strata, _ := strataIn(dir) // without any, err stands
		for _, s := range strata {
			m, partErr := ReadManifest(filepath.Join(dir, s.String()))
			switch {
			case partErr == nil && m.stratum() != s:
				return nil, &IncomparableError{fmt.Sprintf("%s holds results of %v", filepath.Join(dir, s.String()), m.stratum())}
			case partErr == nil:
				parts = append(parts, m)
			case !errors.Is(partErr, fs.ErrNotExist):
				return nil, partErr
			}
		}
		if len(parts) > 0 {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("there is no build to judge: %w", err)
	}
	for _, p := range parts {
		if p.Shards > 1 {
			return nil, &IncomparableError{fmt.Sprintf("%s holds shard %d of %d alone: merge all of them first", dir, p.Shard, p.Shards)}
		}
	}
	return parts, nil
}

// modeOf is the mode of a build, of several the one that measures most of the endpoint.
func modeOf(parts []*Manifest) (mode report.Mode, reason string) {
	if len(parts) == 1 {
		return parts[0].Mode, parts[0].ModeReason
	}
	var reasons []string
	for _, m := range []report.Mode{report.AB, report.Stored, report.Track, report.Replay} {
		for _, p := range parts {
			if p.Mode == m {
				mode = cmp.Or(mode, m)
				reasons = append(reasons, fmt.Sprintf("%s: %s", p.stratum(), p.ModeReason))
			}
		}
	}
	return mode, strings.Join(reasons, "; ")
}

// prepare reads what the build is judged by.
func (j *judge) prepare(ctx context.Context) (err error) {
	for _, p := range j.parts {
		if j.Mode != "" && len(j.parts) == 1 && p.Mode != j.Mode {
			return &IncomparableError{fmt.Sprintf("the results are of mode %s, and not %s", p.Mode, j.Mode)}
		}
	}
	if j.Base != "" {
		if err := j.prepareBase(ctx); err != nil {
			return err
		}
	} else if j.config, err = ReadConfig(j.Root); err != nil {
		return err
	}
	j.stores.Options = j.Options
	j.Require = append(slices.Clone(j.Require), j.config.Require...)
	if j.FailOn == nil {
		j.FailOn = j.config.failOn()
		j.doubtFails = j.config.silentOnDoubt() && slices.ContainsFunc(j.parts, func(p *Manifest) bool { return p.Queue })
	}
	j.records, err = readRecords(j.Dir)
	return err
}

// prepareBase reads what is judged by from the base commit: a change does not choose
// its own judge.
func (j *judge) prepareBase(ctx context.Context) error {
	commit, err := Commit(ctx, j.Root, j.Base)
	if err != nil {
		return err
	}
	j.Base = commit
	head, err := Commit(ctx, j.Root, "HEAD")
	if err != nil {
		return err
	}
	for _, p := range j.parts {
		if p.Head != "" && p.Head != head {
			j.rows = append(j.rows, wholeBuild(baseline.Incomparable, fmt.Sprintf("commit %.12s was measured, and %.12s is checked out here", p.Head, head)))
		}
	}
	content, found, err := fileOf(ctx, j.Root, commit, ConfigName)
	if err != nil {
		return err
	}
	if found {
		if j.config, err = ParseConfig(content, fmt.Sprintf("%s of commit %.12s", ConfigName, commit)); err != nil {
			return err
		}
	}
	now, err := os.ReadFile(filepath.Join(j.Root, ConfigName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if normal(string(now)) != normal(string(content)) {
		row := wholeBuild(baseline.Accepted, fmt.Sprintf("%s changes here; this build is judged by that of the base commit", ConfigName))
		row.Gate, row.File, row.Line = "configuration", ConfigName, 1
		j.rows = append(j.rows, row)
	}
	waivers, broken, err := Waivers(ctx, j.Root, commit, head)
	for _, b := range broken {
		j.rows = append(j.rows, wholeBuild(baseline.Tampered, b.Error()))
	}
	j.Waivers = append(slices.Clone(j.Waivers), waivers...)
	return err
}

// normal does not see line ends, which git changes on some machines.
func normal(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

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

// judged judges the checks in one family. A check whose store cannot be read is no part
// of it.
func (j *judge) judged(ctx context.Context) (*assertions.Judgement, error) {
	var inputs []assertions.Input
	for _, r := range j.records {
		in, err := j.stores.input(ctx, r)
		if e, is := errors.AsType[*storeError](err); is {
			j.cannot(r, e.verdict, e.reason)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Package, r.Test, err)
		}
		r.Gates = append(slices.Clone(r.Gates), j.config.defaults(r.Gates)...)
		inputs = append(inputs, in)
	}
	for {
		judged, err := assertions.JudgeAll(inputs)
		if err == nil {
			return judged, nil
		}
		var readable []assertions.Input
		for _, in := range inputs {
			w, _ := in.Store.(*watched)
			if w == nil || w.failed == nil {
				readable = append(readable, in)
				continue
			}
			verdict, err := j.unreadable(in.Record, w.failed)
			if err != nil {
				return nil, err
			}
			j.cannot(in.Record, verdict, w.failed.Error())
		}
		if len(readable) == len(inputs) {
			return nil, err
		}
		inputs = readable
	}
}

// cannot adds a row about a check that cannot be judged as its store cannot be read. The
// test has met the same, and says nothing else of why it failed.
func (j *judge) cannot(r *assertions.Record, v baseline.Verdict, text string) {
	row := ofCheck(r, v, text)
	j.rows, r.Rows = append(j.rows, row), append(r.Rows, row)
}

// unreadable is what a store that cannot be read means for a check: of several errors,
// the worst. A schema of another version is nobody's doing here.
func (j *judge) unreadable(r *assertions.Record, err error) (baseline.Verdict, error) {
	if several, is := err.(interface{ Unwrap() []error }); is {
		var verdicts []baseline.Verdict
		for _, e := range several.Unwrap() {
			v, err := j.unreadable(r, e)
			if err != nil {
				return "", err
			}
			verdicts = append(verdicts, v)
		}
		return report.Worst(verdicts...), nil
	}
	switch {
	case strings.Contains(err.Error(), "this version of latgate reads"):
		return "", fmt.Errorf("%s %s: %w", r.Package, r.Test, err)
	case j.Unreachable != nil && j.Unreachable(err):
		return baseline.Infrastructure, nil
	}
	return baseline.Tampered, nil
}

// defaults are the settings of the configuration that a check does not have itself.
func (c Config) defaults(of []assertions.GateRecord) (more []assertions.GateRecord) {
	compares := func(g assertions.GateRecord) bool { return g.Gate == "NoRegression" }
	if !slices.ContainsFunc(of, compares) {
		return nil
	}
	for _, setting := range []assertions.GateRecord{
		{Gate: "MinEffect", Limit: c.MinEffect},
		{Gate: "RuleOut", Limit: c.RuleOut},
		{Gate: "Alpha", Limit: c.Alpha},
	} {
		says := func(g assertions.GateRecord) bool { return g.Gate == setting.Gate }
		if setting.Limit > 0 && !slices.ContainsFunc(of, says) {
			more = append(more, setting)
		}
	}
	return more
}

// required are rows for what had to be checked, and was not.
func (j *judge) required() (rows []report.Row) {
	for _, pattern := range j.Require {
		if !slices.ContainsFunc(j.records, func(r *assertions.Record) bool { return pattern.MatchString(r.Package + " " + r.Test) }) {
			rows = append(rows, wholeBuild(baseline.Missing, fmt.Sprintf("no check of a test that matches %q was made, which is required", pattern)))
		}
	}
	return rows
}

// tidy leaves nothing in a row that only this machine knows.
func (j *judge) tidy(r *report.Row) {
	if r.Samples != "" {
		if path, err := filepath.Rel(j.Dir, r.Samples); err == nil {
			r.Samples = filepath.ToSlash(path)
		}
	}
	if strings.ContainsAny(r.File, `\:`) {
		r.File, r.Line = "", 0 // no path that a system could show
	}
	texts := []*string{&r.Text, &r.Reason, &r.Baseline}
	if r.Accepted != nil {
		texts = append(texts, &r.Accepted.Source)
	}
	for _, text := range texts {
		*text = withoutDir(j.stores.shown(*text), j.Root)
	}
}

// withoutDir takes the names of files below a directory relative to it.
func withoutDir(text, dir string) string {
	if dir = filepath.Clean(dir); dir == "." || dir == string(filepath.Separator) {
		return text
	}
	return strings.ReplaceAll(text, dir+string(filepath.Separator), "")
}

// order sorts rows by where they come from, so that the order in which shards were
// merged does not matter. The rows of one check keep theirs.
func order(rows []report.Row) {
	slices.SortStableFunc(rows, func(a, b report.Row) int {
		return strings.Compare(a.Package+"\x00"+a.Test+"\x00"+a.Plan+"\x00"+a.Region, b.Package+"\x00"+b.Test+"\x00"+b.Plan+"\x00"+b.Region)
	})
}

// wholeBuild is a row that is about no test.
func wholeBuild(v baseline.Verdict, text string) report.Row {
	return report.Row{Test: "(build)", Gate: "manifest", Verdict: v, Reason: text, Text: "the build: " + string(v) + ": " + text}
}

// ofCheck is a row about a check as a whole.
func ofCheck(r *assertions.Record, v baseline.Verdict, text string) report.Row {
	return report.Row{
		Package: r.Package, Test: r.Test, Plan: r.Plan, Region: r.Region, File: r.File, Line: r.Line, Gate: "baseline",
		Verdict: v, Reason: firstLine(text), Text: fmt.Sprintf("%s: %s: %s", r.Test, v, text),
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// BaseOf returns the commit that the results in a directory were measured against,
// empty where there is none.
func BaseOf(dir string) (string, error) {
	parts, err := readParts(dir)
	if err != nil {
		return "", err
	}
	for _, p := range parts[1:] {
		if p.Base != parts[0].Base {
			return "", &IncomparableError{"the results were measured against different commits: say which with --base"}
		}
	}
	return parts[0].Base, nil
}
