package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/latgate/latgate/baseline"
)

// words are what a headline calls one row of a verdict, and several.
var words = map[baseline.Verdict][2]string{
	baseline.Tampered:       {"tampered baseline", "tampered baselines"},
	baseline.Regression:     {"regression", "regressions"},
	baseline.OverBudget:     {"over budget", "over budget"},
	baseline.Infrastructure: {"not measured, not your change", "not measured, not your change"},
	baseline.Incomparable:   {"incomparable", "incomparable"},
	baseline.Missing:        {"without a baseline", "without a baseline"},
	baseline.CassetteMiss:   {"not recorded", "not recorded"},
	baseline.Inconclusive:   {"inconclusive", "inconclusive"},
	baseline.Accepted:       {"accepted", "accepted"},
	baseline.Improved:       {"improved", "improved"},
	baseline.Pass:           {"passed", "passed"},
}

// Headline counts the rows, the worst first: "1 regression (1 inconclusive · 6
// passed)". It holds no text of the build.
func (b *Build) Headline() string {
	count := make(map[baseline.Verdict]int)
	for _, row := range b.Rows {
		count[row.Verdict]++
	}
	var parts []string
	for _, s := range severity {
		if n := count[s.verdict]; n > 0 {
			word := words[s.verdict][0]
			if n > 1 {
				word = words[s.verdict][1]
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	switch len(parts) {
	case 0:
		return "nothing was judged"
	case 1:
		return parts[0]
	}
	return fmt.Sprintf("%s (%s)", parts[0], strings.Join(parts[1:], " · "))
}

// Clean reports whether there is nothing to tell: every row passed or improved, no
// baseline moved, nothing was relaxed.
func (b *Build) Clean() bool {
	return b.ExitCode == ExitPass && len(b.Relaxed) == 0 && len(b.Rows) > 0 &&
		!slices.ContainsFunc(b.Rows, func(r Row) bool { return !Passing(r.Verdict) })
}

// Passing reports whether a verdict needs no second look: pass and improved.
func Passing(v baseline.Verdict) bool { return v == baseline.Pass || v == baseline.Improved }

// Fails reports whether a verdict fails a build that relaxes nothing.
func Fails(v baseline.Verdict) bool {
	code := ExitCode(v)
	return code != ExitPass && code != ExitInconclusive
}

// Ranked returns the rows, the worst verdict first, and of one verdict the largest
// change first.
func (b *Build) Ranked() []Row {
	rows := slices.Clone(b.Rows)
	slices.SortStableFunc(rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(rank(x.Verdict), rank(y.Verdict)), cmp.Compare(y.size(), x.size()))
	})
	return rows
}

// size is how far a row's head is from its base, either way.
func (r Row) size() float64 {
	if r.Comparison == nil || r.Comparison.Ratio <= 0 {
		return 0
	}
	return math.Abs(math.Log(r.Comparison.Ratio))
}
