package stat

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJudgeRejects(t *testing.T) {
	valid := func() Comparison {
		return Comparison{
			Scenario: "chat", Metric: "ttft", Q: .9,
			Baseline: stored(3, 50, .3), Candidate: [][]float64{spread(50, .3, 1)},
		}
	}
	for _, test := range []struct {
		name    string
		spoil   func(c *Comparison)
		options Options
		want    string
	}{
		{"NaN", func(c *Comparison) { c.Baseline[2][17] = math.NaN() }, Options{}, "chat ttft: baseline[2][17] is NaN, want a positive finite number"},
		{"Inf", func(c *Comparison) { c.Candidate[0][0] = math.Inf(1) }, Options{}, "chat ttft: candidate[0][0] is +Inf, want a positive finite number"},
		{"-Inf", func(c *Comparison) { c.Candidate[0][49] = math.Inf(-1) }, Options{}, "chat ttft: candidate[0][49] is -Inf, want a positive finite number"},
		{"zero", func(c *Comparison) { c.Baseline[0][3] = 0 }, Options{}, "chat ttft: baseline[0][3] is 0, want a positive finite number"},
		{"negative", func(c *Comparison) { c.Baseline[0][3] = -2 }, Options{}, "chat ttft: baseline[0][3] is -2, want a positive finite number"},
		{"two at once", func(c *Comparison) { c.Baseline[0][3], c.Candidate[0][1] = -2, 0 }, Options{}, "chat ttft: baseline[0][3] is -2, want a positive finite number\ncandidate[0][1] is 0, want a positive finite number"},
		{"empty run", func(c *Comparison) { c.Baseline[1] = nil }, Options{}, "chat ttft: baseline[1] is empty"},
		{"no session", func(c *Comparison) { c.Candidate = nil }, Options{}, "chat ttft: no candidate session"},
		{"quantile", func(c *Comparison) { c.Q = 90 }, Options{}, "chat ttft: quantile is 90, want a number between 0 and 1"},
		{"alpha", func(*Comparison) {}, Options{Alpha: 5}, "alpha is 5, want a number between 0 and 1"},
		{"tau", func(*Comparison) {}, Options{Tau0: -1}, "tau0 is -1, want a positive number"},
		{"runs", func(*Comparison) {}, Options{MinRuns: -1}, "min runs is -1, want 1 or more"},
		{"limits", func(*Comparison) {}, Options{MinEffect: -.1}, "chat ttft: min effect is -0.1 and rule out 0.2, want 0 < min effect <= rule out"},
	} {
		c := valid()
		test.spoil(&c)
		results, err := Judge([]Comparison{valid(), c}, test.options)
		assert.Nil(t, results, test.name)
		if test.name == "limits" { // both comparisons inherit it
			assert.ErrorContains(t, err, test.want, test.name)
			continue
		}
		assert.EqualError(t, err, test.want, test.name)
	}
	results, err := Judge(nil, Options{})
	assert.NoError(t, err)
	assert.Empty(t, results)
}

// The same input gives the same results, and none of it is changed.
func TestJudgeIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	family := build{scenarios: 4, sessionSD: .05, n: 60, k: 4, effect: 1.4}.comparisons(rng)
	var before [][]float64
	for _, c := range family {
		for _, run := range slices.Concat(c.Baseline, c.Candidate) {
			before = append(before, slices.Clone(run))
		}
	}
	first, err := Judge(family, Options{})
	require.NoError(t, err)
	for range 20 {
		again, err := Judge(family, Options{})
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	for _, c := range family {
		for _, run := range slices.Concat(c.Baseline, c.Candidate) {
			assert.Equal(t, before[0], run)
			before = before[1:]
		}
	}
}

// Better is the mirror image of worse: exchanging the orientation exchanges them.
func TestJudgeIsSymmetric(t *testing.T) {
	mirror := map[Verdict]Verdict{Regression: Improved, Improved: Regression}
	seen := map[Verdict]int{}
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range 60 {
		w := world{draw: lognormal(.3), sessionSD: .03, n: 100, k: 5, effect: []float64{.7, 1, 1.4}[i%3]}
		c := w.comparison(rng)
		o := Options{SingleSession: i%2 == 0}
		a := judgeOne(t, c, o)
		c.Q, c.HigherIsBetter = 1-c.Q, true
		b := judgeOne(t, c, o)

		assert.InDelta(t, a.D, -b.D, 1e-9)
		assert.InDelta(t, a.SE, b.SE, 1e-9)
		assert.InDelta(t, a.Low, 1/b.High, 1e-9)
		assert.InDelta(t, a.Candidate.HarrellDavis, b.Candidate.HarrellDavis, 1e-7)
		assert.InDelta(t, a.Baseline.Type7, b.Baseline.Type7, 1e-7)
		assert.Equal(t, a.Suspect, b.Promising)
		assert.Equal(t, a.Promising, b.Suspect)
		seen[a.Verdict]++
		if want, ok := mirror[a.Verdict]; ok {
			assert.Equal(t, want, b.Verdict)
		}
	}
	assert.Positive(t, seen[Regression])
	assert.Positive(t, seen[Improved])
}

