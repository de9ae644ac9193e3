package stat

import "math"

// A run is what the gate keeps of one execution of a scenario: the quantile of its
// oriented log values y and how well that is known from its requests alone.
type run struct {
	n     int     // requests
	theta float64 // Harrell-Davis quantile of y
	v     float64 // variance of theta within the run
	nu    float64 // degrees of freedom of v
}

// minRequests is the smallest run of which a variance can be had: the block
// jackknife needs its five blocks.
const minRequests = 5

// newRun estimates the q-quantile of a run with kernel m. Its variance is the larger
// of two jackknives: deleting single requests takes them for independent, deleting
// blocks of consecutive requests sees that slow requests come in groups.
func newRun(s series, q float64, m int, cache kernels) run {
	n := len(s.y)
	r := run{n: n, theta: cache.weights(n, m, q).dot(s.y)}
	if n < minRequests {
		return r
	}
	single, block := s.jackknives(q, m, cache)
	r.v = max(single, block) + s.roundingVariance(r.theta)
	r.nu = min(jackknifeDF(n, q), float64(blocks(n)-1))
	return r
}

// jackknifeDF returns the degrees of freedom of the delete-1 jackknife of a quantile,
// which are far fewer than n: for lognormal samples 1.8·√(nq(1−q)) was measured at
// n = 30 … 1000.
func jackknifeDF(n int, q float64) float64 { return 1.8 * math.Sqrt(float64(n)*q*(1-q)) }

// jackknives returns the delete-1 and the delete-block jackknife variance of the
// q-quantile with kernel m.
func (s series) jackknives(q float64, m int, cache kernels) (single, block float64) {
	n := len(s.y)
	return deleteOne(s.y, cache.weights(n-1, m, q)), deleteBlock(s, blocks(n), q, m, cache)
}

// blocks returns the number of blocks of the delete-block jackknife.
func blocks(n int) int { return min(max(n/10, 5), 20) }

// deleteOne returns the delete-1 jackknife variance (n−1)/n · Σ(θ₍ᵢ₎ − θ̄)² of an
// ascending sample, k being the weights of a sample of n−1. Leaving out y₍ᵢ₊₁₎
// instead of y₍ᵢ₎ changes one term of θ, so all n estimates take O(n):
//
//	θ₍ᵢ₊₁₎ = θ₍ᵢ₎ + wᵢ (y₍ᵢ₎ − y₍ᵢ₊₁₎).
//
// Outside the support of the weights nothing changes.
func deleteOne(sorted []float64, k weights) float64 {
	n := float64(len(sorted))
	end := k.first + len(k.w)

	// The estimates are taken relative to the first one: they differ little, and
	// the squares lose no digits.
	shift, sum, squares := 0.0, 0.0, 0.0
	for i, w := range k.w {
		shift += w * (sorted[k.first+i] - sorted[k.first+i+1])
		sum += shift
		squares += shift * shift
	}
	rest := float64(len(sorted) - 1 - end) // deletions above the support
	sum += rest * shift
	squares += rest * shift * shift
	return (n - 1) / n * max(0, squares-sum*sum/n)
}

// deleteBlock returns the delete-block jackknife variance (g−1)/g · Σ(θ₍ⱼ₎ − θ̄)²
// over g blocks of consecutive requests, whose sizes differ by one at most.
func deleteBlock(s series, g int, q float64, m int, cache kernels) float64 {
	n := len(s.y)
	ranks := make([][]int, g) // of the requests of each block, ascending
	for j := range ranks {
		ranks[j] = make([]int, 0, n/g+1)
	}
	for rank, request := range s.order {
		j := request * g / n
		ranks[j] = append(ranks[j], rank)
	}
	theta := make([]float64, g)
	for j, deleted := range ranks {
		theta[j] = s.without(deleted, q, m, cache)
	}
	return float64(g-1) / float64(g) * sumSquares(theta)
}

// without returns the estimate of what is left when the values of these ranks, which
// ascend, are deleted.
func (s series) without(deleted []int, q float64, m int, cache kernels) float64 {
	k := cache.weights(len(s.y)-len(deleted), m, q)
	theta := 0.0
	before := 0 // how many deleted values lie below the next one that is left
	for i, w := range k.w {
		rank := k.first + i // among those left
		for before < len(deleted) && deleted[before] <= rank+before {
			before++
		}
		theta += w * s.y[rank+before]
	}
	return theta
}

// mean returns the mean of xs.
func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// sumSquares returns Σ(x − x̄)².
func sumSquares(xs []float64) float64 {
	center, sum := mean(xs), 0.0
	for _, x := range xs {
		sum += (x - center) * (x - center)
	}
	return sum
}
