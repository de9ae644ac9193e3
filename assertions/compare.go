package assertions

import (
	"context"
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// compare answers the NoRegression gates, or makes this run a part of the
// baseline: because somebody asked for it, or because there is none yet, this is
// nobody's CI, and the run is healthy by the other gates.
func (g gates) compare(ctx func() context.Context, res *latencytest.Result, store baseline.Store, settings latencytest.Settings, healthy bool) (answers []answer, second string, err error) {
	if settings.Update {
		answers, err = g.update(res, store, settings)
		return answers, "", err
	}
	compared, opinion, err := g.confirmed(ctx, baseline.Case{Result: res, Store: store, Questions: g.questions})
	if err != nil {
		return nil, "", err
	}
	for _, doubt := range opinion.doubts {
		answers = append(answers, answer{Row: report.Row{Gate: "confirmation", Verdict: baseline.Inconclusive, Text: doubt.Error()}, warns: true})
	}
	fresh := *res // the scenarios that have no baseline yet
	fresh.Scenarios = nil
	for _, s := range res.Scenarios {
		first := true
		var own []answer
		for _, c := range compared.Comparisons {
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
	return append(answers, more...), opinion.file, err
}

// confirmed compares, and compares again with a second session of the scenarios
// that want one. Where none can be had, the first decides alone: a slow-down must
// not pass because a process did not start.
func (g gates) confirmed(ctx func() context.Context, c baseline.Case) (*baseline.Report, secondOpinion, error) {
	compared, err := baseline.CompareAll(g.options, c)
	if err != nil || g.options.SingleSession {
		return compared, secondOpinion{}, err
	}
	scenarios := g.unsettled(compared)
	if len(scenarios) == 0 {
		return compared, secondOpinion{}, nil
	}
	second := again(ctx(), c.Result, scenarios)
	options := g.options
	c.Second, c.Stale = second.result, second.stale
	options.SingleSession = second.result == nil
	compared, err = baseline.CompareAll(options, c)
	return compared, second, err
}

// unsettled are the scenarios that are measured once more.
func (g gates) unsettled(compared *baseline.Report) []string {
	var scenarios []string
	for _, c := range compared.Comparisons {
		wanted := c.Moved() || g.doubt == Rerun && c.Undecided()
		if wanted && !slices.Contains(scenarios, c.Scenario) {
			scenarios = append(scenarios, c.Scenario)
		}
	}
	return scenarios
}

// describe says what a comparison means for the test.
func (g gates) describe(c baseline.Comparison) answer {
	a := answer{Row: rowOf(c)}
	switch c.Verdict {
	case baseline.Pass, baseline.Improved, baseline.Accepted:
	case baseline.Inconclusive:
		// The pinned run is only there to find what creeps past the others.
		a.fails = g.doubt == Fail && c.Pinned == nil
		a.warns = !a.fails && c.Pinned == nil
	default:
		a.fails, a.acceptable = true, c.Verdict != baseline.Infrastructure && c.Verdict != baseline.CassetteMiss
		a.Text += fmt.Sprintf("\n    asked:    %v must not get worse\n    baseline: %s", c.Question, c.Stored)
	}
	a.Attribution = attributed(c)
	for _, line := range a.Attribution {
		a.Text += "\n    " + line
	}
	if c.Result != nil && c.Pinned == nil {
		for _, w := range c.Result.Warnings {
			a.Text += "\n    note:     " + w.Error()
		}
	}
	return a
}
