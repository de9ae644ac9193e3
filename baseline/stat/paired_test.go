package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func judgePaired(tb testing.TB, p Paired, o Options) Result {
	tb.Helper()
	results, err := JudgePaired([]Paired{p}, o)
	require.NoError(tb, err)
	return results[0]
}

// calm is a session whose sides differ by that ratio.
func calm(seed uint64, pairs, n int, effect float64) Paired {
	w := interleaving{draw: lognormal(.3), n: n, pairs: pairs, effect: effect}
	return w.session(rand.New(rand.NewPCG(seed, 0)))
}

// plain is the estimate from its definition, with the kernel of the shorter side.
func plain(turns [][]float64, q float64, m int) float64 {
	var y []float64
	for _, x := range slices.Concat(turns...) {
		y = append(y, math.Log(x))
	}
	slices.Sort(y)
	return HarrellDavis(y, q, min(m, len(y)))
}

// The jackknife over pairs is the one of its definition, also where turns differ in
// length or are empty.
func TestPairedVarianceOverPairs(t *testing.T) {
	t.Parallel()
	p := Paired{
		Q: .5,
		A: [][]float64{{1, 1.1, 1.2, 1.3}, {9, 9.1, 9.2}, {}, {1.4, 1.5, 1.6, 1.7, 1.8}, {9.3}},
		B: [][]float64{{9, 9.1, 9.2, 9.3}, {}, {}, {9.4, 9.5, 9.6}, {1, 1.1, 1.2, 1.3, 1.4}},
	}
	want := func() float64 {
		var d []float64
		for i := range p.A {
			if len(p.A[i])+len(p.B[i]) == 0 {
				continue
			}
			a, b := slices.Delete(slices.Clone(p.A), i, i+1), slices.Delete(slices.Clone(p.B), i, i+1)
			d = append(d, plain(b, .5, 12)-plain(a, .5, 12))
		}
		g := float64(len(d))
		return (g - 1) / g * sumSquares(d)
	}()
	v, nu := pairedVariance(newSide(p.A, false), newSide(p.B, false), .5, 12, kernels{})
	assert.InEpsilon(t, want, v, 1e-12)
	assert.Equal(t, 3.0, nu, "four pairs have values")

	r := judgePaired(t, p, Options{})
	assert.InDelta(t, plain(p.B, .5, 12)-plain(p.A, .5, 12), r.D, 1e-12)
	assert.Equal(t, 3, r.Pairs, "three of them on both sides")
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Contains(t, r.Reason, "3 pairs of the 4 needed to know how much they vary")
}

// Where the pairs scatter less than requests explain, it is the requests that count.
func TestPairedVarianceOfRequests(t *testing.T) {
	t.Parallel()
	var p Paired
	for range 6 { // every turn alike
		p.A = append(p.A, []float64{1, 2, 3, 4, 5, 6, 7, 8})
		p.B = append(p.B, []float64{1, 2, 3, 4, 5, 6, 7, 8})
	}
	a := newSide(p.A, false)
	v, nu := pairedVariance(a, newSide(p.B, false), .5, 48, kernels{})
	assert.InEpsilon(t, 2*deleteOne(a.y, newWeights(47, 48, .5)), v, 1e-12)
	assert.InDelta(t, 2*1.8*math.Sqrt(48*.25), nu, 1e-12)
}

// What shifts the whole session changes nothing.
func TestPairedSessionCancels(t *testing.T) {
	t.Parallel()
	p := calm(1, 8, 200, 1.3)
	before := judgePaired(t, p, Options{})
	for _, turn := range slices.Concat(p.A, p.B) {
		for i := range turn {
			turn[i] *= 1.7
		}
	}
	after := judgePaired(t, p, Options{})
	assert.InDelta(t, before.D, after.D, 1e-12)
	assert.InDelta(t, before.SE, after.SE, 1e-12)
	assert.Equal(t, Regression, before.Verdict, before.Reason)
	assert.Equal(t, before.Reason, after.Reason)
	assert.Zero(t, after.Tau)
}

