package history

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// A world draws series of nightly runs.
type world struct {
	n           int
	sd          float64               // of a run
	correlation float64               // of one run with the next
	level       func(run int) float64 // ratio to 612 ms; nil is 1
}

var firstNight = time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC)

func (w world) series(rng *rand.Rand) *Series {
	s := &Series{Question: baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}}
	z := rng.NormFloat64()
	for i := range w.n {
		value := math.Log(612e6) + w.sd*z
		if w.level != nil {
			value += math.Log(w.level(i))
		}
		s.Points = append(s.Points, Point{Time: firstNight.AddDate(0, 0, i), Value: value, Requests: 200})
		z = w.correlation*z + math.Sqrt(1-w.correlation*w.correlation)*rng.NormFloat64()
	}
	return s
}

// from is the level of a series that changes by ratio at some runs.
func from(ratio float64, runs ...int) func(int) float64 {
	return func(i int) float64 {
		level := 1.0
		for _, run := range runs {
			if i >= run {
				level *= ratio
			}
		}
		return level
	}
}

// only is the level of a series of which some runs are away.
func only(ratio float64, runs ...int) func(int) float64 {
	return func(i int) float64 {
		for _, run := range runs {
			if i == run {
				return ratio
			}
		}
		return 1
	}
}

// rates are shares of many analyses, in percent.
type rates struct {
	any     float64 // show a step
	placed  float64 // show the steps there are and no other, each at its run
	nearly  float64 // the same, or one run off
	covered float64 // of the steps placed nearly, those whose interval holds the true ratio
	creep   float64
	pending float64
	steps   float64 // steps a series, no percentage
}

// analyzeMany draws reps series, in which the steps are at the runs of want, each by
// ratio.
func (w world) analyzeMany(tb testing.TB, seed uint64, reps int, ratio float64, want ...int) rates {
	rng := rand.New(rand.NewPCG(seed, uint64(w.n)))
	var r rates
	share := 100 / float64(reps)
	intervals, covered := 0, 0
	for range reps {
		report, err := Analyze(w.series(rng), Options{})
		require.NoError(tb, err)
		require.Empty(tb, report.TooFew)
		r.steps += float64(len(report.Steps)) / float64(reps)
		if len(report.Steps) > 0 {
			r.any += share
		}
		if report.Drift.Creep {
			r.creep += share
		}
		if report.Pending != nil {
			r.pending += share
		}
		if len(report.Steps) != len(want) {
			continue
		}
		off := 0
		for i, step := range report.Steps {
			off = max(off, abs(int(step.First.Time.Sub(firstNight)/day)-want[i]))
		}
		if off == 0 {
			r.placed += share
		}
		if off > 1 {
			continue
		}
		r.nearly += share
		for _, step := range report.Steps {
			intervals++
			if step.Low <= ratio && ratio <= step.High {
				covered++
			}
		}
	}
	if intervals > 0 {
		r.covered = 100 * float64(covered) / float64(intervals)
	}
	return r
}

func abs(n int) int { return max(n, -n) }
