package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/latencytest"
)

// String returns the line that is printed for a comparison, such as
//
//	all: P90 ttft 612 → 753 ms (type-7 605 → 741 ms), ratio 1.23 [1.12, 1.35], p .002 (Holm .018), n 200 + 5×200, between-run sd 3.1 %, smallest detectable +17 %: regression
//
// The ratio is the candidate over the baseline, with its 90 % interval.
func (c Comparison) String() string {
	r := c.Result
	anchor := ""
	if c.Pinned != nil {
		anchor = fmt.Sprintf(" against the run pinned on %s", c.Pinned.Header.Time.Format(time.DateOnly))
	}
	if r == nil || r.K == 0 {
		return fmt.Sprintf("%s: %v%s: %s: %s", c.Scenario, c.Question, anchor, c.Verdict, c.Reason)
	}
	m := c.Metric
	line := fmt.Sprintf("%s: %v%s%s %s (type-7 %s)", c.Scenario, c.Question, c.tail(), anchor,
		change(m, r.Baseline.HarrellDavis, r.Candidate.HarrellDavis), change(m, r.Baseline.Type7, r.Candidate.Type7))
	if r.SE > 0 {
		ratio, low, high := r.Ratio, r.Low, r.High
		if r.HigherIsBetter {
			ratio, low, high = 1/ratio, 1/high, 1/low
		}
		line += fmt.Sprintf(", ratio %.2f [%.2f, %.2f], p %s (Holm %s)", ratio, low, high, probability(r.P), probability(r.HolmP))
	}
	line += fmt.Sprintf(", n %s + %s", counts(r.N), counts(r.BaselineN))
	if r.Interleaved() {
		line += fmt.Sprintf(" in %d pairs", r.Pairs)
	} else if r.SE > 0 {
		line += fmt.Sprintf(", between-run sd %.1f %%", 100*r.Tau)
	}
	if r.SE > 0 {
		line += fmt.Sprintf(", smallest detectable +%.0f %%", 100*r.Detectable)
	}
	return fmt.Sprintf("%s: %s: %s", line, c.Verdict, c.Reason)
}

// change prints "612 → 753 ms", or "9940 ms → 10.2 s" where the units differ.
func change(m latencytest.Metric, from, to float64) string {
	before, after := m.Format(from), m.Format(to)
	if number, unit, ok := strings.Cut(before, " "); ok && strings.HasSuffix(after, " "+unit) {
		before = number
	}
	return before + " → " + after
}

// tail names the percentile meant where the bad tail is the lower one.
func (c Comparison) tail() string {
	if !c.Metric.HigherIsBetter() {
		return ""
	}
	return fmt.Sprintf(" (%v_p%.3g)", c.Metric, 100*c.Quantile.Rank(c.Metric))
}

// probability prints a p-value as statisticians do: ".002".
func probability(p float64) string {
	switch {
	case p < .0001:
		return "<.0001"
	case p < .001:
		return strings.TrimPrefix(fmt.Sprintf("%.4f", p), "0")
	case p >= .9995:
		return "1"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
}

// counts prints run sizes: "5×200", or "200, 150" where they differ.
func counts(n []int) string {
	if len(n) == 1 {
		return fmt.Sprint(n[0])
	}
	if slices.Min(n) == slices.Max(n) {
		return fmt.Sprintf("%d×%d", len(n), n[0])
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(n), " ", ", "), "[]")
}
