package baseline

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A PairCase is two results that were measured by turns, and what is asked of them.
type PairCase struct {
	Pair      *latencytest.Pair
	Questions []Question

	// MinEffect and RuleOut are as in [stat.Options], for this case alone. 0 means
	// those of the options.
	MinEffect, RuleOut float64

	// Alike says that a scenario must have the same key on both sides: two builds of
	// one test are compared, and not two endpoints.
	Alike bool
}

// ComparePairs asks whether B got worse against A, for all that was measured by
// turns in a session, in one family. A takes the place of the stored runs: none are
// read, and no second session is needed. Scenarios are matched by name; one that a
// side lacks is [Missing].
func ComparePairs(o stat.Options, cases ...PairCase) (*Report, error) {
	report := new(Report)
	var family []stat.Paired
	var asked []int // the place in the report of each member of the family
	var errs []error
	for i, c := range cases {
		scenarios := c.scenarios()
		if len(scenarios) == 0 {
			errs = append(errs, errNoScenario)
		}
		for _, name := range scenarios {
			for _, q := range c.Questions {
				answer := Comparison{Question: q, Case: i, Scenario: name, Stored: c.Pair.A.Plan.SampleFile}
				a, b := c.Pair.A.Scenario(name), c.Pair.B.Scenario(name)
				if answer.Verdict, answer.Reason = c.incomparable(a, b, q); answer.Verdict == "" {
					paired, err := c.paired(a, b, q, o)
					errs = append(errs, err)
					asked = append(asked, len(report.Comparisons))
					family = append(family, paired)
				}
				report.Comparisons = append(report.Comparisons, answer)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	results, err := stat.JudgePaired(family, o)
	if err != nil {
		return nil, err
	}
	for i := range results {
		c := &report.Comparisons[asked[i]]
		c.Result, c.Verdict, c.Reason = &results[i], Verdict(results[i].Verdict), results[i].Reason
	}
	return report, nil
}

// scenarios are the names of both sides', those of B first.
func (c PairCase) scenarios() []string {
	var names []string
	for _, s := range c.Pair.B.Scenarios {
		names = append(names, s.Name)
	}
	for _, s := range c.Pair.A.Scenarios {
		if c.Pair.B.Scenario(s.Name) == nil {
			names = append(names, s.Name)
		}
	}
	return names
}

// incomparable returns the verdict of a question that statistics cannot answer, and
// an empty one for all others.
func (c PairCase) incomparable(a, b *latencytest.Scenario, q Question) (Verdict, string) {
	switch {
	case a == nil:
		return Missing, "A did not measure it: there is nothing to compare B with"
	case b == nil:
		return Missing, "B did not measure it any more"
	}
	if m := KeyOf(b).Mismatches(KeyOf(a)); c.Alike && len(m) > 0 {
		return Incomparable, fmt.Sprintf("the sides did not measure the same: %s: A has %q, B %q", m[0].Name, m[0].Have, m[0].Want)
	}
	if reason := Invalid(a, q.Metric); reason != "" {
		return Infrastructure, "A: " + reason
	}
	if reason := Invalid(b, q.Metric); reason != "" {
		return Infrastructure, "B: " + reason
	}
	return "", ""
}

// paired is the question for the statistics.
func (c PairCase) paired(a, b *latencytest.Scenario, q Question, o stat.Options) (stat.Paired, error) {
	p := stat.Paired{
		Scenario: b.Name, Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		MinEffect: cmp.Or(c.MinEffect, o.MinEffect), RuleOut: cmp.Or(c.RuleOut, o.RuleOut),
	}
	var errA, errB error
	p.A, errA = c.turns(a, q.Metric)
	p.B, errB = c.turns(b, q.Metric)
	return p, errors.Join(errA, errB)
}

// turns returns [Values] turn by turn.
func (c PairCase) turns(s *latencytest.Scenario, m latencytest.Metric) ([][]float64, error) {
	turns := make([][]float64, 2*c.Pair.Blocks)
	for i := range s.Samples {
		turn := s.Samples[i].Repeated
		if turn < 0 || turn >= len(turns) {
			return nil, fmt.Errorf("%s: request %d is of repetition %d: %d blocks have %d", s.Name, s.Samples[i].Number, turn, c.Pair.Blocks, len(turns))
		}
		if v, ok := gateValue(&s.Samples[i], m); ok {
			turns[turn] = append(turns[turn], v)
		}
	}
	return turns, nil
}
