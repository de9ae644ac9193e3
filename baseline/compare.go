package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A Verdict is the answer to one question of a gate.
type Verdict string

// The verdicts. Passing are Pass, Improved, Accepted and, with a warning,
// Inconclusive; there is no verdict for "did not look".
const (
	Pass           = Verdict(stat.Pass)
	Improved       = Verdict(stat.Improved)
	Regression     = Verdict(stat.Regression)
	OverBudget     = Verdict(stat.OverBudget)
	Inconclusive   = Verdict(stat.Inconclusive)
	Accepted       = Verdict("accepted")       // stored as the new baseline, with a reason
	Missing        = Verdict("missing")        // nothing stored to compare with
	Incomparable   = Verdict("incomparable")   // what is stored was measured otherwise
	Infrastructure = Verdict("infrastructure") // the endpoint failed too often to be timed
	Tampered       = Verdict("tampered")       // what is stored was changed by hand, or a waiver does not hold
	CassetteMiss   = Verdict("cassette-miss")  // a replay was asked for what was not recorded
)

// A Question asks of every scenario whether a quantile of a metric got worse.
type Question struct {
	Metric   latencytest.Metric
	Quantile latencytest.Quantile
}

// String returns "P90 ttft".
func (q Question) String() string { return fmt.Sprintf("%v %v", q.Quantile, q.Metric) }

// A Case is a result and what is asked of it.
type Case struct {
	Result    *latencytest.Result
	Store     Store // of the runs to compare with
	Questions []Question

	// MinEffect and RuleOut are as in [stat.Options], for this case alone. 0 means
	// those of the options.
	MinEffect, RuleOut float64

	// Second is a second session of those scenarios that seemed to have moved in the
	// first; nil where there is none. Stale says that the process of the first has
	// measured it: both then count as one session against the variation between runs.
	Second *latencytest.Result
	Stale  bool
}

// A Comparison is the answer to one question for one scenario.
type Comparison struct {
	Question
	Case     int // whose question it is
	Scenario string
	Verdict  Verdict
	Reason   string
	Stored   string       // where the baseline is
	Runs     int          // stored there, with this metric or without
	Pinned   *Run         // the anchor, where that is compared with, and not the stored runs
	Exact    bool         // of a replay in virtual time, which knows no noise
	Result   *stat.Result // the numbers; nil where there was nothing to compare

	// Candidate and Against are the runs that the numbers are of: the measured one, in
	// one session or two, and those it was compared with. They are there for a regression
	// and an improvement.
	Candidate []*Run
	Against   []*Run
}

// Moved reports whether the comparison wants to be confirmed: the scenario seems to
// be slower, or faster, in its only session.
func (c Comparison) Moved() bool {
	return c.Result != nil && (c.Result.Suspect || c.Result.Promising)
}

// Undecided reports whether there was enough to compare, and no answer all the same:
// more requests or sessions would bring one.
func (c Comparison) Undecided() bool {
	return c.Verdict == Inconclusive && c.Pinned == nil && c.Runs >= leastRuns && slices.Min(c.Result.N) >= fewest
}

// A Report is the answers to all questions, scenario by scenario. They are one
// family: the chance of any false regression among them is bounded together.
type Report struct{ Comparisons []Comparison }

// Compare judges a result against the runs that a store holds for the same keys.
// A run is not compared with itself, should it be stored already.
//
// An error means that stored runs cannot be read, or that a measured value makes
// no sense; what is missing or cannot be compared is a verdict.
func Compare(res *latencytest.Result, store Store, o stat.Options, questions ...Question) (*Report, error) {
	return CompareAll(o, Case{Result: res, Store: store, Questions: questions})
}

