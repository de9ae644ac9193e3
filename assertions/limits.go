package assertions

import (
	"fmt"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// judge compares every scenario with the limit.
func (b budget) judge(res *latencytest.Result) ([]answer, error) {
	var answers []answer
	for _, s := range res.Scenarios {
		if verdict, reason := unusable(s, b.metric); verdict != "" {
			a := answer{Row: b.row(s), fails: true}
			a.Verdict, a.Reason = verdict, reason
			a.Text = fmt.Sprintf("%s: %v: %s: %s", s.Name, b, verdict, reason)
			answers = append(answers, a)
			continue
		}
		r, err := stat.Budget{
			Scenario: s.Name, Metric: b.metric.Name(), Q: float64(b.q),
			HigherIsBetter: b.metric.HigherIsBetter(), Limit: b.limit, Values: baseline.Values(s, b.metric),
		}.Judge()
		if err != nil {
			return answers, err
		}
		bound := "no bound"
		if r.Bound != 0 {
			bound = "95 % bound " + b.metric.Format(r.Bound)
		}
		a := answer{Row: b.row(s), fails: r.Verdict == stat.OverBudget, warns: r.Verdict == stat.Inconclusive}
		a.Verdict, a.Measured = baseline.Verdict(r.Verdict), r.Estimate
		a.Text = fmt.Sprintf("%s: %v: %v %v is %s (%s), limit %s, n %d: %s", s.Name, b, b.q, b.metric,
			b.metric.Format(r.Estimate), bound, b.metric.Format(b.limit), r.N, r.Verdict)
		switch {
		case r.Verdict != stat.Inconclusive:
		case r.Bound == 0:
			a.Reason = fmt.Sprintf("needs at least %d requests", max(r.Need, r.N+1))
			a.Text += ": " + a.Reason
		default:
			a.Reason = "beyond the limit, but not with 95 % confidence"
			a.Text += ": " + a.Reason
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// unusable says why a scenario's values of a metric say nothing, and whose fault that
// is. The verdict is empty where they are good.
func unusable(s *latencytest.Scenario, m latencytest.Metric) (baseline.Verdict, string) {
	if reason := baseline.NotRecorded(s); reason != "" {
		return baseline.CassetteMiss, reason
	}
	if reason := baseline.Invalid(s, m); reason != "" {
		return baseline.Infrastructure, reason
	}
	return "", ""
}

// row is what is known before the scenario is judged.
func (b budget) row(s *latencytest.Scenario) report.Row {
	return report.Row{Scenario: s.Name, Gate: b.String(), Quantity: quantity(b.metric, b.q), Limit: b.limit}
}

// judge compares every scenario's failures with the limit and with those of the
// stored runs. The latter are one family over the scenarios, as latencies are.
func (e errorRate) judge(res *latencytest.Result, store baseline.Store) ([]answer, error) {
	stored := make([]stat.Failures, len(res.Scenarios))
	for i, s := range res.Scenarios {
		var err error
		if stored[i], err = baseline.StoredFailures(res, s, store); err != nil {
			return nil, err
		}
	}
	return e.against(res, "the stored runs", stored)
}

// against compares every scenario's failures with the limit and with those of
// others, where there are any.
func (e errorRate) against(res *latencytest.Result, others string, stored []stat.Failures) ([]answer, error) {
	p := make([]float64, len(res.Scenarios))
	for i, s := range res.Scenarios {
		var err error
		if p[i], err = stat.Fisher(failures(s), stored[i]); err != nil {
			return nil, err
		}
	}
	holm := stat.Holm(p)
	var answers []answer
	for i, s := range res.Scenarios {
		a := e.withinLimit(s)
		if stored[i].Total > 0 && holm[i] < .05 {
			a.fails, a.acceptable = true, true
			a.Verdict = report.Worst(a.Verdict, baseline.Regression)
			a.Text += fmt.Sprintf("; %s: %s failed %d of %d times (Fisher's exact p %.2g, Holm %.2g)",
				baseline.Regression, others, stored[i].Failed, stored[i].Total, p[i], holm[i])
		}
		answers = append(answers, a)
	}
	return answers, nil
}

func failures(s *latencytest.Scenario) stat.Failures {
	return stat.Failures{Failed: s.Failed(), Total: len(s.Samples)}
}

// withinLimit compares a scenario's failures with the limit.
func (e errorRate) withinLimit(s *latencytest.Scenario) answer {
	f := failures(s)
	a := answer{Row: report.Row{Scenario: s.Name, Gate: e.String(), Verdict: baseline.Pass, Limit: float64(e)}}
	switch {
	case f.Total == 0:
		a.Verdict, a.Reason = baseline.Infrastructure, "no request was measured"
	case baseline.NotRecorded(s) != "":
		a.Verdict, a.Reason = baseline.CassetteMiss, baseline.NotRecorded(s)
	case stat.Exceeds(f, float64(e)):
		a.Verdict, a.Reason = baseline.OverBudget, "above the limit with 95 % confidence"
	case float64(f.Failed) > float64(e)*float64(f.Total):
		a.Verdict, a.Reason = baseline.Inconclusive, "above the limit, but not with 95 % confidence"
	}
	a.warns = a.Verdict == baseline.Inconclusive
	a.fails = !a.warns && a.Verdict != baseline.Pass
	if f.Total > 0 {
		a.Measured = float64(f.Failed) / float64(f.Total)
	}
	a.Text = strings.TrimSuffix(fmt.Sprintf("%s: %v: %s: %s: %s", s.Name, e, s.Ends(), a.Verdict, a.Reason), ": ")
	return a
}
