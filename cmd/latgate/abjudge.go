package main

import (
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// An abAnswer is a line of the verdict.
type abAnswer struct {
	text    string
	verdict baseline.Verdict
}

// judgeAB judges all tests in one family, prints a line for each answer, and returns
// what to exit with.
func (p *program) judgeAB(tests []measuredTest, options stat.Options, questions []baseline.Question, anyMetric bool) error {
	if len(tests) == 0 {
		return &exitError{report.ExitMissing, fmt.Errorf("no test measured anything: does -run match one that calls latencytest.Run?")}
	}
	cases := make([]baseline.PairCase, len(tests))
	for i, test := range tests {
		cases[i] = baseline.PairCase{Pair: test.pair, Questions: questions, Alike: true}
	}
	compared, err := baseline.ComparePairs(options, cases...)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	var answers []abAnswer
	for _, c := range compared.Comparisons {
		if anyMetric && valueless(tests[c.Case].pair, c) {
			continue
		}
		a := abAnswer{tests[c.Case].name + ": " + c.String(), c.Verdict}
		if c.Result != nil {
			for _, w := range c.Result.Warnings {
				a.text += "\n    note: " + w.Error()
			}
		}
		answers = append(answers, a)
	}
	failures, err := compareFailures(tests, options.Alpha)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	answers = append(answers, failures...)

	var verdicts []baseline.Verdict
	for _, a := range answers {
		verdicts = append(verdicts, a.verdict)
		if _, err := fmt.Fprintln(p.stdout, plain(a.text)); err != nil {
			return printed(err)
		}
	}
	worst := report.Worst(verdicts...)
	code := report.ExitCode(worst)
	if code == exitOK {
		return nil
	}
	n := 0
	for _, v := range verdicts {
		if v == worst {
			n++
		}
	}
	return &exitError{code, fmt.Errorf("%s: %d of %d answers", worst, n, len(answers))}
}

// valueless reports whether most replies have no value of the metric, as short ones
// have no speed.
func valueless(pair *latencytest.Pair, c baseline.Comparison) bool {
	values, replies := 0, 0
	for _, res := range []*latencytest.Result{pair.A, pair.B} {
		if s := res.Scenario(c.Scenario); s != nil {
			values += len(baseline.Values(s, c.Metric))
			replies += len(s.Samples) - s.Failed()
		}
	}
	return 2*values < replies
}

// compareFailures asks of every scenario that both sides measured whether the head
// fails more often. The scenarios are a family.
func compareFailures(tests []measuredTest, alpha float64) ([]abAnswer, error) {
	var names []string
	var sides [][2]stat.Failures
	var p []float64
	for _, test := range tests {
		for _, head := range test.pair.B.Scenarios {
			base := test.pair.A.Scenario(head.Name)
			if base == nil {
				continue
			}
			of := [2]stat.Failures{
				{Failed: base.Failed(), Total: len(base.Samples)},
				{Failed: head.Failed(), Total: len(head.Samples)},
			}
			chance, err := stat.Fisher(of[sideHead], of[sideBase])
			if err != nil {
				return nil, err
			}
			names, sides, p = append(names, test.name+": "+head.Name), append(sides, of), append(p, chance)
		}
	}
	var answers []abAnswer
	for i, adjusted := range stat.Holm(p) {
		base, head := sides[i][sideBase], sides[i][sideHead]
		if base.Failed+head.Failed == 0 {
			continue
		}
		verdict := baseline.Pass
		if adjusted <= alpha {
			verdict = baseline.Regression
		}
		answers = append(answers, abAnswer{fmt.Sprintf("%s: failures %d of %d → %d of %d, Fisher's exact p %.2g (Holm %.2g): %s",
			names[i], base.Failed, base.Total, head.Failed, head.Total, p[i], adjusted, verdict), verdict})
	}
	return answers, nil
}
