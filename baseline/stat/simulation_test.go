package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/simulation"
)

// A distribution draws the n latencies of one run, without its session effect.
type distribution = func(rng *rand.Rand, n int) []float64

func lognormal(sigma float64) distribution { return simulation.Lognormal(sigma).Draw }

func autoregressive(sigma, rho float64) distribution {
	return simulation.Autoregressive(sigma, rho).Draw
}

func mixture(share, factor float64) distribution { return simulation.Mixture(share, factor).Draw }

// distributions are those the gate is calibrated on.
var distributions = func() map[string]distribution {
	byName := make(map[string]distribution)
	for _, d := range simulation.Distributions() {
		byName[d.Name] = d.Draw
	}
	return byName
}()

// A world draws comparisons of a candidate with its stored runs.
type world struct {
	draw      distribution
	sessionSD float64
	n, baseN  int // baseN 0 means n
	k         int
	effect    float64 // ratio by which the candidate is slower
}

// run draws one run: requests times the effect of their session.
func (w world) run(rng *rand.Rand, n int) []float64 {
	x := w.draw(rng, n)
	session := math.Exp(w.sessionSD * rng.NormFloat64())
	for i := range x {
		x[i] *= session
	}
	return x
}

func (w world) session(rng *rand.Rand) []float64 {
	x := w.run(rng, w.n)
	for i := range x {
		x[i] *= w.effect
	}
	return x
}

func (w world) comparison(rng *rand.Rand) Comparison {
	c := Comparison{Scenario: "chat", Metric: "ttft", Q: .9, Fresh: true}
	for range w.k {
		c.Baseline = append(c.Baseline, w.run(rng, max(w.n, w.baseN)))
	}
	c.Candidate = [][]float64{w.session(rng)}
	return c
}

// rates are the shares of verdicts in many judgements, in percent.
type rates struct {
	regression, improved, pass float64
	sessions                   float64 // candidate sessions a judgement
}

// judgeMany judges reps draws of one comparison, on one session or with a
// confirmation of the suspects.
func (w world) judgeMany(tb testing.TB, seed uint64, reps int, confirm bool) rates {
	rng := rand.New(rand.NewPCG(seed, uint64(reps)))
	options := Options{SingleSession: !confirm, MinRuns: 1}
	var r rates
	for range reps {
		c := w.comparison(rng)
		result := judgeOne(tb, c, options)
		if result.Suspect {
			c.Candidate = append(c.Candidate, w.session(rng))
			result = judgeOne(tb, c, options)
		}
		share := 100 / float64(reps)
		r.sessions += float64(result.Sessions) / float64(reps)
		switch result.Verdict {
		case Regression:
			r.regression += share
		case Improved:
			r.improved += share
		case Pass:
			r.pass += share
		}
	}
	return r
}

func judgeOne(tb testing.TB, c Comparison, o Options) Result {
	tb.Helper()
	results, err := Judge([]Comparison{c}, o)
	require.NoError(tb, err)
	return results[0]
}

// A build draws the comparisons of several scenarios: ttft, ttlt and otps, which
// share their requests and their session.
type build struct {
	scenarios int
	sessionSD float64
	n, k      int
	effect    float64 // on the ttft of the first scenario
}

// comparisons draws a build; those of one scenario are neighbours.
func (b build) comparisons(rng *rand.Rand) []Comparison {
	draws := simulation.Build{Scenarios: b.scenarios, SessionSD: b.sessionSD, N: b.n, K: b.k, Effect: b.effect}
	var family []Comparison
	for s := range b.scenarios {
		scenario := make([]Comparison, len(simulation.Metrics))
		for i, m := range simulation.Metrics {
			scenario[i] = Comparison{
				Scenario: fmt.Sprint("scenario ", s), Metric: m.Name, Q: .9,
				HigherIsBetter: m.HigherIsBetter, Fresh: true,
			}
		}
		for range b.k {
			for i, values := range draws.Stored(rng) {
				scenario[i].Baseline = append(scenario[i].Baseline, values)
			}
		}
		for i, values := range draws.Candidate(rng, s) {
			scenario[i].Candidate = [][]float64{values}
		}
		family = append(family, scenario...)
	}
	return family
}
