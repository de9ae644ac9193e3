package stat

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// upTo returns 1, 2, … n.
func upTo(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i + 1)
	}
	return x
}

func TestHarrellDavis(t *testing.T) {
	for _, test := range []struct {
		sorted []float64
		q      float64
		kernel int
		want   float64
		digits float64
	}{
		{[]float64{0, 50, 100}, .1, 0, 3.9818, 5e-5},
		{[]float64{0, 50, 100}, .2, 0, 11.5816, 5e-5},
		{[]float64{0, 50, 100}, .5, 0, 50, 1e-12},
		{[]float64{0, 50, 100}, .9, 0, 96.0182, 5e-5},
		{upTo(30), .9, 0, 27.500964, 5e-7},
		{upTo(200), .9, 0, 180.5, 5e-7},
		{upTo(200), .9, 200, 180.5, 5e-7},
		{upTo(200), .9, 50, 180.5, 5e-7},
		{[]float64{7}, .9, 0, 7, 1e-12},
		{[]float64{7, 7, 7, 7}, .3, 0, 7, 1e-12},
	} {
		got := HarrellDavis(test.sorted, test.q, test.kernel)
		assert.InDelta(t, test.want, got, test.digits, "n %d, q %v, kernel %d", len(test.sorted), test.q, test.kernel)
	}
	assert.True(t, math.IsNaN(HarrellDavis(nil, .9, 0)), "no sample")
	assert.True(t, math.IsNaN(HarrellDavis(upTo(3), 1, 0)), "no such quantile")
}

// The median of a symmetric sample is its center, and the q-quantile mirrors the
// (1−q)-quantile.
func TestHarrellDavisSymmetry(t *testing.T) {
	for n := 1; n < 60; n++ {
		x := upTo(n)
		for _, q := range []float64{.01, .1, .5, .9, .99} {
			a, b := HarrellDavis(x, q, 0), HarrellDavis(x, 1-q, 0)
			assert.InDelta(t, float64(n+1), a+b, 1e-9, "n %d, q %v", n, q)
		}
	}
}

// Weights that are left out must be zero in double precision.
func TestWeightsSumToOne(t *testing.T) {
	for _, n := range []int{1, 2, 5, 30, 399, 400, 2 * maxKernel} {
		for _, m := range []int{n/50 + 1, n} {
			for _, q := range []float64{.01, .5, .9, .99} {
				k := newWeights(n, m, q)
				sum := 0.0
				for _, w := range k.w {
					sum += w
				}
				assert.InDelta(t, 1, sum, 1e-12, "n %d, m %d, q %v", n, m, q)
				assert.LessOrEqual(t, k.first+len(k.w), n)
			}
		}
	}
}

func TestType7(t *testing.T) {
	for _, test := range []struct {
		sorted []float64
		q      float64
		want   float64
	}{
		{upTo(30), .9, 27.1},
		{upTo(5), .5, 3},
		{upTo(4), .5, 2.5},
		{upTo(4), 0, 1},
		{upTo(4), 1, 4},
		{[]float64{7}, .9, 7},
	} {
		assert.InDelta(t, test.want, Type7(test.sorted, test.q), 1e-12, "%v", test)
	}
	assert.True(t, math.IsNaN(Type7(nil, .5)))
	assert.True(t, math.IsNaN(Type7(upTo(3), 1.01)))
}

func BenchmarkHarrellDavis(b *testing.B) {
	for _, n := range []int{50, 400} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			x := upTo(n)
			for b.Loop() {
				HarrellDavis(x, .9, 0)
			}
		})
	}
}
