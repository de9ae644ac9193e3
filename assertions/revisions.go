package assertions

import (
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// Revisions are two builds of the same tests, measured by turns, and what is asked of
// them: whether the head got worse against the base. What the tests' own checks ask is
// not.
type Revisions struct {
	Tests     []RevisionPair
	Questions []baseline.Question
	Options   stat.Options // Alpha, MinEffect, RuleOut and Strict count

	// Optional leaves a question out where most replies of a test have no value of its
	// metric, as short ones have no speed.
	Optional bool
}

// A RevisionPair is what one plan of a test measured in two builds.
type RevisionPair struct {
	Package string            // directory from the module's root, with slashes
	Pair    *latencytest.Pair // A is the base, B the head
}

// JudgeRevisions judges two builds. All questions are one family, whatever test they are
// asked of; whether the scenarios of the head fail more often are another.
func JudgeRevisions(r Revisions) (*Judgement, error) {
	cases := make([]baseline.PairCase, len(r.Tests))
	for i, t := range r.Tests {
		cases[i] = baseline.PairCase{Pair: t.Pair, Questions: r.Questions, Alike: true}
	}
	compared, err := baseline.ComparePairs(r.Options, cases...)
	if err != nil {
		return nil, err
	}
	judged := new(Judgement)
	for _, c := range compared.Comparisons {
		test := r.Tests[c.Case]
		if r.Optional && test.valueless(c) {
			continue
		}
		row := rowOf(c)
		row.Baseline = "" // no stored run, but files of many turns
		judged.Rows = append(judged.Rows, test.named(row))
	}
	failures, err := r.failures()
	if err != nil {
		return nil, err
	}
	judged.Rows = append(judged.Rows, failures...)
	for _, t := range r.Tests {
		judged.Results = append(judged.Results, t.Pair.B)
		judged.count(t.Pair.A)
		judged.count(t.Pair.B)
	}
	return judged, nil
}

// named gives a row the name of the test.
func (p RevisionPair) named(row report.Row) report.Row {
	of := p.Pair.B
	if len(of.Scenarios) == 0 { // it did not measure what A did
		of = p.Pair.A
	}
	row.Package, row.Test, row.Plan = p.Package, of.Test, of.Plan.Name
	return row
}

// valueless reports whether most replies have no value of the metric.
func (p RevisionPair) valueless(c baseline.Comparison) bool {
	values, replies := 0, 0
	for _, res := range []*latencytest.Result{p.Pair.A, p.Pair.B} {
		if s := res.Scenario(c.Scenario); s != nil {
			values += len(baseline.Values(s, c.Metric))
			replies += len(s.Samples) - s.Failed()
		}
	}
	return 2*values < replies
}

// failures asks of every scenario that both sides measured whether the head fails more
// often, by Fisher's exact test.
func (r Revisions) failures() ([]report.Row, error) {
	type sides struct {
		of         RevisionPair
		scenario   string
		base, head stat.Failures
	}
	var asked []sides
	var p []float64
	for _, t := range r.Tests {
		for _, s := range t.Pair.B.Scenarios {
			other := t.Pair.A.Scenario(s.Name)
			if other == nil {
				continue
			}
			q := sides{t, s.Name, failures(other), failures(s)}
			chance, err := stat.Fisher(q.head, q.base)
			if err != nil {
				return nil, err
			}
			asked, p = append(asked, q), append(p, chance)
		}
	}
	alpha := r.Options.Alpha
	if alpha == 0 {
		alpha = .05 // that of stat.Options
	}
	var rows []report.Row
	for i, adjusted := range stat.Holm(p) {
		q := asked[i]
		if q.base.Failed+q.head.Failed == 0 {
			continue
		}
		row := report.Row{Scenario: q.scenario, Gate: "failures", Verdict: baseline.Pass, Measured: float64(q.head.Failed) / float64(q.head.Total)}
		if adjusted <= alpha {
			row.Verdict = baseline.Regression
		}
		row.Reason = fmt.Sprintf("failures %d of %d → %d of %d, Fisher's exact p %.2g (Holm %.2g)",
			q.base.Failed, q.base.Total, q.head.Failed, q.head.Total, p[i], adjusted)
		row.Text = fmt.Sprintf("%s: %s: %s", q.scenario, row.Reason, row.Verdict)
		rows = append(rows, q.of.named(row))
	}
	return rows, nil
}
