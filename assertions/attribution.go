package assertions

import (
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
)

// attributed says what moved, line by line, where something has: which phase of the
// requests, whether all of them, and what else is different. It is said of the first
// session, and nothing is where the metric is not made of phases.
func attributed(c baseline.Comparison) []string {
	if len(c.Candidate) == 0 {
		return nil
	}
	a, err := attribution.Explain(c.Candidate[0], c.Against, c.Question)
	if err != nil {
		return nil // the verdict stands without
	}
	return a.Lines()
}
