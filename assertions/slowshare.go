package assertions

import (
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// SlowShare demands that the share of slow requests, those that take more than twice
// the median of the stored runs, did not grow. It is for endpoints whose requests are
// of two kinds, such as cached and not, where a P90 sits between the kinds and jumps
// by chance; NoRegression says so where it finds that. It fails when the share is
// above that of every stored run, and above that of all together with 95 % confidence
// (Fisher's exact test, adjusted by Holm over the scenarios).
func SlowShare(m latencytest.Metric) Gate { return slowShare{m} }

type slowShare struct{ metric latencytest.Metric }

func (s slowShare) String() string { return fmt.Sprintf("SlowShare(%v)", s.metric) }

func (s slowShare) addTo(g *gates) error {
	g.shares = append(g.shares, s)
	return nil
}

func (s slowShare) record() GateRecord { return recordOf("SlowShare", s.metric, 0) }

// judge compares every scenario's share with that of its stored runs.
func (s slowShare) judge(res *latencytest.Result, store baseline.Store) ([]answer, error) {
	answers := make([]answer, len(res.Scenarios))
	counts := make([]baseline.Slow, len(res.Scenarios))
	p := make([]float64, len(res.Scenarios))
	for i, of := range res.Scenarios {
		answers[i] = answer{Row: report.Row{Scenario: of.Name, Gate: s.String()}}
		p[i] = 1
		if verdict, reason := unusable(of, s.metric); verdict != "" {
			answers[i].Verdict, answers[i].Reason = verdict, reason
			continue
		}
		var err error
		if counts[i], err = baseline.SlowRequests(res, of, store, s.metric); err != nil {
			return nil, err
		}
		if len(counts[i].Stored) == 0 {
			answers[i].Verdict, answers[i].Reason = baseline.Missing, "there are no stored runs with this metric"
			continue
		}
		stored, _ := counts[i].Total()
		if p[i], err = stat.Fisher(counts[i].Candidate, stored); err != nil {
			return nil, err
		}
	}
	holm := stat.Holm(p)
	for i := range answers {
		a := &answers[i]
		if a.Verdict == "" {
			s.decide(a, counts[i], holm[i])
		}
		a.fails = a.Verdict != baseline.Pass && a.Verdict != baseline.Missing
		a.warns = a.Verdict == baseline.Missing // a NoRegression gate, or an update, makes the baseline
		a.acceptable = a.Verdict == baseline.Regression
		a.Text = fmt.Sprintf("%s: %v: %s: %s", a.Scenario, s, a.Verdict, a.Reason)
	}
	return answers, nil
}

func (s slowShare) decide(a *answer, c baseline.Slow, p float64) {
	stored, highest := c.Total()
	a.Measured = float64(c.Candidate.Failed) / float64(c.Candidate.Total)
	a.Verdict = baseline.Pass
	if p < .05 && a.Measured > highest {
		a.Verdict = baseline.Regression
	}
	beyond := "above"
	if s.metric.HigherIsBetter() {
		beyond = "below"
	}
	a.Reason = fmt.Sprintf("%.1f %% of %d requests are slow (%s %s), of the stored ones %.1f %%, at most %.1f %% of a run (Holm p %.2g)",
		100*a.Measured, c.Candidate.Total, beyond, s.metric.Format(c.Limit), 100*float64(stored.Failed)/float64(stored.Total), 100*highest, p)
}
