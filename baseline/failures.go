package baseline

import (
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// StoredFailures counts the failed requests of the runs that Compare would compare
// a scenario with. A nil store holds none.
func StoredFailures(res *latencytest.Result, s *latencytest.Scenario, store Store) (stat.Failures, error) {
	var f stat.Failures
	if store == nil {
		return f, nil
	}
	runs, err := history(res, s, store)
	for _, run := range runs {
		f.Failed += run.Failed()
		f.Total += len(run.Entries)
	}
	return f, err
}