func TestPairedIsSymmetric(t *testing.T) {
	t.Parallel()
	mirror := map[Verdict]Verdict{Regression: Improved, Improved: Regression, Pass: Pass, Inconclusive: Inconclusive}
	seen := make(map[Verdict]int)
	for seed := range uint64(60) {
		p := calm(seed, 8, 160, []float64{.7, 1, 1.4}[seed%3])
		ab := judgePaired(t, p, Options{})
		seen[ab.Verdict]++
		p.A, p.B = p.B, p.A
		ba := judgePaired(t, p, Options{})
		assert.InDelta(t, ab.D, -ba.D, 1e-12)
		assert.InDelta(t, ab.SE, ba.SE, 1e-12)
		assert.Equal(t, ab.Baseline, ba.Candidate)
		if ab.Verdict == Regression || ab.Verdict == Improved {
			assert.Equal(t, mirror[ab.Verdict], ba.Verdict)
		}
		p.Q, p.HigherIsBetter = 1-p.Q, true
		assert.InDelta(t, ab.D, judgePaired(t, p, Options{}).D, 1e-12, "exchanging the sides and the orientation")
	}
	assert.Positive(t, seen[Regression])
	assert.Positive(t, seen[Improved])
	assert.Positive(t, seen[Pass])
}

func TestPairedIsDeterministic(t *testing.T) {
	t.Parallel()
	family := []Paired{calm(1, 8, 120, 1.3), calm(2, 8, 120, 1), calm(3, 8, 120, .8)}
	copied := []Paired{calm(1, 8, 120, 1.3), calm(2, 8, 120, 1), calm(3, 8, 120, .8)}
	first, err := JudgePaired(family, Options{})
	require.NoError(t, err)
	for range 20 {
		again, err := JudgePaired(family, Options{})
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	assert.Equal(t, copied, family, "the input is left as it is")
}

// All comparisons of a session are one family.
func TestPairedFamily(t *testing.T) {
	t.Parallel()
	p := calm(19, 8, 120, 1.15)
	alone := judgePaired(t, p, Options{})
	require.Equal(t, Regression, alone.Verdict, alone.Reason)
	require.Greater(t, alone.P, .001)
	family := []Paired{p}
	for seed := range uint64(60) {
		family = append(family, calm(100+seed, 8, 120, 1))
	}
	results, err := JudgePaired(family, Options{})
	require.NoError(t, err)
	assert.Equal(t, alone.P, results[0].P)
	assert.InDelta(t, 61*alone.P, results[0].HolmP, 1e-12)
	assert.Equal(t, Inconclusive, results[0].Verdict)
	assert.Contains(t, results[0].Reason, "in the build; ")
}

func TestPairedOptions(t *testing.T) {
	t.Parallel()
	p := calm(1, 20, 300, 1.15)
	assert.Equal(t, Regression, judgePaired(t, p, Options{}).Verdict)
	assert.Equal(t, Inconclusive, judgePaired(t, p, Options{Strict: true}).Verdict)
	assert.Equal(t, Pass, judgePaired(t, p, Options{MinEffect: .3, RuleOut: .5}).Verdict)
	p.MinEffect, p.RuleOut = .3, .5
	r := judgePaired(t, p, Options{})
	assert.Equal(t, Pass, r.Verdict)
	assert.Equal(t, .3, r.MinEffect)
	assert.Equal(t, Pass, judgePaired(t, p, Options{MinRuns: 9, Tau0: 3}).Verdict, "these are for stored runs")
}

func TestPairedSays(t *testing.T) {
	t.Parallel()
	r := judgePaired(t, calm(1, 20, 300, 1.4), Options{})
	assert.True(t, r.Interleaved())
	assert.Equal(t, 20, r.Pairs)
	assert.Equal(t, []int{300}, r.N)
	assert.Equal(t, []int{300}, r.BaselineN)
	assert.Empty(t, r.Warnings)
	assert.False(t, r.Suspect)
	assert.Regexp(t, `^1\.\d+ times worse \[1\.\d+, 1\.\d+\], Holm p [\d.e-]+ of 1, over 20 pairs$`, r.Reason)
	assert.InEpsilon(t, r.Ratio, r.Candidate.HarrellDavis/r.Baseline.HarrellDavis, 1e-12)

	doubtful := judgePaired(t, calm(21, 8, 60, 1), Options{})
	assert.Equal(t, Inconclusive, doubtful.Verdict)
	assert.Regexp(t, `; needs ≈ \d+ requests of each side to settle \+20 %$`, doubtful.Reason)
	assert.Greater(t, doubtful.Needs.Requests, 60)
	assert.Equal(t, Needs{Requests: doubtful.Needs.Requests}, doubtful.Needs, "no session and no stored run would help")
	enough := judgePaired(t, calm(21, 8, 2*doubtful.Needs.Requests, 1), Options{})
	assert.Equal(t, Pass, enough.Verdict, enough.Reason)

	short := judgePaired(t, calm(4, 4, 28, 1), Options{})
	assert.Contains(t, short.Reason, "the shortest run has 28 requests, P90 needs 30")
	assert.Equal(t, Inconclusive, short.Verdict)

	assert.Equal(t, 1.0, r.PredictivePower(300))
	better := judgePaired(t, calm(1, 20, 300, .7), Options{})
	assert.Less(t, better.PredictivePower(600), .01)
}

func TestPairedExtremes(t *testing.T) {
	t.Parallel()
	equal := func(x float64) [][]float64 { return slices.Repeat([][]float64{{x, x, x, x, x, x, x, x, x, x}}, 4) }
	assert.Equal(t, Pass, judgePaired(t, Paired{Q: .9, A: equal(5), B: equal(5)}, Options{}).Verdict)
	assert.Equal(t, Regression, judgePaired(t, Paired{Q: .9, A: equal(5), B: equal(6)}, Options{}).Verdict)
	assert.Equal(t, Improved, judgePaired(t, Paired{Q: .9, A: equal(6), B: equal(5)}, Options{}).Verdict)
	for _, p := range []Paired{
		{Q: .9, A: [][]float64{{1}}, B: [][]float64{{2}}},
		{Q: .9, A: [][]float64{{1, 2, 3, 4, 5, 6}, {}}, B: [][]float64{{}, {1, 2, 3, 4, 5, 6}}},
		{Q: .01, A: [][]float64{{1, 2, 3, 4}, {9}}, B: [][]float64{{7}, {1, 2, 3, 4, 5, 6}}},
		{Q: .99, A: [][]float64{{1e-30, 1e30}, {9, 9, 9}}, B: [][]float64{{7}, {1, 2, 3, 4, 5, 6}}},
	} {
		r := judgePaired(t, p, Options{})
		assert.Equal(t, Inconclusive, r.Verdict)
		for _, x := range []float64{r.D, r.SE, r.DF, r.Ratio, r.Low, r.High, r.P, r.Detectable, r.PredictivePower(100)} {
			assert.False(t, math.IsNaN(x) || math.IsInf(x, 0), "%+v", r)
		}
	}
}

func TestJudgePairedRejects(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(p *Paired){
		"chat ttft: A[1][2] is NaN, want a positive finite number":                        func(p *Paired) { p.A[1][2] = math.NaN() },
		"chat ttft: B[0][0] is 0, want a positive finite number":                          func(p *Paired) { p.B[0][0] = 0 },
		"chat ttft: side A has 4 turns and side B 3, want as many":                        func(p *Paired) { p.B = p.B[:3] },
		"chat ttft: A is empty":                                                           func(p *Paired) { p.A = make([][]float64, 4) },
		"chat ttft: quantile is 90, want a number between 0 and 1":                        func(p *Paired) { p.Q = 90 },
		"chat ttft: min effect is -0.1 and rule out 0.2, want 0 < min effect <= rule out": func(p *Paired) { p.MinEffect = -.1 },
		"chat ttft: A is empty\nB is empty":                                               func(p *Paired) { p.A, p.B = nil, nil },
	} {
		p := calm(1, 4, 40, 1)
		spoil(&p)
		_, err := JudgePaired([]Paired{calm(2, 4, 40, 1), p}, Options{})
		assert.EqualError(t, err, want)
	}
	_, err := JudgePaired(nil, Options{Alpha: 5})
	assert.EqualError(t, err, "alpha is 5, want a number between 0 and 1")
	results, err := JudgePaired(nil, Options{})
	assert.NoError(t, err)
	assert.Empty(t, results)
}
