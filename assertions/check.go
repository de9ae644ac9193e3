package assertions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
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
	if measuredOnly(t) {
		return ""
	}
	m := made{first: res, store: store, gates: list}
	if res != nil {
		full, err := res.Full() // a gate needs every sample
		if err != nil {
			return "[latgate] " + err.Error()
		}
		m.of = full
	}
	var err error
	m.answers, m.second, err = judge(func() context.Context { return contextOf(t) }, m.of, store, list)
	return say(t, m, err)
}

// say logs every answer that is no failure, leaves what others need to know of the
// check, and returns the text of the failures.
func say(t listener, m made, err error) string {
	t.Helper()
	err = errors.Join(err, m.leaveRecord())
	if m.of != nil {
		err = errors.Join(err, latencytest.Uncached())
	}
	detail, detailErr := m.leaveDetail(t)
	err = errors.Join(err, detailErr)
	attributes(t, m.answers)
	var failed []string
	acceptable := false
	for _, a := range m.answers {
		switch {
		case a.fails:
			failed = append(failed, "[latgate] "+a.Text)
			acceptable = acceptable || a.acceptable
		case a.warns:
			t.Logf("[latgate] WARNING: %s", a.Text)
		default:
			t.Logf("[latgate] %s", a.Text)
		}
	}
	if err != nil {
		failed = append(failed, "[latgate] "+err.Error())
	}
	if len(failed) == 0 {
		return ""
	}
	return strings.Join(append(failed, wayOut(m.of, acceptable, detail)...), "\n")
}

// measuredOnly reports, and says, that this process is not to judge.
func measuredOnly(t listener) bool {
	t.Helper()
	settings, err := latencytest.ReadSettings()
	if err != nil || settings.Session == nil {
		return false
	}
	t.Logf("[latgate] measured only: the process that started this one judges")
	return true
}

// An answer is one gate's result for one scenario, and what it means for the test.
type answer struct {
	report.Row
	fails, warns bool
	acceptable   bool // a new baseline would change the answer
}

// contextOf is the test's, where there is one.
func contextOf(t listener) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

var errNoScenario = errors.New("the result has no scenario: nothing was measured")

// collectStored is collect for a result that is compared with the runs in a store.
func collectStored(list []Gate, store baseline.Store) (gates, error) {
	g, errs := collect(list)
	if store == nil && len(g.questions) > 0 {
		errs = append(errs, errors.New("NoRegression needs a store of runs to compare with, such as baseline.Dir(latencytest.Dir)"))
	}
	if store == nil && len(g.shares) > 0 {
		errs = append(errs, errors.New("SlowShare needs a store of runs to compare with, such as baseline.Dir(latencytest.Dir)"))
	}
	return g, errors.Join(errs...)
}

// judge is Check without a test. It returns where the samples of a second session are,
// if there was one.
func judge(ctx func() context.Context, res *latencytest.Result, store baseline.Store, list []Gate) (answers []answer, second string, err error) {
	if res == nil {
		return nil, "", errors.New("there is no result to check")
	}
	if len(res.Scenarios) == 0 {
		return nil, "", errNoScenario
	}
	g, err := collectStored(list, store)
	if err != nil {
		return nil, "", err
	}
	settings, err := latencytest.ReadSettings()
	if err != nil {
		return nil, "", err
	}
	var errs []error
	for _, b := range g.budgets {
		more, err := b.judge(res)
		answers, errs = append(answers, more...), append(errs, err)
	}
	for _, e := range g.rates {
		more, err := e.judge(res, store)
		answers, errs = append(answers, more...), append(errs, err)
	}
	for _, c := range g.calls {
		answers = append(answers, c.judge(res)...)
	}
	for _, share := range g.shares {
		more, err := share.judge(res, store)
		answers, errs = append(answers, more...), append(errs, err)
	}
	if len(g.questions) > 0 {
		healthy := !slices.ContainsFunc(answers, func(a answer) bool { return a.fails })
		var more []answer
		more, second, err = g.compare(ctx, res, store, settings, healthy)
		answers, errs = append(answers, more...), append(errs, err)
	}
	return answers, second, errors.Join(errs...)
}
