package baseline

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Proposed are the runs that a change adds to a key's baseline, and whether it may.
type Proposed struct {
	Runs []*Run // those that the store before the change does not hold, oldest first

	// Tampered says what the change has done to runs that were there before: edited
	// one, or taken one away that was not the oldest of [Keep]. Empty means nothing.
	Tampered string
}

// Propose compares what two stores hold of a key: the one before a change, and the
// one with it.
func Propose(k Key, before, with Store) (Proposed, error) {
	old, err := before.Runs(k)
	if err != nil {
		return Proposed{}, err
	}
	now, err := with.Runs(k)
	if err != nil {
		return Proposed{Tampered: err.Error()}, nil // what was reviewed before could be read
	}
	var p Proposed
	for _, run := range now {
		if !slices.ContainsFunc(old, run.begunWith) {
			p.Runs = append(p.Runs, run)
		}
	}
	for _, run := range old {
		i := slices.IndexFunc(now, run.begunWith)
		switch {
		case i < 0 && len(now) < Keep:
			p.Tampered = fmt.Sprintf("the stored run of %s was taken away", run.Header.Time.Format("2006-01-02 15:04"))
		case i >= 0 && !run.keptBy(now[i]):
			p.Tampered = fmt.Sprintf("the stored run of %s was edited", run.Header.Time.Format("2006-01-02 15:04"))
		}
	}
	return p, nil
}

// begunWith reports whether two runs claim to be the same one.
func (r *Run) begunWith(o *Run) bool {
	return r.Header.Time.Equal(o.Header.Time) && r.Header.Seed == o.Header.Seed && r.Header.Reason == o.Header.Reason
}

// keptBy reports whether o is r: with more metrics at most.
func (r *Run) keptBy(o *Run) bool {
	if len(r.Entries) != len(o.Entries) || !r.sameMeasurement(o) {
		return false
	}
	without := *o
	without.Entries = slices.Clone(o.Entries)
	for i := range without.Entries {
		without.Entries[i].Values = r.Entries[i].Values
		for m := range r.Entries[i].Values {
			if _, ok := o.Entries[i].Values[m]; !ok {
				return false
			}
		}
	}
	a, errA := r.content()
	b, errB := without.content()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Consistent judges a proposed baseline by what this build has measured: it returns
// [Accepted] where the measurement agrees with the proposed runs, [Regression] where
// it is slower even than those, and [Tampered] where they claim to be slower than
// what is measured, so that later regressions would fit below them.
func (p Proposed) Consistent(c Case, s *latencytest.Scenario, q Question, o stat.Options) (Verdict, string, error) {
	second, err := c.second(s)
	if err != nil {
		return "", "", err
	}
	stored, err := history(c.Result, s, c.Store)
	if err != nil {
		return "", "", err
	}
	numbers := stat.Comparison(c.question(s, second, stored, q))
	if numbers.Spread, numbers.Baseline = numbers.Baseline, nil; len(numbers.Spread) < leastRuns {
		numbers.Spread = nil
	}
	for _, run := range p.Runs {
		if values := run.Values(q.Metric); len(values) > 0 {
			numbers.Baseline = append(numbers.Baseline, values)
		}
	}
	if len(numbers.Baseline) == 0 {
		return Regression, fmt.Sprintf("the proposed runs hold no %v", q.Metric), nil
	}
	o.SingleSession, o.MinRuns = true, 1
	results, err := stat.Judge([]stat.Comparison{numbers}, o)
	if err != nil {
		return "", "", err
	}
	reason := p.Runs[len(p.Runs)-1].Header.Reason
	switch r := results[0]; Verdict(r.Verdict) {
	case Regression:
		return Regression, "it is slower even than the proposed baseline: " + r.Reason, nil
	case Improved:
		return Tampered, "the proposed baseline is slower than what this build measures: " + r.Reason, nil
	}
	return Accepted, reason, nil
}
