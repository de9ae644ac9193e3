package gate

import (
	"fmt"
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
		row := report.Row{Package: r.Dir, Test: name, Gate: "manifest", Verdict: v, Reason: text, Text: fmt.Sprintf("%s: %s: %s", name, v, text)}
		if output != "" {
			row.Text += "\n    " + strings.ReplaceAll(output, "\n", "\n    ")
		}
		rows = append(rows, row)
	}
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
	case len(records) == 0 && len(rows) == 0:
		rows = append(rows, wholeBuild(baseline.Missing, "no test has checked anything: is assertions.Check called?"))
	}
	return rows
}

// outage is how a test ends whose endpoint is down or refuses everything; see
// [latencytest.WarmupError] and [latencytest.StormError].
var outage = regexp.MustCompile(`\[latgate\] .*(?:warm-up requests failed, nothing was measured|of the last \d+ requests failed, mostly as )`)

// explained reports whether a gate says why a test failed: what the test made of it,
// for the family of the build may see it otherwise.
func (t Ran) explained(records []*assertions.Record) bool {
	return slices.ContainsFunc(records, func(r *assertions.Record) bool {
		of, _, _ := strings.Cut(r.Test, "/")
		return r.Package == t.Dir && of == t.Test && slices.ContainsFunc(r.Rows, func(row report.Row) bool {
			return row.Verdict != baseline.Pass && row.Verdict != baseline.Improved
		})
	})
}
