package latencytest_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/latencytest"
)

func TestSummaryOfKnownValues(t *testing.T) {
	t.Parallel()
	quality := latencytest.Custom("quality", "points", true)
	s := &latencytest.Scenario{Name: "all"}
	for _, v := range []float64{2, 4, 4, 4, 5, 5, 7, 9} {
		s.Samples = append(s.Samples, latencytest.Sample{Class: "ok", Extra: map[string]float64{"quality": v}})
	}
	u := s.Summary(quality)
	assert.Equal(t, 8, u.N)
	assert.Equal(t, 5., u.Mean)
	assert.InDelta(t, 2.13809, u.SD, 1e-5, "of a sample: 32/7 under the root")
	assert.Equal(t, []float64{2, 9, 4.5}, []float64{u.Min, u.Max, u.Percentile(.5)})
	none := s.Summary(latencytest.TTFT)
	assert.Zero(t, none.N)
	for _, v := range []float64{none.Mean, none.SD, none.Min, none.Max, none.Percentile(.5)} {
		assert.True(t, math.IsNaN(v))
	}
	m, ok := latencytest.MetricNamed("quality")
	assert.True(t, ok)
	assert.Equal(t, quality, m)
	m, ok = latencytest.MetricNamed("ttft")
	assert.True(t, ok)
	assert.Equal(t, latencytest.TTFT, m)
	_, ok = latencytest.MetricNamed("speed")
	assert.False(t, ok)
}
