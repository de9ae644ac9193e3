package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

var (
	slowTail = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	speed    = baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}
)

// nightly makes a series of levels, one run a night, whose noise is a fixed pattern
// of 1 %.
func nightly(q baseline.Question, levels ...float64) *Series {
	s := &Series{Question: q}
	for i, level := range levels {
		noise := .01 * math.Sin(float64(7*i*i+i))
		s.Points = append(s.Points, Point{
			Time: firstNight.AddDate(0, 0, i), Commit: string(rune('a' + i)), Value: math.Log(level) + noise, Requests: 200,
		})
	}
	return s
}

func analyze(t *testing.T, s *Series) *Report {
	t.Helper()
	r, err := Analyze(s, Options{})
	require.NoError(t, err)
	return r
}

func TestStepTells(t *testing.T) {
	t.Parallel()
	levels := slices.Concat(slices.Repeat([]float64{600e6}, 6), slices.Repeat([]float64{780e6}, 4))
	r := analyze(t, nightly(slowTail, levels...))
	require.Len(t, r.Steps, 1)
	step := r.Steps[0]
	assert.Equal(t, []string{"f", "g"}, []string{step.Last.Commit, step.First.Commit})
	assert.Equal(t, []int{6, 4}, []int{step.RunsBefore, step.RunsAfter})
	assert.InEpsilon(t, 600e6, step.Before, .01)
	assert.InEpsilon(t, 780e6, step.After, .01)
	assert.InEpsilon(t, 1.3, step.Ratio, .01)
	assert.InDelta(t, step.After/step.Before, step.Ratio, 1e-9)
	assert.Less(t, step.Low, step.Ratio)
	assert.Greater(t, step.High, step.Ratio)
	assert.InEpsilon(t, step.Ratio*step.Ratio, step.Low*step.High, 1e-9, "symmetric on the log scale")
	assert.Less(t, step.P, 1e-4)
	assert.True(t, step.Worse)
	assert.InDelta(t, .007, r.SD, .004)

	for i := range levels {
		levels[i] = 30e9 / levels[i] // tokens per second
	}
	r = analyze(t, nightly(speed, levels...))
	require.Len(t, r.Steps, 1)
	assert.InEpsilon(t, 1/1.3, r.Steps[0].Ratio, .01)
	assert.True(t, r.Steps[0].Worse, "fewer tokens per second are worse")
}

// Points may come in any order, and the report is the same, bit for bit.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := world{n: 40, sd: .03, level: from(1.2, 11, 30)}.series(rand.New(rand.NewPCG(1, 1)))
	want := analyze(t, s)
	shuffled := &Series{Question: s.Question, Points: slices.Clone(s.Points)}
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(s.Points), func(i, j int) {
		shuffled.Points[i], shuffled.Points[j] = shuffled.Points[j], shuffled.Points[i]
	})
	before := slices.Clone(shuffled.Points)
	got := analyze(t, shuffled)
	assert.Equal(t, before, shuffled.Points, "the argument stays as it is")
	got.Series = want.Series
	assert.Equal(t, want, got)
	assert.Len(t, want.Steps, 2)
}

func TestTooFewRuns(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "0 runs: a step needs 5, 2 before it and 3 from it on",
		1: "1 run: a step needs 5, 2 before it and 3 from it on",
		4: "4 runs: a step needs 5, 2 before it and 3 from it on",
	} {
		r := analyze(t, nightly(slowTail, slices.Repeat([]float64{1}, n)...))
		assert.Equal(t, want, r.TooFew)
		assert.Nil(t, r.Drift)
		assert.Contains(t, r.String(), want)
	}
	assert.Empty(t, analyze(t, nightly(slowTail, 1, 1, 1, 1, 1)).TooFew)
	r := analyze(t, nightly(slowTail, 1, 1, 2, 2, 2))
	require.Len(t, r.Steps, 1, "five are enough for a large step")
	assert.Equal(t, "c", r.Steps[0].First.Commit)
	assert.Empty(t, analyze(t, nightly(slowTail, 1, 1, 9, 1, 1)).Steps)
}

