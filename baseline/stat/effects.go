package stat

import "math"

// The error term of the gate is the run, not the request: whole runs shift by some
// percent from one session to the next, and no number of requests averages that
// out. So a comparison is a random-effects model over runs,
//
//	θᵣ = μ + session + request noise,  Var = τ² + vᵣ,
//
// whose τ² is estimated from the stored baseline runs, steadied by the scenarios
// that measure the same metric and by a prior guess τ₀.

// effects is the model of one comparison: k baseline runs, r candidate sessions.
type effects struct {
	base, cand []run
	spread     []run // those between which τ² is estimated: base, where there are no others
	anchored   bool  // there are others
	fresh      bool  // the candidate sessions are sessions of their own

	unit         float64 // a: variance of θ times the requests, pooled over all runs
	nu           float64 // Σν, its degrees of freedom
	vBase, vCand float64 // v̄: variance of θ within a run
	vSpread      float64 // the same
	ssBase, ss   float64 // squares between the runs of spread; between all
	f            float64 // degrees of freedom of ss
}

// newEffects pools what the runs of one comparison say about the noise of a request
// and how far the runs lie apart:
//
//	a = Σν·n·v / Σν,  v̄ = a/n,
//	SS = Σ(θ_b − θ̄_b)² + Σ(θ_c − θ̄_c)²,  f = (k−1) + (r−1).
//
// Where baseline runs differ in size, v̄_b is the mean over them. Candidate sessions
// that are not fresh share one session effect: the distance between them says
// nothing about τ², and they are left out of SS and f.
func newEffects(base, cand, spread []run, fresh bool) effects {
	e := effects{base: base, cand: cand, spread: spread, anchored: len(spread) > 0, fresh: fresh}
	if !e.anchored {
		e.spread = base
	}
	for _, runs := range [][]run{base, cand, spread} {
		for _, r := range runs {
			e.unit += r.nu * float64(r.n) * r.v
			e.nu += r.nu
		}
	}
	e.unit /= e.nu
	e.vBase, e.vCand = e.unit*meanReciprocal(base), e.unit*meanReciprocal(cand)

	e.vSpread = e.unit * meanReciprocal(e.spread)

	e.ssBase = sumSquares(thetas(e.spread))
	e.ss, e.f = e.ssBase, float64(len(e.spread)-1)
	if fresh {
		e.ss += sumSquares(thetas(cand))
		e.f += float64(len(cand) - 1)
	}
	return e
}

// thetas returns the quantiles of runs.
func thetas(runs []run) []float64 {
	theta := make([]float64, len(runs))
	for i, r := range runs {
		theta[i] = r.theta
	}
	return theta
}

// meanReciprocal returns the mean of 1/n over runs.
func meanReciprocal(runs []run) float64 {
	sum := 0.0
	for _, r := range runs {
		sum += 1 / float64(r.n)
	}
	return sum / float64(len(runs))
}

// sessions returns how many session effects the candidate averages over.
func (e effects) sessions() float64 {
	if e.fresh {
		return float64(len(e.cand))
	}
	return 1
}

// A pool gathers the variance between runs over the scenarios of one metric and
// quantile, in the order in which they are added.
type pool struct {
	excess float64 // Σ[SS_b − (k−1)v̄_b]
	f      float64 // Σ(k−1)
}

func (p *pool) add(e effects) {
	f := float64(len(e.spread) - 1)
	p.excess += e.ssBase - f*e.vSpread
	p.f += f
}

// priorWeight is what the prior guess τ₀ counts, in degrees of freedom.
const priorWeight = 3

// between returns the pooled variance between runs and the degrees of freedom with
// which it steadies that of a single comparison:
//
//	T = max(0, (Σ[SS_b − (k−1)v̄_b] + 3τ₀²) / (Σ(k−1) + 3)),  ν₀ = min(10, Σ(k−1)/2 + 3).
func (p *pool) between(tau0 float64) (t, nu0 float64) {
	t = max(0, (p.excess+priorWeight*tau0*tau0)/(p.f+priorWeight))
	return t, min(10, p.f/2+priorWeight)
}

// A shift is the log ratio of candidate to baseline with its uncertainty.
type shift struct {
	d   float64 // D = θ̄_c − θ̄_b; larger is worse
	se  float64
	df  float64
	tau float64 // sd between runs
}

// shift estimates the difference under the model:
//
//	τ²  = max(0, (SS − f·v̄_b + ν₀T) / (f + ν₀))
//	W   = v̄_c/r + v̄_b/k,  B = τ²(1/r + 1/k),  se² = W + B
//	df  = (W+B)² / (W²/Σν + B²/(f+ν₀)),
//
// the last after Satterthwaite. For candidate sessions that are not fresh the 1/r
// of B stays 1.
func (e effects) shift(t, nu0 float64) shift {
	k, r := float64(len(e.base)), float64(len(e.cand))
	tau2 := max(0, (e.ss-e.f*e.vSpread+nu0*t)/(e.f+nu0))
	within := e.vCand/r + e.vBase/k
	between := tau2 * (1/e.sessions() + 1/k)

	s := shift{
		d:   mean(thetas(e.cand)) - mean(thetas(e.base)),
		se:  math.Sqrt(within + between),
		df:  e.nu,
		tau: math.Sqrt(tau2),
	}
	if s.se > 0 {
		s.df = (within + between) * (within + between) /
			(within*within/e.nu + between*between/(e.f+nu0))
	}
	return s
}

// tail returns P(T > D/se), the one-sided p-value that the candidate is no worse.
// Without any noise the sign of D decides.
func (s shift) tail() float64 {
	switch {
	case s.se > 0:
		return studentTail(s.d/s.se, s.df)
	case s.d > 0:
		return 0
	case s.d < 0:
		return 1
	default:
		return 0.5
	}
}

// mirrored is the same comparison with better and worse exchanged.
func (s shift) mirrored() shift {
	s.d = -s.d
	return s
}
