package assertions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// Check judges a result by all gates, prints a line for each answer, and fails
// the test where one of them is not met. It returns whether all are.
func Check(tb testing.TB, res *latencytest.Result, store baseline.Store, list ...Gate) bool {
	tb.Helper()
	failure := tell(tb, res, store, list)
	if failure != "" {
		tb.Errorf("%s", failure)
	}
	return failure == ""
}

// A listener is what a testing.TB is beside others, and testify's TestingT may be.
type listener interface {
	Helper()
	Logf(format string, args ...any)
}

// tell judges a result, logs every answer that is no failure, and returns the
// text of the failures.
func tell(t listener, res *latencytest.Result, store baseline.Store, list []Gate) string {
	t.Helper()
	if res != nil {
		full, err := res.Full() // a gate needs every sample
		if err != nil {
			return "[latgate] " + err.Error()
		}
		res = full
	}
	answers, err := judge(res, store, list)
	if res != nil {
		err = errors.Join(err, latencytest.Uncached())
	}
	var failed []string
	acceptable := false
	for _, a := range answers {
		switch {
		case a.fails:
			failed = append(failed, "[latgate] "+a.text)
			acceptable = acceptable || a.acceptable
		case a.warns:
			t.Logf("[latgate] WARNING: %s", a.text)
		default:
			t.Logf("[latgate] %s", a.text)
		}
	}
	if err != nil {
		failed = append(failed, "[latgate] "+err.Error())
	}
	if len(failed) == 0 {
		return ""
	}
	return strings.Join(append(failed, wayOut(res, acceptable)...), "\n")
}

// An answer is one gate's result for one scenario, in words.
type answer struct {
	text         string
	fails, warns bool
	acceptable   bool // a new baseline would change the answer
}

// judge is Check without a test.
func judge(res *latencytest.Result, store baseline.Store, list []Gate) ([]answer, error) {
	if res == nil {
		return nil, errors.New("there is no result to check")
	}
	if len(res.Scenarios) == 0 {
		return nil, errors.New("the result has no scenario: nothing was measured")
	}
	g, errs := collect(list)
	if store == nil && len(g.questions) > 0 {
		errs = append(errs, errors.New("NoRegression needs a store of runs to compare with, such as baseline.Dir(latencytest.Dir)"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	settings, err := latencytest.ReadSettings()
	if err != nil {
		return nil, err
	}
	var answers []answer
	for _, b := range g.budgets {
		more, err := b.judge(res)
		answers, errs = append(answers, more...), append(errs, err)
	}
	for _, e := range g.rates {
		more, err := e.judge(res, store)
		answers, errs = append(answers, more...), append(errs, err)
	}
	if len(g.questions) > 0 {
		healthy := !slices.ContainsFunc(answers, func(a answer) bool { return a.fails })
		more, err := g.compare(res, store, settings, healthy)
		answers, errs = append(answers, more...), append(errs, err)
	}
	return answers, errors.Join(errs...)
}

// compare answers the NoRegression gates, or makes this run a part of the
// baseline: because somebody asked for it, or because there is none yet, this is
// nobody's CI, and the run is healthy by the other gates.
func (g gates) compare(res *latencytest.Result, store baseline.Store, settings latencytest.Settings, healthy bool) ([]answer, error) {
	if settings.Update {
		return g.update(res, store, settings)
	}
	report, err := baseline.Compare(res, store, g.options, g.questions...)
	if err != nil {
		return nil, err
	}
	var answers []answer
	fresh := *res // the scenarios that have no baseline yet
	fresh.Scenarios = nil
	for _, s := range res.Scenarios {
		first := true
		var own []answer
		for _, c := range report.Comparisons {
			if c.Scenario == s.Name {
				first = first && c.Verdict == baseline.Missing && c.Runs == 0
				own = append(own, describe(c))
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

// describe says what a comparison means for the test.
func describe(c baseline.Comparison) answer {
	a := answer{text: c.String()}
	switch c.Verdict {
	case baseline.Pass, baseline.Improved, baseline.Accepted:
	case baseline.Inconclusive:
		a.warns = true
	default:
		a.fails, a.acceptable = true, c.Verdict != baseline.Infrastructure
		a.text += fmt.Sprintf("\n    asked:    %v must not get worse\n    baseline: %s", c.Question, c.Stored)
	}
	if c.Result != nil {
		for _, w := range c.Result.Warnings {
			a.text += "\n    note:     " + w.Error()
		}
	}
	return a
}
