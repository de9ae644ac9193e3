package attribution

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// A Finding is what an attribution comes to.
type Finding string

// The findings.
const (
	Named   Finding = "named"   // one phase explains most of the shift
	Unclear Finding = "unclear" // the quantile moved, and no phase explains most of it beyond noise
	Unmoved Finding = "unmoved" // the quantile did not move beyond noise
)

// An Attribution says what moved a quantile of a metric.
type Attribution struct {
	Scenario string  `json:"scenario"`
	Metric   string  `json:"metric"`
	Quantile string  `json:"quantile"` // "P90": see [latencytest.Quantile]
	Finding  Finding `json:"finding"`
	Phase    Phase   `json:"phase,omitzero"` // the one named

	// Shift is how far the quantile moved, in nanoseconds; of a speed, in nanoseconds
	// per token, so that more is worse here too.
	Shift float64 `json:"shift_ns"`

	// Parts are what the phases contribute to the shift, the largest first. They add
	// up to it. Phases that take no time in any run are left out.
	Parts []Part `json:"parts"`

	Shape       Shape        `json:"shape,omitzero"`
	Movements   []Movement   `json:"movements"` // of the median, and of the tail
	Prompts     Prompts      `json:"prompts,omitzero"`
	Differences []Difference `json:"differences,omitempty"`

	// Unknown says what the runs do not tell, and what that means for the above.
	Unknown []string `json:"unknown,omitempty"`
}

// A Part is one phase's contribution to a shift.
type Part struct {
	Phase Phase   `json:"phase"`
	Shift float64 `json:"shift_ns"`
	Share float64 `json:"share"` // of the whole shift; all shares add up to 1
	Noise float64 `json:"se_ns"` // standard error of Shift, from what runs differ by chance

	// Evidence is what else is known of the phase in the stored runs and in the candidate.
	Evidence []Change `json:"evidence,omitempty"`
}

// ErrNoPhases says that a metric is not made of phases, as a number of tokens.
var ErrNoPhases = errors.New("the metric is not made of phases")

// Explain says what moved the quantile of a scenario's candidate run against the
// stored ones, all of them runs of the same key. It takes any verdict: where the
// quantile did not move beyond noise, the finding says so.
//
// An error means that there is nothing to compare: no stored run or fewer than 5
// requests with a value of the metric on either side, or a metric that is not made
// of phases.
func Explain(candidate *baseline.Run, stored []*baseline.Run, q baseline.Question) (*Attribution, error) {
	return explain(candidate, stored, q, measured)
}

// ExplainProven is [Explain] of a shift that the gate has called a regression or an
// improvement. That something moved is no question then, and a phase need not prove
// it once more: it need only be clear of all others.
func ExplainProven(candidate *baseline.Run, stored []*baseline.Run, q baseline.Question) (*Attribution, error) {
	return explain(candidate, stored, q, proven)
}

// ExplainExact is [Explain] of a replay in virtual time, which knows no noise: whatever
// moved was moved by the code.
func ExplainExact(candidate *baseline.Run, stored []*baseline.Run, q baseline.Question) (*Attribution, error) {
	return explain(candidate, stored, q, exact)
}

// A certainty is how much is known of a shift beforehand.
type certainty int

const (
	measured certainty = iota // nothing
	proven                    // the gate has called it a regression or an improvement
	exact                     // there is no noise in it
)

func explain(candidate *baseline.Run, stored []*baseline.Run, q baseline.Question, known certainty) (*Attribution, error) {
	parts := partsOf(q.Metric)
	if parts == nil {
		return nil, fmt.Errorf("%v: %w", q.Metric, ErrNoPhases)
	}
	c, err := newComparison(candidate, stored, q)
	if err != nil {
		return nil, err
	}
	a := &Attribution{
		Scenario: candidate.Key.Get("scenario"), Metric: q.Metric.Name(), Quantile: q.Quantile.String(),
		Differences: differences(candidate, c.stored),
	}
	here, err := c.movement(q.Quantile)
	if err != nil {
		return nil, err
	}
	if a.Movements, a.Shape, err = c.shape(here); err != nil {
		return nil, err
	}
	a.Shift = here.shift
	a.divide(c, parts, here)
	a.Finding = Unmoved
	if here.Moved || known > measured {
		a.Finding, a.Phase = a.find(len(c.stored), known)
		a.Prompts = c.prompts()
	}
	return a, nil
}

