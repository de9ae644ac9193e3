package attribution

import (
	"fmt"
	"math"
	"strings"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// String returns the lines.
func (a *Attribution) String() string { return strings.Join(a.Lines(), "\n") }

// Lines returns what the attribution says for people, each line with a label of ten
// columns. Nothing in them is a command to a terminal or a CI system.
func (a *Attribution) Lines() []string {
	lines := []string{"phase:    " + a.phaseLine()}
	if besides := a.besides(); besides != "" && a.Finding == Named {
		lines = append(lines, "besides:  "+besides)
	}
	if a.Finding != Unmoved {
		lines = append(lines, "shape:    "+a.shapeLine())
		if line := a.Prompts.String(); line != "" {
			lines = append(lines, "prompts:  "+line)
		}
	}
	if len(a.Differences) > 0 {
		parts := make([]string, len(a.Differences))
		for i, d := range a.Differences {
			parts[i] = d.String()
		}
		lines = append(lines, "differs:  "+strings.Join(parts, "; "))
	}
	for _, unknown := range a.Unknown {
		lines = append(lines, "unknown:  "+unknown)
	}
	return lines
}

func (a *Attribution) phaseLine() string {
	moved := fmt.Sprintf("%s %s", a.Quantile, a.Metric)
	switch a.Finding {
	case Named:
		for _, p := range a.Parts {
			if p.Phase == a.Phase {
				return p.String() + evidenceOf(p)
			}
		}
	case Unclear:
		return fmt.Sprintf("unclear, no phase explains most of %s beyond noise: %s", signedTime(a.Shift), a.besides())
	}
	for _, m := range a.Movements {
		if m.Quantile == a.Quantile {
			moved += " " + m.percent()
		}
	}
	return moved + ": nothing moved beyond noise"
}

// String returns "wait for the first byte +118 ms (90 %)".
func (p Part) String() string {
	return fmt.Sprintf("%v %s (%.0f %%)", p.Phase, signedTime(p.Shift), 100*p.Share)
}

func evidenceOf(p Part) string {
	var b strings.Builder
	for i, c := range p.Evidence {
		b.WriteString(map[bool]string{true: ": ", false: ", "}[i == 0] + c.String())
	}
	return b.String()
}

// besides lists the parts other than the named one that count.
func (a *Attribution) besides() string {
	var parts []string
	for _, p := range a.Parts {
		if p.Phase != a.Phase && math.Abs(p.Share) >= .1 {
			parts = append(parts, p.String())
		}
	}
	return strings.Join(parts, ", ")
}

func (a *Attribution) shapeLine() string {
	what := map[Shape]string{
		Whole: "the median and the tail moved", Tail: "the tail moved, the median less", Middle: "the median moved, the tail less",
	}[a.Shape]
	for _, m := range a.Movements {
		if a.Shape != Whole && !m.Moved {
			what = map[Shape]string{Tail: "only the tail moved", Middle: "the median moved, the tail not"}[a.Shape]
		}
	}
	for i, m := range a.Movements {
		what += map[bool]string{true: ": ", false: ", "}[i == 0] + m.String()
	}
	return what
}

// String returns "P90 +25 % [+18, +33]", with the 90 % interval.
func (m Movement) String() string { return m.Quantile + " " + m.percent() }

func (m Movement) percent() string {
	return fmt.Sprintf("%+.0f %% [%+.0f, %+.0f]", 100*(m.Ratio-1), 100*(m.Low-1), 100*(m.High-1))
}

// String returns `"p3" carries 93 % (its times +88 %, those of the other 5 prompts +1 %)`.
func (p Prompts) String() string {
	switch {
	case p.Of < 2:
		return ""
	case len(p.Few) == 0:
		return fmt.Sprintf("spread over the %d prompts", p.Of)
	}
	const most = 5 // are listed
	var ids []string
	share := 0.
	for i, prompt := range p.Few {
		share += prompt.Share
		if i < most {
			ids = append(ids, fmt.Sprintf("%q", providers.Inert(prompt.ID)))
		}
	}
	if more := len(p.Few) - most; more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	verb := map[bool]string{true: "carries", false: "carry"}[len(p.Few) == 1]
	return fmt.Sprintf("%s %s %.0f %% of it (%+.0f %%; the other %d of %d %+.0f %%)", strings.Join(ids, ", "), verb,
		100*share, 100*(p.FewRatio-1), p.Of-len(p.Few), p.Of, 100*(p.OthersRatio-1))
}

// String returns "commit 4f1c2ab → 9d03e77".
func (d Difference) String() string {
	const most = 3 // are listed
	stored := d.Stored
	if len(stored) > most {
		stored = append(stored[:most:most], "…")
	}
	return providers.Scrub(fmt.Sprintf("%s %s → %s", d.Name, strings.Join(stored, " | "), d.Candidate))
}

func signedTime(ns float64) string {
	if ns < 0 {
		return latencytest.TTFT.Format(ns)
	}
	return "+" + latencytest.TTFT.Format(ns)
}
