package baseline_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// The numbers are those of the line in the documentation of the gate.
func TestTheLineOfAComparison(t *testing.T) {
	t.Parallel()
	slower := stat.Result{
		K: 5, Sessions: 2, N: []int{200}, BaselineN: []int{200, 200, 200, 200, 200},
		Baseline: stat.Quantile{HarrellDavis: 612.3e6, Type7: 605.1e6}, Candidate: stat.Quantile{HarrellDavis: 753.4e6, Type7: 740.9e6},
		D: math.Log(1.23), SE: .056, Ratio: 1.2304, Low: 1.1201, High: 1.3496, P: .001992, HolmP: .01793, Tau: .0312, Detectable: .1741,
	}
	with := func(edit func(*stat.Result)) *stat.Result {
		r := slower
		edit(&r)
		return &r
	}
	for _, test := range []struct {
		name string
		c    baseline.Comparison
		want string
	}{
		{
			"a regression",
			baseline.Comparison{Question: ttft90, Scenario: "all", Verdict: baseline.Regression, Reason: "confirmed in 2 sessions", Result: &slower},
			"all: P90 ttft 612 → 753 ms (type-7 605 → 741 ms), ratio 1.23 [1.12, 1.35], p .002 (Holm .018), n 200 + 5×200, between-run sd 3.1 %, smallest detectable +17 %: regression: confirmed in 2 sessions",
		},
		{
			"higher is better: the tail is named, and the ratio is that of the numbers",
			baseline.Comparison{Question: otps90, Scenario: "all", Verdict: baseline.Regression, Reason: "why", Result: with(func(r *stat.Result) {
				r.HigherIsBetter = true
				r.Baseline, r.Candidate = stat.Quantile{HarrellDavis: 48.23, Type7: 48.1}, stat.Quantile{HarrellDavis: 39.2, Type7: 39.04}
			})},
			"all: P90 otps (otps_p10) 48.2 → 39.2 tok/s (type-7 48.1 → 39.0 tok/s), ratio 0.81 [0.74, 0.89], p .002 (Holm .018), n 200 + 5×200, between-run sd 3.1 %, smallest detectable +17 %: regression: why",
		},
		{
			"another unit on each side",
			baseline.Comparison{Question: ttft90, Scenario: "all", Verdict: baseline.Pass, Reason: "why", Result: with(func(r *stat.Result) {
				r.Baseline.HarrellDavis, r.Candidate.HarrellDavis = 9.94e9, 10.2e9
				r.Baseline.Type7, r.Candidate.Type7 = 999.4e3, 1.2e6
				r.N, r.BaselineN = []int{200, 180}, []int{50}
			})},
			"all: P90 ttft 9940 ms → 10.2 s (type-7 999 µs → 1.20 ms), ratio 1.23 [1.12, 1.35], p .002 (Holm .018), n 200, 180 + 50, between-run sd 3.1 %, smallest detectable +17 %: pass: why",
		},
		{
			"a count",
			baseline.Comparison{Question: baseline.Question{Metric: latencytest.OutputTokens, Quantile: .999}, Scenario: "all", Verdict: baseline.Pass, Reason: "why", Result: with(func(r *stat.Result) {
				r.Baseline, r.Candidate = stat.Quantile{HarrellDavis: 40, Type7: 40}, stat.Quantile{HarrellDavis: 42, Type7: 42}
			})},
			"all: P99.9 output_tokens 40 → 42 (type-7 40 → 42), ratio 1.23 [1.12, 1.35], p .002 (Holm .018), n 200 + 5×200, between-run sd 3.1 %, smallest detectable +17 %: pass: why",
		},
		{
			"too few requests for a variance",
			baseline.Comparison{Question: ttft90, Scenario: "all", Verdict: baseline.Inconclusive, Reason: "why", Result: with(func(r *stat.Result) {
				r.SE, r.N = 0, []int{4}
			})},
			"all: P90 ttft 612 → 753 ms (type-7 605 → 741 ms), n 4 + 5×200: inconclusive: why",
		},
		{
			"no numbers",
			baseline.Comparison{Question: otps90, Scenario: "all", Verdict: baseline.Missing, Reason: "there is no baseline yet"},
			"all: P90 otps: missing: there is no baseline yet",
		},
	} {
		assert.Equal(t, test.want, test.c.String(), test.name)
	}
}

func TestProbabilitiesArePrintedAsStatisticiansDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		p    float64
		want string
	}{
		{0, "<.0001"},
		{.00009, "<.0001"},
		{.0001, ".0001"},
		{.00094, ".0009"},
		{.001, ".001"},
		{.0125, ".013"},
		{.05, ".050"},
		{.5, ".500"},
		{.9991, ".999"},
		{.9996, "1"},
		{1, "1"},
	} {
		c := baseline.Comparison{Question: ttft90, Result: &stat.Result{K: 1, N: []int{9}, BaselineN: []int{9}, SE: 1, P: test.p, HolmP: test.p}}
		assert.Contains(t, c.String(), "p "+test.want+" (Holm "+test.want+")")
	}
}
