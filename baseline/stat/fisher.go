package stat

import (
	"fmt"

	"github.com/aclements/go-moremath/stats"
)

// Failures counts the requests of one side that failed.
type Failures struct {
	Failed int // requests that failed
	Total  int // all requests, failed ones included
}

// Fisher returns the one-sided p-value of Fisher's exact test that the candidate
// fails more often than the baseline: with the number of failures on both sides
// together given, the chance that as many or more of them fall to the candidate,
// P(X ≥ x) for a hypergeometric X. Where nothing failed, or nothing was requested
// on a side, p is 1.
func Fisher(candidate, baseline Failures) (float64, error) {
	for _, side := range []struct {
		name string
		Failures
	}{{"candidate", candidate}, {"baseline", baseline}} {
		if side.Failed < 0 || side.Failed > side.Total {
			return 0, fmt.Errorf("%s: %d of %d requests failed", side.name, side.Failed, side.Total)
		}
	}
	dist := stats.HypergeometicDist{
		N:     candidate.Total + baseline.Total,
		K:     candidate.Failed + baseline.Failed,
		Draws: candidate.Total,
	}
	// From the far end of the tail, the smallest term first.
	p := 0.0
	for x := min(dist.K, dist.Draws); x >= candidate.Failed; x-- {
		p += dist.PMF(float64(x))
	}
	return min(1, p), nil
}