// Throughput is gated at its slow end, in its own units.
func TestHigherIsBetter(t *testing.T) {
	r := judgeOne(t, Comparison{
		Scenario: "chat", Metric: "otps", Q: .9, HigherIsBetter: true,
		Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, .8)},
	}, Options{SingleSession: true})
	assert.Equal(t, Regression, r.Verdict)
	assert.InDelta(t, 1.25, r.Ratio, .01)
	p10 := 400 * math.Exp(-.3*1.2816)
	assert.InEpsilon(t, p10, r.Baseline.HarrellDavis, .02)
	assert.InEpsilon(t, p10, r.Baseline.Type7, .02)
	assert.InEpsilon(t, .8*p10, r.Candidate.HarrellDavis, .02)
	assert.InDelta(t, r.Ratio, r.Baseline.HarrellDavis/r.Candidate.HarrellDavis, 1e-12)
}

// The unit does not matter.
func TestJudgeUnit(t *testing.T) {
	c := Comparison{
		Scenario: "chat", Metric: "ttft", Q: .9,
		Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, 1.1)},
	}
	ms := judgeOne(t, c, Options{})
	for _, run := range slices.Concat(c.Baseline, c.Candidate) {
		for i := range run {
			run[i] /= 1000
		}
	}
	s := judgeOne(t, c, Options{})
	assert.InDelta(t, ms.P, s.P, 1e-12)
	assert.InDelta(t, ms.High, s.High, 1e-12)
	assert.InDelta(t, ms.Candidate.HarrellDavis, 1000*s.Candidate.HarrellDavis, 1e-9)
}

// Scenarios of one metric and quantile share what they know about the variation
// between runs; other metrics and quantiles are none of their business.
func TestPoolingOverScenarios(t *testing.T) {
	calm := Comparison{
		Scenario: "chat", Metric: "ttft", Q: .9,
		Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, 1)},
	}
	wild := calm
	wild.Scenario = "search"
	wild.Baseline = nil
	for _, factor := range []float64{1, 1.3, .8, 1.2, .7} {
		wild.Baseline = append(wild.Baseline, spread(200, .3, factor))
	}
	tau := func(family ...Comparison) float64 {
		results, err := Judge(family, Options{})
		require.NoError(t, err)
		return results[0].Tau
	}
	alone := tau(calm)
	assert.Greater(t, tau(calm, wild), 2*alone)
	wild.Metric = "ttlt"
	assert.Equal(t, alone, tau(calm, wild))
	wild.Metric, wild.Q = "ttft", .5
	assert.Equal(t, alone, tau(calm, wild))
}

