package history

import "math"

// bothTails returns P(|T| ≥ |t|) for Student's t with a whole number of degrees of
// freedom, from the finite sums in cosines of θ = atan(t/√df) (Abramowitz and Stegun,
// "Handbook of Mathematical Functions", 26.7.3 and 26.7.4). It is exact to about
// 1e-15.
func bothTails(t float64, df int) float64 {
	theta := math.Atan(math.Abs(t) / math.Sqrt(float64(df)))
	sine, cosine := math.Sincos(theta)
	// The terms are 1, (1/2)cos², (1·3)/(2·4)cos⁴ … for an even df, and
	// cos, (2/3)cos³, (2·4)/(3·5)cos⁵ … for an odd one.
	term, sum := 1.0, 0.0
	if df%2 == 1 {
		term = cosine
	}
	for j := df % 2; j <= df-2; j += 2 {
		sum += term
		term *= cosine * cosine * float64(j+1) / float64(j+2)
	}
	inside := sine * sum
	if df%2 == 1 {
		inside = 2 / math.Pi * (theta + inside)
	}
	return max(0, 1-inside)
}

// twoSided returns the t with P(|T| ≥ t) = p for 0 < p ≤ 1. The probability falls
// with t, so the root is bracketed by doubling and then halved until no float64 lies
// between the brackets.
func twoSided(p float64, df int) float64 {
	lo, hi := 0.0, 1.0
	for bothTails(hi, df) > p {
		lo, hi = hi, 2*hi
	}
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return mid
		}
		if bothTails(mid, df) > p {
			lo = mid
		} else {
			hi = mid
		}
	}
}
