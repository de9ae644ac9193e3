package history_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/history"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

var (
	firstNight = time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC)
	slowTail   = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
)

func run(night, n int, model string, edits ...madeup.Edit) *baseline.Run {
	identity := providers.Facts{{Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: "all"}, {Name: "model", Value: model}}
	res := &latencytest.Result{
		Started: firstNight.AddDate(0, 0, night), Plan: latencytest.Plan{Seed: 1},
		Provenance: latencytest.Provenance{Commit: string(rune('a' + night))},
	}
	return baseline.NewRun(res, madeup.Scenario(identity, n, uint64(night), edits...), "nightly")
}

func nights(from, to int, edits ...madeup.Edit) []*baseline.Run {
	var runs []*baseline.Run
	for night := from; night < to; night++ {
		runs = append(runs, run(night, 200, "m", edits...))
	}
	return runs
}

func TestNewSeries(t *testing.T) {
	t.Parallel()
	runs := nights(0, 4)
	slices.Reverse(runs)
	runs = append(runs, runs[2], run(5, 200, "m", madeup.Failing(20, providers.Throttled)), run(6, 100, "m"), run(7, 4, "m"))
	s, err := history.NewSeries(slowTail, runs, run(9, 150, "m"))
	require.NoError(t, err)
	require.Len(t, s.Points, 5, "a run counts once")
	require.Len(t, s.LeftOut, 2)
	require.EqualError(t, s.LeftOut[0], "the run of 2026-10-06T03:00:00Z: 20 of 200 requests failed")
	require.EqualError(t, s.LeftOut[1], "the run of 2026-10-08T03:00:00Z: 4 of 4 requests have a value of ttft, want 5")
	require.NotNil(t, s.Anchor)
	assert.Equal(t, 150, s.Anchor.Requests)

	first := runs[3].Values(latencytest.TTFT)
	logs := make([]float64, len(first))
	for i, v := range first {
		logs[i] = math.Log(v)
	}
	slices.Sort(logs)
	p := s.Points[0]
	assert.Equal(t, firstNight, p.Time)
	assert.Equal(t, "a", p.Commit)
	assert.Equal(t, 200, p.Requests)
	assert.InDelta(t, stat.HarrellDavis(logs, .9, 100), p.Value, 1e-12, "with the kernel of the shortest run")
	assert.InDelta(t, .2*1.71/math.Sqrt(200), math.Sqrt(p.Variance), .01, "that of a normal P90")
}

// The P90 of a metric where higher is better is its slow end.
func TestSlowEndOfSpeed(t *testing.T) {
	t.Parallel()
	s, err := history.NewSeries(baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}, nights(0, 1), nil)
	require.NoError(t, err)
	assert.InEpsilon(t, 40*math.Exp(-.05*1.2816), math.Exp(s.Points[0].Value), .02)
	assert.Nil(t, s.Anchor)
}

func TestSeriesErrors(t *testing.T) {
	t.Parallel()
	_, err := history.NewSeries(slowTail, []*baseline.Run{run(0, 100, "m"), run(1, 100, "n")}, nil)
	require.EqualError(t, err, `the run of 2026-10-02T03:00:00Z was measured otherwise than that of 2026-10-01T03:00:00Z: model: "m" and "n"; runs of one key make a history`)
	_, err = history.NewSeries(slowTail, nights(0, 3), run(4, 100, "n"))
	require.ErrorContains(t, err, "measured otherwise")
	_, err = history.NewSeries(baseline.Question{Quantile: .5}, nil, nil)
	require.EqualError(t, err, "the question has no metric")
	_, err = history.NewSeries(baseline.Question{Metric: latencytest.TTFT, Quantile: 1}, nil, nil)
	require.EqualError(t, err, "the quantile is 1, want a number between 0 and 1")
	s, err := history.NewSeries(slowTail, nil, nil)
	require.NoError(t, err)
	assert.Empty(t, s.Points)
	s, err = history.NewSeries(slowTail, nights(0, 3), run(4, 2, "m"))
	require.NoError(t, err)
	assert.Nil(t, s.Anchor)
	require.Len(t, s.LeftOut, 1)
	require.EqualError(t, s.LeftOut[0], "the anchor: the run of 2026-10-05T03:00:00Z: 2 of 2 requests have a value of ttft, want 5")
}

// From stored runs to a step, with all that there is between.
func TestStepInRuns(t *testing.T) {
	t.Parallel()
	runs := slices.Concat(nights(0, 8), nights(8, 14, madeup.Later(1.3)))
	s, err := history.NewSeries(slowTail, runs, runs[0])
	require.NoError(t, err)
	r, err := history.Analyze(s, history.Options{})
	require.NoError(t, err)
	require.Len(t, r.Steps, 1)
	assert.Equal(t, "i", r.Steps[0].First.Commit)
	assert.InEpsilon(t, 1.3, r.Steps[0].Ratio, .05)
	assert.False(t, r.Drift.Creep, "the step is beyond the tolerance by itself")
	assert.Regexp(t, `^P90 ttft, 14 runs from 2026-10-01 to 2026-10-14, sd of a run \d\.\d %
  step 2026-10-09 at i, after h: \d+ → \d+ ms, ratio 1\.\d\d \[1\.\d\d, 1\.\d\d\], p <\.0001, worse, 8 runs before and 6 from it on
  drift from the anchor of 2026-10-01: \d+ → \d+ ms, ratio 1\.\d\d; without the steps beyond 20 %, ratio \d\.\d\d \[0\.\d\d, \d\.\d\d\]: no creep$`, r.String())
}