func TestExtremes(t *testing.T) {
	equal := func(n int, x float64) []float64 { return slices.Repeat([]float64{x}, n) }
	single := Options{SingleSession: true}
	finite := func(t *testing.T, r Result) {
		for _, x := range []float64{
			r.D, r.SE, r.DF, r.Ratio, r.Low, r.High, r.P, r.HolmP, r.Tau, r.RunSE, r.Detectable,
			r.Baseline.HarrellDavis, r.Baseline.Type7, r.Candidate.HarrellDavis, r.Candidate.Type7,
		} {
			assert.False(t, math.IsNaN(x) || math.IsInf(x, 0), "%+v", r)
		}
		assert.NotEmpty(t, r.Reason)
	}

	t.Run("identical values", func(t *testing.T) {
		base := [][]float64{equal(50, 100), equal(50, 100), equal(50, 100)}
		same := judgeOne(t, Comparison{Q: .9, Baseline: base, Candidate: [][]float64{equal(50, 100)}}, single)
		finite(t, same)
		assert.Equal(t, Pass, same.Verdict)
		slow := judgeOne(t, Comparison{Q: .9, Baseline: base, Candidate: [][]float64{equal(50, 150)}}, single)
		finite(t, slow)
		assert.Equal(t, Regression, slow.Verdict, "equal values still leave the doubt of the prior: %s", slow.Reason)
		assert.Zero(t, slow.RunSE)
	})
	t.Run("no noise at all", func(t *testing.T) {
		for _, x := range []float64{50, 100, 150} {
			finite(t, judgeOne(t, Comparison{
				Q: .9, Baseline: [][]float64{equal(50, 100), equal(50, 100), equal(50, 100)}, Candidate: [][]float64{equal(50, x)},
			}, Options{SingleSession: true, Tau0: math.SmallestNonzeroFloat64}))
		}
	})
	t.Run("one run a hundred times as long", func(t *testing.T) {
		c := Comparison{Q: .9, Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, 1)}}
		c.Baseline[2] = spread(20_000, .3, 1)
		r := judgeOne(t, c, single)
		finite(t, r)
		assert.Equal(t, Pass, r.Verdict, r.Reason)
		assert.ErrorContains(t, errors.Join(r.Warnings...), "runs have 200 to 20000 requests")
	})
	t.Run("few runs and few requests", func(t *testing.T) {
		for k := range 4 {
			for _, n := range []int{1, 2, 4, 5, 6, 29, 30} {
				for _, q := range []float64{.01, .5, .9, .99} {
					r := judgeOne(t, Comparison{Q: q, Baseline: stored(k, n, .3), Candidate: [][]float64{spread(n, .3, 1.1)}}, single)
					finite(t, r)
				}
			}
		}
	})
	t.Run("the ends of float64", func(t *testing.T) {
		c := Comparison{Q: .9, Baseline: stored(5, 50, .3), Candidate: [][]float64{spread(50, .3, 1)}}
		c.Baseline[0][7], c.Candidate[0][9] = math.SmallestNonzeroFloat64, math.MaxFloat64/2
		finite(t, judgeOne(t, c, single))
	})
}

// A kernel smears the slow mode of a mixture upwards, more so in a small sample.
// With the kernel of the shorter side that cancels.
func TestUnequalSizes(t *testing.T) {
	w := world{draw: mixture(.05, 4), n: 50, baseN: 500, k: 5, effect: 1}
	assert.LessOrEqual(t, w.judgeMany(t, 5, 400, false).regression, 9.0)
}

func TestWarnings(t *testing.T) {
	slowMode := func(n int) []float64 { // one request in ten is five times as slow
		x := spread(n, .3, 1)
		for i := range x {
			if i%10 == 3 {
				x[i] *= 5
			}
		}
		return x
	}
	c := Comparison{
		Q: .9, Baseline: [][]float64{slowMode(200), slowMode(200), slowMode(200)}, Candidate: [][]float64{slowMode(200), slowMode(200)},
	}
	warnings := errors.Join(judgeOne(t, c, Options{}).Warnings...)
	assert.ErrorContains(t, warnings, "need >= 5 stored runs to know the variation between runs, have 3")
	assert.ErrorContains(t, warnings, "the 2 candidate sessions are not fresh")
	assert.ErrorContains(t, warnings, "P90 sits between two modes")

	c.Baseline = nil
	assert.ErrorContains(t, errors.Join(judgeOne(t, c, Options{}).Warnings...), "need >= 1 stored run")

	c = Comparison{Q: .9, Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, 1)}}
	assert.Empty(t, judgeOne(t, c, Options{}).Warnings)
}

// A pinned run alone says nothing of how much runs vary; with the stored runs beside
// it, creep that none of them shows is found.
func TestPinnedRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	w := world{draw: lognormal(.3), sessionSD: .03, n: 400, k: 5, effect: 1}
	c := w.comparison(rng)
	c.Spread, c.Baseline = c.Baseline, c.Baseline[:1]
	alone := c
	alone.Spread = nil
	results, err := Judge([]Comparison{c, alone}, Options{SingleSession: true})
	require.NoError(t, err)
	assert.Equal(t, Pass, results[0].Verdict, results[0].Reason)
	assert.Equal(t, Inconclusive, results[1].Verdict)

	w.effect = 1.5
	c.Candidate = [][]float64{w.session(rng)}
	results, err = Judge([]Comparison{c}, Options{SingleSession: true})
	require.NoError(t, err)
	assert.Equal(t, Regression, results[0].Verdict, results[0].Reason)
}

func TestPinnedRunRaisesFewFalseAlarms(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	w := world{draw: lognormal(.45), sessionSD: .05, n: 200, k: 5, effect: 1}
	red := 0
	const reps = 500
	for range reps {
		c := w.comparison(rng)
		c.Spread, c.Baseline = c.Baseline, [][]float64{w.run(rng, w.n)}
		results, err := Judge([]Comparison{c}, Options{SingleSession: true, MinEffect: .2, RuleOut: .4})
		require.NoError(t, err)
		if results[0].Verdict == Regression {
			red++
		}
	}
	assert.LessOrEqual(t, red, reps*7/100)
}
