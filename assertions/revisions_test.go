package assertions_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/report"
)

// builds is a test that two builds measured by turns.
func builds(pkg string, base, head *latencytest.Scenario) assertions.RevisionPair {
	pair := pairOf(base, head)
	head.Identity = base.Identity
	return assertions.RevisionPair{Package: pkg, Pair: pair}
}

var ttft = []baseline.Question{{Metric: latencytest.TTFT, Quantile: latencytest.P90}}

func TestRevisions(t *testing.T) {
	t.Parallel()
	judged, err := assertions.JudgeRevisions(assertions.Revisions{
		Tests: []assertions.RevisionPair{
			builds("chat", scenario(200, 1), scenario(200, 2, later(1.4))),
			builds("search", scenario(200, 3, failing(1, providers.Throttled)), scenario(200, 4, failing(2, providers.Throttled))),
		},
		Questions: ttft, Options: stat.Options{Alpha: .05, MinEffect: .1, RuleOut: .2},
	})
	require.NoError(t, err)
	require.Len(t, judged.Rows, 3, "what never failed is not asked whether it fails more often")
	row := judged.Rows[0]
	assert.Equal(t, "chat", row.Package)
	assert.Equal(t, "TestLatencyChat", row.Test)
	assert.Equal(t, "all", row.Scenario)
	assert.Equal(t, "NoRegression(P90 ttft)", row.Gate)
	assert.Equal(t, baseline.Regression, row.Verdict)
	assert.Empty(t, row.Baseline)
	assert.Contains(t, row.Text, "in 20 pairs")
	assert.InDelta(t, 1.4, row.Comparison.Ratio, .15)
	assert.Less(t, row.Comparison.Low, row.Comparison.Ratio)
	assert.Greater(t, row.Comparison.High, row.Comparison.Ratio)
	assert.Equal(t, []int{200}, row.Comparison.HeadN)
	assert.Equal(t, []int{200}, row.Comparison.BaseN)
	assert.Greater(t, row.Comparison.HolmP, row.Comparison.P, "one family")

	assert.Equal(t, "search", judged.Rows[1].Package)
	assert.Equal(t, baseline.Pass, judged.Rows[1].Verdict)
	assert.Equal(t, report.Row{
		Package: "search", Test: "TestLatencyChat", Scenario: "all", Gate: "failures", Verdict: baseline.Pass, Measured: .01,
		Reason: "failures 1 of 200 → 2 of 200, Fisher's exact p 0.5 (Holm 1)",
		Text:   "all: failures 1 of 200 → 2 of 200, Fisher's exact p 0.5 (Holm 1): pass",
	}, judged.Rows[2])
	assert.Equal(t, 3, judged.Failed)
}

func TestRevisionsThatFailMoreOften(t *testing.T) {
	t.Parallel()
	judged, err := assertions.JudgeRevisions(assertions.Revisions{
		Tests:     []assertions.RevisionPair{builds("chat", scenario(200, 1), scenario(200, 2, failing(8, providers.Throttled)))},
		Questions: ttft,
	})
	require.NoError(t, err)
	require.Len(t, judged.Rows, 2)
	assert.Equal(t, baseline.Regression, judged.Rows[1].Verdict)
}

// Of what only one build measured, the name is that build's; another model is nothing
// to compare with.
func TestRevisionsOfDifferentTests(t *testing.T) {
	t.Parallel()
	gone := builds("chat", scenario(200, 1), scenario(200, 2))
	gone.Pair.B = &latencytest.Result{}
	other := builds("chat", scenario(200, 1), scenario(200, 2))
	other.Pair.B.Scenarios[0].Identity = identity(providers.Fact{Name: "model", Value: "another"})
	judged, err := assertions.JudgeRevisions(assertions.Revisions{Tests: []assertions.RevisionPair{gone, other}, Questions: ttft})
	require.NoError(t, err)
	require.Len(t, judged.Rows, 2)
	assert.Equal(t, baseline.Missing, judged.Rows[0].Verdict)
	assert.Equal(t, "TestLatencyChat", judged.Rows[0].Test)
	assert.Equal(t, baseline.Incomparable, judged.Rows[1].Verdict)
}

// What most replies have no value of is asked only of who insists.
func TestRevisionsWithoutValues(t *testing.T) {
	t.Parallel()
	short := func(_ int, s *latencytest.Sample) { s.ContentEvents, s.Usage.Output = 1, providers.CountOf(1) }
	r := assertions.Revisions{
		Tests:     []assertions.RevisionPair{builds("chat", scenario(200, 1, short), scenario(200, 2, short))},
		Questions: append([]baseline.Question{{Metric: latencytest.OTPS, Quantile: latencytest.P90}}, ttft...),
	}
	judged, err := assertions.JudgeRevisions(r)
	require.NoError(t, err)
	assert.Len(t, judged.Rows, 2)
	r.Optional = true
	judged, err = assertions.JudgeRevisions(r)
	require.NoError(t, err)
	require.Len(t, judged.Rows, 1)
	assert.Equal(t, "ttft", judged.Rows[0].Quantity.Metric)
}
