package stat

import (
	"fmt"
	"math"
)

// A Verdict is the answer for one comparison or budget.
type Verdict string

const (
	// Pass: a slow-down of RuleOut is ruled out; for a budget, the estimate is within it.
	Pass Verdict = "pass"
	// Improved: the mirror image of Regression.
	Improved Verdict = "improved"
	// Regression: worse by MinEffect at least, and not by chance.
	Regression Verdict = "regression"
	// OverBudget: the quantile is beyond its absolute limit, and not by chance.
	OverBudget Verdict = "budget"
	// Inconclusive: the data allow none of the others. The reason says what would.
	Inconclusive Verdict = "inconclusive"
)

// decide gives r the verdict, and the reason for it, of the first rule that holds:
//
//  1. too few stored runs, pairs or requests: inconclusive, whatever the numbers are;
//  2. worse, and 3. better: significant in the whole family, and by MinEffect;
//  4. a suspect that no second session has confirmed or cleared: inconclusive;
//  5. the upper bound excludes RuleOut: pass, even if a small slow-down is proven;
//  6. inconclusive.
func (r *Result) decide(o Options, p familyP, family int) {
	worse := claim{"worse", p.worse, r.Ratio, r.Low, r.High}
	better := claim{"better", p.better, 1 / r.Ratio, 1 / r.High, 1 / r.Low}
	verdict := func(v Verdict, format string, args ...any) {
		r.Verdict, r.Reason = v, fmt.Sprintf(format, args...)
	}
	evidence := func(c claim) string {
		how := "on one session"
		switch {
		case r.interleaved:
			how = fmt.Sprintf("over %d pairs", r.Pairs)
		case r.Sessions > 1:
			how = fmt.Sprintf("confirmed in %d sessions", r.Sessions)
		}
		return fmt.Sprintf("%v, Holm p %s of %d, %s", c, formatP(c.holmP), family, how)
	}
	switch {
	case r.interleaved && !r.comparable(o):
		verdict(Inconclusive, "%s of the %d needed to know how much they vary%s", count(r.Pairs, "pair"), minPairs, r.hint())
	case !r.comparable(o):
		verdict(Inconclusive, "%s of the %d needed to know how much runs vary%s", count(max(r.K, r.spread), "stored run"), o.MinRuns, r.hint())
	case r.kernel < minimumSize(r.Q):
		verdict(Inconclusive, "the shortest run has %s, %s needs %d%s", count(r.kernel, "request"), quantileName(r.Q), minimumSize(r.Q), r.hint())
	case worse.proven(o, r.MinEffect):
		verdict(Regression, "%s", evidence(worse))
	case better.proven(o, r.MinEffect):
		verdict(Improved, "%s", evidence(better))
	case r.Suspect:
		verdict(Inconclusive, "%v, p %s in one session: measure the scenario again in a fresh one", worse, formatP(r.P))
	case r.High < 1+r.RuleOut:
		verdict(Pass, "%s", r.relief(worse, better))
	default:
		verdict(Inconclusive, "%s; %s", r.doubt(o, worse), r.outlook())
	}
}

// A claim is that the candidate is worse (or better) by a ratio above 1, with the
// 90 % interval of the ratio and a p-value adjusted for the family.
type claim struct {
	word             string
	holmP            float64
	ratio, low, high float64
}

func (c claim) String() string {
	return fmt.Sprintf("%.2f times %s [%.2f, %.2f]", c.ratio, c.word, c.low, c.high)
}

// proven reports whether the claim is significant and large enough to matter; the
// strict rule asks the latter of the lower bound as well.
func (c claim) proven(o Options, minEffect float64) bool {
	return c.holmP <= o.Alpha && c.ratio >= 1+minEffect && (!o.Strict || c.low > 1+minEffect)
}

// hint adds what can be estimated to the reason why nothing is decided.
func (r *Result) hint() string {
	if !r.estimable() {
		return ""
	}
	return fmt.Sprintf(" (%.2f times worse [%.2f, %.2f])", r.Ratio, r.Low, r.High)
}

// relief says why a comparison passed.
func (r *Result) relief(worse, better claim) string {
	switch {
	case r.Low > 1:
		return fmt.Sprintf("%v, within the tolerance of %.2f", worse, 1+r.RuleOut)
	case r.Promising:
		return fmt.Sprintf("%v in one session", better)
	case r.High < 1:
		return better.String()
	}
	return fmt.Sprintf("at most %.2f times worse, which excludes %.2f", r.High, 1+r.RuleOut)
}

// doubt says why a comparison that cannot pass is no regression either.
func (r *Result) doubt(o Options, worse claim) string {
	switch {
	case r.Low <= 1:
		return fmt.Sprintf("%.2f to %.2f times worse, which excludes neither 1 nor %.2f", r.Low, r.High, 1+r.RuleOut)
	case r.Ratio < 1+r.MinEffect:
		return fmt.Sprintf("%v, estimated below %.2f but perhaps above %.2f", worse, 1+r.MinEffect, 1+r.RuleOut)
	case worse.holmP > o.Alpha:
		return fmt.Sprintf("%v, p %s alone but Holm p %s in the build", worse, formatP(r.P), formatP(worse.holmP))
	}
	return fmt.Sprintf("%v, but strict wants the lower bound above %.2f", worse, 1+r.MinEffect)
}

// minimumSize is the smallest run that is judged: 30 requests, or where that is more
// the smallest n with qⁿ < .05, below which no distribution-free upper bound of the
// quantile exists (P90 29, P95 59, P99 299).
func minimumSize(q float64) int {
	return max(30, int(math.Log(0.05)/math.Log(q))+1)
}

// quantileName is "P90" for 0.9.
func quantileName(q float64) string { return fmt.Sprintf("P%.4g", 100*q) }

// formatP gives a p-value two digits: 0.0020, 0.27, 3.1e-07.
func formatP(p float64) string {
	switch {
	case p == 0 || p >= 0.1:
		return fmt.Sprintf("%.2g", p)
	case p < 1e-4:
		return fmt.Sprintf("%.1e", p)
	default:
		return fmt.Sprintf("%#.2g", p)
	}
}
