package fakes

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func distributions() map[string]Dist {
	return map[string]Dist{
		"constant":          Constant(300 * ms),
		"uniform":           Uniform(10*ms, 50*ms),
		"lognormal":         Lognormal(400*ms, 0.45),
		"MIX5x4":            Mixture(Lognormal(400*ms, 0.35), 0.05, 4),
		"MIX10x5":           Mixture(Lognormal(400*ms, 0.35), 0.10, 5),
		"mixed constant":    Mixture(Constant(100*ms), 0.05, 4),
		"scaled":            Scale(Lognormal(400*ms, 0.45), 1.2),
		"stretched":         StretchTail(Lognormal(400*ms, 0.45), 1.2),
		"stretched mixture": StretchTail(Mixture(Lognormal(400*ms, 0.35), 0.05, 4), 1.3),
		"mixed stretched":   Mixture(StretchTail(Lognormal(400*ms, 0.35), 1.3), 0.05, 4),
		"scaled nil":        Scale(nil, 2),
	}
}

func TestDistString(t *testing.T) {
	for want, d := range map[string]Dist{
		"constant(300ms)":                               Constant(300 * ms),
		"uniform(10ms, 50ms)":                           Uniform(10*ms, 50*ms),
		"lognormal(400ms, 0.45)":                        Lognormal(400*ms, 0.45),
		"mixture(lognormal(400ms, 0.35), 0.05, 4)":      Mixture(Lognormal(400*ms, 0.35), 0.05, 4),
		"stretchtail(scale(uniform(1s, 2s), 1.5), 1.2)": StretchTail(Scale(Uniform(time.Second, 2*time.Second), 1.5), 1.2),
		"scale(constant(0s), 2)":                        Scale(nil, 2),
	} {
		assert.Equal(t, want, d.String())
	}
}

// The quantiles of the distributions that have closed ones.
func TestQuantileKnownValues(t *testing.T) {
	assert.Equal(t, time.Duration(0), Quantile(nil, 0.9), "a nil Dist is 0")
	assert.Equal(t, 300*ms, Quantile(Constant(300*ms), 0.9))
	assert.Equal(t, 46*ms, Quantile(Uniform(10*ms, 50*ms), 0.9))
	assert.Equal(t, 400*ms, Quantile(Lognormal(400*ms, 0.45), 0.5))
	assert.Equal(t, 400*ms, Quantile(Lognormal(400*ms, 0), 0.9), "without spread")
	p90 := 400e6 * math.Exp(1.2815515655446004*0.45)
	assert.InDelta(t, p90, float64(Quantile(Lognormal(400*ms, 0.45), 0.9)), 1, "ns")

	mixed := Mixture(Constant(100*ms), 0.05, 4)
	assert.Equal(t, 100*ms, Quantile(mixed, 0.95))
	assert.Equal(t, 400*ms, Quantile(mixed, 0.9501))
	assert.Equal(t, 400*ms, Quantile(Mixture(Constant(100*ms), 1, 4), 0.01))
	assert.Equal(t, Quantile(Lognormal(400*ms, 0.45), 0.3), Quantile(Mixture(Lognormal(400*ms, 0.45), 0, 4), 0.3))
	// P90 of MIX10x5 falls into the gap between its modes, as its name promises.
	gap := Mixture(Lognormal(400*ms, 0.1), 0.10, 5)
	assert.Less(t, Quantile(gap, 0.89), 520*ms)
	assert.Greater(t, Quantile(gap, 0.91), 1500*ms)
}

func TestQuantileRisesAndInvertsShare(t *testing.T) {
	for name, d := range distributions() {
		t.Run(name, func(t *testing.T) {
			before := time.Duration(-1)
			for i := 1; i < 1000; i++ {
				p := float64(i) / 1000
				q := Quantile(d, p)
				require.GreaterOrEqual(t, q, before, "at p = %v", p)
				before = q
				x := d.quantile(p)
				require.GreaterOrEqual(t, d.share(x)+1e-9, p, "at least a share p is at most the quantile")
				require.LessOrEqual(t, d.share(x*(1-1e-9)-1), p+1e-8, "and less below it, p = %v", p)
			}
			assert.Zero(t, d.share(-1))
			assert.Equal(t, 1.0, d.share(math.MaxFloat64))
		})
	}
}

