package baseline

import (
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// StoredFailures counts the failed requests of all stored runs of a scenario. A
// nil store holds none.
func StoredFailures(s *latencytest.Scenario, store Store) (stat.Failures, error) {
	var f stat.Failures
	if store == nil {
		return f, nil
	}
	runs, err := store.Runs(KeyOf(s))
	for _, run := range runs {
		f.Failed += run.Failed()
		f.Total += len(run.Entries)
	}
	return f, err
}