// One or two runs away at the end are pending; the third makes them a step.
func TestPending(t *testing.T) {
	t.Parallel()
	levels := slices.Repeat([]float64{600e6}, 10)
	for i, want := range []int{0, 1, 2, 0} {
		r := analyze(t, nightly(slowTail, slices.Concat(levels, slices.Repeat([]float64{780e6}, i))...))
		if want == 0 {
			assert.Nil(t, r.Pending)
			assert.Len(t, r.Steps, i/3)
			continue
		}
		require.NotNil(t, r.Pending)
		assert.Empty(t, r.Steps)
		assert.Equal(t, want, r.Pending.Runs)
		assert.Equal(t, []string{"j", "k"}, []string{r.Pending.Last.Commit, r.Pending.First.Commit})
		assert.InEpsilon(t, 1.3, r.Pending.Ratio, .02)
		assert.True(t, r.Pending.Worse)
	}
}

func TestOutliers(t *testing.T) {
	t.Parallel()
	levels := slices.Concat(slices.Repeat([]float64{600e6}, 8), slices.Repeat([]float64{780e6}, 8))
	levels[3], levels[12] = 1800e6, 390e6
	r := analyze(t, nightly(slowTail, levels...))
	require.Len(t, r.Steps, 1)
	assert.InEpsilon(t, 1.3, r.Steps[0].Ratio, .02, "they are in no level")
	assert.Equal(t, []int{7, 7}, []int{r.Steps[0].RunsBefore, r.Steps[0].RunsAfter})
	require.Len(t, r.Outliers, 2)
	assert.Equal(t, "d", r.Outliers[0].Run.Commit)
	assert.InEpsilon(t, 3, r.Outliers[0].Ratio, .03)
	assert.Equal(t, "m", r.Outliers[1].Run.Commit)
	assert.InEpsilon(t, .5, r.Outliers[1].Ratio, .03)
}

// Recordings that are replayed have no noise: what moves, has moved; by a tenth of a
// percent, nobody cares.
func TestExactSeries(t *testing.T) {
	t.Parallel()
	exact := func(levels ...float64) *Report {
		s := nightly(slowTail, levels...)
		for i := range s.Points {
			s.Points[i].Value = math.Log(levels[i])
		}
		return analyze(t, s)
	}
	assert.Empty(t, exact(slices.Repeat([]float64{5}, 9)...).Steps)
	r := exact(5, 5, 5, 5, 5.5, 5.5, 5.5)
	require.Len(t, r.Steps, 1)
	assert.InDelta(t, 1.1, r.Steps[0].Ratio, 1e-12)
	assert.Empty(t, exact(5, 5, 5, 5, 5.001, 5.001, 5.001).Steps)
}

// A step is not believed to be sharper than the requests of its runs allow.
func TestVarianceWithinRuns(t *testing.T) {
	t.Parallel()
	s := nightly(slowTail, 1, 1, 1, 1.15, 1.15, 1.15)
	require.Len(t, analyze(t, s).Steps, 1)
	for i := range s.Points {
		s.Points[i].Variance = .10 * .10
	}
	r := analyze(t, s)
	assert.Empty(t, r.Steps)
	assert.InDelta(t, .10, r.SD, 1e-9)
}

func TestMinEffect(t *testing.T) {
	t.Parallel()
	s := nightly(slowTail, slices.Concat(slices.Repeat([]float64{1}, 20), slices.Repeat([]float64{1.04}, 20))...)
	assert.Empty(t, analyze(t, s).Steps)
	r, err := Analyze(s, Options{MinEffect: .02})
	require.NoError(t, err)
	assert.Len(t, r.Steps, 1)
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	good := nightly(slowTail, 1, 1, 1, 1, 1)
	_, err := Analyze(good, Options{Alpha: 2, MinEffect: -1, Tolerance: math.Inf(1)})
	require.EqualError(t, err, "alpha is 2, want a number between 0 and 1\nmin effect is -1, want a positive number\ntolerance is +Inf, want a positive number")
	_, err = Analyze(&Series{}, Options{})
	require.EqualError(t, err, "the question has no metric")
	_, err = Analyze(&Series{Question: baseline.Question{Metric: latencytest.TTFT}}, Options{})
	require.EqualError(t, err, "the quantile is 0, want a number between 0 and 1")
	good.Points[2].Value = math.NaN()
	_, err = Analyze(good, Options{})
	require.EqualError(t, err, "the run of 2026-10-03T03:00:00Z: value NaN and variance 0, want finite numbers and a variance of 0 or more")
}

