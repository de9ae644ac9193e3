package simulation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/internal/simulation"
)

const many = 200_000

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func sorted(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

func quantile(values []float64, q float64) float64 {
	return sorted(values)[int(q*float64(len(values)))]
}

func TestQuantilesOfDistributions(t *testing.T) {
	t.Parallel()
	want := map[string][2]float64{ // P50, P90
		"LN.30":   {400, 400 * math.Exp(.30*1.2816)},
		"LN.45":   {400, 400 * math.Exp(.45*1.2816)},
		"LN.60":   {400, 400 * math.Exp(.60*1.2816)},
		"MIX5x4":  {409, 704},
		"MIX8x3":  {416, 770},
		"MIX10x5": {420, 1035},
		"TIES":    {400, 650},
		"AR.3":    {400, 400 * math.Exp(.45*1.2816)},
		"AR.6":    {400, 400 * math.Exp(.45*1.2816)},
	}
	for _, d := range simulation.Distributions() {
		x := d.Draw(generator(1), many)
		assert.InEpsilon(t, want[d.Name][0], quantile(x, .5), .02, d.Name)
		assert.InEpsilon(t, want[d.Name][1], quantile(x, .9), .03, d.Name)
	}
	assert.Len(t, simulation.Distributions(), len(want))
}

func TestSlowRequestsComeInGroups(t *testing.T) {
	t.Parallel()
	x := simulation.Autoregressive(.45, .6).Draw(generator(1), many)
	sum := 0.0
	for i := range x[1:] {
		sum += math.Log(x[i]/400) * math.Log(x[i+1]/400)
	}
	assert.InDelta(t, .6, sum/many/.45/.45, .02)
}

func TestRoundingIsTheLastThing(t *testing.T) {
	t.Parallel()
	w := simulation.World{Distribution: simulation.Rounded(.4, 50), SessionSD: .1, N: 500, Effect: 1.23}
	for _, x := range w.Candidate(generator(1)) {
		assert.Zero(t, math.Mod(x, 50))
		assert.Positive(t, x)
	}
}

func TestWorld(t *testing.T) {
	t.Parallel()
	w := simulation.World{Distribution: simulation.Lognormal(.45), N: 3, StoredN: 7, K: 4, Effect: 2}
	runs := w.Stored(generator(1))
	assert.Len(t, runs, 4)
	for _, run := range runs {
		assert.Len(t, run, 7)
	}
	assert.Equal(t, runs, w.Stored(generator(1)), "the same for the same generator")
	assert.Len(t, w.Candidate(generator(1)), 3)

	w.N, w.Effect = many, 0
	same := sorted(w.Candidate(generator(1)))
	for _, test := range []struct {
		tail        bool
		q, expected float64
	}{
		{false, .1, 1.3}, {false, .9, 1.3}, {true, .1, 1}, {true, .69, 1}, {true, .9, 1.3},
	} {
		w.Effect, w.Tail = 1.3, test.tail
		slower := sorted(w.Candidate(generator(1)))
		i := int(test.q * many)
		assert.InDelta(t, test.expected, slower[i]/same[i], .01, "%+v", test)
	}
}

func TestSessionsVary(t *testing.T) {
	t.Parallel()
	w := simulation.World{Distribution: simulation.Lognormal(.01), SessionSD: .05, N: 1}
	rng, squares := generator(1), 0.0
	const runs = 20_000
	for range runs {
		y := math.Log(w.Candidate(rng)[0] / 400)
		squares += y * y
	}
	assert.InDelta(t, .051, math.Sqrt(squares/runs), .002)
}

func TestTheShareOfSlowRequestsVaries(t *testing.T) {
	t.Parallel()
	rng := generator(1)
	var shares []float64
	for range 400 {
		slow := 0.0
		for _, x := range simulation.VaryingMixture(.05, 1e6, .3).Draw(rng, 5000) {
			if x > 1e6 {
				slow++
			}
		}
		shares = append(shares, slow/5000)
	}
	assert.InDelta(t, .05, quantile(shares, .5), .003)
	assert.InDelta(t, .034, quantile(shares, .1), .004, "logit(.05) - .3 * 1.28")
	assert.InDelta(t, .072, quantile(shares, .9), .006, "logit(.05) + .3 * 1.28")
}

func TestBuild(t *testing.T) {
	t.Parallel()
	b := simulation.Build{Scenarios: 2, N: many, K: 5, Effect: 1.5}
	stored, slow, other := b.Stored(generator(1)), b.Candidate(generator(1), 0), b.Candidate(generator(1), 1)
	assert.Equal(t, stored, other)
	assert.Equal(t, stored[1:], slow[1:])
	assert.InEpsilon(t, 1.5, slow[0][0]/stored[0][0], 1e-9)
	for i, m := range simulation.Metrics {
		worst := map[bool]float64{false: 1.2816, true: -1.2816}[m.HigherIsBetter]
		q := map[bool]float64{false: .9, true: .1}[m.HigherIsBetter]
		assert.InEpsilon(t, 400*math.Exp(m.Sigma*worst), quantile(stored[i], q), .02, m.Name)
	}
	correlation := 0.0
	for i := range many {
		correlation += math.Log(stored[0][i]/400) / .45 * math.Log(stored[1][i]/400) / .30 / many
	}
	assert.InDelta(t, .5, correlation, .02)
}

func ExampleWorld() {
	rng := rand.New(rand.NewPCG(1, 1))
	world := simulation.World{Distribution: simulation.Lognormal(.45), SessionSD: .03, N: 200, K: 5, Effect: 1.2}
	stored, candidate := world.Stored(rng), world.Candidate(rng)
	fmt.Println(len(stored), "stored runs,", len(candidate), "requests")
	// Output: 5 stored runs, 200 requests
}
