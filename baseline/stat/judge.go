package stat

import (
	"errors"
	"math"
	"slices"
)

// Judge answers all comparisons of a build, in their order. They are one family:
// Alpha bounds the chance that any of them is called a regression by chance.
//
// The same input gives the same results, bit for bit. An error means that the
// options or a comparison make no sense, or that a value is not a positive finite
// number; it names every run that has one.
func Judge(family []Comparison, o Options) ([]Result, error) {
	o = o.withDefaults()
	questions := make([]question, len(family))
	for i := range family {
		questions[i] = family[i].withDefaults(o)
	}
	results, err := measure(questions, o)
	if err != nil {
		return nil, err
	}
	compare(results, o)
	conclude(results, o)
	return results, nil
}

// measure reduces each question of a family to a result without a verdict, or says
// what is wrong with all of them.
func measure(family []question, o Options) ([]Result, error) {
	errs := []error{o.validate()}
	for _, q := range family {
		errs = append(errs, q.validate())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cache := kernels{}
	results := make([]Result, len(family))
	for i, q := range family {
		results[i] = q.measure(cache)
	}
	return results, nil
}

// A question is a [Comparison] or a [Paired], with its defaults filled in.
type question interface {
	validate() error
	measure(kernels) Result
}

// conclude gives estimated results their verdicts, as one family.
func conclude(results []Result, o Options) {
	adjusted := adjust(results, o)
	for i := range results {
		r := &results[i]
		if r.estimable() {
			r.HolmP = adjusted[i].worse
		}
		r.Warnings = r.warnings()
		r.decide(o, adjusted[i], len(results))
	}
}

// measure reduces the runs of a comparison to their quantiles and variances, all
// with the kernel of the shortest run.
func (c Comparison) measure(cache kernels) Result {
	r := Result{
		Scenario:       c.Scenario,
		Metric:         c.Metric,
		Q:              c.Q,
		HigherIsBetter: c.HigherIsBetter,
		MinEffect:      c.MinEffect,
		RuleOut:        c.RuleOut,
		K:              len(c.Baseline),
		spread:         len(c.Spread),
		Sessions:       len(c.Candidate),
		BaselineN:      sizes(c.Baseline),
		N:              sizes(c.Candidate),
	}
	r.kernel = slices.Min(slices.Concat(r.BaselineN, r.N, sizes(c.Spread)))

	side := func(sessions [][]float64) ([]run, Quantile) {
		runs := make([]run, len(sessions))
		type7 := make([]float64, len(sessions))
		for i, values := range sessions {
			s := newSeries(values, c.HigherIsBetter)
			runs[i] = newRun(s, c.Q, r.kernel, cache)
			type7[i] = math.Log(Type7(s.natural, c.Q))
		}
		if len(runs) == 0 {
			return nil, Quantile{}
		}
		return runs, Quantile{
			HarrellDavis: math.Exp(orientation(c.HigherIsBetter) * mean(thetas(runs))),
			Type7:        math.Exp(mean(type7)),
		}
	}
	var base, cand, spread []run
	base, r.Baseline = side(c.Baseline)
	cand, r.Candidate = side(c.Candidate)
	if r.estimable() {
		spread, _ = side(c.Spread)
		r.effects = newEffects(base, cand, spread, c.Fresh)
	}
	return r
}

func sizes(sessions [][]float64) []int {
	n := make([]int, len(sessions))
	for i, values := range sessions {
		n[i] = len(values)
	}
	return n
}

// compare fills in the statistics of every comparison that has any. The variance
// between runs is pooled over the comparisons of one metric and quantile, which
// differ in their scenario. A comparison with a pinned run adds nothing to it: the
// runs that it is estimated from are those of another comparison.
func compare(results []Result, o Options) {
	type subject struct {
		metric string
		q      float64
	}
	pools := map[subject]*pool{}
	for i := range results {
		r := &results[i]
		if !r.estimable() {
			continue
		}
		key := subject{r.Metric, r.Q}
		if pools[key] == nil {
			pools[key] = &pool{}
		}
		if !r.effects.anchored {
			pools[key].add(r.effects)
		}
	}
	for i := range results {
		r := &results[i]
		if r.estimable() {
			r.estimate(r.effects.shift(pools[subject{r.Metric, r.Q}].between(o.Tau0)))
			if r.decidable(o) && !r.confirmed(o) {
				r.screen()
			}
		}
	}
}

// screen decides whether the comparison is worth a second session.
func (r *Result) screen() {
	const alpha = 0.05
	s := r.shift()
	r.Suspect = s.tail() < alpha && r.Ratio >= 1+r.MinEffect
	r.Promising = s.mirrored().tail() < alpha && 1/r.Ratio >= 1+r.MinEffect
}

// shift returns the difference that r was estimated from.
func (r *Result) shift() shift { return shift{d: r.D, se: r.SE, df: r.DF, tau: r.Tau} }

// estimate fills in what follows from the difference s.
func (r *Result) estimate(s shift) {
	margin := studentQuantile(0.95, s.df) * s.se
	r.D, r.SE, r.DF, r.Tau = s.d, s.se, s.df, s.tau
	r.Ratio, r.Low, r.High = math.Exp(s.d), math.Exp(s.d-margin), math.Exp(s.d+margin)
	r.P = s.tail()
	r.RunSE = math.Sqrt(r.effects.vCand)
	r.Detectable = s.detectable(r.MinEffect)
	r.Needs = r.effects.needs(s, r.RuleOut)
}

// familyP are the p-values of one comparison adjusted for the family, of being no
// worse and of being no better.
type familyP struct {
	worse, better float64
}

// adjust applies Holm's step-down to both directions, over all comparisons: those
// that cannot be decided or are not confirmed enter with p = 1.
func adjust(results []Result, o Options) []familyP {
	worse, better := make([]float64, len(results)), make([]float64, len(results))
	for i := range results {
		r := &results[i]
		worse[i], better[i] = 1, 1
		if r.decidable(o) && r.confirmed(o) {
			worse[i], better[i] = r.shift().tail(), r.shift().mirrored().tail()
		}
	}
	worse, better = Holm(worse), Holm(better)
	adjusted := make([]familyP, len(results))
	for i := range adjusted {
		adjusted[i] = familyP{worse[i], better[i]}
	}
	return adjusted
}
