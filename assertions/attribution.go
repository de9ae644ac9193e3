package assertions

import (
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
)

// attributed says what moved, line by line, where something has: which phase of the
// requests, whether all of them, and what else is different. It is said of all
// sessions together, and nothing is where the metric is not made of phases.
func attributed(c baseline.Comparison) []string {
	if len(c.Candidate) == 0 {
		return nil
	}
	measured := *c.Candidate[0]
	for _, second := range c.Candidate[1:] {
		measured.Entries = slices.Concat(measured.Entries, second.Entries)
	}
	explain := attribution.ExplainProven
	if c.Exact {
		explain = attribution.ExplainExact
	}
	a, err := explain(&measured, c.Against, c.Question)
	if err != nil {
		return nil // the verdict stands without
	}
	return a.Lines()
}
