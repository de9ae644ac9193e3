package stat

import (
	"errors"
	"fmt"
	"math"

	"github.com/aclements/go-moremath/mathx"
)

// A Budget is an absolute limit for a quantile of one run.
type Budget struct {
	Scenario string
	Metric   string

	// Q is the quantile towards the bad end, as in Comparison.
	Q              float64
	HigherIsBetter bool

	// Limit is in the unit of the values: the quantile must not be above it, or not
	// below it where higher is better.
	Limit float64

	Values []float64 // of one run, in the order of the requests
}

// A BudgetResult is the answer to one Budget, in natural units.
type BudgetResult struct {
	Verdict Verdict // Pass, OverBudget or Inconclusive
	Reason  string

	Estimate float64 // type 7
	// Bound is the one-sided 95 % bound of the quantile on its good side: the quantile
	// is at least that bad. Zero where the run is too short for one.
	Bound float64
	N     int // requests
	Need  int // requests from which a bound exists
}

// Judge compares a run with its limit. Only a bound beyond the limit is over budget;
// an estimate beyond it is inconclusive, and so is a run too short for a bound,
// which could not fail at all.
//
// The bound is an order statistic: x₍ₗ₎ is below the quantile with probability
// I(q; l, n−l+1) whatever the distribution, and the largest l for which that is at
// least .95 is taken. The alternative, Harrell-Davis less t standard errors, is
// valid too but blunt beside a slow mode, where its error grows with the estimate:
// with 5 % of the requests four times slower and P90 20 % over the limit, it fails
// 8 % of runs of 30, this one 27 %.
//
// Slow requests come in groups, so n requests are worth fewer independent ones: as
// many times fewer as the delete-block jackknife sees more variance than the
// delete-1 jackknife. With an AR(1) of .6 that takes the false alarms at the limit
// from 13 % to 6 %.
func (b Budget) Judge() (BudgetResult, error) {
	if err := b.validate(); err != nil {
		return BudgetResult{}, fmt.Errorf("%s %s: %w", b.Scenario, b.Metric, err)
	}
	s := newSeries(b.Values, b.HigherIsBetter)
	r := BudgetResult{
		Estimate: Type7(s.natural, b.Q),
		N:        len(b.Values),
		// The smallest value bounds the quantile with probability 1 − (1−q)ⁿ.
		Need: int(math.Ceil(math.Log(0.05) / math.Log1p(-b.Q))),
	}
	l := lowerRank(r.N, s.independent(b.Q), b.Q)
	if l > 0 {
		r.Bound = s.natural[l-1]
	}

	beyond := func(x float64) bool { return s.sign*x > s.sign*b.Limit }
	estimate := fmt.Sprintf("%s %.4g, limit %.4g", quantileName(b.Q), r.Estimate, b.Limit)
	switch {
	case l == 0:
		r.Verdict = Inconclusive
		r.Reason = fmt.Sprintf("%s: no bound from %s, need >= %d", estimate, count(r.N, "request"), max(r.Need, r.N+1))
	case beyond(r.Bound):
		r.Verdict = OverBudget
		r.Reason = fmt.Sprintf("%s, beyond it with 95 %% confidence (bound %.4g)", estimate, r.Bound)
	case beyond(r.Estimate):
		r.Verdict = Inconclusive
		r.Reason = fmt.Sprintf("%s: beyond it, but not with 95 %% confidence (bound %.4g)", estimate, r.Bound)
	default:
		r.Verdict = Pass
		r.Reason = estimate
	}
	return r, nil
}

func (b Budget) validate() error {
	var errs []error
	if !(b.Q > 0 && b.Q < 1) {
		errs = append(errs, fmt.Errorf("quantile is %v, want a number between 0 and 1", b.Q))
	}
	if !(b.Limit > 0 && b.Limit <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("limit is %v, want a positive finite number", b.Limit))
	}
	return errors.Join(append(errs, check("values", b.Values))...)
}

// independent returns how many independent requests the run is worth for its
// q-quantile.
func (s series) independent(q float64) float64 {
	n := float64(len(s.y))
	if len(s.y) < minRequests {
		return n
	}
	single, block := s.jackknives(q, len(s.y), kernels{})
	if block <= single {
		return n
	}
	return n * single / block
}

// lowerRank returns the largest l for which x₍ₗ₎ is below the q-quantile with 95 %
// confidence, in a sample of n that is worth that many independent values; 0 if
// there is none.
func lowerRank(n int, worth, q float64) int {
	share := min(worth, maxKernel) / float64(n)
	for l := min(n, int(q*float64(n))+1); l > 0; l-- {
		a, b := float64(l)*share, float64(n-l)*share+1
		if mathx.BetaInc(q, a, b) >= 0.95 {
			return l
		}
	}
	return 0
}
