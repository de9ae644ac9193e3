package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A distribution draws the n latencies of one run, without its session effect.
type distribution func(rng *rand.Rand, n int) []float64

func lognormal(sigma float64) distribution { return autoregressive(sigma, 0) }

// autoregressive has lognormal latencies whose logarithms follow an AR(1) process.
func autoregressive(sigma, rho float64) distribution {
	return func(rng *rand.Rand, n int) []float64 {
		x := make([]float64, n)
		z := rng.NormFloat64()
		for i := range x {
			x[i] = 400 * math.Exp(sigma*z)
			z = rho*z + math.Sqrt(1-rho*rho)*rng.NormFloat64()
		}
		return x
	}
}

// mixture has a share of requests that are slower by a factor.
func mixture(share, factor float64) distribution {
	body := lognormal(0.35)
	return func(rng *rand.Rand, n int) []float64 {
		x := body(rng, n)
		for i := range x {
			if rng.Float64() < share {
				x[i] *= factor
			}
		}
		return x
	}
}

// rounded has latencies in whole steps of 50, the median being 400.
func rounded(rng *rand.Rand, n int) []float64 {
	x := lognormal(0.4)(rng, n)
	for i := range x {
		x[i] = max(50, 50*math.Round(x[i]/50))
	}
	return x
}

// distributions are those the gate is calibrated on.
var distributions = map[string]distribution{
	"LN.30":   lognormal(.30),
	"LN.45":   lognormal(.45),
	"LN.60":   lognormal(.60),
	"MIX5x4":  mixture(.05, 4),
	"MIX8x3":  mixture(.08, 3),
	"MIX10x5": mixture(.10, 5),
	"TIES":    rounded,
	"AR.3":    autoregressive(.45, .3),
	"AR.6":    autoregressive(.45, .6),
}

// A world draws comparisons of a candidate with its stored runs.
type world struct {
	draw      distribution
	sessionSD float64
	n, baseN  int // baseN 0 means n
	k         int
	effect    float64 // ratio by which the candidate is slower
	tail      bool    // the effect stretches what is above P70, so that P90 moves by it
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
		x[i] = w.slower(x[i])
	}
	return x
}

// slower applies the effect to one latency; the tail is that of LN.45.
func (w world) slower(x float64) float64 {
	if !w.tail {
		return x * w.effect
	}
	from, to := 400*math.Exp(.45*.5244), 400*math.Exp(.45*1.2816)
	part := math.Log(x/from) / math.Log(to/from)
	return x * math.Pow(w.effect, max(0, part))
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

// A build draws the comparisons of several scenarios: ttft (σ = .45), ttlt (.30) and
// otps (.30, higher is better), which share their requests (correlation .5) and
// their session.
type build struct {
	scenarios int
	sessionSD float64
	n, k      int
	effect    float64 // on the ttft of the first scenario
}

// metrics of a build, in the order of a session's columns.
var metrics = []struct {
	name           string
	sigma          float64
	higherIsBetter bool
}{{"ttft", .45, false}, {"ttlt", .30, false}, {"otps", .30, true}}

// session draws one session of a scenario, a column of values for each metric.
func (b build) session(rng *rand.Rand, effect float64) [][]float64 {
	columns := make([][]float64, len(metrics))
	shift := b.sessionSD * rng.NormFloat64()
	for range b.n {
		common := rng.NormFloat64()
		for i, m := range metrics {
			z := math.Sqrt(.5)*common + math.Sqrt(.5)*rng.NormFloat64()
			y := m.sigma*z + shift
			if i == 0 {
				y += math.Log(effect)
			}
			columns[i] = append(columns[i], 400*math.Exp(orientation(m.higherIsBetter)*y))
		}
	}
	return columns
}

// comparisons draws a build; those of one scenario are neighbours.
func (b build) comparisons(rng *rand.Rand) []Comparison {
	var family []Comparison
	for s := range b.scenarios {
		scenario := make([]Comparison, len(metrics))
		for i, m := range metrics {
			scenario[i] = Comparison{
				Scenario: fmt.Sprint("scenario ", s), Metric: m.name, Q: .9,
				HigherIsBetter: m.higherIsBetter, Fresh: true,
			}
		}
		for range b.k {
			for i, column := range b.session(rng, 1) {
				scenario[i].Baseline = append(scenario[i].Baseline, column)
			}
		}
		for i, column := range b.session(rng, b.effectOn(s)) {
			scenario[i].Candidate = append(scenario[i].Candidate, column)
		}
		family = append(family, scenario...)
	}
	return family
}

func (b build) effectOn(scenario int) float64 {
	if scenario == 0 && b.effect != 0 {
		return b.effect
	}
	return 1
}

// confirm measures the scenarios with a suspect once more.
func (b build) confirm(rng *rand.Rand, family []Comparison, results []Result) (measured int) {
	for s := range b.scenarios {
		first := s * len(metrics)
		suspect := false
		for _, r := range results[first : first+len(metrics)] {
			suspect = suspect || r.Suspect
		}
		if !suspect {
			continue
		}
		measured += b.n
		for i, column := range b.session(rng, b.effectOn(s)) {
			family[first+i].Candidate = append(family[first+i].Candidate, column)
		}
	}
	return measured
}

// stopEarly cuts the candidate of each scenario where a look at it finds no use in
// going on.
func (b build) stopEarly(tb testing.TB, family []Comparison) (measured int) {
	for s := range b.scenarios {
		scenario := family[s*len(metrics) : (s+1)*len(metrics)]
		full := make([][]float64, len(scenario))
		for i := range scenario {
			full[i] = scenario[i].Candidate[0]
		}
		for n := 50; ; n = min(2*n, b.n) {
			for i := range scenario {
				scenario[i].Candidate = [][]float64{full[i][:n]}
			}
			if n < b.n {
				results, err := Judge(scenario, Options{})
				require.NoError(tb, err)
				if !Futile(results, b.n) {
					continue
				}
			}
			measured += n
			break
		}
	}
	return measured
}

// outcome is what many builds came to.
type outcome struct {
	red      float64 // % with any regression
	flagged  float64 // % whose first comparison is a regression
	requests float64 // measured per scenario, % of the plan
}

func (b build) judgeMany(tb testing.TB, seed uint64, reps int, early bool) outcome {
	rng := rand.New(rand.NewPCG(seed, uint64(reps)))
	var o outcome
	for range reps {
		family := b.comparisons(rng)
		measured := b.scenarios * b.n
		if early {
			measured = b.stopEarly(tb, family)
		}
		results, err := Judge(family, Options{})
		require.NoError(tb, err)
		measured += b.confirm(rng, family, results)
		results, err = Judge(family, Options{})
		require.NoError(tb, err)

		share := 100 / float64(reps)
		red := false
		for _, r := range results {
			red = red || r.Verdict == Regression
		}
		if red {
			o.red += share
		}
		if results[0].Verdict == Regression {
			o.flagged += share
		}
		o.requests += share * float64(measured) / float64(b.scenarios*b.n)
	}
	return o
}
