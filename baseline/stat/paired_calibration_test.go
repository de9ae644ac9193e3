package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An interleaving draws sessions of two sides by turns, in blocks A B B A.
type interleaving struct {
	draw    distribution
	n       int     // requests of each side
	pairs   int     // two a block
	blockSD float64 // what the turns of a block have in common
	turnSD  float64 // what the requests of a turn have in common, and its neighbours do not
	drift   float64 // from the beginning of the session to its end, on the log scale
	effect  float64 // ratio by which B is slower
}

func (w interleaving) session(rng *rand.Rand) Paired {
	p := Paired{Scenario: "chat", Metric: "ttft", Q: .9}
	a, b := w.draw(rng, w.n), w.draw(rng, w.n)
	block := 0.0
	for i := range w.pairs {
		if i%2 == 0 {
			block = w.blockSD * rng.NormFloat64()
		}
		turn := func(all []float64, second int, effect float64) []float64 {
			position := float64(2*i+second) / float64(2*w.pairs)
			shift := block + w.turnSD*rng.NormFloat64() + w.drift*position
			values := all[i*w.n/w.pairs : (i+1)*w.n/w.pairs]
			for j := range values {
				values[j] *= effect * math.Exp(shift)
			}
			return values
		}
		p.A = append(p.A, turn(a, i%2, 1))
		p.B = append(p.B, turn(b, 1-i%2, w.effect))
	}
	return p
}

func (w interleaving) judgeMany(tb testing.TB, seed uint64, reps int) rates {
	rng := rand.New(rand.NewPCG(seed, uint64(reps)))
	var r rates
	for range reps {
		results, err := JudgePaired([]Paired{w.session(rng)}, Options{})
		require.NoError(tb, err)
		share := 100 / float64(reps)
		switch results[0].Verdict {
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

func TestPairedCalibration(t *testing.T) {
	const reps = 600
	for name, w := range map[string]interleaving{
		"calm":   {draw: lognormal(.45), n: 300, pairs: 20},
		"blocks": {draw: lognormal(.45), n: 300, pairs: 20, blockSD: .10},
		"drift":  {draw: lognormal(.45), n: 300, pairs: 20, drift: .3},
		"few":    {draw: lognormal(.45), n: 300, pairs: 8, blockSD: .05},
	} {
		w.effect = 1
		same := w.judgeMany(t, 1, reps)
		assert.LessOrEqual(t, same.regression, 7.0, "%s: false alarms", name)
		assert.InDelta(t, same.regression, same.improved, 2.5, "%s: as many false improvements as false alarms", name)
		assert.GreaterOrEqual(t, same.pass, 78.0, "%s: A/A that pass", name)
		w.effect = 1.2
		worse := w.judgeMany(t, 2, reps)
		power := 82.0
		if w.pairs < 20 {
			power = 77
		}
		assert.GreaterOrEqual(t, worse.regression, power, "%s: power at +20 %%", name)
		assert.LessOrEqual(t, worse.pass, 6.0, "%s: +20 %% that pass", name)
	}
}

// BenchmarkPairedCalibration measures error rates and power of interleaved
// comparisons by simulation, as BenchmarkCalibration does those with stored runs.
//
//	go test -run '^$' -bench PairedCalibration -benchtime 1x ./baseline/stat
func BenchmarkPairedCalibration(b *testing.B) {
	for _, cell := range []struct {
		dist                string
		n, pairs            int
		block, turns, drift float64
	}{
		{dist: "LN.45", n: 300, pairs: 20},
		{dist: "LN.45", n: 300, pairs: 20, block: .03},
		{dist: "LN.45", n: 300, pairs: 20, block: .05},
		{dist: "LN.45", n: 300, pairs: 20, block: .10},
		{dist: "LN.45", n: 300, pairs: 20, drift: .3},
		{dist: "LN.45", n: 300, pairs: 20, turns: .05},
		{dist: "LN.45", n: 300, pairs: 8},
		{dist: "LN.45", n: 300, pairs: 8, block: .10},
		{dist: "LN.45", n: 300, pairs: 8, turns: .05},
		{dist: "LN.45", n: 300, pairs: 4},
		{dist: "LN.45", n: 50, pairs: 8},
		{dist: "LN.45", n: 100, pairs: 8},
		{dist: "LN.45", n: 200, pairs: 20},
		{dist: "LN.45", n: 500, pairs: 20},
		{dist: "LN.30", n: 300, pairs: 20},
		{dist: "LN.60", n: 300, pairs: 20},
		{dist: "MIX5x4", n: 300, pairs: 20},
		{dist: "MIX8x3", n: 300, pairs: 20},
		{dist: "MIX10x5", n: 300, pairs: 20},
		{dist: "TIES", n: 300, pairs: 20},
		{dist: "AR.3", n: 300, pairs: 20},
		{dist: "AR.6", n: 300, pairs: 20},
		{dist: "MIX5x4", n: 300, pairs: 8, block: .05},
		{dist: "AR.6", n: 300, pairs: 8},
	} {
		w := interleaving{
			draw: distributions[cell.dist], n: cell.n, pairs: cell.pairs,
			blockSD: cell.block, turnSD: cell.turns, drift: cell.drift,
		}
		name := fmt.Sprintf("dist=%s/n=%d/pairs=%d/blocks=%v/turns=%v/drift=%v", cell.dist, cell.n, cell.pairs, cell.block, cell.turns, cell.drift)
		b.Run(name, w.calibrate)
	}
}

func (w interleaving) calibrate(b *testing.B) {
	reps := replications(2000)
	var same, slow20, slow30 rates
	for b.Loop() {
		w.effect = 1
		same = w.judgeMany(b, 1, reps)
		w.effect = 1.2
		slow20 = w.judgeMany(b, 2, reps)
		w.effect = 1.3
		slow30 = w.judgeMany(b, 3, reps)
	}
	b.ReportMetric(same.regression, "AA%")
	b.ReportMetric(same.improved, "AA-improved%")
	b.ReportMetric(same.pass, "AA-pass%")
	b.ReportMetric(slow20.regression, "power+20%")
	b.ReportMetric(slow20.pass, "pass+20%")
	b.ReportMetric(slow30.regression, "power+30%")
}
