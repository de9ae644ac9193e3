package attribution_test

import (
	"testing"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
)

// BenchmarkExplain is the worst case: a metric of many parts, and as many stored
// runs of as many requests as there may be.
func BenchmarkExplain(b *testing.B) {
	run := func(seed uint64, edits ...madeup.Edit) *baseline.Run {
		s := madeup.Scenario(identity, 400, seed, append(edits, four)...)
		return baseline.NewRun(&latencytest.Result{}, s, "", latencytest.StreamEnd)
	}
	var stored []*baseline.Run
	for seed := range uint64(baseline.Keep) {
		stored = append(stored, run(seed))
	}
	candidate := run(99, madeup.Later(1.3))
	for b.Loop() {
		_, err := attribution.Explain(candidate, stored, baseline.Question{Metric: latencytest.StreamEnd, Quantile: latencytest.P90})
		if err != nil {
			b.Fatal(err)
		}
	}
}
