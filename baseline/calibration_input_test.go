package baseline_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/internal/simulation"
)

// Data that no calibration is about get a verdict that errs on no side, or an error.
func TestDataOfAnotherWorld(t *testing.T) {
	t.Parallel()
	times := func(values []float64, factor float64) []float64 {
		x := slices.Clone(values)
		for i := range x {
			x[i] *= factor
		}
		return x
	}
	equal := func(n int, x float64) []float64 { return slices.Repeat([]float64{x}, n) }
	long := func(seed uint64) []float64 {
		return simulation.World{Distribution: distribution("LN.30"), N: 20_000}.Candidate(rand.New(rand.NewPCG(seed, 0)))
	}
	for _, test := range []struct {
		name  string
		spoil func(c *stat.Comparison)
		want  stat.Verdict
	}{
		{"nothing", func(*stat.Comparison) {}, stat.Pass},
		{"a stored run 100 times as slow", func(c *stat.Comparison) { c.Baseline[2] = times(c.Baseline[2], 100) }, stat.Inconclusive},
		{"a stored run 100 times as fast", func(c *stat.Comparison) { c.Baseline[2] = times(c.Baseline[2], .01) }, stat.Inconclusive},
		{"a candidate 100 times as slow", func(c *stat.Comparison) { c.Candidate[0] = times(c.Candidate[0], 100) }, stat.Regression},
		{"a candidate 100 times as fast", func(c *stat.Comparison) { c.Candidate[0] = times(c.Candidate[0], .01) }, stat.Improved},
		{"a stored run 100 times as long", func(c *stat.Comparison) { c.Baseline[2] = long(7) }, stat.Pass},
		{"a candidate 100 times as long", func(c *stat.Comparison) { c.Candidate[0] = long(8) }, stat.Pass},
		{"a stored run of equal values", func(c *stat.Comparison) { c.Baseline[2] = equal(200, 400*math.Exp(.3*1.2816)) }, stat.Pass},
		{"a candidate of equal values", func(c *stat.Comparison) { c.Candidate[0] = equal(200, 400*math.Exp(.3*1.2816)) }, stat.Pass},
		{"a candidate of one outlier", func(c *stat.Comparison) { c.Candidate[0][0] = 1e9 }, stat.Pass},
		{"29 requests", func(c *stat.Comparison) { c.Candidate[0] = times(c.Candidate[0][:29], 100) }, stat.Inconclusive},
		{"29 requests of a stored run", func(c *stat.Comparison) {
			c.Baseline[2], c.Candidate[0] = c.Baseline[2][:29], times(c.Candidate[0], 100)
		}, stat.Inconclusive},
		{"no stored run", func(c *stat.Comparison) { c.Baseline = nil }, stat.Inconclusive},
		{"one stored run", func(c *stat.Comparison) { c.Baseline = c.Baseline[:1] }, stat.Inconclusive},
		{"two stored runs", func(c *stat.Comparison) {
			c.Baseline, c.Candidate[0] = c.Baseline[:2], times(c.Candidate[0], 100)
		}, stat.Inconclusive},
	} {
		c := single{simulation.World{Distribution: distribution("LN.30"), SessionSD: .01, N: 200, K: 5}}.draw(rand.New(rand.NewPCG(3, 0)))
		test.spoil(&c)
		r, err := judge(c, stat.Options{SingleSession: true})
		require.NoError(t, err, test.name)
		assert.Equal(t, test.want, r.Verdict, "%s: %s", test.name, r.Reason)
		for _, x := range []float64{r.D, r.SE, r.DF, r.Ratio, r.Low, r.High, r.P, r.HolmP, r.Tau, r.Detectable} {
			assert.False(t, math.IsNaN(x) || math.IsInf(x, 0), "%s: %+v", test.name, r)
		}
	}
	for _, x := range []float64{0, -1, math.Inf(1), math.Inf(-1), math.NaN()} {
		c := single{simulation.World{Distribution: distribution("LN.30"), N: 50, K: 3}}.draw(rand.New(rand.NewPCG(3, 0)))
		c.Baseline[1][7] = x
		_, err := judge(c, stat.Options{})
		assert.ErrorContains(t, err, "baseline[1][7] is ")
	}
}

// The same numbers get the same bits, whatever else is judged at the time.
func TestVerdictsAreTheSameBitForBit(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 0))
	build := builds{simulation.Build{Scenarios: 2, SessionSD: .05, N: 100, K: 5, Effect: 1.4}}.draw(rng)
	want, err := stat.Judge(build, stat.Options{})
	require.NoError(t, err)
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			got, err := stat.Judge(build, stat.Options{})
			require.NoError(t, err)
			require.Len(t, got, len(want))
			for i := range want {
				assert.Equal(t, bits(want[i]), bits(got[i]))
				assert.Equal(t, want[i], got[i])
			}
		})
	}
}

func bits(r stat.Result) []uint64 {
	var all []uint64
	for _, x := range []float64{
		r.D, r.SE, r.DF, r.Ratio, r.Low, r.High, r.P, r.HolmP, r.Tau, r.RunSE, r.Detectable,
		r.Baseline.HarrellDavis, r.Baseline.Type7, r.Candidate.HarrellDavis, r.Candidate.Type7,
	} {
		all = append(all, math.Float64bits(x))
	}
	return all
}
