package baseline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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

// A Comparison is the answer to one question for one scenario.
type Comparison struct {
	Question
	Scenario string
	Verdict  Verdict
	Reason   string
	Stored   string       // where the baseline is
	Runs     int          // stored there, with this metric or without
	Result   *stat.Result // the numbers; nil where there was nothing to compare
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
	if len(res.Scenarios) == 0 {
		return nil, errNoScenario
	}
	report := new(Report)
	var family []stat.Comparison
	var asked []int // the comparison of each member of the family
	var errs []error
	for _, s := range res.Scenarios {
		runs, err := history(res, s, store)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, q := range questions {
			c := Comparison{Question: q, Scenario: s.Name, Stored: store.Location(KeyOf(s)), Runs: len(runs)}
			if c.Verdict, c.Reason, err = incomparable(s, store, runs, q); err != nil {
				errs = append(errs, err)
			}
			if c.Verdict == "" {
				asked = append(asked, len(report.Comparisons))
				family = append(family, question(s, runs, q))
			}
			report.Comparisons = append(report.Comparisons, c)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	results, err := stat.Judge(family, o)
	if err != nil {
		return nil, err
	}
	for i := range results {
		c := &report.Comparisons[asked[i]]
		c.Result, c.Verdict, c.Reason = &results[i], Verdict(results[i].Verdict), results[i].Reason
	}
	return report, nil
}

// history returns the stored runs of a scenario, without the one that holds this
// very measurement: a run says nothing about itself.
func history(res *latencytest.Result, s *latencytest.Scenario, store Store) ([]*Run, error) {
	runs, err := store.Runs(KeyOf(s))
	this := NewRun(res, s, "")
	return slices.DeleteFunc(runs, this.sameMeasurement), err
}

var errNoScenario = errors.New("the result has no scenario: nothing was measured")

// question puts a scenario's values beside those of the stored runs.
func question(s *latencytest.Scenario, runs []*Run, q Question) stat.Comparison {
	c := stat.Comparison{
		Scenario: s.Name, Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		Candidate: [][]float64{Values(s, q.Metric)},
	}
	for _, run := range runs {
		if values := run.Values(q.Metric); len(values) > 0 {
			c.Baseline = append(c.Baseline, values)
		}
	}
	return c
}

// Values returns what a scenario counts in a comparison or against a limit: the
// metric of every request that ended OK, and the time limit of those that hit it.
func Values(s *latencytest.Scenario, m latencytest.Metric) []float64 {
	var values []float64
	for i := range s.Samples {
		if v, ok := gateValue(&s.Samples[i], m); ok {
			values = append(values, v)
		}
	}
	return values
}

// Invalid says why a scenario's values of a metric say nothing about the endpoint:
// requests failed, none of them has one, or the run did not measure what it set out
// to. It is empty where the values are good.
func Invalid(s *latencytest.Scenario, m latencytest.Metric) string {
	n, failed, values := len(s.Samples), s.Failed(), Values(s, m)
	switch {
	case n == 0:
		return "no request was measured"
	case tooManyFailed(failed, n):
		return fmt.Sprintf("%d of %d requests failed (%s): latencies are invalid from %.0f %%", failed, n, s.Ends(), 100*invalidShare)
	case len(values) == 0:
		return fmt.Sprintf("none of %d requests has a value of %v", n, m)
	case s.Invalid() != "":
		return s.Invalid()
	case slices.Min(values) <= 0:
		return fmt.Sprintf("a request has a %v of 0: there are no ratios to that", m)
	}
	return ""
}

// incomparable returns the verdict of a question that statistics cannot answer,
// and an empty one for all others.
func incomparable(s *latencytest.Scenario, store Store, runs []*Run, q Question) (Verdict, string, error) {
	if reason := Invalid(s, q.Metric); reason != "" {
		return Infrastructure, reason, nil
	}
	if len(runs) == 0 {
		return nothingStored(s, store)
	}
	for _, run := range runs {
		if len(run.Values(q.Metric)) > 0 {
			return "", "", nil
		}
	}
	return Missing, fmt.Sprintf("the %d stored runs hold no %v: it was not gated when they were recorded", len(runs), q.Metric), nil
}

// nothingStored tells a scenario that was never recorded from one that was
// recorded under another key, and names the fields of the nearest. Another
// environment is no mistake of anybody's: each has a baseline of its own.
func nothingStored(s *latencytest.Scenario, store Store) (Verdict, string, error) {
	key := KeyOf(s)
	stored, err := store.Keys(key)
	if err != nil {
		return "", "", err
	}
	var nearest []Mismatch
	for _, other := range stored {
		if m := key.Mismatches(other); nearest == nil || len(m) < len(nearest) {
			nearest = m
		}
	}
	if nearest == nil {
		return Missing, "there is no baseline yet", nil
	}
	if len(nearest) == 1 && nearest[0].Name == "environment" {
		return Missing, fmt.Sprintf("there is no baseline for the environment %q yet, there is one for %q", nearest[0].Want, nearest[0].Have), nil
	}
	parts := make([]string, len(nearest))
	for i, m := range nearest {
		parts[i] = m.String()
	}
	return Incomparable, "what is stored was measured otherwise: " + strings.Join(parts, "; "), nil
}

// fewest is the size of a run below which nothing is said about its P90. One such
// run in a baseline would leave every comparison with it undecided.
const fewest = 30

// ErrTooFew says that a run is too short for a baseline.
var ErrTooFew = errors.New("too few requests for a baseline")

// Accept stores every scenario of a result as a new run of its baseline, with the
// reason why, and returns where. A result that would make a bad baseline is
// refused whole.
func Accept(res *latencytest.Result, store Store, reason string, gated ...latencytest.Metric) ([]string, error) {
	if oneLine(reason) == "" {
		return nil, errors.New("a baseline is not updated without a reason: give -latgate.reason or LATGATE_REASON")
	}
	if len(res.Scenarios) == 0 {
		return nil, errNoScenario
	}
	var runs []*Run
	var errs []error
	for _, s := range res.Scenarios {
		run := NewRun(res, s, reason, gated...)
		_, err := run.content()
		if err == nil && len(run.Entries) < fewest {
			err = fmt.Errorf("%w: %d, want %d", ErrTooFew, len(run.Entries), fewest)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
		runs = append(runs, run)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var paths []string
	for _, run := range runs {
		path, err := store.Add(run)
		if err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
