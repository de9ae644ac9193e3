package history

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStudent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		df   int
		t, p float64
	}{ // of printed tables
		{1, 1, .5},
		{1, 12.7062, .05},
		{2, 4.30265, .05},
		{3, 5.84091, .01},
		{4, 8.61030, .001},
		{10, 2.22814, .05},
		{11, 1.79588, .10},
		{30, 3.64596, .001},
		{100, 1.98397, .05},
		{997, 1.96235, .05},
	} {
		assert.InDelta(t, c.p, bothTails(c.t, c.df), 1e-6, "%d", c.df)
		assert.InDelta(t, c.p, bothTails(-c.t, c.df), 1e-6, "%d", c.df)
		assert.InDelta(t, c.t, twoSided(c.p, c.df), 1e-4, "%d", c.df)
	}
	assert.InDelta(t, 1, bothTails(0, 7), 0)
	assert.InDelta(t, 0, bothTails(1e6, 30), 1e-15)
}
