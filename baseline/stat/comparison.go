package stat

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// A Comparison is one question of the gate: has this quantile of this metric of this
// scenario become worse? Values are in natural units (any unit), in the order of the
// requests; they are positive and finite, and a missing value is left out.
type Comparison struct {
	Scenario string
	Metric   string

	// Q is the quantile towards the bad end, in (0, 1): 0.9 is the value that 90 % of
	// the requests do at least as well as. For a latency that is the 90th percentile,
	// where higher is better the 10th.
	Q              float64
	HigherIsBetter bool

	Baseline [][]float64 // the accepted runs
	// Spread, where there is any, are the runs that tell how much runs vary, instead of
	// the baseline: one pinned run, with which the candidate is compared, cannot.
	Spread    [][]float64
	Candidate [][]float64 // one session, or two after a confirmation

	// Fresh says that the second session is truly one of its own (another process or
	// job, new connections, after all other scenarios). Without it both count as one
	// session, which is the careful assumption.
	Fresh bool

	// MinEffect and RuleOut are as in Options, for this comparison alone. 0 means those
	// of the Options.
	MinEffect float64
	RuleOut   float64
}

// Options are the settings of a judgement. The zero value is the default.
type Options struct {
	// Alpha is the chance of any false alarm in the whole family. 0 means 0.05.
	Alpha float64

	// MinEffect is the smallest slow-down that matters: a regression has a ratio of at
	// least 1 + MinEffect, towards the worse (a throughput that falls from 110 to 100
	// has a ratio of 1.1). 0 means 0.10.
	MinEffect float64

	// RuleOut is the slow-down that a pass excludes: the upper bound of the ratio is
	// below 1 + RuleOut. 0 means 0.20, or MinEffect where that is larger.
	RuleOut float64

	// Strict asks that the lower bound of the ratio itself exceed 1 + MinEffect.
	Strict bool

	// SingleSession decides on what there is. By default a comparison that looks worse
	// is a Suspect, to be measured again in a second session, and only comparisons with
	// two sessions can be a regression (or improved: both directions ask the same
	// evidence).
	SingleSession bool

	// MinRuns is the number of stored runs below which nothing is decided. 0 means 3.
	MinRuns int

	// Tau0 is the prior guess of the standard deviation between runs, on the log
	// scale. 0 means 0.05.
	Tau0 float64
}

// withDefaults replaces the zero values that have a default.
func (o Options) withDefaults() Options {
	o.Alpha = cmp.Or(o.Alpha, 0.05)
	o.MinEffect = cmp.Or(o.MinEffect, 0.10)
	o.RuleOut = cmp.Or(o.RuleOut, max(0.20, o.MinEffect))
	o.MinRuns = cmp.Or(o.MinRuns, 3)
	o.Tau0 = cmp.Or(o.Tau0, 0.05)
	return o
}

// withDefaults replaces the limits that c leaves to o.
func (c Comparison) withDefaults(o Options) Comparison {
	c.MinEffect = cmp.Or(c.MinEffect, o.MinEffect)
	c.RuleOut = cmp.Or(c.RuleOut, max(o.RuleOut, c.MinEffect))
	return c
}

func (o Options) validate() error {
	var errs []error
	if !(o.Alpha > 0 && o.Alpha < 1) {
		errs = append(errs, fmt.Errorf("alpha is %v, want a number between 0 and 1", o.Alpha))
	}
	if !(o.Tau0 > 0 && o.Tau0 <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("tau0 is %v, want a positive number", o.Tau0))
	}
	if o.MinRuns < 1 {
		errs = append(errs, fmt.Errorf("min runs is %d, want 1 or more", o.MinRuns))
	}
	return errors.Join(errs...)
}

func (c Comparison) validate() error {
	var errs []error
	if !(c.Q > 0 && c.Q < 1) {
		errs = append(errs, fmt.Errorf("quantile is %v, want a number between 0 and 1", c.Q))
	}
	if !(c.MinEffect > 0 && c.RuleOut >= c.MinEffect && c.RuleOut <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("min effect is %v and rule out %v, want 0 < min effect <= rule out", c.MinEffect, c.RuleOut))
	}
	if len(c.Candidate) == 0 {
		errs = append(errs, errors.New("no candidate session"))
	}
	for i, values := range c.Baseline {
		errs = append(errs, check(fmt.Sprintf("baseline[%d]", i), values))
	}
	for i, values := range c.Spread {
		errs = append(errs, check(fmt.Sprintf("spread[%d]", i), values))
	}
	for i, values := range c.Candidate {
		errs = append(errs, check(fmt.Sprintf("candidate[%d]", i), values))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s %s: %w", c.Scenario, c.Metric, err)
	}
	return nil
}
