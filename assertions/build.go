package assertions

import (
	"errors"
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// An Input is one check of a build.
type Input struct {
	Record *Record

	// Store holds the runs to compare with: in CI, those of the base commit.
	Store baseline.Store

	// Proposed is the store as the change leaves it, where that is another: a
	// regression whose new baseline comes with the change is accepted. Nil means that
	// nothing is proposed.
	Proposed baseline.Store
}

// A Judgement is what a build's checks come to.
type Judgement struct {
	Rows             []report.Row
	Requests, Failed int // warm-up and second sessions included
	Dollars          float64
	Results          []*latencytest.Result // of the inputs, each once; of two sides that took turns, B's
}

// JudgeAll judges the checks of a build from their records and samples. All
// NoRegression gates are one family, whatever test they are in; those of [CheckAB] are
// another. It measures nothing: what a test has not measured a second time stays
// inconclusive.
func JudgeAll(inputs []Input) (*Judgement, error) {
	var all []*judging
	var errs []error
	for _, in := range inputs {
		j, err := open(in)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", in.Record.Package, in.Record.Test, err))
			continue
		}
		all = append(all, j)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := new(Judgement)
	for _, j := range all {
		if err := j.alone(); err != nil {
			return nil, err
		}
	}
	var alone, byTurns []*judging
	for _, j := range all {
		if j.pair != nil {
			byTurns = append(byTurns, j)
		} else {
			alone = append(alone, j)
		}
	}
	if err := together(alone); err != nil {
		return nil, err
	}
	if err := togetherAB(byTurns); err != nil {
		return nil, err
	}
	counted := make(map[string]bool) // sample files, several checks of which may be there
	for _, j := range all {
		out.Rows = append(out.Rows, j.rows()...)
		if file := j.Record.SampleFile(); !counted[file] {
			counted[file] = true
			out.Results = append(out.Results, j.result)
			out.count(j.result)
			if j.pair != nil {
				out.count(j.pair.A)
			}
		}
		if file := j.Record.SecondFile(); !counted[file] {
			counted[file] = true
			out.count(j.second)
		}
	}
	return out, nil
}

// judging is one input on its way.
type judging struct {
	Input
	gates          gates
	result, second *latencytest.Result
	pair           *latencytest.Pair // of two sides that took turns, whose B is the result
	answers        []answer
}

func open(in Input) (*judging, error) {
	j := &judging{Input: in}
	var list []Gate
	for _, r := range in.Record.Gates {
		gate, err := r.gate()
		if err != nil {
			return nil, err
		}
		list = append(list, gate)
	}
	if in.Record.Against != "" {
		return j, j.openAB(list)
	}
	var err error
	if j.gates, err = collectStored(list, in.Store); err != nil {
		return nil, err
	}
	if j.result, err = latencytest.Load(in.Record.SampleFile()); err != nil {
		return nil, err
	}
	if len(j.result.Scenarios) == 0 {
		return nil, errNoScenario
	}
	if file := in.Record.SecondFile(); file != "" {
		if j.second, err = latencytest.Load(file); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// alone judges what is about one result only.
func (j *judging) alone() (err error) {
	if j.pair != nil {
		j.answers, err = j.gates.besidesAB(j.pair)
		return err
	}
	var errs []error
	for _, b := range j.gates.budgets {
		more, err := b.judge(j.result)
		j.answers, errs = append(j.answers, more...), append(errs, err)
	}
	for _, e := range j.gates.rates {
		more, err := e.judge(j.result, j.Store)
		j.answers, errs = append(j.answers, more...), append(errs, err)
	}
	for _, c := range j.gates.calls {
		j.answers = append(j.answers, c.judge(j.result)...)
	}
	for _, share := range j.gates.shares {
		more, err := share.judge(j.result, j.Store)
		j.answers, errs = append(j.answers, more...), append(errs, err)
	}
	return errors.Join(errs...)
}

// together compares all results, in one family. Where checks differ in settings that
// hold for a family, it is judged by each of them, and each takes its own answers.
func together(all []*judging) error {
	var settings []stat.Options
	var cases []baseline.Case
	all = slices.DeleteFunc(slices.Clone(all), func(j *judging) bool { return j.Store == nil }) // which compares nothing
	for _, j := range all {
		cases = append(cases, j.comparison())
		if o := j.gates.family(); !slices.Contains(settings, o) {
			settings = append(settings, o)
		}
	}
	for _, o := range settings {
		compared, err := baseline.CompareAll(o, cases...)
		if err != nil {
			return err
		}
		for _, c := range compared.Comparisons {
			j := all[c.Case]
			if j.gates.family() != o {
				continue
			}
			a := j.gates.describe(c)
			if err := j.propose(&a, c, o); err != nil {
				return err
			}
			j.answers = append(j.answers, a)
		}
	}
	return nil
}

// family are the settings that hold for a family; the others belong to a case.
func (g gates) family() stat.Options {
	o := g.options
	o.MinEffect, o.RuleOut = 0, 0
	return o
}

func (j *judging) comparison() baseline.Case {
	return baseline.Case{
		Result: j.result, Second: j.second, Store: j.Store, Questions: j.gates.questions,
		MinEffect: j.gates.options.MinEffect, RuleOut: j.gates.options.RuleOut,
	}
}

// propose looks at what the change does to the baseline of a comparison.
func (j *judging) propose(a *answer, c baseline.Comparison, o stat.Options) error {
	if j.Proposed == nil || c.Pinned != nil {
		return nil
	}
	s := j.result.Scenario(c.Scenario)
	proposed, err := baseline.Propose(baseline.KeyOf(s), j.Store, j.Proposed)
	switch {
	case err != nil:
		return err
	case proposed.Tampered != "":
		a.Verdict, a.Reason, a.fails = baseline.Tampered, proposed.Tampered, true
	case len(proposed.Runs) > 0 && baseline.Invalid(s, c.Metric) == "":
		verdict, reason, err := proposed.Consistent(j.comparison(), s, c.Question, o)
		if err != nil {
			return err
		}
		switch {
		case verdict == baseline.Tampered:
			a.Verdict, a.Reason, a.fails = verdict, reason, true
		case verdict == baseline.Accepted && (a.fails || c.Moved()):
			a.Verdict, a.Reason, a.fails = verdict, reason, false
			a.Accepted = &report.Acceptance{Reason: reason, Source: j.Proposed.Location(baseline.KeyOf(s))}
		case a.fails:
			a.Reason += "; " + reason
		}
	default:
		return nil
	}
	a.Text += fmt.Sprintf("\n    proposed: %s: %s", a.Verdict, a.Reason)
	return nil
}

// rows are the answers as they are reported.
func (j *judging) rows() []report.Row {
	rows := make([]report.Row, 0, len(j.answers))
	for _, a := range j.answers {
		row := a.Row
		row.Package, row.Test, row.Plan, row.Region = j.Record.Package, j.Record.Test, j.Record.Plan, j.Record.Region
		row.File, row.Line = j.Record.File, j.Record.Line
		row.Samples = j.Record.SampleFile()
		row.Again = command(j.Record.Package, j.Record.Test)
		if a.acceptable {
			row.Accept = accepting(row.Again)
		}
		rows = append(rows, row)
	}
	return rows
}

// count adds what a result took.
func (o *Judgement) count(res *latencytest.Result) {
	if res == nil {
		return
	}
	o.Requests += len(res.Samples)
	for _, s := range res.Scenarios {
		o.Failed += s.Failed()
	}
	for i := range res.Samples {
		if cost := res.Samples[i].Cost; cost != nil {
			o.Dollars += *cost
		}
	}
}
