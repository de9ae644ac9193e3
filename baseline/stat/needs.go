package stat

import (
	"fmt"
	"math"
	"strings"
)

// Needs says what would settle a comparison. Each field stands alone, the others
// staying as they are: the smallest number with which a slow-down of RuleOut would
// be seen with 90 % power by a one-sided test at 5 %, and so can be ruled out where
// there is none. Zero means not reachable in this way.
type Needs struct {
	Requests   int // of every run, candidate and baseline
	Sessions   int // fresh candidate sessions
	StoredRuns int // of the baseline, which keeps 10
}

const (
	power90   = 8.56   // (z.95 + z.90)²
	z90       = 1.2816 // standard normal quantile of .90
	maxStored = 10     // runs that a baseline keeps
)

// needs solves (z.95 + z.90)²·se² ≤ ln²(1+R) for one unknown at a time. For the
// requests of a run that is
//
//	n = 8.56·a(1/r+1/k) / (ln²(1+R) − 8.56·τ²(1/r+1/k)),
//
// and for r and k the same with the other side as it is.
func (e effects) needs(s shift, ruleOut float64) Needs {
	k, r := float64(len(e.base)), float64(len(e.cand))
	tau2 := s.tau * s.tau
	room := math.Pow(math.Log1p(ruleOut), 2) / power90 // for se²
	base, cand := (e.vBase+tau2)/k, e.vCand/r+tau2/e.sessions()

	n := Needs{
		Requests:   solve(e.unit*(1/r+1/k), room-tau2*(1/e.sessions()+1/k)),
		Sessions:   solve(e.vCand+tau2, room-base),
		StoredRuns: solve(e.vBase+tau2, room-cand),
	}
	if n.StoredRuns > maxStored {
		n.StoredRuns = 0
	}
	return n
}

// solve returns the smallest whole x with variance/x ≤ room, or 0 if there is none
// below a billion.
func solve(variance, room float64) int {
	x := math.Ceil(variance / room)
	if room <= 0 || x > 1e9 {
		return 0
	}
	return max(1, int(x))
}

// outlook says what would settle a comparison that is inconclusive.
func (r *Result) outlook() string {
	var ways []string
	if n := r.Needs.Requests; n > r.kernel {
		requests := fmt.Sprintf("≈ %d requests", roundUp(n))
		if r.interleaved {
			requests += " of each side"
		}
		ways = append(ways, requests)
	}
	if n := r.Needs.Sessions; n > r.Sessions {
		ways = append(ways, fmt.Sprintf("%d sessions", n))
	}
	if n := r.Needs.StoredRuns; n > r.K {
		ways = append(ways, fmt.Sprintf("%d stored runs", n))
	}
	target := fmt.Sprintf("+%.3g %%", 100*r.RuleOut)
	switch {
	case r.Needs.Requests > 0 && r.Needs.Requests <= r.kernel:
		return "there are enough requests to see " + target + ", so the truth is likely close to it"
	case len(ways) == 0:
		return target + " is out of reach: the runs differ too much from one another"
	case r.Needs.Requests == 0:
		return fmt.Sprintf("needs %s to settle %s (not reachable with %s, however long)",
			strings.Join(ways, ", or "), target, count(r.Sessions, "session"))
	}
	return fmt.Sprintf("needs %s to settle %s", strings.Join(ways, ", or "), target)
}

// roundUp keeps two digits, for a sample size is a rough number.
func roundUp(n int) int {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit - 1) / unit * unit
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// detectable returns the smallest slow-down that this comparison, alone, would flag
// with 90 % power: the estimate, which falls z.90·se short of the truth in one case
// of ten, must be significant and at least MinEffect.
func (s shift) detectable(minEffect float64) float64 {
	return math.Expm1(max(math.Sqrt(power90)*s.se, math.Log1p(minEffect)+z90*s.se))
}
