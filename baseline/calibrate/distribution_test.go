package calibrate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestChiSquare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		df   int
		x, p float64
	}{ // of printed tables
		{1, 3.84146, .05},
		{1, .0039321, .95},
		{2, 5.99146, .05},
		{5, 11.0705, .05},
		{5, 1.14548, .95},
		{10, 18.3070, .05},
		{29, 42.5570, .05},
		{30, 18.4927, .95},
		{100, 124.342, .05},
	} {
		assert.InDelta(t, c.p, chiSquareTail(c.x, c.df), 1e-5, "%d", c.df)
		assert.InEpsilon(t, c.x, chiSquare(c.p, c.df), 1e-4, "%d", c.df)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	r := newRate(0, 0)
	assert.Equal(t, Rate{High: 1}, r)
	r = newRate(0, 8)
	assert.Zero(t, r.Low)
	assert.InDelta(t, .3123, r.High, 1e-4, "1 − .05^(1/8)")
	r = newRate(8, 8)
	assert.InDelta(t, .6877, r.Low, 1e-4)
	assert.InDelta(t, 1, r.High, 0)
	r = newRate(2, 10)
	assert.InDelta(t, .0368, r.Low, 1e-4)
	assert.InDelta(t, .5069, r.High, 1e-4)
}
