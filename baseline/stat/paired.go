package stat

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Paired is the question of a [Comparison], asked of two sides that were measured
// by turns in one session: in blocks A B B A, or in any other order in which the
// i-th turns of both are neighbours. Has this quantile become worse from A to B?
//
// What shifts the whole session, and what drifts slowly through it, shifts both
// sides alike and cancels. So no stored run is needed, there is no variance between
// runs, and a single session is enough for a verdict.
type Paired struct {
	Scenario string
	Metric   string

	// Q is the quantile towards the bad end, as in Comparison.
	Q              float64
	HigherIsBetter bool

	// A[i] and B[i] are the values of turns that were neighbours, a pair: a block
	// A B B A has two. They are in natural units, in the order of the requests, and a
	// missing value is left out, so that a turn may be empty. At least 4 pairs are
	// needed; 20 are as good as more, and with the 8 of four blocks 4 points of power
	// are lost.
	A, B [][]float64

	// MinEffect and RuleOut are as in Options, for this comparison alone. 0 means those
	// of the Options.
	MinEffect float64
	RuleOut   float64
}

// JudgePaired answers all comparisons of an interleaved session, in their order and
// as one family, by the rules of [Judge] for a single session. Of the Options, Alpha,
// MinEffect, RuleOut and Strict count.
//
// The log ratio D = θ_B − θ_A is that of the Harrell-Davis quantiles of each side's
// requests, all turns together. Its variance is the larger of
//
//   - the delete-1 jackknife of both sides, v_A + v_B, which takes requests for
//     independent, with ν_A + ν_B degrees of freedom; and
//   - the delete-block jackknife of D itself over the g pairs, which sees what turns
//     have in common and lets cancel what a pair has, with g−1.
//
// In the Result, A is the baseline, a single run, and B the candidate.
func JudgePaired(family []Paired, o Options) ([]Result, error) {
	o = o.withDefaults()
	questions := make([]question, len(family))
	for i := range family {
		questions[i] = family[i].withDefaults(o)
	}
	results, err := measure(questions, o)
	if err != nil {
		return nil, err
	}
	conclude(results, o)
	return results, nil
}

// minPairs is the number of pairs below which the scatter between them says too
// little about the next one.
const minPairs = 4

// withDefaults replaces the limits that p leaves to o.
func (p Paired) withDefaults(o Options) Paired {
	c := Comparison{MinEffect: p.MinEffect, RuleOut: p.RuleOut}.withDefaults(o)
	p.MinEffect, p.RuleOut = c.MinEffect, c.RuleOut
	return p
}

func (p Paired) validate() error {
	var errs []error
	if !(p.Q > 0 && p.Q < 1) {
		errs = append(errs, fmt.Errorf("quantile is %v, want a number between 0 and 1", p.Q))
	}
	if !(p.MinEffect > 0 && p.RuleOut >= p.MinEffect && p.RuleOut <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("min effect is %v and rule out %v, want 0 < min effect <= rule out", p.MinEffect, p.RuleOut))
	}
	if len(p.A) != len(p.B) {
		errs = append(errs, fmt.Errorf("side A has %d turns and side B %d, want as many", len(p.A), len(p.B)))
	}
	for _, side := range []struct {
		name  string
		turns [][]float64
	}{{"A", p.A}, {"B", p.B}} {
		if len(slices.Concat(side.turns...)) == 0 {
			errs = append(errs, fmt.Errorf("%s is empty", side.name))
		}
		for i, values := range side.turns {
			if len(values) > 0 {
				errs = append(errs, check(fmt.Sprintf("%s[%d]", side.name, i), values))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s %s: %w", p.Scenario, p.Metric, err)
	}
	return nil
}

// measure estimates D and everything that follows from it alone.
func (p Paired) measure(cache kernels) Result {
	a, b := newSide(p.A, p.HigherIsBetter), newSide(p.B, p.HigherIsBetter)
	r := Result{
		Scenario:       p.Scenario,
		Metric:         p.Metric,
		Q:              p.Q,
		HigherIsBetter: p.HigherIsBetter,
		MinEffect:      p.MinEffect,
		RuleOut:        p.RuleOut,
		K:              1,
		Sessions:       1,
		BaselineN:      []int{len(a.y)},
		N:              []int{len(b.y)},
		interleaved:    true,
		kernel:         min(len(a.y), len(b.y)),
	}
	for i := range p.A {
		if len(p.A[i]) > 0 && len(p.B[i]) > 0 {
			r.Pairs++
		}
	}
	quantile := func(s side) (float64, Quantile) {
		theta := cache.weights(len(s.y), r.kernel, p.Q).dot(s.y)
		return theta, Quantile{HarrellDavis: math.Exp(s.sign * theta), Type7: Type7(s.natural, p.Q)}
	}
	var thetaA, thetaB float64
	thetaA, r.Baseline = quantile(a)
	thetaB, r.Candidate = quantile(b)
	if !r.estimable() {
		return r
	}

	v, nu := pairedVariance(a, b, p.Q, r.kernel, cache)
	v += a.roundingVariance(thetaA) + b.roundingVariance(thetaB)
	// The noise of a request is the same on both sides: v = unit·(1/n_A + 1/n_B).
	unit := v / (1/float64(len(a.y)) + 1/float64(len(b.y)))
	r.effects = effects{
		base: []run{{n: len(a.y), theta: thetaA}}, cand: []run{{n: len(b.y), theta: thetaB}},
		unit: unit, vBase: unit / float64(len(a.y)), vCand: unit / float64(len(b.y)),
	}
	r.estimate(shift{d: thetaB - thetaA, se: math.Sqrt(v), df: nu})
	r.Needs = Needs{Requests: r.Needs.Requests} // there is nothing else to have more of
	return r
}

// A side is one side of an interleaved comparison.
type side struct {
	series
	turns [][]int // the ranks of each turn's values, ascending
}

func newSide(turns [][]float64, higherIsBetter bool) side {
	s := side{series: newSeries(slices.Concat(turns...), higherIsBetter), turns: make([][]int, len(turns))}
	var turnOf []int // of each value, in the order of the requests
	for i, values := range turns {
		turnOf = append(turnOf, slices.Repeat([]int{i}, len(values))...)
	}
	for rank, request := range s.order {
		i := turnOf[request]
		s.turns[i] = append(s.turns[i], rank)
	}
	return s
}

// pairedVariance returns the variance of D and its degrees of freedom. Of the pairs
// those without any value say nothing.
func pairedVariance(a, b side, q float64, m int, cache kernels) (v, nu float64) {
	v = deleteOne(a.y, cache.weights(len(a.y)-1, m, q)) + deleteOne(b.y, cache.weights(len(b.y)-1, m, q))
	nu = jackknifeDF(len(a.y), q) + jackknifeDF(len(b.y), q)

	var d []float64
	for i := range a.turns {
		if len(a.turns[i])+len(b.turns[i]) > 0 {
			d = append(d, b.without(b.turns[i], q, m, cache)-a.without(a.turns[i], q, m, cache))
		}
	}
	g := float64(len(d))
	if pairs := (g - 1) / g * sumSquares(d); pairs > v {
		return pairs, g - 1
	}
	return v, nu
}
