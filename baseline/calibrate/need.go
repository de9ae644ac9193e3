package calibrate

import (
	"fmt"
	"math"
)

// A Design is how a gate would be run.
type Design struct {
	Requests   int // of every run. 0 means those of the shortest session
	Sessions   int // of a build. 0 means 1
	StoredRuns int // of the baseline. 0 means 5
}

func (n *Noise) complete(d Design) Design {
	if d.Requests == 0 {
		d.Requests = n.Requests
	}
	if d.Sessions == 0 {
		d.Sessions = 1
	}
	if d.StoredRuns == 0 {
		d.StoredRuns = 5
	}
	return d
}

// A Need says what would see a slow-down of Tolerance with 90 % power by a one-sided
// test at 5 %, and so can rule it out where there is none. Each of its numbers stands
// alone, the others being those of the design. Zero means not reachable in this way.
type Need struct {
	Tolerance  float64 // as a ratio less 1
	Requests   int     // of every run
	Sessions   int     // of a build, truly fresh ones
	StoredRuns int     // of the baseline, which keeps 10
}

const (
	power90  = 8.56 // (z.95 + z.90)²
	mostKept = 10   // runs of a baseline
	mostEver = 1e9  // requests
)

// Needs solves the gate's formula for one unknown at a time:
//
//	n = 8.56·a(1/r + 1/k) / (ln²(1+R) − 8.56·τ²(1/r + 1/k)),
//
// with τ the SD between sessions, a the RequestVariance, r the sessions of a build and
// k its stored runs. A run is never shorter than the gate asks for.
func (n *Noise) Needs(tolerance float64, d Design) Need {
	d = n.complete(d)
	r, k := float64(d.Sessions), float64(d.StoredRuns)
	room := math.Pow(math.Log1p(tolerance), 2) / power90 // for the variance of the log ratio
	between := n.SD * n.SD
	run := n.RequestVariance/float64(d.Requests) + between
	need := Need{
		Tolerance:  tolerance,
		Requests:   least(n.RequestVariance*(1/r+1/k), room-between*(1/r+1/k)),
		Sessions:   least(run, room-run/k),
		StoredRuns: least(run, room-run/r),
	}
	if need.Requests > 0 {
		need.Requests = max(need.Requests, smallest(float64(n.Question.Quantile)))
	}
	if need.StoredRuns > mostKept {
		need.StoredRuns = 0
	}
	if need.StoredRuns > 0 {
		need.StoredRuns = max(need.StoredRuns, leastStored)
	}
	return need
}

// least returns the smallest whole x with variance/x ≤ room, 0 where there is none.
func least(variance, room float64) int {
	x := math.Ceil(variance / room)
	if room <= 0 || x > mostEver {
		return 0
	}
	return max(1, int(x))
}

// Floor returns the noise floor as a ratio less 1: the slow-down that is seen with 90 %
// power when requests are without limit, exp(√8.56·τ·√(1/r + 1/k)) − 1. Low to high is
// what it is for the interval of the SD.
func (n *Noise) Floor(d Design) (floor, low, high float64) {
	d = n.complete(d)
	factor := math.Sqrt(power90 * (1/float64(d.Sessions) + 1/float64(d.StoredRuns)))
	return math.Expm1(factor * n.SD), math.Expm1(factor * n.Low), math.Expm1(factor * n.High)
}

// Check returns an error where no number of requests makes a gate of that tolerance
// see what it is to see.
func (n *Noise) Check(tolerance float64, d Design) error {
	if n.TooFew != "" {
		return fmt.Errorf("%s: %v: the noise floor is not known: %s", n.Scenario, n.Question, n.TooFew)
	}
	floor, _, _ := n.Floor(d)
	if tolerance >= floor {
		return nil
	}
	d = n.complete(d)
	return fmt.Errorf("%s: %v: tolerance %s, floor %s (%d session against %d stored runs, sd between runs %s): no number of requests sees less; raise the tolerance, or let two builds take turns in one run",
		n.Scenario, n.Question, percent(tolerance), percent(floor), d.Sessions, d.StoredRuns, percent(n.SD))
}

// percent prints a share: "11 %".
func percent(share float64) string {
	if share < .095 {
		return fmt.Sprintf("%.2g %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}
