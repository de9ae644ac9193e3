package stat

import (
	"math"
	"slices"
)

// roundingStep returns the step to which values were rounded: the largest number of
// which all of them are multiples, found by Euclid's algorithm on floats. It
// returns 0 where no step shows, which is where the values are all equal or where
// the step is below a thousandth of the smallest and therefore does not matter.
//
// Rounding starves the variance: once several requests fall on the step where the
// quantile is, leaving one out moves nothing and the jackknife sees less noise than
// there is. Looking for a common divisor, and not for ties or for the smallest gap,
// keeps two modes far apart (100 ms and 507 ms) from being taken for one coarse
// step, and settles unrounded values in a few iterations.
func roundingStep(values []float64) float64 {
	smallest, largest := slices.Min(values), slices.Max(values)
	if smallest == largest {
		return 0
	}
	var (
		visible = 1e-3 * smallest // steps below it do not matter
		exact   = 1e-6 * smallest // what decimal fractions lose in binary
		step    = smallest
	)
	for _, x := range values {
		for a, b := x, step; ; a, b = b, math.Abs(math.Remainder(a, b)) {
			if b <= exact {
				step = a
				break
			}
		}
		if step < visible {
			return 0
		}
	}
	return step
}

// roundingVariance returns h²/12, the variance of a uniform error of one rounding
// step, h being the width of a step on the log scale at the quantile theta.
func (s series) roundingVariance(theta float64) float64 {
	h := math.Log1p(roundingStep(s.natural) / math.Exp(s.sign*theta))
	return h * h / 12
}
