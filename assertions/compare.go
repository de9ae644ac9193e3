package assertions

import (
	"context"
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// compare answers the NoRegression gates, or makes this run a part of the
// baseline: because somebody asked for it, or because there is none yet, this is
// nobody's CI, and the run is healthy by the other gates.
func (g gates) compare(ctx func() context.Context, res *latencytest.Result, store baseline.Store, settings latencytest.Settings, healthy bool) ([]answer, error) {
	if settings.Update {
		return g.update(res, store, settings)
	}
	report, answers, err := g.confirmed(ctx, baseline.Case{Result: res, Store: store, Questions: g.questions})
	if err != nil {
		return nil, err
	}
	fresh := *res // the scenarios that have no baseline yet
	fresh.Scenarios = nil
	for _, s := range res.Scenarios {
		first := true
		var own []answer
		for _, c := range report.Comparisons {
			if c.Scenario == s.Name {
				first = first && c.Verdict == baseline.Missing && c.Runs == 0
				own = append(own, g.describe(c))
			}
		}
		if first && healthy && !settings.CI {
			fresh.Scenarios = append(fresh.Scenarios, s)
			continue
		}
		answers = append(answers, own...)
	}
	more, err := g.begin(&fresh, store)
	return append(answers, more...), err
}

// confirmed compares, and compares again with a second session of the scenarios
// that want one. Where none can be had, the first decides alone: a slow-down must
// not pass because a process did not start. The answers are what to say of that.
func (g gates) confirmed(ctx func() context.Context, c baseline.Case) (*baseline.Report, []answer, error) {
	report, err := baseline.CompareAll(g.options, c)
	if err != nil || g.options.SingleSession {
		return report, nil, err
	}
	scenarios := g.unsettled(report)
	if len(scenarios) == 0 {
		return report, nil, nil
	}
	second := again(ctx(), c.Result, scenarios)
	var answers []answer
	for _, doubt := range second.doubts {
		answers = append(answers, answer{warns: true, text: doubt.Error()})
	}
	options := g.options
	c.Second, c.Stale = second.result, second.stale
	options.SingleSession = second.result == nil
	report, err = baseline.CompareAll(options, c)
	return report, answers, err
}

// unsettled are the scenarios that are measured once more.
func (g gates) unsettled(report *baseline.Report) []string {
	var scenarios []string
	for _, c := range report.Comparisons {
		wanted := c.Moved() || g.doubt == Rerun && c.Undecided()
		if wanted && !slices.Contains(scenarios, c.Scenario) {
			scenarios = append(scenarios, c.Scenario)
		}
	}
	return scenarios
}

// describe says what a comparison means for the test.
func (g gates) describe(c baseline.Comparison) answer {
	a := answer{text: c.String()}
	switch c.Verdict {
	case baseline.Pass, baseline.Improved, baseline.Accepted:
	case baseline.Inconclusive:
		// The pinned run is only there to find what creeps past the others.
		a.fails = g.doubt == Fail && c.Pinned == nil
		a.warns = !a.fails && c.Pinned == nil
	default:
		a.fails, a.acceptable = true, c.Verdict != baseline.Infrastructure
		a.text += fmt.Sprintf("\n    asked:    %v must not get worse\n    baseline: %s", c.Question, c.Stored)
	}
	if c.Result != nil && c.Pinned == nil {
		for _, w := range c.Result.Warnings {
			a.text += "\n    note:     " + w.Error()
		}
	}
	return a
}
