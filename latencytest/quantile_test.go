package latencytest_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// The values are numpy.quantile(x, p), whose default is type 7.
func TestType7AsNumpy(t *testing.T) {
	t.Parallel()
	thirty := make([]float64, 30)
	for i := range thirty {
		thirty[i] = float64(30 - i) // backwards: the caller's order is kept
	}
	for _, c := range []struct {
		values []float64
		p      float64
		want   float64
	}{
		{[]float64{1, 2, 3, 4}, .25, 1.75},
		{[]float64{1, 2, 3, 4}, .5, 2.5},
		{[]float64{1, 2, 3, 4}, .9, 3.7},
		{[]float64{15, 20, 35, 40, 50}, .4, 29},
		{[]float64{3, 1, 2}, .5, 2},
		{[]float64{3, 1, 2}, 0, 1},
		{[]float64{3, 1, 2}, 1, 3},
		{[]float64{7}, .99, 7},
		{[]float64{0, 100}, .999, 99.9},
		{thirty, .9, 27.1},
		{thirty, .99, 29.71},
		{[]float64{5, 5, 5, 5}, .37, 5},
	} {
		assert.InDelta(t, c.want, latencytest.Type7(c.values, c.p), 1e-9, "%v at %v", c.values, c.p)
	}
	assert.Equal(t, 30., thirty[0], "the values were not sorted in place")
	assert.True(t, math.IsNaN(latencytest.Type7(nil, .5)), "no values, no quantile")
}

// Between two endless values lies an endless one, and a finite one on the spot
// stays finite.
func TestType7OfInfinities(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	values := []float64{1, 2, 3, inf, inf}
	assert.Equal(t, 3., latencytest.Type7(values, .5))
	assert.Equal(t, inf, latencytest.Type7(values, .6))
	assert.Equal(t, inf, latencytest.Type7(values, .9))
	assert.Equal(t, inf, latencytest.Type7(values, 1))
}

// A product and a sum may be one instruction that rounds once (arm64 and others),
// and then the last bit would depend on the machine. Percentiles do not.
func TestType7RoundsAlikeOnEveryMachine(t *testing.T) {
	t.Parallel()
	values := []float64{.1, .7}
	fraction, step := .3, values[1]-values[0]
	want := values[0] + float64(fraction*step)
	if fused := math.FMA(fraction, step, values[0]); fused == want {
		t.Fatal("the values do not tell one rounding from two")
	}
	assert.Equal(t, want, latencytest.Type7(values, fraction))
}

func TestQuantileNames(t *testing.T) {
	t.Parallel()
	for q, want := range map[latencytest.Quantile]string{
		latencytest.P50: "P50", latencytest.P75: "P75", latencytest.P90: "P90", latencytest.P95: "P95", latencytest.P99: "P99",
		.999: "P99.9", .9999: "P99.99", 1 - .9: "P10", 0: "P0", 1: "P100", .125: "P12.5",
	} {
		assert.Equal(t, want, q.String())
	}
}

// The P90 of a metric where higher is better is the value that 90 % of requests
// reach: its 10th percentile.
func TestBadTail(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, .9, latencytest.P90.Rank(latencytest.TTFT), 1e-15)
	assert.InDelta(t, .1, latencytest.P90.Rank(latencytest.OTPS), 1e-15)
	assert.InDelta(t, .9, latencytest.P90.Rank(latencytest.TPOT), 1e-15, "time per token is a time")
	assert.InDelta(t, .5, latencytest.P50.Rank(latencytest.OTPS), 1e-15)

	var s latencytest.Scenario
	for i := range 11 { // speeds of 10, 20, … 110 tokens a second
		sample := whole()
		sample.First, sample.Last = at(1000*ms), at(2000*ms)
		sample.Usage.Output = tokens(int64(10*(i+1)) + 1)
		s.Samples = append(s.Samples, sample)
	}
	assert.InDelta(t, 20, s.Quantile(latencytest.OTPS, latencytest.P90), 1e-9)
	assert.InDelta(t, 100, latencytest.Type7(s.Values(latencytest.OTPS), .9), 1e-9)
	assert.InDelta(t, 60, s.Quantile(latencytest.OTPS, latencytest.P50), 1e-9)
	assert.True(t, math.IsNaN((&latencytest.Scenario{}).Quantile(latencytest.OTPS, latencytest.P90)))
}

// Shedding slow requests must not look like a gain: p90_adj counts each attempt
// without a value as endless.
func TestAdjustedCountsFailuresAsEndless(t *testing.T) {
	t.Parallel()
	of := func(ok, failed int) *latencytest.Scenario {
		s := new(latencytest.Scenario)
		for i := range ok + failed {
			sample := whole()
			if i >= ok {
				sample.Class = providers.Throttled
			}
			s.Samples = append(s.Samples, sample)
		}
		return s
	}
	assert.Equal(t, 400e6, of(10, 0).Adjusted(latencytest.TTFT, latencytest.P90))
	assert.Equal(t, 400e6, of(95, 5).Adjusted(latencytest.TTFT, latencytest.P90))
	assert.Equal(t, math.Inf(1), of(89, 11).Adjusted(latencytest.TTFT, latencytest.P90))
	assert.Equal(t, math.Inf(1), of(3, 7).Adjusted(latencytest.TTFT, latencytest.P90), "deep among the failures")
	assert.Equal(t, 0., of(3, 7).Adjusted(latencytest.OTPS, latencytest.P90), "no speed at all")
	assert.True(t, math.IsNaN(of(0, 0).Adjusted(latencytest.TTFT, latencytest.P90)))
}
