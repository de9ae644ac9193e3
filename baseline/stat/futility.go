package stat

import (
	"math"

	"github.com/aclements/go-moremath/stats"
)

// Futile reports whether measuring a scenario up to n requests is pointless: at this
// look, none of its comparisons has 10 % predictive power to end as a suspect. It is
// asked at 50, 100, 200 … requests and does not bind: a run that goes on loses
// nothing. There is no counterpart that fails early, which would bias the estimate.
//
// A comparison without statistics is never futile.
func Futile(scenario []Result, n int) bool {
	for i := range scenario {
		if scenario[i].PredictivePower(n) >= 0.10 {
			return false
		}
	}
	return true
}

// PredictivePower returns the chance, given the data so far, that the comparison
// ends significant (one-sided 5 %, alone) and at least MinEffect worse once the
// candidate session has n requests: the smaller of
//
//	Φ((z − 1.645·√t) / √(1−t)),  t = V_final/V_now,  z = D/se,
//
// and of the chance of D ≥ ln(1 + MinEffect), the final D being normal around the
// present one with variance V_now − V_final. It is 1 where nothing is known yet.
func (r *Result) PredictivePower(n int) float64 {
	if !r.estimable() || r.SE == 0 {
		return 1
	}
	e := r.effects
	now := r.SE * r.SE
	final := now - (e.vCand-min(e.vCand, e.unit/float64(n)))/float64(len(e.cand))
	if r.interleaved { // both sides grow
		final = min(now, 2*e.unit/float64(n))
	}
	missing := math.Sqrt(now - final)
	reaches := func(goal float64) float64 {
		if missing == 0 {
			if r.D >= goal {
				return 1
			}
			return 0
		}
		return stats.StdNormal.CDF((r.D - goal) / missing)
	}
	return min(reaches(1.645*math.Sqrt(final)), reaches(math.Log1p(r.MinEffect)))
}
