package baseline

import (
	"slices"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Slow counts the slow requests of a scenario and of its stored runs: those that take
// more than twice the median of the stored ones (less than half of it, where higher is
// better). The share of them moves where a quantile that sits between two modes of a
// distribution jumps from one to the other by chance.
type Slow struct {
	Limit     float64 // in the metric's unit: what is beyond it is slow
	Candidate stat.Failures
	Stored    []stat.Failures // of each run
}

// SlowRequests counts them. Without stored runs that hold the metric there is no
// limit, and nothing is counted.
func SlowRequests(res *latencytest.Result, s *latencytest.Scenario, store Store, m latencytest.Metric) (Slow, error) {
	runs, err := history(res, s, store)
	if err != nil {
		return Slow{}, err
	}
	var values [][]float64
	for _, run := range runs {
		if v := run.Values(m); len(v) > 0 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Slow{}, nil
	}
	all := slices.Concat(values...)
	slices.Sort(all)
	slow := Slow{Limit: 2 * stat.Type7(all, .5)}
	beyond := func(v float64) bool { return v > slow.Limit }
	if m.HigherIsBetter() {
		slow.Limit /= 4
		beyond = func(v float64) bool { return v < slow.Limit }
	}
	count := func(values []float64) (f stat.Failures) {
		for _, v := range values {
			if beyond(v) {
				f.Failed++
			}
		}
		f.Total = len(values)
		return f
	}
	slow.Candidate = count(Values(s, m))
	for _, v := range values {
		slow.Stored = append(slow.Stored, count(v))
	}
	return slow, nil
}

// Total returns the counts of all stored runs together, and the highest share that
// one of them has.
func (s Slow) Total() (all stat.Failures, highest float64) {
	for _, f := range s.Stored {
		all.Failed += f.Failed
		all.Total += f.Total
		highest = max(highest, float64(f.Failed)/float64(f.Total))
	}
	return all, highest
}