func at(night int, level float64) *Point {
	return &Point{Time: firstNight.AddDate(0, 0, night), Value: math.Log(level)}
}

// Ten steps of +4 % are each too small for a gate; together they are +48 %.
func TestCreep(t *testing.T) {
	t.Parallel()
	var levels []float64
	for step := range 11 {
		levels = append(levels, slices.Repeat([]float64{600e6 * math.Pow(1.04, float64(step))}, 5)...)
	}
	s := nightly(slowTail, levels...)
	for _, anchor := range []*Point{nil, at(-20, 600e6)} {
		s.Anchor = anchor
		d := analyze(t, s).Drift
		assert.True(t, d.Creep)
		assert.True(t, d.Worse)
		assert.Equal(t, anchor != nil, d.Anchored)
		assert.InEpsilon(t, math.Pow(1.04, 10), d.Ratio, .02)
		assert.InEpsilon(t, d.Total, d.Ratio, 1e-9)
		assert.Less(t, d.Low, d.Ratio)
		assert.Less(t, d.Ratio, d.High)
		assert.Less(t, d.P, 1e-6)
		assert.InEpsilon(t, math.Pow(1.04, 6)-1, d.Slope, .1, "six steps a month")
		assert.Less(t, d.TrendP, 1e-6)
	}
}

// A step that a gate sees is no creep, and hides none.
func TestCreepBesideSteps(t *testing.T) {
	t.Parallel()
	levels := slices.Concat(slices.Repeat([]float64{600e6}, 10), slices.Repeat([]float64{900e6}, 10))
	s := nightly(slowTail, levels...)
	for _, anchor := range []*Point{nil, at(-20, 600e6)} {
		s.Anchor = anchor
		d := analyze(t, s).Drift
		assert.False(t, d.Creep)
		assert.InEpsilon(t, 1.5, d.Total, .02)
		assert.InEpsilon(t, 1, d.Ratio, .02)
	}
	s.Anchor = at(12, 900e6)
	assert.InEpsilon(t, 1, analyze(t, s).Drift.Ratio, .02, "the anchor has the step behind it")
	for i := range 20 {
		levels = append(levels, 900e6*math.Pow(1.03, float64((i+4)/4)*2))
	}
	s = nightly(slowTail, levels...)
	s.Anchor = at(-20, 600e6)
	d := analyze(t, s).Drift
	assert.True(t, d.Creep)
	assert.InEpsilon(t, 1.5*math.Pow(1.03, 10), d.Total, .05)
	assert.InEpsilon(t, math.Pow(1.03, 10), d.Ratio, .05)

	s = nightly(speed, slices.Repeat([]float64{40}, 12)...)
	s.Anchor = at(-90, 60)
	d = analyze(t, s).Drift
	assert.True(t, d.Creep, "it crept before the first run that is left")
	assert.True(t, d.Worse)
	assert.Greater(t, d.TrendP, .05, "and stands still since")
}

func TestTrend(t *testing.T) {
	t.Parallel()
	points := nightly(slowTail, slices.Repeat([]float64{1}, 10)...).Points
	rise := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for i := range rise {
		rise[i] *= math.Log(2) / 30 // doubles in 30 days
	}
	slope, p := trend(points, rise)
	assert.InEpsilon(t, 1, slope, 1e-9)
	assert.InDelta(t, math.Erfc(44/math.Sqrt(125)/math.Sqrt2), p, 1e-12, "S is 45, its variance 10·9·25/18")
	_, p = trend(points, make([]float64, 10))
	assert.InDelta(t, 1, p, 0, "all are tied")
	for i := range points {
		points[i].Time = firstNight.Add(time.Duration(i) * time.Minute)
	}
	slope, _ = trend(points, rise)
	assert.Zero(t, slope, "ten minutes tell nothing of a month")
}
