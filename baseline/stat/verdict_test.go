package stat

import (
	"math"
	"testing"

	"github.com/aclements/go-moremath/stats"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spread returns n latencies in the shape of a lognormal around 400, evenly spread
// over time, times a factor. There is no chance in it.
func spread(n int, sigma, factor float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		p := (float64(i*67%n) + .5) / float64(n)
		x[i] = 400 * factor * math.Exp(sigma*stats.StdNormal.InvCDF(p))
	}
	return x
}

// stored returns k runs that differ by the factors of a small session effect.
func stored(k, n int, sigma float64) [][]float64 {
	var runs [][]float64
	for _, factor := range []float64{1, 1.02, .97, 1.01, .99, 1.03, .98, 1, 1.01, .99}[:k] {
		runs = append(runs, spread(n, sigma, factor))
	}
	return runs
}

func TestVerdicts(t *testing.T) {
	const n, sigma = 200, .45
	single := Options{SingleSession: true}
	unrelated := func(factor float64) Comparison {
		return Comparison{
			Scenario: "search", Metric: "ttft", Q: .9,
			Baseline: stored(5, n, sigma), Candidate: [][]float64{spread(n, sigma, factor)},
		}
	}
	var nineMore []Comparison
	for range 9 {
		nineMore = append(nineMore, unrelated(1))
	}

	for _, test := range []struct {
		name     string
		baseline [][]float64
		sessions []float64 // factor of each candidate session
		n        int       // of the candidate, 0 means 200
		sigma    float64   // 0 means .45
		stale    bool
		others   []Comparison
		options  Options
		want     Verdict
		reason   string
		suspect  bool
	}{
		{
			name: "no baseline", sessions: []float64{1.5},
			want: Inconclusive, reason: `^0 stored runs of the 3 needed to know how much runs vary$`,
		}, {
			name: "one stored run", baseline: stored(1, n, sigma), sessions: []float64{1.5}, options: single,
			want: Inconclusive, reason: `^1 stored run of the 3 needed .* \(1.50 times worse \[`,
		}, {
			name: "two stored runs", baseline: stored(2, n, sigma), sessions: []float64{1.5}, options: single,
			want: Inconclusive, reason: `^2 stored runs of the 3 needed`,
		}, {
			name: "one stored run is enough by option", baseline: stored(1, n, sigma), sessions: []float64{1.5},
			options: Options{SingleSession: true, MinRuns: 1},
			want:    Regression, reason: `^1.50 times worse`,
		}, {
			name: "short candidate", baseline: stored(5, n, sigma), sessions: []float64{3}, n: 29, options: single,
			want: Inconclusive, reason: `^the shortest run has 29 requests, P90 needs 30 \(3.01 times worse`,
		}, {
			name: "hardly any candidate", baseline: stored(5, n, sigma), sessions: []float64{3}, n: 1, options: single,
			want: Inconclusive, reason: `^the shortest run has 1 request, P90 needs 30$`,
		}, {
			name: "suspect", baseline: stored(5, n, sigma), sessions: []float64{1.3}, suspect: true,
			want: Inconclusive, reason: `^1.30 times worse \[1.\d\d, 1.\d\d\], p .* in one session: measure the scenario again`,
		}, {
			name: "a suspect within the tolerance waits too", baseline: stored(5, n, .05), sessions: []float64{1.13}, sigma: .05, suspect: true,
			want: Inconclusive, reason: `measure the scenario again`,
		}, {
			name: "single session", baseline: stored(5, n, sigma), sessions: []float64{1.3}, options: single,
			want: Regression, reason: `^1.30 times worse .*, Holm p .* of 1, on one session$`,
		}, {
			name: "confirmed", baseline: stored(5, n, sigma), sessions: []float64{1.3, 1.25},
			want: Regression, reason: `^1.28 times worse .*, Holm p .* of 1, confirmed in 2 sessions$`,
		}, {
			name: "confirmed but for the rest of the build", baseline: stored(5, n, sigma), sessions: []float64{1.25, 1.1}, others: nineMore,
			want: Inconclusive, reason: `^1.18 times worse .*, p 0.0\d+ alone but Holm p .* in the build; needs ≈ \d+ requests`,
		}, {
			name: "not confirmed", baseline: stored(5, n, .2), sessions: []float64{1.2, .95}, sigma: .2,
			want: Pass, reason: `^at most 1.1\d times worse, which excludes 1.20$`,
		}, {
			name: "confirmed within the tolerance of the pass", baseline: stored(5, n, .05), sessions: []float64{1.13, 1.13}, sigma: .05,
			want: Regression, reason: `^1.13 times worse`,
		}, {
			name: "strict", baseline: stored(5, n, sigma), sessions: []float64{1.2}, options: Options{SingleSession: true, Strict: true},
			want: Inconclusive, reason: `^1.20 times worse .*, but strict wants the lower bound above 1.10; `,
		}, {
			name: "strict and far", baseline: stored(5, n, sigma), sessions: []float64{1.5}, options: Options{SingleSession: true, Strict: true},
			want: Regression, reason: `^1.50 times worse`,
		}, {
			name: "improved", baseline: stored(5, n, sigma), sessions: []float64{1 / 1.3, 1 / 1.25},
			want: Improved, reason: `^1.27 times better \[1.\d\d, 1.\d\d\], Holm p .* of 1, confirmed in 2 sessions$`,
		}, {
			name: "promising", baseline: stored(5, n, sigma), sessions: []float64{1 / 1.3},
			want: Pass, reason: `^1.30 times better \[.*\] in one session$`,
		}, {
			name: "a little better", baseline: stored(5, n, .05), sessions: []float64{1 / 1.07}, sigma: .05,
			want: Pass, reason: `^1.07 times better \[1.0\d, 1.\d\d\]$`,
		}, {
			name: "same", baseline: stored(5, n, .3), sessions: []float64{1}, sigma: .3,
			want: Pass, reason: `^at most 1.\d\d times worse, which excludes 1.20$`,
		}, {
			name: "a proven slow-down within the tolerance", baseline: stored(5, n, .05), sessions: []float64{1.06}, sigma: .05,
			want: Pass, reason: `^1.06 times worse \[1.0\d, 1.\d\d\], within the tolerance of 1.20$`,
		}, {
			name: "too noisy", baseline: stored(5, n, .8), sessions: []float64{1}, sigma: .8,
			want: Inconclusive, reason: `^0.\d\d to 1.\d\d times worse, which excludes neither 1 nor 1.20; needs ≈ \d+ requests to settle \+20 %$`,
		}, {
			name: "proven, small or large", baseline: stored(5, n, .2), sessions: []float64{1.09}, sigma: .2,
			options: Options{MinEffect: .1, RuleOut: .1},
			want:    Inconclusive, reason: `^1.09 times worse .*, estimated below 1.10 but perhaps above 1.10; `,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.n == 0 {
				test.n = n
			}
			if test.sigma == 0 {
				test.sigma = sigma
			}
			c := Comparison{Scenario: "chat", Metric: "ttft", Q: .9, Baseline: test.baseline, Fresh: true}
			for _, factor := range test.sessions {
				c.Candidate = append(c.Candidate, spread(test.n, test.sigma, factor))
			}
			results, err := Judge(append([]Comparison{c}, test.others...), test.options)
			require.NoError(t, err)
			r := results[0]
			assert.Equal(t, test.want, r.Verdict, r.Reason)
			assert.Regexp(t, test.reason, r.Reason)
			assert.Equal(t, test.suspect, r.Suspect)
		})
	}
}

