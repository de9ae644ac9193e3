package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// without returns xs without its i-th element.
func without(xs []float64, i int) []float64 {
	return slices.Delete(slices.Clone(xs), i, i+1)
}

// bruteForce is the delete-1 jackknife by its definition.
func bruteForce(sorted []float64, q float64, m int) float64 {
	n := float64(len(sorted))
	theta := make([]float64, len(sorted))
	for i := range sorted {
		theta[i] = HarrellDavis(without(sorted, i), q, m)
	}
	return (n - 1) / n * sumSquares(theta)
}

func TestDeleteOneKnownValues(t *testing.T) {
	for _, test := range []struct {
		n, m int
		want float64
	}{
		{30, 30, 2.081495},
		{200, 200, 15.872754},
		{200, 50, 13.649438},
	} {
		got := deleteOne(upTo(test.n), newWeights(test.n-1, test.m, .9))
		assert.InDelta(t, test.want, got, 5e-7, "n %d, kernel %d", test.n, test.m)
	}
}

func TestDeleteOneEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{5, 6, 29, 30, 200} {
		for _, m := range []int{5, n / 2, n - 1, n} {
			for _, q := range []float64{.05, .5, .9, .99} {
				y := newSeries(lognormal(.45)(rng, n), false).y
				want := bruteForce(y, q, m)
				got := deleteOne(y, newWeights(n-1, m, q))
				assert.InEpsilon(t, want, got, 1e-9, "n %d, kernel %d, q %v", n, m, q)
			}
		}
	}
}

func TestDeleteBlockEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{5, 7, 53, 200, 397} {
		for _, higherIsBetter := range []bool{false, true} {
			values := autoregressive(.45, .6)(rng, n)
			g := blocks(n)
			theta := make([]float64, g)
			for j := range theta {
				var left []float64
				for i, x := range values {
					if i*g/n != j {
						left = append(left, x)
					}
				}
				theta[j] = HarrellDavis(newSeries(left, higherIsBetter).y, .9, n)
			}
			want := float64(g-1) / float64(g) * sumSquares(theta)
			got := deleteBlock(newSeries(values, higherIsBetter), g, .9, n, kernels{})
			assert.InEpsilon(t, want, got, 1e-9, "n %d", n)
		}
	}
}

func TestBlocks(t *testing.T) {
	for n, want := range map[int]int{5: 5, 49: 5, 60: 6, 200: 20, 5000: 20} {
		assert.Equal(t, want, blocks(n), "n %d", n)
	}
}

func TestNewRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	values := autoregressive(.45, .6)(rng, 200)
	s := newSeries(values, false)
	r := newRun(s, .9, 200, kernels{})
	single, block := s.jackknives(.9, 200, kernels{})
	assert.Equal(t, max(single, block), r.v)
	assert.InDelta(t, 1.8*math.Sqrt(18), r.nu, 1e-12)

	r = newRun(newSeries(values[:60], false), .5, 60, kernels{})
	assert.Equal(t, 5.0, r.nu, "g − 1 where that is less")

	r = newRun(newSeries([]float64{9, 9, 9, 9, 9, 9}, false), .9, 6, kernels{})
	assert.Zero(t, r.v, "no noise in equal values")
	assert.InDelta(t, math.Log(9), r.theta, 1e-12)
}

// The order of the requests matters to the block jackknife and to nothing else.
func TestRequestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	values := lognormal(.45)(rng, 200)
	mixed := newRun(newSeries(values, false), .9, 200, kernels{})
	sorted := newRun(newSeries(slices.Sorted(slices.Values(values)), false), .9, 200, kernels{})
	assert.Equal(t, mixed.theta, sorted.theta)
	assert.Greater(t, sorted.v, 5*mixed.v, "slow requests in one block are no independent evidence")
}
