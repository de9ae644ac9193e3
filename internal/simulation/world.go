package simulation

import (
	"math"
	"math/rand/v2"
)

// A World is one scenario and one metric of an endpoint: k stored runs, and a
// candidate that may be slower.
type World struct {
	Distribution

	// SessionSD is the standard deviation of a whole run's shift on the log scale.
	SessionSD float64

	N       int // requests of a candidate session
	StoredN int // of a stored run; 0 is N
	K       int // stored runs

	// Effect is the ratio by which the candidate is slower. 0 is 1, the A/A case.
	Effect float64
	// Tail says that only slow requests are: those below the 70th percentile of LN.45
	// are as fast as ever, its 90th percentile is slower by Effect, and what is in
	// between and beyond is on the same curve, a power of the latency.
	Tail bool
}

// Stored draws the k stored runs.
func (w World) Stored(rng *rand.Rand) [][]float64 {
	n := w.StoredN
	if n == 0 {
		n = w.N
	}
	w.Effect = 0
	runs := make([][]float64, w.K)
	for i := range runs {
		runs[i] = w.run(rng, n)
	}
	return runs
}

// Candidate draws one session of the candidate.
func (w World) Candidate(rng *rand.Rand) []float64 { return w.run(rng, w.N) }

func (w World) run(rng *rand.Rand, n int) []float64 {
	x := w.draw(rng, n)
	session := math.Exp(w.SessionSD * rng.NormFloat64())
	for i := range x {
		x[i] = session * w.slower(x[i])
	}
	w.round(x)
	return x
}

// slower applies the effect to one latency.
func (w World) slower(x float64) float64 {
	const sigma, z70, z90 = .45, .5244, 1.2816
	switch {
	case w.Effect == 0:
		return x
	case !w.Tail:
		return x * w.Effect
	}
	z := math.Log(x/median) / sigma
	return x * math.Pow(w.Effect, max(0, (z-z70)/(z90-z70)))
}
