package history

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// Options are the settings of an analysis. The zero value is the default.
type Options struct {
	// Alpha is the chance that a series without a change shows one, wherever it is
	// looked for. 0 means 0.01: a history is looked at every night.
	Alpha float64

	// MinEffect is the smallest step that matters, as the ratio of two levels less 1;
	// a fall from 1.05 to 1 is as large as the rise. 0 means 0.05.
	MinEffect float64

	// Tolerance is how far a series may creep, in the same measure. 0 means 0.20.
	Tolerance float64
}

func (o Options) withDefaults() Options {
	o.Alpha = cmp.Or(o.Alpha, .01)
	o.MinEffect = cmp.Or(o.MinEffect, .05)
	o.Tolerance = cmp.Or(o.Tolerance, .20)
	return o
}

func (o Options) validate() error {
	var errs []error
	if !(o.Alpha > 0 && o.Alpha < 1) {
		errs = append(errs, fmt.Errorf("alpha is %v, want a number between 0 and 1", o.Alpha))
	}
	if !(o.MinEffect > 0 && o.MinEffect <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("min effect is %v, want a positive number", o.MinEffect))
	}
	if !(o.Tolerance > 0 && o.Tolerance <= math.MaxFloat64) {
		errs = append(errs, fmt.Errorf("tolerance is %v, want a positive number", o.Tolerance))
	}
	return errors.Join(errs...)
}

// A Report is what a series shows.
type Report struct {
	Series  *Series
	Options Options // with their defaults filled in

	// TooFew says why nothing was looked for. It is empty where something was.
	TooFew string

	// SD is the standard deviation of a run around its level, on the log scale.
	SD float64

	Steps    []Step   // oldest first
	Pending  *Pending // the last runs, where they have left their level too lately to tell
	Outliers []Outlier

	// Drift is how far the present level has come. It is nil where there are too few
	// runs.
	Drift *Drift
}

// MinRuns is the length of a series from which a step can be seen: two runs before
// it, and three from it on.
const MinRuns = settled + held

// Analyze looks for steps, outliers and creep in a series. The same series gives the
// same report: there are no random numbers.
//
// An error means that the series or the options make no sense. Too few runs are
// none: the report says so.
func Analyze(s *Series, o Options) (*Report, error) {
	o = o.withDefaults()
	points, err := s.validate()
	if err = errors.Join(o.validate(), err); err != nil {
		return nil, err
	}
	r := &Report{Series: s, Options: o}
	if len(points) < MinRuns {
		r.TooFew = tooFew(len(points))
		return r, nil
	}
	sd := noise(points)
	values := valuesOf(points)
	kept, outliers, pending := setAside(values, sd)
	l := newLevels(points, kept)
	l.starts = l.sums.partition(pricePerNoise * sd * sd)
	l.merge(o)
	r.SD = math.Sqrt(l.variance())
	r.Steps = l.steps(s)
	r.Pending = l.pending(s, points, pending)
	for _, i := range outliers {
		r.Outliers = append(r.Outliers, Outlier{Run: points[i], Ratio: math.Exp(values[i] - l.around(i))})
	}
	r.Drift = l.drift(s, o)
	return r, nil
}

func tooFew(n int) string {
	runs := "runs"
	if n == 1 {
		runs = "run"
	}
	return fmt.Sprintf("%d %s: a step needs %d, %d before it and %d from it on", n, runs, MinRuns, settled, held)
}
