package calibrate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Fewest is the number of sessions below which nothing is said: the gate knows
// nothing of less than three stored runs either.
const Fewest = 3

// A Report is what sessions against one and the same thing say about noise.
type Report struct {
	Sessions    int
	First, Last time.Time // when the first and the last session began

	Noise []Noise // scenario by scenario, in the order of the questions

	// Builds is how often the gate, with its confirmations, would have been red if
	// each session had been a build. See [Noise.Alarms] for what the interval means.
	Builds Rate
}

// Of calibrates: it compares sessions, in the order in which they were made, of which
// nothing but the time differs. Each result is a session, with the same scenarios as
// the others. The options are those of the gate.
//
// An error means that the sessions are fewer than [Fewest] or of different keys, or
// that a question or the options make no sense. A session in which a metric says
// nothing is left out of its calibration, and listed.
func Of(results []*latencytest.Result, questions []baseline.Question, o stat.Options) (*Report, error) {
	if len(results) < Fewest {
		return nil, fmt.Errorf("%d sessions say nothing about how much sessions vary: want %d or more, better 8", len(results), Fewest)
	}
	for _, q := range questions {
		if (q.Metric == latencytest.Metric{}) || !(q.Quantile > 0 && q.Quantile < 1) {
			return nil, errors.New("a question wants a metric, and a quantile between 0 and 1")
		}
	}
	results = slices.SortedStableFunc(slices.Values(results), func(a, b *latencytest.Result) int { return a.Started.Compare(b.Started) })
	for i, res := range results {
		full, err := res.Full()
		if err != nil {
			return nil, fmt.Errorf("session %d: %w", i+1, err)
		}
		results[i] = full
	}
	r := &Report{Sessions: len(results), First: results[0].Started, Last: results[len(results)-1].Started}
	var all []*sessions
	for _, s := range results[0].Scenarios {
		scenarios, err := sameScenario(results, s)
		if err != nil {
			return nil, err
		}
		for _, q := range questions {
			one := newSessions(results, scenarios, q)
			if err := one.distinct(); err != nil {
				return nil, err
			}
			noise, err := one.noise()
			if err != nil {
				return nil, err
			}
			all = append(all, one)
			r.Noise = append(r.Noise, noise)
		}
	}
	var err error
	r.Builds, err = alarms(all, r.Noise, len(results), o)
	return r, err
}

// sameScenario finds the scenario of a key in each result.
func sameScenario(results []*latencytest.Result, s *latencytest.Scenario) ([]*latencytest.Scenario, error) {
	key := baseline.KeyOf(s)
	var found []*latencytest.Scenario
	for i, res := range results {
		if len(res.Scenarios) != len(results[0].Scenarios) {
			return nil, fmt.Errorf("session %d has %d scenarios, the first has %d: sessions are repetitions of one run", i+1, len(res.Scenarios), len(results[0].Scenarios))
		}
		other := res.Scenario(s.Name)
		if other == nil {
			return nil, fmt.Errorf("session %d has no scenario %q, which the first has: sessions are repetitions of one run", i+1, s.Name)
		}
		if m := key.Mismatches(baseline.KeyOf(other)); len(m) > 0 {
			return nil, fmt.Errorf("session %d measured %q otherwise than the first: %s: %q and %q", i+1, s.Name, m[0].Name, m[0].Want, m[0].Have)
		}
		found = append(found, other)
	}
	return found, nil
}

// sessions are the values of one question, a slice for each session; nil where it says
// nothing.
type sessions struct {
	scenario string
	question baseline.Question
	times    []time.Time
	values   [][]float64
	leftOut  []error
}

// shortest is the size of a session from which its quantile has a variance.
const shortest = 5

func newSessions(results []*latencytest.Result, scenarios []*latencytest.Scenario, q baseline.Question) *sessions {
	s := &sessions{scenario: scenarios[0].Name, question: q}
	for i, scenario := range scenarios {
		values := baseline.Values(scenario, q.Metric)
		reason := baseline.Invalid(scenario, q.Metric)
		if reason == "" && len(values) < shortest {
			reason = fmt.Sprintf("%d of %d requests have a value of %v, want %d", len(values), len(scenario.Samples), q.Metric, shortest)
		}
		if reason != "" {
			s.leftOut = append(s.leftOut, fmt.Errorf("session %d: %s", i+1, reason))
			values = nil
		}
		s.times = append(s.times, results[i].Started)
		s.values = append(s.values, values)
	}
	return s
}

// distinct returns an error where two sessions are one: that would pass for a lack of
// noise.
func (s *sessions) distinct() error {
	for i, a := range s.values {
		for j, b := range s.values[:i] {
			if a != nil && slices.Equal(a, b) {
				return fmt.Errorf("sessions %d and %d have the same values of %v throughout: they are one measurement, or replays, which have no noise",
					j+1, i+1, s.question.Metric)
			}
		}
	}
	return nil
}

// comparison is the question for one side against the other.
func (s *sessions) comparison(base, candidate []int) stat.Comparison {
	c := stat.Comparison{
		Scenario: s.scenario, Metric: s.question.Metric.Name(), Q: float64(s.question.Quantile),
		HigherIsBetter: s.question.Metric.HigherIsBetter(), Fresh: true,
	}
	for _, i := range base {
		if s.values[i] != nil {
			c.Baseline = append(c.Baseline, s.values[i])
		}
	}
	for _, i := range candidate {
		if s.values[i] != nil {
			c.Candidate = append(c.Candidate, s.values[i])
		}
	}
	return c
}