// divide fills in the parts of the shift.
func (a *Attribution) divide(c *comparison, parts []Phase, here Movement) {
	tokens := slices.Contains(parts, OutputTokens)
	if tokens && !c.countTokens() {
		tokens = false
		a.Unknown = append(a.Unknown, "not all runs tell output tokens: that answers are longer is not told from slower tokens")
	}
	if slices.Contains(parts, Stalls) && c.question.Metric != latencytest.Stall && !c.tellGaps() {
		c.forgetStalls()
		a.Unknown = append(a.Unknown, "not all runs tell the longest gap of a stream: stalls count as decode speed")
	}
	if slices.Contains(parts, EarlierCalls) && !c.tellStarts() {
		c.forgetStarts()
		a.Unknown = append(a.Unknown, "not all runs tell when the last of several calls began: its connection counts as retries and earlier calls")
	}
	if slices.Contains(parts, CacheMisses) {
		if moved, told := divideWaits(c.base, c.cand); moved && !told {
			a.Unknown = append(a.Unknown, "the input changed for whole runs: what that cost is not told from a slower server")
		}
	}
	parts = slices.DeleteFunc(slices.Clone(parts), func(p Phase) bool {
		return p == OutputTokens && !tokens || !c.spends(p)
	})
	to := newTable(c.cand, parts, tokens)
	stored := make([]*table, len(c.base))
	sum := make([]float64, len(parts)+1)
	for i, list := range c.base {
		stored[i] = newTable(list, parts, tokens)
		for p, v := range contributions(stored[i], to, float64(c.question.Quantile)) {
			sum[p] += v
		}
	}
	shift := 0.
	for p := range sum {
		sum[p] /= float64(len(stored))
		shift += sum[p]
	}
	se := noise(stored, float64(c.question.Quantile), math.Exp(here.worse), here.se)
	scale := 1. // from the mean over runs to the gate's geometric one
	if shift != 0 && here.shift/shift > 0 {
		scale = here.shift / shift
	}
	for i, p := range append(slices.Clone(parts), Coincidence) {
		if sum[i] == 0 && se[i] == 0 {
			continue
		}
		part := Part{Phase: p, Shift: sum[i] * scale, Noise: se[i] * scale, Evidence: c.evidence(p)}
		if shift != 0 {
			part.Share = sum[i] / shift
		}
		a.Parts = append(a.Parts, part)
	}
	slices.SortStableFunc(a.Parts, func(x, y Part) int { return cmp.Compare(y.Share, x.Share) })
}

// find returns the phase that explains most of the shift, if one does: half of it or
// more, beyond noise, and no other comes near it. Of a proven shift the noise is that
// of the other phases: their own share would have to be wrong by as much as the first
// is ahead of all of them together.
func (a *Attribution) find(runs int, known certainty) (Finding, Phase) {
	const near = 2. / 3
	if len(a.Parts) == 0 {
		return Unclear, ""
	}
	first := a.Parts[0]
	if first.Phase == Coincidence || first.Share < .5 {
		return Unclear, ""
	}
	clear := known == exact || math.Abs(first.Shift) > beyond(runs)*first.Noise
	if known == proven && !clear {
		others, variance := 0., 0.
		for _, p := range a.Parts[1:] {
			others += p.Shift
			variance += p.Noise * p.Noise
		}
		clear = math.Abs(first.Shift)-math.Abs(others) > beyond(runs)*math.Sqrt(variance)
	}
	if !clear {
		return Unclear, ""
	}
	if len(a.Parts) > 1 && a.Parts[1].Share > near*first.Share {
		return Unclear, ""
	}
	return Named, first.Phase
}