func TestOwnLimits(t *testing.T) {
	c := Comparison{
		Scenario: "chat", Metric: "ttft", Q: .9,
		Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(200, .3, 1.25)},
	}
	single := Options{SingleSession: true}
	assert.Equal(t, Regression, judgeOne(t, c, single).Verdict)
	c.MinEffect = .4
	r := judgeOne(t, c, single)
	assert.Equal(t, Pass, r.Verdict, "RuleOut is not below MinEffect")
	assert.Equal(t, .4, r.RuleOut)
	c.RuleOut = .3
	results, err := Judge([]Comparison{c}, single)
	assert.Nil(t, results)
	assert.EqualError(t, err, "chat ttft: min effect is 0.4 and rule out 0.3, want 0 < min effect <= rule out")
}

func TestMinimumSize(t *testing.T) {
	for q, want := range map[float64]int{.1: 30, .5: 30, .9: 30, .95: 59, .99: 299} {
		assert.Equal(t, want, minimumSize(q), "q %v", q)
	}
}

func TestFormatP(t *testing.T) {
	for p, want := range map[float64]string{
		0: "0", .27: "0.27", .0020: "0.0020", .05: "0.050", 3.14e-7: "3.1e-07", 1: "1",
	} {
		assert.Equal(t, want, formatP(p))
	}
}
