package baseline_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/perf/benchmath"

	"github.com/latgate/latgate/baseline/stat"
)

// Gates that people write, on the same data as ours, to see the difference.
const (
	naiveLast   event = "naive-last"   // P90 × 1.10 over the last stored run
	naivePooled event = "naive-pooled" // the same over all stored runs, as one sample
	benchstat   event = "benchstat"    // the test of benchstat, over all stored runs
)

// otherGates notes which of them call the candidate worse.
func otherGates(candidate []float64, stored [][]float64, higherIsBetter bool, counted tally) {
	candidate, last := slices.Sorted(slices.Values(candidate)), slices.Sorted(slices.Values(stored[len(stored)-1]))
	pooled := slices.Concat(stored...)
	slices.Sort(pooled)
	counted.note(naiveLast, naive(candidate, last, higherIsBetter))
	counted.note(naivePooled, naive(candidate, pooled, higherIsBetter))
	counted.note(benchstat, medianWorse(candidate, pooled, higherIsBetter))
}

// naive reports whether the type-7 P90 is more than 10 % worse. Samples ascend.
func naive(candidate, baseline []float64, higherIsBetter bool) bool {
	if higherIsBetter {
		return stat.Type7(baseline, .1) > 1.10*stat.Type7(candidate, .1)
	}
	return stat.Type7(candidate, .9) > 1.10*stat.Type7(baseline, .9)
}

// medianWorse is what benchstat reports: a two-sided Mann-Whitney test with p < .05,
// and the median worse. Samples ascend.
func medianWorse(candidate, baseline []float64, higherIsBetter bool) bool {
	after := &benchmath.Sample{Values: candidate, Thresholds: &benchmath.DefaultThresholds}
	before := &benchmath.Sample{Values: baseline, Thresholds: &benchmath.DefaultThresholds}
	c := benchmath.AssumeNothing.Compare(before, after)
	difference := stat.Type7(candidate, .5) - stat.Type7(baseline, .5)
	if higherIsBetter {
		difference = -difference
	}
	return c.P < c.Alpha && difference > 0
}

func TestOtherGates(t *testing.T) {
	t.Parallel()
	base := make([]float64, 60)
	for i := range base {
		base[i] = 400 + float64(i*7%60)
	}
	times := func(factor float64) []float64 {
		x := slices.Clone(base)
		for i := range x {
			x[i] *= factor
		}
		return x
	}
	for _, test := range []struct {
		candidate      []float64
		higherIsBetter bool
		want           map[event]int
	}{
		{times(1), false, map[event]int{}},
		{times(1.05), false, map[event]int{benchstat: 1}},
		{times(1.2), false, map[event]int{naiveLast: 1, naivePooled: 1, benchstat: 1}},
		{times(1.2), true, map[event]int{}},
		{times(1 / 1.2), true, map[event]int{naiveLast: 1, naivePooled: 1, benchstat: 1}},
	} {
		counted := tally{1, map[event]int{}}
		otherGates(test.candidate, [][]float64{times(1.001), base}, test.higherIsBetter, counted)
		assert.Equal(t, test.want, counted.events)
	}
}
