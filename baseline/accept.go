package baseline

import (
	"errors"
	"fmt"

	"github.com/latgate/latgate/latencytest"
)

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
		exact := res.Virtual && s.Identity.Get(latencytest.RecordingFact) != "" // one request tells as much as a thousand
		if err == nil && len(run.Entries) < fewest && !exact {
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
