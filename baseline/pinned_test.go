package baseline_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Steps that are each too small for a gate, and in time a part of the baseline, add
// up against the pinned run.
func TestCreepIsFoundAgainstThePinnedRun(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir()).(baseline.Pinner)
	question := baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	options := stat.Options{SingleSession: true}
	run := func(day int, factor float64) *latencytest.Result {
		res := result(scenario(200, uint64(day+1), later(factor)))
		res.Started = res.Started.AddDate(0, 0, day)
		return res
	}
	for day := range 5 {
		_, err := baseline.Accept(run(day, 1.4), store, "another day")
		require.NoError(t, err)
	}
	report, err := baseline.Compare(run(7, 1.44), store, options, question)
	require.NoError(t, err)
	require.Len(t, report.Comparisons, 1, "nothing is pinned")
	assert.Equal(t, baseline.Pass, report.Comparisons[0].Verdict)

	first := run(-90, 1)
	path, err := store.Pin(baseline.NewRun(first, first.Scenarios[0], "where we started"))
	require.NoError(t, err)
	assert.Equal(t, "pinned.bench", filepath.Base(path))
	report, err = baseline.Compare(run(7, 1.44), store, options, question)
	require.NoError(t, err)
	require.Len(t, report.Comparisons, 2)
	assert.Equal(t, baseline.Pass, report.Comparisons[0].Verdict)
	crept := report.Comparisons[1]
	assert.Equal(t, baseline.Regression, crept.Verdict, crept.Reason)
	assert.Equal(t, .2, crept.Result.MinEffect, "the tolerance is wider")
	assert.Contains(t, crept.String(), "all: P90 ttft against the run pinned on "+first.Started.UTC().Format("2006-01-02"))

	report, err = baseline.Compare(run(8, 1.1), store, options, question)
	require.NoError(t, err)
	assert.NotEqual(t, baseline.Regression, report.Comparisons[1].Verdict, "10 % are within it")
	runs, err := store.Runs(baseline.KeyOf(first.Scenarios[0]))
	require.NoError(t, err)
	assert.Len(t, runs, 5, "it is none of the runs that come and go")
}

func TestPinnedRunThatIsBroken(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir()).(baseline.Pinner)
	res := result(scenario(50, 1))
	none, err := store.Pinned(baseline.KeyOf(res.Scenarios[0]))
	require.NoError(t, err)
	assert.Nil(t, none)
	path, err := store.Pin(baseline.NewRun(res, res.Scenarios[0], "here"))
	require.NoError(t, err)
	pinned, err := store.Pinned(baseline.KeyOf(res.Scenarios[0]))
	require.NoError(t, err)
	assert.Equal(t, "here", pinned.Header.Reason)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)/2], 0o644))
	_, err = baseline.Compare(res, store, stat.Options{}, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
	assert.ErrorContains(t, err, "pinned.bench")
}
