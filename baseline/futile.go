package baseline

import (
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Futile reports whether measuring a scenario up to n requests is pointless, given
// its samples so far: none of the questions can become a regression any more, but
// with a chance of 10 % at most. It does not say so where there are too few stored
// runs for a verdict, or where the samples cannot be compared: what is wrong there
// is told once all is measured.
func Futile(soFar *latencytest.Scenario, n int, store Store, o stat.Options, questions ...Question) (bool, error) {
	runs, err := store.Runs(KeyOf(soFar))
	if err != nil {
		return false, err
	}
	c := Case{Store: store, Questions: questions}
	var family []stat.Comparison
	for _, q := range questions {
		if Invalid(soFar, q.Metric) != "" {
			return false, nil
		}
		numbers := stat.Comparison(c.question(soFar, nil, runs, q))
		if len(numbers.Baseline) < leastRuns {
			return false, nil
		}
		family = append(family, numbers)
	}
	results, err := stat.Judge(family, o)
	return err == nil && stat.Futile(results, n), err
}

// leastRuns is the number of stored runs below which nothing is decided.
const leastRuns = 3
