package stat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// runsAt returns equally precise runs with these quantiles.
func runsAt(v float64, n int, nu float64, theta ...float64) []run {
	runs := make([]run, len(theta))
	for i := range runs {
		runs[i] = run{n: n, theta: theta[i], v: v, nu: nu}
	}
	return runs
}

func TestShiftKnownValues(t *testing.T) {
	e := newEffects(
		runsAt(.003, 200, 7.6, 6.20, 6.25, 6.22, 6.18, 6.24),
		runsAt(.003, 200, 7.6, 6.40), nil, true)
	s := e.shift(.05*.05, 3)
	assert.InDelta(t, .182, s.d, 5e-4)
	assert.InDelta(t, .060, s.se, 5e-4)
	assert.InDelta(t, 45.6, s.df, 5e-2)
	assert.InDelta(t, .001992, s.tail(), 5e-7)
}

func TestShiftWithVarianceBetweenRuns(t *testing.T) {
	// SS = .0648, f = 4; T = .0025, ν₀ = 3.
	e := newEffects(
		runsAt(.003, 200, 7.6, 6.00, 6.18, 6.00, 6.18, 6.09),
		runsAt(.003, 200, 7.6, 6.40), nil, true)
	s := e.shift(.0025, 3)
	tau2 := (4*.0081 - 4*.003 + 3*.0025) / 7
	within, between := .003*1.2, tau2*1.2
	assert.InDelta(t, math.Sqrt(tau2), s.tau, 1e-12)
	assert.InDelta(t, math.Sqrt(within+between), s.se, 1e-12)
	assert.InDelta(t, math.Pow(within+between, 2)/(within*within/45.6+between*between/7), s.df, 1e-9)
}

func TestSecondSession(t *testing.T) {
	base := runsAt(.003, 200, 7.6, 6.00, 6.18, 6.00, 6.18, 6.09)
	cand := runsAt(.003, 200, 7.6, 6.30, 6.50)

	fresh := newEffects(base, cand, nil, true)
	assert.InDelta(t, 5.0, fresh.f, 0)
	assert.InDelta(t, 4*.0081+2*.01, fresh.ss, 1e-12)
	assert.InDelta(t, 4*.0081, fresh.ssBase, 1e-12)

	stale := newEffects(base, cand, nil, false)
	assert.InDelta(t, 4.0, stale.f, 0, "one session says nothing about the variation between sessions")
	assert.InDelta(t, 4*.0081, stale.ss, 1e-12)
	tau2 := (4*.0081 - 4*.003 + 3*.0025) / 7
	assert.InDelta(t, .003*(1./2+1./5)+tau2*(1+1./5), math.Pow(stale.shift(.0025, 3).se, 2), 1e-12)
	assert.Greater(t, stale.shift(.0025, 3).tail(), newEffects(base, cand, nil, true).shift(.0025, 3).tail())
}

func TestUnequalRuns(t *testing.T) {
	base := []run{{n: 400, theta: 6, v: .001, nu: 10}, {n: 100, theta: 6, v: .006, nu: 5}}
	e := newEffects(base, runsAt(.002, 200, 7, 6.1), nil, true)
	assert.InDelta(t, (10*400*.001+5*100*.006+7*200*.002)/22, e.unit, 1e-12)
	assert.InDelta(t, e.unit*(1./400+1./100)/2, e.vBase, 1e-12)
	assert.InDelta(t, e.unit/200, e.vCand, 1e-12)
}

func TestPool(t *testing.T) {
	a := newEffects(runsAt(.001, 200, 7, 6.0, 6.2, 6.1), runsAt(.001, 200, 7, 6.4), nil, true)
	b := newEffects(runsAt(.002, 200, 7, 7.0, 7.1), runsAt(.002, 200, 7, 7.4), nil, true)
	var p pool
	p.add(a)
	p.add(b)
	T, nu0 := p.between(.05)
	assert.InDelta(t, (.02-2*.001+.005-.002+3*.0025)/(3+3), T, 1e-12)
	assert.InDelta(t, 4.5, nu0, 0)

	T, nu0 = new(pool).between(.05)
	assert.InDelta(t, .0025, T, 1e-15, "the prior alone")
	assert.InDelta(t, 3.0, nu0, 0)

	var quiet pool // runs closer together than their requests explain
	quiet.add(newEffects(runsAt(.01, 200, 7, 6, 6, 6, 6, 6), runsAt(.01, 200, 7, 6), nil, true))
	T, _ = quiet.between(.05)
	assert.Zero(t, T)

	var many pool
	for range 20 {
		many.add(a)
	}
	_, nu0 = many.between(.05)
	assert.InDelta(t, 10.0, nu0, 0, "at most")
}

func TestTailWithoutNoise(t *testing.T) {
	assert.Zero(t, shift{d: .1}.tail())
	assert.Equal(t, 1.0, shift{d: -.1}.tail())
	assert.Equal(t, .5, shift{}.tail())
}

// The runs that tell how much runs vary may be others than those compared with.
func TestSpreadOfOtherRuns(t *testing.T) {
	stored := runsAt(.003, 200, 7.6, 6.00, 6.18, 6.00, 6.18, 6.09)
	cand := runsAt(.003, 200, 7.6, 6.40)
	against := newEffects(stored, cand, nil, true).shift(.0025, 3)
	pinned := newEffects(runsAt(.003, 200, 7.6, 6.09), cand, stored, true).shift(.0025, 3)
	assert.InDelta(t, against.d, pinned.d, 1e-12, "the stored runs' mean is the pinned run")
	assert.InDelta(t, against.tau, pinned.tau, 1e-12)
	assert.InDelta(t, math.Sqrt(.003*2+2*pinned.tau*pinned.tau), pinned.se, 1e-12, "two sessions are compared")
}
