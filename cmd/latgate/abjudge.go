package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// An abVerdict is the verdict on two builds, before there is one.
type abVerdict struct {
	*program
	report     reportFlags
	dir        string // that it is written to
	repository string // its root
	work       string // a temporary directory, of which nothing is told
	turns      gate.Turns
}

// verdictTo prepares the directory of the verdict. What an earlier one has left there
// goes: it must not be taken for this one's.
func (p *program) verdictTo(f abFlags, of *repository, work string) (abVerdict, error) {
	v := abVerdict{program: p, report: f.judge.report, repository: of.root, work: work}
	var err error
	if v.turns.Root, err = gate.FindRoot(filepath.Join(of.root, of.from)); err != nil {
		v.turns.Root = of.root // a workspace of several modules
	}
	if v.turns.FailOn, err = p.failOnVerdicts(f.judge); err != nil {
		return v, err
	}
	if v.dir = f.out; v.dir == "" {
		if v.dir, err = gate.OutDir(v.turns.Root, "", p.lookup); err != nil {
			return v, err
		}
		v.dir = filepath.Join(v.dir, "ab") // the results of latgate run stay what they are
	}
	if v.dir, err = filepath.Abs(v.dir); err != nil {
		return v, err
	}
	v.turns.Tool, v.turns.Started = toolVersion(), time.Now().UTC().Truncate(time.Second)
	return v, v.report.prepare(v.dir)
}

// prepare removes what is going to be written to a directory. One that is not there is
// made, and kept out of the user's repository.
func (f reportFlags) prepare(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644)
	}
	names := []string{"verdict.json"}
	for _, file := range reportFiles {
		if slices.Contains(f.formats, file.format) {
			names = append(names, file.name)
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tell judges what was measured, prints a line for each answer, and tells the verdict.
// Where measuring has failed, that is the verdict, unless it means a wrong use of the
// command.
func (v abVerdict) tell(ctx context.Context, tests []measuredTest, cause error, revisions assertions.Revisions) (err error) {
	if cause == nil && len(tests) == 0 {
		cause = &exitError{report.ExitMissing, fmt.Errorf("no test measured anything: does -run match one that calls latencytest.Run?")}
	}
	if cause != nil {
		if v.turns.Unmeasured = v.unmeasured(cause); v.turns.Unmeasured == nil {
			return cause
		}
	} else {
		for _, t := range tests {
			revisions.Tests = append(revisions.Tests, assertions.RevisionPair{Package: v.inModule(t.dir), Pair: t.pair})
		}
		if v.turns.Judged, err = assertions.JudgeRevisions(revisions); err != nil {
			return &exitError{exitInternal, err}
		}
		if err := v.answers(); err != nil {
			return printed(err)
		}
	}
	v.turns.Ended = time.Now().UTC().Truncate(time.Second)
	verdict, err := gate.JudgeTurns(ctx, v.turns)
	if err != nil {
		return coded(err)
	}
	return v.conclude(v.report, v.dir, verdict, cause)
}

// answers prints what the comparisons say, as tests do of theirs.
func (v abVerdict) answers() error {
	text := ""
	for _, r := range v.turns.Judged.Rows {
		name := r.Test
		if r.Package != "." {
			name = r.Package + " " + name
		}
		if r.Plan != "" {
			name += " " + r.Plan
		}
		text += name + ": " + r.Text + "\n"
		for _, w := range r.Warnings {
			text += "    note: " + w + "\n"
		}
	}
	_, err := fmt.Fprintln(v.stdout, plain(text))
	return err
}

// inModule is a directory from the root of the repository as one from that of the
// module.
func (v abVerdict) inModule(dir string) string {
	relative, err := filepath.Rel(v.turns.Root, filepath.Join(v.repository, filepath.FromSlash(dir)))
	if err != nil || !filepath.IsLocal(relative) {
		return dir
	}
	return filepath.ToSlash(relative)
}

// unmeasured is what an error means for the verdict; nil for one that means none.
func (v abVerdict) unmeasured(err error) *gate.Unmeasured {
	failed, is := errors.AsType[*exitError](err)
	if !is {
		return nil
	}
	for _, verdict := range []baseline.Verdict{baseline.Missing, baseline.Incomparable, baseline.Infrastructure} {
		if failed.code == report.ExitCode(verdict) {
			return &gate.Unmeasured{Verdict: verdict, Reason: strings.ReplaceAll(err.Error(), v.work+string(filepath.Separator), "")}
		}
	}
	return nil
}
