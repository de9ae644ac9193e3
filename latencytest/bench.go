package latencytest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/latgate/latgate/providers"
)

// Bench measures a target as a Go benchmark whose output benchstat reads: one
// request an iteration, and at its end the quantiles p50-ttft-ns, p90-ttft-ns,
// p50-otps-tok/s and so on. The count is the benchmark's (-benchtime 40x), not
// Plan.Requests; ns/op would say nothing and is left out.
//
// A quantile per run is what benchstat compares, so give it several runs:
//
//	go test -run '^$' -bench Latency -benchtime 100x -count 10 | tee new.txt
//	benchstat old.txt new.txt
//
// Prompts must form one scenario; use b.Run for each of several.
func Bench(b *testing.B, target providers.Target, plan Plan) {
	b.Helper()
	if groups := groupPrompts(plan.Prompts, target.Describe); len(groups) > 1 {
		b.Fatalf("[latgate] the prompts form %d scenarios, whose numbers must not be mixed: use b.Run for each", len(groups))
	}
	res, err := job{plan: plan, op: sending(target), test: b.Name(), more: b.Loop}.measure(b.Context())
	if err != nil {
		b.Fatalf("[latgate] %v", err)
	}
	s := res.Scenarios[0]
	if len(s.Values(TTFT)) == 0 {
		b.Fatalf("[latgate] no request succeeded: %s", s.Ends())
	}
	printUnits()
	b.ReportMetric(0, "ns/op")
	for _, m := range benchMetrics {
		values := s.Values(m)
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		for _, q := range benchQuantiles {
			b.ReportMetric(type7(values, q.Rank(m)), benchUnit(m, q))
		}
	}
	if failed := s.Failed(); failed > 0 {
		b.ReportMetric(float64(failed), "failed-req")
		b.Logf("[latgate] %s", s.Ends())
	}
	if n := len(s.Values(TTFT)); n < enoughForP90 {
		b.Logf("[latgate] a P90 of %d requests says little: give -benchtime %dx or more", n, enoughForP90)
	}
}

// enoughForP90 is the number of requests below which no upper bound of a P90 exists.
const enoughForP90 = 29

var (
	benchMetrics   = []Metric{TTFT, TTLT, OTPS}
	benchQuantiles = []Quantile{P50, P90}
)

// benchUnit names a quantile by its percentile: the P90 of OTPS is p10-otps-tok/s.
func benchUnit(m Metric, q Quantile) string {
	return strings.ToLower(Quantile(q.Rank(m)).String()) + "-" + m.Unit()
}

// printUnits tells benchstat, once a process, which direction is better.
var printUnits = sync.OnceFunc(func() {
	for _, m := range benchMetrics {
		for _, q := range benchQuantiles {
			direction := "lower"
			if m.HigherIsBetter() {
				direction = "higher"
			}
			fmt.Printf("Unit %s better=%s\n", benchUnit(m, q), direction)
		}
	}
})
