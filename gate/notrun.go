package gate

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// whatDidNotRun are rows for tests that ran and say nothing, or did not run.
func (m *Manifest) whatDidNotRun(records []*assertions.Record) (rows []report.Row) {
	add := func(r Ran, v baseline.Verdict, text, output string) {
		name := r.Test
		if name == "" {
			name = "(package)"
		}
		row := report.Row{Package: r.Dir, Test: name, Region: m.Region, Gate: "manifest", Verdict: v, Reason: text, Text: fmt.Sprintf("%s: %s: %s", name, v, text)}
		if output != "" {
			row.Text += "\n    " + strings.ReplaceAll(output, "\n", "\n    ")
		}
		rows = append(rows, row)
	}
	records = m.own(records)
	ran := make(map[string]bool)
	skipped := 0
	for _, t := range m.Tests {
		ran[t.Package+" "+t.Test] = true
		switch {
		case t.Cached:
			add(t, baseline.Missing, "the result is from go's cache, nothing was measured: use -count=1", "")
		case t.Outcome == Skipped:
			skipped++
			add(t, baseline.Inconclusive, "it was skipped", t.Output)
		case t.Outcome == Failed && outage.MatchString(t.Output):
			add(t, baseline.Infrastructure, "the endpoint did not answer", t.Output)
		case t.Outcome == Failed && !t.explained(records) && missed.MatchString(t.Output):
			add(t, baseline.CassetteMiss, "it asked for what is not recorded", t.Output)
		case t.Outcome == Failed && !t.explained(records):
			add(t, baseline.Missing, "it failed, and not by a gate: nothing says how fast it is", t.Output)
		}
	}
	dirs := make(map[string]string)
	for _, p := range m.Packages {
		dirs[p.Package] = p.Dir
		of := func(t Ran) bool { return t.Package == p.Package }
		switch {
		case p.Outcome == Failed && !slices.ContainsFunc(m.Tests, of):
			add(p, baseline.Missing, "its tests did not run", p.Output)
		case p.Outcome == Failed && !slices.ContainsFunc(m.Tests, func(t Ran) bool { return of(t) && t.Outcome == Failed }):
			add(p, baseline.Missing, "it failed, though none of its tests did", p.Output)
		}
	}
	for _, name := range m.Planned {
		if !ran[name] {
			pkg, test, _ := strings.Cut(name, " ")
			add(Ran{Package: pkg, Dir: dirs[pkg], Test: test}, baseline.Missing, "it was planned, and did not run", "")
		}
	}
	switch {
	case len(m.Tests) == 0 && len(rows) == 0:
		rows = append(rows, wholeBuild(baseline.Missing, "no test matched: go test "+strings.Join(m.Arguments, " ")))
	case len(m.Tests) > 0 && skipped == len(m.Tests):
		rows = append(rows, wholeBuild(baseline.Missing, fmt.Sprintf("all %d tests were skipped", skipped)))
	case len(records) == 0 && !slices.ContainsFunc(rows, func(r report.Row) bool { return report.Fails(r.Verdict) }):
		rows = append(rows, wholeBuild(baseline.Missing, "no test has checked anything: is assertions.Check called?"))
	}
	return rows
}

// own are the records of the manifest's directory: of several modes that were merged,
// what one has checked says nothing of another.
func (m *Manifest) own(records []*assertions.Record) (own []*assertions.Record) {
	for _, r := range records {
		if name, err := filepath.Rel(m.dir, r.SampleFile()); err == nil && filepath.IsLocal(name) {
			own = append(own, r)
		}
	}
	return own
}

// outage is how a test ends whose endpoint is down or refuses everything; see
// [latencytest.WarmupError] and [latencytest.StormError].
var outage = regexp.MustCompile(`\[latgate\] .*(?:warm-up requests failed, nothing was measured|of the last \d+ requests failed, mostly as )`)

// missed is how a replay ends that was asked for what its recording does not hold; see
// [latencytest.Replay].
var missed = regexp.MustCompile(`\[latgate\] cassette-miss \(exit code 17\): `)

// isCause reports whether a line says whose fault it is that nothing was measured.
func isCause(line string) bool { return outage.MatchString(line) || missed.MatchString(line) }

// explained reports whether a gate says why a test failed: what the test made of it,
// for the family of the build may see it otherwise. A gate that let the test pass
// explains nothing.
func (t Ran) explained(records []*assertions.Record) bool {
	return slices.ContainsFunc(records, func(r *assertions.Record) bool {
		of, _, _ := strings.Cut(r.Test, "/")
		return r.Package == t.Dir && of == t.Test && slices.ContainsFunc(r.Rows, func(row report.Row) bool {
			return report.Fails(row.Verdict) || row.Verdict == baseline.Inconclusive && failsInDoubt(r)
		})
	})
}

// failsInDoubt reports whether a check has the policy [assertions.Fail].
func failsInDoubt(r *assertions.Record) bool {
	return slices.ContainsFunc(r.Gates, func(g assertions.GateRecord) bool { return g.Policy == assertions.Fail })
}
