package simulation

import (
	"math"
	"math/rand/v2"
)

// median of all distributions, without their slow requests.
const median = 400

// A Distribution is what the latencies of one run look like.
type Distribution struct {
	Name string

	// Step is what latencies are rounded to when they are measured, after everything
	// that makes them slower. 0 is not at all.
	Step float64

	draw func(rng *rand.Rand, n int) []float64
}

// Draw returns n latencies in the order of the requests.
func (d Distribution) Draw(rng *rand.Rand, n int) []float64 {
	x := d.draw(rng, n)
	d.round(x)
	return x
}

// Lognormal has a standard deviation of sigma on the log scale.
func Lognormal(sigma float64) Distribution { return Autoregressive(sigma, 0) }

// Autoregressive is lognormal with logarithms that follow an AR(1) process: slow
// requests come in groups.
func Autoregressive(sigma, rho float64) Distribution {
	return Distribution{draw: func(rng *rand.Rand, n int) []float64 {
		x := make([]float64, n)
		z := rng.NormFloat64()
		for i := range x {
			x[i] = median * math.Exp(sigma*z)
			z = rho*z + math.Sqrt(1-rho*rho)*rng.NormFloat64()
		}
		return x
	}}
}

// Mixture is lognormal (0.35) with a share of requests that are slower by a factor.
func Mixture(share, factor float64) Distribution { return VaryingMixture(share, factor, 0) }

// VaryingMixture is a Mixture whose share differs from run to run: its logit has a
// standard deviation of sd.
func VaryingMixture(share, factor, sd float64) Distribution {
	body := Lognormal(.35)
	return Distribution{draw: func(rng *rand.Rand, n int) []float64 {
		share := share
		if sd > 0 {
			odds := share / (1 - share) * math.Exp(sd*rng.NormFloat64())
			share = odds / (1 + odds)
		}
		x := body.draw(rng, n)
		for i := range x {
			if rng.Float64() < share {
				x[i] *= factor
			}
		}
		return x
	}}
}

// Rounded is lognormal, measured in whole steps.
func Rounded(sigma, step float64) Distribution {
	d := Lognormal(sigma)
	d.Step = step
	return d
}

// round rounds x to the step of d, up to one step at least.
func (d Distribution) round(x []float64) {
	if d.Step == 0 {
		return
	}
	for i := range x {
		x[i] = max(d.Step, d.Step*math.Round(x[i]/d.Step))
	}
}

func (d Distribution) named(name string) Distribution {
	d.Name = name
	return d
}

// Distributions are those on which the gate is calibrated.
func Distributions() []Distribution {
	return []Distribution{
		Lognormal(.30).named("LN.30"),
		Lognormal(.45).named("LN.45"),
		Lognormal(.60).named("LN.60"),
		Mixture(.05, 4).named("MIX5x4"),
		Mixture(.08, 3).named("MIX8x3"),
		Mixture(.10, 5).named("MIX10x5"),
		Rounded(.40, 50).named("TIES"),
		Autoregressive(.45, .3).named("AR.3"),
		Autoregressive(.45, .6).named("AR.6"),
	}
}
