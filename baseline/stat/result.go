package stat

import (
	"fmt"
	"slices"
)

// A Result is the answer to one Comparison. Its ratios are towards the worse:
// candidate over baseline, or baseline over candidate where higher is better.
type Result struct {
	Scenario       string
	Metric         string
	Q              float64
	HigherIsBetter bool
	MinEffect      float64 // as judged
	RuleOut        float64 // as judged

	Verdict  Verdict
	Reason   string
	Warnings []error // these do not prevent a judgement, but the reader should know

	// Suspect asks for a confirmation: in its only session the comparison is worse by
	// MinEffect or more with p < .05. Measure its scenario once more, in a fresh session
	// and at full length, and judge again with both.
	Suspect bool
	// Promising is the mirror image, of which Improved is the confirmation. Measuring
	// again is optional here: without it the comparison just passes.
	Promising bool

	Baseline  Quantile
	Candidate Quantile

	K         int   // stored runs
	Sessions  int   // candidate sessions
	Pairs     int   // of turns, of an interleaved comparison, see [Paired]
	BaselineN []int // requests of each stored run
	N         []int // requests of each candidate session

	// The statistics, D to Needs, are zero where there is no stored run, or where a run
	// has fewer than 5 requests.
	D         float64 // ln Ratio
	SE        float64 // of D
	DF        float64 // of SE
	Ratio     float64
	Low, High float64 // 90 % interval of Ratio: each a one-sided 95 % bound
	P         float64 // one-sided, of being no worse
	HolmP     float64 // P adjusted for the family, where unconfirmed comparisons have p = 1
	Tau       float64 // standard deviation between runs, on the log scale
	RunSE     float64 // standard error of one session's log quantile from its requests alone

	Detectable float64 // smallest slow-down flagged with 90 % power: 0.17 is +17 %
	Needs      Needs

	kernel  int // requests of the shortest run
	spread  int // runs that tell how much runs vary, where they are not the baseline
	effects effects

	interleaved bool // a Paired has been asked
}

// Interleaved reports whether the result is that of a [Paired]: its baseline is the
// other side of one session, not what was stored.
func (r *Result) Interleaved() bool { return r.interleaved }

// A Quantile is a quantile of one side in natural units, by two estimators. Over
// several runs it is their geometric mean.
type Quantile struct {
	HarrellDavis float64 // of the logarithms: what is judged
	Type7        float64 // what other tools print
}

// estimable reports whether there is something to compare with, and enough of it for
// a variance.
func (r *Result) estimable() bool {
	return r.K > 0 && r.kernel >= minRequests && (!r.interleaved || r.Pairs > 1)
}

// decidable reports whether there is enough data for a verdict at all.
func (r *Result) decidable(o Options) bool {
	return r.comparable(o) && r.kernel >= minimumSize(r.Q)
}

// comparable reports whether there are runs, or pairs, enough to know how they vary.
func (r *Result) comparable(o Options) bool {
	if r.interleaved {
		return r.Pairs >= minPairs
	}
	return max(r.K, r.spread) >= o.MinRuns
}

// confirmed reports whether the comparison may be called a regression or improved.
func (r *Result) confirmed(o Options) bool {
	return o.SingleSession || r.Sessions > 1 || r.interleaved
}

// warnings lists what a reader of the numbers should know.
func (r *Result) warnings() []error {
	var warnings []error
	warn := func(format string, args ...any) {
		warnings = append(warnings, fmt.Errorf(format, args...))
	}
	longest := slices.Max(slices.Concat(r.BaselineN, r.N))
	switch {
	case r.interleaved:
	case r.K == 0:
		warn("need >= 1 stored run for a comparison")
	case max(r.K, r.spread) < 5:
		warn("need >= 5 stored runs to know the variation between runs, have %d", max(r.K, r.spread))
	}
	if longest > 2*r.kernel {
		warn("runs have %d to %d requests: estimated with the kernel of the shortest", r.kernel, longest)
	}
	if !r.estimable() {
		return warnings
	}
	if r.Sessions > 1 && !r.effects.fresh {
		warn("the %d candidate sessions are not fresh: they count as one against the variation between runs", r.Sessions)
	}
	if r.effects.unit == 0 {
		warn("all values of a run are equal: the requests show no noise")
	}
	if r.RunSE > 0.12 && slices.Min(r.N) >= 200 {
		warn("%s sits between two modes (standard error %.2g): gate the share of slow requests instead (assertions.SlowShare)",
			quantileName(r.Q), r.RunSE)
	}
	return warnings
}
