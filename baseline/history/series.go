package history

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A Point is one run of a series.
type Point struct {
	Time   time.Time
	Commit string // empty where it is not known

	// Value is the natural logarithm of the run's quantile, which is in the unit of
	// the metric.
	Value float64

	// Variance is that of Value as far as the run's own requests tell. 0 is not known.
	Variance float64

	Requests int
}

// A Series is what runs of one key say of one question, oldest first.
type Series struct {
	Question baseline.Question
	Points   []Point
	Anchor   *Point  // the pinned run; nil where there is none
	LeftOut  []error // why runs are not among the points
}

// fewest is the size of a run from which its quantile has a variance.
const fewest = 5

// failedShare is the share of failed requests from which latencies say nothing
// about the endpoint.
const failedShare = .10

// NewSeries reduces runs of one key, in any order, to the quantile that is asked
// for. All use the Harrell-Davis kernel of the shortest run, as a comparison does. A
// run that is there twice (accepted, and in an archive) counts once. The anchor may
// be nil.
//
// Runs of more than one key are an error. A run without the metric, or in which too
// many requests failed, is left out and listed, and so is such an anchor.
func NewSeries(q baseline.Question, runs []*baseline.Run, anchor *baseline.Run) (*Series, error) {
	if err := check(q); err != nil {
		return nil, err
	}
	all := slices.Clone(runs)
	if anchor != nil {
		all = append(all, anchor)
	}
	for _, run := range all[min(1, len(all)):] {
		if m := all[0].Key.Mismatches(run.Key); len(m) > 0 {
			return nil, fmt.Errorf("the run of %s was measured otherwise than that of %s: %s: %q and %q; runs of one key make a history",
				when(run), when(all[0]), m[0].Name, m[0].Want, m[0].Have)
		}
	}
	s := &Series{Question: q}
	var kept []sample
	for _, run := range oldestFirst(runs) {
		one, err := newSample(run, q.Metric)
		switch {
		case err != nil:
			s.LeftOut = append(s.LeftOut, err)
		case !slices.ContainsFunc(kept, one.same):
			kept = append(kept, one)
		}
	}
	var pinned []sample
	if anchor != nil {
		if one, err := newSample(anchor, q.Metric); err != nil {
			s.LeftOut = append(s.LeftOut, fmt.Errorf("the anchor: %w", err))
		} else {
			pinned = append(pinned, one)
		}
	}
	kernel := math.MaxInt
	for _, one := range slices.Concat(kept, pinned) {
		kernel = min(kernel, len(one.values))
	}
	for _, one := range kept {
		p, err := one.point(q, kernel)
		if err != nil {
			return nil, err
		}
		s.Points = append(s.Points, p)
	}
	for _, one := range pinned {
		p, err := one.point(q, kernel)
		if err != nil {
			return nil, err
		}
		s.Anchor = &p
	}
	return s, nil
}

func check(q baseline.Question) error {
	switch {
	case q.Metric == latencytest.Metric{}:
		return errors.New("the question has no metric")
	case !(q.Quantile > 0 && q.Quantile < 1):
		return fmt.Errorf("the quantile is %v, want a number between 0 and 1", float64(q.Quantile))
	}
	return nil
}

func oldestFirst(runs []*baseline.Run) []*baseline.Run {
	return slices.SortedStableFunc(slices.Values(runs), func(a, b *baseline.Run) int {
		return a.Header.Time.Compare(b.Header.Time)
	})
}

func when(r *baseline.Run) string { return r.Header.Time.UTC().Format(time.RFC3339) }

// A sample is what a run has of one metric, in request order.
type sample struct {
	run    *baseline.Run
	values []float64
}

func newSample(run *baseline.Run, m latencytest.Metric) (sample, error) {
	one := sample{run, run.Values(m)}
	failed, n := run.Failed(), len(run.Entries)
	switch {
	case float64(failed) >= failedShare*float64(n):
		return one, fmt.Errorf("the run of %s: %d of %d requests failed", when(run), failed, n)
	case len(one.values) < fewest:
		return one, fmt.Errorf("the run of %s: %d of %d requests have a value of %v, want %d", when(run), len(one.values), n, m, fewest)
	}
	for _, v := range one.values {
		if !(v > 0 && v <= math.MaxFloat64) {
			return one, fmt.Errorf("the run of %s: a request has a %v of %v: there are no ratios to that", when(run), m, v)
		}
	}
	return one, nil
}

// same reports whether two samples are of one measurement.
func (a sample) same(b sample) bool {
	return a.run.Header.Time.Equal(b.run.Header.Time) && a.run.Header.Seed == b.run.Header.Seed && slices.Equal(a.values, b.values)
}

func (a sample) point(q baseline.Question, kernel int) (Point, error) {
	logs := make([]float64, len(a.values))
	for i, v := range a.values {
		logs[i] = math.Log(v)
	}
	slices.Sort(logs)
	p := Point{
		Time: a.run.Header.Time.UTC(), Commit: a.run.Header.Provenance.Commit, Requests: len(a.values),
		Value: stat.HarrellDavis(logs, q.Quantile.Rank(q.Metric), kernel),
	}
	// A run compared with itself: the error of its own side is what is wanted.
	own, err := stat.Judge([]stat.Comparison{{
		Scenario: "run of " + when(a.run), Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		Baseline: [][]float64{a.values}, Candidate: [][]float64{a.values},
	}}, stat.Options{})
	if err != nil {
		return p, err
	}
	p.Variance = own[0].RunSE * own[0].RunSE
	return p, nil
}

// validate checks points that may be anybody's, and returns a copy, oldest first.
func (s *Series) validate() ([]Point, error) {
	if err := check(s.Question); err != nil {
		return nil, err
	}
	points := slices.SortedStableFunc(slices.Values(s.Points), func(a, b Point) int { return a.Time.Compare(b.Time) })
	errs := make([]error, 0, 1)
	for _, p := range slices.Concat(points, anchored(s.Anchor)) {
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || !(p.Variance >= 0 && p.Variance <= math.MaxFloat64) {
			errs = append(errs, fmt.Errorf("the run of %s: value %v and variance %v, want finite numbers and a variance of 0 or more",
				p.Time.UTC().Format(time.RFC3339), p.Value, p.Variance))
		}
	}
	return points, errors.Join(errs...)
}

func anchored(p *Point) []Point {
	if p == nil {
		return nil
	}
	return []Point{*p}
}

// direction is 1 where larger is worse, −1 where it is better.
func (s *Series) direction() float64 {
	if s.Question.Metric.HigherIsBetter() {
		return -1
	}
	return 1
}

// valuesOf returns the values of points.
func valuesOf(points []Point) []float64 {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.Value
	}
	return values
}

// middle returns the median of xs.
func middle(xs []float64) float64 {
	return stat.Type7(slices.SortedFunc(slices.Values(xs), cmp.Compare[float64]), .5)
}
