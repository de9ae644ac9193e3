package calibrate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/calibrate"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

var (
	median   = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P50}
	slowTail = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
)

// A world draws sessions of lognormal times to the first content.
type world struct {
	sessions, n int
	sigma       float64 // of a request
	sd          float64 // between sessions
}

var started = time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC)

func identity() providers.Facts {
	return providers.Facts{{Name: "scenario", Value: "all"}, {Name: "model", Value: "m"}}
}

func (w world) results(rng *rand.Rand) []*latencytest.Result {
	var results []*latencytest.Result
	for i := range w.sessions {
		s := &latencytest.Scenario{Name: "all", Identity: identity()}
		typical := 400e6 * math.Exp(w.sd*rng.NormFloat64())
		for number := range w.n {
			first := typical * math.Exp(w.sigma*rng.NormFloat64())
			s.Samples = append(s.Samples, latencytest.Sample{Number: number, Class: providers.OK, First: wire.At(time.Duration(first)), Calls: 1})
		}
		results = append(results, &latencytest.Result{Started: started.Add(time.Duration(i) * time.Hour), Scenarios: []*latencytest.Scenario{s}})
	}
	return results
}

// estimates are what many calibrations say of one world.
type estimates struct {
	mean    float64 // root of the mean of the estimated variances
	covered float64 // of the 90 % intervals, those that hold the truth, in percent
	alarms  float64 // in percent, of the comparisons
}

func (w world) calibrateMany(tb testing.TB, seed uint64, reps int) estimates {
	rng := rand.New(rand.NewPCG(seed, 0))
	var e estimates
	alarms, judged := 0, 0
	for range reps {
		report, err := calibrate.Of(w.results(rng), []baseline.Question{slowTail}, stat.Options{})
		require.NoError(tb, err)
		noise := report.Noise[0]
		require.Empty(tb, noise.TooFew)
		e.mean += noise.SD * noise.SD / float64(reps)
		if noise.Low <= w.sd && w.sd <= noise.High {
			e.covered += 100 / float64(reps)
		}
		alarms += noise.Alarms.Count
		judged += noise.Alarms.Of
	}
	e.mean, e.alarms = math.Sqrt(e.mean), 100*float64(alarms)/float64(judged)
	return e
}

// The estimate is that of the world, and its intervals hold the truth as often as they
// say, up to three standard errors of 40 calibrations: an eighth of the sd, and 14
// points of the share. Besides, the estimate may be a tenth too low, see the package.
func TestEstimates(t *testing.T) {
	t.Parallel()
	for _, sd := range []float64{.03, .05, .10} {
		e := world{sessions: 8, n: 100, sigma: .2, sd: sd}.calibrateMany(t, 1, 40)
		assert.InDelta(t, .95*sd, e.mean, .18*sd, "sd %v", sd)
		assert.InDelta(t, 90, e.covered, 14, "sd %v", sd)
		assert.LessOrEqual(t, e.alarms, 8.0, "sd %v", sd)
	}
	e := world{sessions: 8, n: 100, sigma: .2}.calibrateMany(t, 1, 40)
	assert.Less(t, e.mean, .015)
	assert.GreaterOrEqual(t, e.covered, 90.0, "0 is in the interval")
	assert.LessOrEqual(t, e.alarms, 2.0)
}

// BenchmarkCalibrate measures how well the sd between sessions is known, by simulation
// with fixed seeds. With -short there is a tenth of the replications.
//
//	go test -run '^$' -bench Calibrate -benchtime 1x ./baseline/calibrate
func BenchmarkCalibrate(b *testing.B) {
	for _, sd := range []float64{0, .03, .05, .10} {
		for _, size := range []struct{ sessions, n int }{{5, 100}, {8, 100}, {8, 200}, {20, 100}} {
			for _, sigma := range []float64{.2, .45} {
				w := world{sessions: size.sessions, n: size.n, sigma: sigma, sd: sd}
				b.Run(fmt.Sprintf("sd=%v/sessions=%d/n=%d/sigma=%v", sd, size.sessions, size.n, sigma), func(b *testing.B) {
					reps := 500
					if testing.Short() {
						reps /= 10
					}
					var e estimates
					for b.Loop() {
						e = w.calibrateMany(b, 1, reps)
					}
					b.ReportMetric(100*e.mean, "sd%")
					b.ReportMetric(e.covered, "covered%")
					b.ReportMetric(e.alarms, "alarms%")
				})
			}
		}
	}
}
