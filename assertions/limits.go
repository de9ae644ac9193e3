package assertions

import (
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// judge compares every scenario with the limit.
func (b budget) judge(res *latencytest.Result) ([]answer, error) {
	var answers []answer
	for _, s := range res.Scenarios {
		if reason := baseline.Invalid(s, b.metric); reason != "" {
			answers = append(answers, answer{
				text:  fmt.Sprintf("%s: %v: %s: %s", s.Name, b, baseline.Infrastructure, reason),
				fails: true,
			})
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
		text := fmt.Sprintf("%s: %v: %v %v is %s (%s), limit %s, n %d: %s", s.Name, b, b.q, b.metric,
			b.metric.Format(r.Estimate), bound, b.metric.Format(b.limit), r.N, r.Verdict)
		switch {
		case r.Verdict != stat.Inconclusive:
		case r.Bound == 0:
			text += fmt.Sprintf(": needs at least %d requests", max(r.Need, r.N+1))
		default:
			text += ": beyond the limit, but not with 95 % confidence"
		}
		answers = append(answers, answer{text: text, fails: r.Verdict == stat.OverBudget, warns: r.Verdict == stat.Inconclusive})
	}
	return answers, nil
}

// judge compares every scenario's failures with the limit and with those of the
// stored runs. The latter are one family over the scenarios, as latencies are.
func (e errorRate) judge(res *latencytest.Result, store baseline.Store) ([]answer, error) {
	stored := make([]stat.Failures, len(res.Scenarios))
	p := make([]float64, len(res.Scenarios))
	for i, s := range res.Scenarios {
		var err error
		if stored[i], err = baseline.StoredFailures(res, s, store); err != nil {
			return nil, err
		}
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
			a.text += fmt.Sprintf("; %s: the stored runs failed %d of %d times (Fisher's exact p %.2g, Holm %.2g)",
				baseline.Regression, stored[i].Failed, stored[i].Total, p[i], holm[i])
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
	a := answer{text: fmt.Sprintf("%s: %v: %s", s.Name, e, s.Ends())}
	switch {
	case f.Total == 0:
		a.fails = true
		a.text += fmt.Sprintf(": %s: no request was measured", baseline.Infrastructure)
	case stat.Exceeds(f, float64(e)):
		a.fails = true
		a.text += fmt.Sprintf(": %s: above the limit with 95 %% confidence", baseline.OverBudget)
	case float64(f.Failed) > float64(e)*float64(f.Total):
		a.warns = true
		a.text += fmt.Sprintf(": %s: above the limit, but not with 95 %% confidence", baseline.Inconclusive)
	default:
		a.text += fmt.Sprintf(": %s", baseline.Pass)
	}
	return a
}
