package stat

import (
	"math"

	"github.com/aclements/go-moremath/mathx"
)

// HarrellDavis estimates the q-quantile of an ascending sample as a weighted mean
// of all its order statistics,
//
//	θ = Σ wᵢ x₍ᵢ₎,  wᵢ = I(i/n; a, b) − I((i−1)/n; a, b),  a = (m+1)q,  b = (m+1)(1−q),
//
// where I is the regularized incomplete beta function, n the size of the sample and
// m the kernel (Harrell and Davis, "A new distribution-free quantile estimator",
// Biometrika 69, 1982, has m = n). A kernel of 0, or of more than n, means n.
//
// The kernel sets how far the estimate looks around the quantile. On a mixture with
// a slow mode that smearing is a bias which depends on m, so samples of different
// sizes are compared with the kernel of the smaller one.
//
// It returns NaN for an empty sample and for q outside (0, 1).
func HarrellDavis(sorted []float64, q float64, kernel int) float64 {
	if len(sorted) == 0 || !(q > 0 && q < 1) {
		return math.NaN()
	}
	if kernel <= 0 {
		kernel = len(sorted)
	}
	return newWeights(len(sorted), kernel, q).dot(sorted)
}

// Type7 returns the q-quantile of an ascending sample by linear interpolation
// between its order statistics at 1 + (n−1)q: type 7 of Hyndman and Fan ("Sample
// quantiles in statistical packages", 1996), the default of R, NumPy and
// spreadsheets. It is for showing; verdicts use [HarrellDavis].
//
// It returns NaN for an empty sample and for q outside [0, 1].
func Type7(sorted []float64, q float64) float64 {
	if len(sorted) == 0 || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	below, part := math.Modf(float64(len(sorted)-1) * q)
	i := int(below)
	if part == 0 {
		return sorted[i]
	}
	return sorted[i] + float64(part*(sorted[i+1]-sorted[i])) // never fused: the same bits on every machine
}

// weights are the Harrell-Davis weights of the order statistics first, first+1, …
// of a sample; the weights of the others are zero in double precision.
type weights struct {
	first int
	w     []float64
}

// maxKernel bounds the kernel to where the continued fraction of
// [mathx.BetaInc] converges.
const maxKernel = 100_000

// newWeights computes the weights of a sample of n for the q-quantile with a kernel
// of m, or of n where that is less: leaving out values, as the jackknife does,
// narrows a kernel that was as large as the sample. It walks away from the quantile in both directions until the beta
// distribution has no mass left, which at n = 400 is a quarter of the way.
func newWeights(n, m int, q float64) weights {
	const negligible = 1e-17

	m = min(m, n, maxKernel)
	a, b := float64(m+1)*q, float64(m+1)*(1-q)
	mass := func(i int) float64 { // of the beta distribution below i/n
		return mathx.BetaInc(float64(i)/float64(n), a, b)
	}

	center := min(int(float64(n)*q), n-1)
	first, last := center, center+1
	below := []float64{mass(first)} // mass at first, first−1, …
	for first > 0 && below[len(below)-1] > negligible {
		first--
		below = append(below, mass(first))
	}
	above := []float64{mass(last)} // mass at last = center+1, center+2, …
	for last < n && 1-above[len(above)-1] > negligible {
		last++
		above = append(above, mass(last))
	}

	w := make([]float64, 0, last-first)
	for i := len(below) - 1; i > 0; i-- {
		w = append(w, below[i-1]-below[i])
	}
	w = append(w, above[0]-below[0])
	for i := 1; i < len(above); i++ {
		w = append(w, above[i]-above[i-1])
	}
	return weights{first: first, w: w}
}

// dot returns the estimate θ of an ascending sample.
func (k weights) dot(sorted []float64) float64 {
	sum := 0.0
	for i, x := range sorted[k.first : k.first+len(k.w)] {
		sum += k.w[i] * x
	}
	return sum
}

// kernels remembers the weights of one judgement, in which nearly all runs have the
// same size.
type kernels map[kernelKey]weights

type kernelKey struct {
	n, m int
	q    float64
}

func (c kernels) weights(n, m int, q float64) weights {
	key := kernelKey{n, m, q}
	k, ok := c[key]
	if !ok {
		k = newWeights(n, m, q)
		c[key] = k
	}
	return k
}
