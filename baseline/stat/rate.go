package stat

import "github.com/aclements/go-moremath/mathx"

// Exceeds reports whether a failure rate is above limit with 95 % confidence: at
// a true rate of limit, as many failures or more would come with a probability
// below .05. That probability is P(X ≥ x) = I(limit; x, n−x+1), the exact binomial
// tail (Clopper and Pearson 1934).
func Exceeds(f Failures, limit float64) bool {
	switch {
	case f.Failed == 0 || limit >= 1:
		return false
	case limit <= 0:
		return true
	}
	return mathx.BetaInc(limit, float64(f.Failed), float64(f.Total-f.Failed+1)) < .05
}