func TestScaleMovesEveryQuantile(t *testing.T) {
	for name, d := range distributions() {
		for _, p := range []float64{0.001, 0.5, 0.7, 0.9, 0.99, 0.9999} {
			assert.InDelta(t, 1.2*float64(Quantile(d, p)), float64(Quantile(Scale(d, 1.2), p)), 1, "%s, p = %v", name, p)
		}
	}
}

func TestStretchTailMovesOnlyTheTail(t *testing.T) {
	for name, d := range distributions() {
		for _, factor := range []float64{1, 1.05, 1.2, 3} {
			slow := StretchTail(d, factor)
			for i := 10; i <= 700; i += 10 {
				p := float64(i) / 1000
				require.Equal(t, Quantile(d, p), Quantile(slow, p), "%s: up to P70 nothing moves, p = %v", name, p)
			}
			assert.Equal(t, d.quantile(0.9)*factor, slow.quantile(0.9), "%s: P90 moves by exactly the factor", name)
			assert.Equal(t, d.quantile(0.99)*factor, slow.quantile(0.99), "%s: and what is above it as well", name)
			for i := 705; i < 900; i += 5 {
				p := float64(i) / 1000
				require.GreaterOrEqual(t, slow.quantile(p), d.quantile(p), "%s, p = %v", name, p)
				require.LessOrEqual(t, slow.quantile(p), d.quantile(p)*factor, "%s, p = %v", name, p)
			}
		}
	}
}

// What is drawn has the distribution that was asked for.
func TestDrawsFollowTheDistribution(t *testing.T) {
	const n = 4000
	for name, d := range distributions() {
		script := Script{Seed: 7, TTFT: d, OutputTokens: 1}
		ttfts := make([]time.Duration, n)
		for request := range ttfts {
			ttfts[request], _ = script.Schedule(request, 0).TTFT()
		}
		for _, p := range []float64{0.1, 0.5, 0.7, 0.9, 0.99} {
			if d.share(d.quantile(p)) > p+1e-6 {
				continue // a step of the distribution: many draws are equal
			}
			below, quantile := 0, Quantile(d, p)
			for _, ttft := range ttfts {
				if ttft <= quantile {
					below++
				}
			}
			sd := math.Sqrt(p * (1 - p) / n)
			assert.InDelta(t, p, float64(below)/n, 4*sd, "%s, p = %v", name, p)
		}
	}
}

// Slow-downs hit the same requests: with the same seed each request is at least
// as slow as before, and by no more than the factor.
func TestSlowDownsAreCoupled(t *testing.T) {
	fast := Lognormal(400*ms, 0.45)
	for request := range 1000 {
		at := func(d Dist) float64 {
			ttft, _ := Script{Seed: 3, TTFT: d}.Schedule(request, 0).TTFT()
			return float64(ttft)
		}
		assert.InDelta(t, 1.2, at(Scale(fast, 1.2))/at(fast), 1e-6)
		ratio := at(StretchTail(fast, 1.2)) / at(fast)
		assert.True(t, 1 <= ratio && ratio <= 1.2+1e-6, "%v", ratio)
	}
}

func TestDistsThatMakeNoSense(t *testing.T) {
	for name, make := range map[string]func(){
		"negative":        func() { Constant(-1) },
		"empty range":     func() { Uniform(ms, ms) },
		"no median":       func() { Lognormal(0, 0.4) },
		"negative sigma":  func() { Lognormal(ms, -0.4) },
		"share":           func() { Mixture(nil, 1.1, 4) },
		"faster":          func() { Mixture(nil, 0.1, 0.5) },
		"scale to zero":   func() { Scale(nil, 0) },
		"scale by NaN":    func() { Scale(nil, math.NaN()) },
		"sped-up tail":    func() { StretchTail(nil, 0.9) },
		"negative script": func() { Bedrock(Script{OutputTokens: -1}) },
		"no effect":       func() { Bedrock(Script{Faults: []Fault{{On: Every(2)}}}) },
		"negative spread": func() { Bedrock(Script{Session: -0.1}) },
	} {
		assert.Panics(t, make, name)
	}
}
