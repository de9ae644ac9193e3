package stat

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRoundingStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, test := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"whole steps", []float64{400, 450, 650, 400, 700}, 50},
		{"decimal fractions", []float64{.4, .45, .65, .4, .7}, .05},
		{"a binary tick", []float64{3 * .015625, 5 * .015625, 8 * .015625}, .015625},
		{"equal values show no step", []float64{100, 100, 100}, 0},
		{"two modes are not a step of their distance", []float64{100, 507, 100, 507}, 1},
		{"a step below a thousandth", []float64{400.1, 450.2, 650.3}, 0},
		{"nanoseconds", []float64{612_345_671, 753_123_457, 400_000_003}, 0},
		{"unrounded", lognormal(.45)(rng, 50), 0},
		{"one unrounded value", []float64{400, 450, 650, 700, 512.7183641}, 0},
	} {
		assert.InDelta(t, test.want, roundingStep(test.values), 1e-9, test.name)
	}
}

func TestRoundingVariance(t *testing.T) {
	values := []float64{400, 450, 650, 400, 700, 550, 500}
	for _, higherIsBetter := range []bool{false, true} {
		s := newSeries(values, higherIsBetter)
		theta := s.sign * math.Log(650)
		assert.InDelta(t, math.Pow(math.Log(700.0/650), 2)/12, s.roundingVariance(theta), 1e-12)
	}
	s := newSeries([]float64{400.123456, 450.654321, 650.111}, false)
	assert.Zero(t, s.roundingVariance(6))
}
