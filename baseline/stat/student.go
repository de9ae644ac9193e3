package stat

import "github.com/aclements/go-moremath/mathx"

// studentTail returns P(T > t) for Student's t with df degrees of freedom, by
// P = I(df/(df+t²); df/2, 1/2)/2, which keeps its digits far out in the tail.
func studentTail(t, df float64) float64 {
	if t < 0 {
		return 1 - studentTail(-t, df)
	}
	return mathx.BetaInc(df/(df+t*t), df/2, 0.5) / 2
}

// studentQuantile returns the t with P(T ≤ t) = p for 0 < p < 1. The distribution
// function is monotone, so the root is bracketed by doubling and then halved until
// no float64 lies between the brackets.
func studentQuantile(p, df float64) float64 {
	switch {
	case p == 0.5:
		return 0
	case p < 0.5:
		return -studentQuantile(1-p, df)
	}
	lo, hi := 0.0, 1.0
	for studentTail(hi, df) > 1-p {
		lo, hi = hi, 2*hi
	}
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return mid
		}
		if studentTail(mid, df) > 1-p {
			lo = mid
		} else {
			hi = mid
		}
	}
}
