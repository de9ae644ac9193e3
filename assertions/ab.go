package assertions

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// CheckAB judges two sides that were measured by turns, prints a line for each
// answer, and fails the test where a gate is not met. It returns whether all are.
//
// NoRegression asks whether B got worse against A. No stored run is needed for that,
// and none is written: the sides share their session, and nothing else differs. In a
// build, the NoRegression gates of all pairs are one family. An ErrorRate compares the failures of B with its limit and with those of A; [Below]
// and [AtLeast] are about B alone.
func CheckAB(tb testing.TB, pair *latencytest.Pair, list ...Gate) bool {
	tb.Helper()
	failure := tellAB(tb, pair, list)
	if failure != "" {
		tb.Errorf("%s", failure)
	}
	return failure == ""
}

// tellAB is tell for a pair.
func tellAB(t listener, pair *latencytest.Pair, list []Gate) string {
	t.Helper()
	if measuredOnly(t) {
		return ""
	}
	if pair == nil || pair.A == nil || pair.B == nil {
		return "[latgate] there is no pair of results to check"
	}
	a, errA := pair.A.Full() // a gate needs every sample
	b, errB := pair.B.Full()
	if err := errors.Join(errA, errB); err != nil {
		return "[latgate] " + err.Error()
	}
	full := *pair
	full.A, full.B = a, b
	t.Logf("[latgate] %s", interleaved(&full))
	answers, err := judgeAB(&full, list)
	return say(t, made{of: b, against: a, blocks: pair.Blocks, gates: list, answers: answers, first: pair.B}, err)
}

// judgeAB is CheckAB without a test.
func judgeAB(pair *latencytest.Pair, list []Gate) ([]answer, error) {
	if len(pair.B.Scenarios) == 0 {
		return nil, errNoScenario
	}
	g, err := collectAB(list)
	if err != nil {
		return nil, err
	}
	answers, err := g.besidesAB(pair)
	if len(g.questions) > 0 {
		compared, compareErr := baseline.ComparePairs(g.options, baseline.PairCase{Pair: pair, Questions: g.questions})
		if compareErr != nil {
			return answers, errors.Join(err, compareErr)
		}
		for _, c := range compared.Comparisons {
			answers = append(answers, g.describeAB(c, pair))
		}
	}
	return answers, err
}

// collectAB is collect for two sides that took turns, which have no stored runs.
func collectAB(list []Gate) (gates, error) {
	g, errs := collect(list)
	if g.doubt == Rerun {
		errs = append(errs, fmt.Errorf("%v: two sides that took turns are measured again together, or not at all: raise Plan.Requests", inconclusive(Rerun)))
	}
	for _, share := range g.shares {
		errs = append(errs, fmt.Errorf("%v compares with stored runs, of which two sides that took turns have none", share))
	}
	return g, errors.Join(errs...)
}

// besidesAB answers the gates that are no NoRegression gates.
func (g gates) besidesAB(pair *latencytest.Pair) (answers []answer, err error) {
	var errs []error
	for _, b := range g.budgets {
		more, err := b.judge(pair.B)
		answers, errs = append(answers, more...), append(errs, err)
	}
	for _, e := range g.rates {
		failed := make([]stat.Failures, len(pair.B.Scenarios))
		for i, s := range pair.B.Scenarios {
			if other := pair.A.Scenario(s.Name); other != nil {
				failed[i] = failures(other)
			}
		}
		more, err := e.against(pair.B, "A", failed)
		answers, errs = append(answers, more...), append(errs, err)
	}
	for _, c := range g.calls {
		answers = append(answers, c.judge(pair.B)...)
	}
	for i := range answers {
		answers[i].acceptable = false // there is no baseline to move
	}
	return answers, errors.Join(errs...)
}

// describeAB says what a comparison of B with A means for the test.
func (g gates) describeAB(c baseline.Comparison, pair *latencytest.Pair) answer {
	a := answer{Row: rowOf(c)}
	switch c.Verdict {
	case baseline.Pass, baseline.Improved:
	case baseline.Inconclusive:
		a.fails = g.doubt == Fail
		a.warns = !a.fails
	default:
		a.fails = true
		a.Text += fmt.Sprintf("\n    asked:    %v of B must not be worse than A's\n    note:     %s", c.Question, interleaved(pair))
		if c.Stored != "" {
			a.Text += "\n    A:        " + filepath.ToSlash(c.Stored)
		}
	}
	if c.Result != nil {
		for _, w := range c.Result.Warnings {
			a.Text += "\n    note:     " + w.Error()
		}
	}
	return a
}

// interleaved says what the sides are, and how they were measured:
//
//	A against B, interleaved in 10 blocks A B B A: profile "standard" against "optimized"
func interleaved(pair *latencytest.Pair) string {
	text := fmt.Sprintf("A against B, interleaved in %d blocks A B B A", pair.Blocks)
	var differences []string
	for _, s := range pair.B.Scenarios {
		of := pair.A.Scenario(s.Name)
		if of == nil {
			continue
		}
		for _, m := range baseline.KeyOf(s).Mismatches(baseline.KeyOf(of)) {
			d := fmt.Sprintf("%s %q against %q", m.Name, m.Have, m.Want)
			if !slices.Contains(differences, d) {
				differences = append(differences, d)
			}
		}
	}
	if len(differences) > 0 {
		text += ": " + strings.Join(differences, ", ")
	}
	return text
}