// CompareAll is [Compare] for all that a build has measured, in one family. Where
// the options ask for a confirmation, what has moved ([Comparison.Moved]) is to be
// measured once more, and everything compared again with that as Second.
func CompareAll(o stat.Options, cases ...Case) (*Report, error) {
	f := family{report: new(Report)}
	var errs []error
	for i, c := range cases {
		c.MinEffect, c.RuleOut = cmp.Or(c.MinEffect, o.MinEffect), cmp.Or(c.RuleOut, o.RuleOut)
		if len(c.Result.Scenarios) == 0 {
			errs = append(errs, errNoScenario)
		}
		for _, s := range c.Result.Scenarios {
			errs = append(errs, f.ask(i, c, s))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	results, err := stat.Judge(f.comparisons, o)
	if err != nil {
		return nil, err
	}
	for i := range results {
		c := &f.report.Comparisons[f.asked[i]]
		c.Result, c.Verdict, c.Reason = &results[i], Verdict(results[i].Verdict), results[i].Reason
		if c.Verdict == Regression || c.Verdict == Improved {
			if err := cases[c.Case].runs(c); err != nil {
				return nil, err
			}
		}
	}
	return f.report, nil
}

// A family is the comparisons that are judged together.
type family struct {
	report      *Report
	comparisons []stat.Comparison
	asked       []int // the place in the report of each of them
}

// ask adds the questions of a case about one of its scenarios.
func (f *family) ask(number int, of Case, s *latencytest.Scenario) error {
	runs, err := history(of.Result, s, of.Store)
	if err != nil {
		return err
	}
	pinned, err := anchor(of.Store, s)
	if err != nil {
		return err
	}
	second, err := of.second(s)
	if err != nil {
		return err
	}
	var errs []error
	for _, q := range of.Questions {
		c := Comparison{Question: q, Case: number, Scenario: s.Name, Stored: of.Store.Location(KeyOf(s)), Runs: len(runs)}
		if c.Verdict, c.Reason, err = incomparable(s, of.Store, runs, q); err != nil {
			errs = append(errs, err)
		}
		if reason := secondInvalid(second, q); c.Verdict == "" && reason != "" {
			c.Verdict, c.Reason = Infrastructure, "in its second session "+reason
		}
		if of.replay(s) && c.Verdict == "" {
			if err := of.exactly(&c, s, runs); err != nil {
				errs = append(errs, err)
			}
			f.report.Comparisons = append(f.report.Comparisons, c)
			continue
		}
		decided := c.Verdict != ""
		f.add(c, of.question(s, second, runs, q))
		if !decided && pinned != nil && len(pinned.Values(q.Metric)) > 0 {
			c.Pinned = pinned
			f.add(c, of.question(s, second, runs, q).against(pinned.Values(q.Metric)))
		}
	}
	return errors.Join(errs...)
}

// add reports a comparison, and has it judged where it has no verdict yet.
func (f *family) add(c Comparison, numbers numbers) {
	if c.Verdict == "" {
		f.asked = append(f.asked, len(f.report.Comparisons))
		f.comparisons = append(f.comparisons, stat.Comparison(numbers))
	}
	f.report.Comparisons = append(f.report.Comparisons, c)
}

// runs finds the runs that a comparison is of.
func (c Case) runs(of *Comparison) error {
	s := c.Result.Scenario(of.Scenario)
	second, err := c.second(s)
	if err != nil {
		return err
	}
	of.Candidate = []*Run{NewRun(c.Result, s, "", of.Metric)}
	if second != nil {
		of.Candidate = append(of.Candidate, NewRun(c.Second, second, "", of.Metric))
	}
	if of.Pinned != nil {
		of.Against = []*Run{of.Pinned}
		return nil
	}
	stored, err := history(c.Result, s, c.Store)
	for _, run := range stored {
		if len(run.Values(of.Metric)) > 0 {
			of.Against = append(of.Against, run)
		}
	}
	return err
}

// second returns a scenario as the second session measured it, nil where it did not.
func (c Case) second(s *latencytest.Scenario) (*latencytest.Scenario, error) {
	if c.Second == nil {
		return nil, nil
	}
	second := c.Second.Scenario(s.Name)
	if second == nil {
		return nil, nil
	}
	if m := KeyOf(s).Mismatches(KeyOf(second)); len(m) > 0 {
		return nil, fmt.Errorf("%s: the second session measured something else: %v", s.Name, m[0])
	}
	return second, nil
}

func secondInvalid(second *latencytest.Scenario, q Question) string {
	if second == nil {
		return ""
	}
	return Invalid(second, q.Metric)
}

// history returns the stored runs of a scenario, without the one that holds this
// very measurement: a run says nothing about itself.
func history(res *latencytest.Result, s *latencytest.Scenario, store Store) ([]*Run, error) {
	runs, err := store.Runs(KeyOf(s))
	this := NewRun(res, s, "")
	return slices.DeleteFunc(runs, this.sameMeasurement), err
}

var errNoScenario = errors.New("the result has no scenario: nothing was measured")

// numbers are those of one comparison.
type numbers stat.Comparison

// question puts a scenario's values beside those of the stored runs.
func (c Case) question(s, second *latencytest.Scenario, runs []*Run, q Question) numbers {
	n := numbers{
		Scenario: s.Name, Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		Candidate: [][]float64{Values(s, q.Metric)}, Fresh: !c.Stale, MinEffect: c.MinEffect, RuleOut: c.RuleOut,
	}
	if second != nil {
		n.Candidate = append(n.Candidate, Values(second, q.Metric))
	}
	for _, run := range runs {
		if values := run.Values(q.Metric); len(values) > 0 {
			n.Baseline = append(n.Baseline, values)
		}
	}
	return n
}
