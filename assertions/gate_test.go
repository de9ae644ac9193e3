package assertions_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/latencytest"
)

// A gate that makes no sense fails the test, and is named.
func TestGatesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	const direction = "Below is for times, AtLeast for metrics where higher is better"
	for _, test := range []struct {
		gate assertions.Gate
		want string
	}{
		{assertions.NoRegression(latencytest.TTFT, 90), "NoRegression(ttft, [P9000]): a quantile is between 0 and 1, such as latencytest.P90, got 90"},
		{assertions.NoRegression(latencytest.TTFT, latencytest.P50, 0), "got 0"},
		{assertions.NoRegression(latencytest.TTFT, latencytest.Quantile(math.NaN())), "got NaN"},
		{assertions.Below(latencytest.TTFT, 1, time.Second), "Below(ttft, P100, 1000 ms): a quantile is between 0 and 1"},
		{assertions.AtLeast(latencytest.OTPS, -.5, 1), "a quantile is between 0 and 1"},
		{assertions.Below(latencytest.OTPS, latencytest.P90, time.Second), direction},
		{assertions.Below(latencytest.OutputTokens, latencytest.P90, 100), direction},
		{assertions.AtLeast(latencytest.TTFT, latencytest.P90, 1e9), direction},
		{assertions.AtLeast(latencytest.OutputTokens, latencytest.P90, 100), direction},
		{assertions.Below(latencytest.TTFT, latencytest.P90, 0), "Below(ttft, P90, 0 ms): the limit must be positive"},
		{assertions.Below(latencytest.TTFT, latencytest.P90, -time.Second), "the limit must be positive"},
		{assertions.AtLeast(latencytest.OTPS, latencytest.P90, math.NaN()), "the limit must be positive"},
		{assertions.AtLeast(latencytest.OTPS, latencytest.P90, math.Inf(1)), "positive"},
		{assertions.ErrorRate(-.01), "a rate is a share from 0 to below 1, got -0.01"},
		{assertions.ErrorRate(1), "a rate is a share from 0 to below 1, got 1"},
		{assertions.ErrorRate(math.NaN()), "a rate is a share from 0 to below 1"},
		{assertions.MinEffect(0), "MinEffect(0): want a positive share, such as 0.1 for 10 %"},
		{assertions.RuleOut(-1), "RuleOut(-1): want a positive share"},
		{assertions.MinEffect(math.NaN()), "want a positive share"},
		{assertions.RuleOut(math.Inf(1)), "rule out"},
		{nil, "nil"},
	} {
		var f fakeT
		assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, ttft90, alone, test.gate), "%v", test.gate)
		require.Len(t, f.errors, 1, "%v", test.gate)
		assert.Contains(t, f.errors[0], test.want)
		assert.Empty(t, f.logs, "nothing is judged by half of the gates")
	}
}

func TestEveryBadGateIsNamed(t *testing.T) {
	t.Parallel()
	var f fakeT
	assertions.Check(&f, result(scenario(200, 1)), fiveRuns(t), assertions.ErrorRate(2), assertions.MinEffect(-1))
	assert.Contains(t, f.errors[0], "ErrorRate(200 %)")
	assert.Contains(t, f.errors[0], "MinEffect(-1)")
}

func TestACheckWithoutAConditionFails(t *testing.T) {
	t.Parallel()
	for _, gates := range [][]assertions.Gate{nil, {assertions.MinEffect(.2)}, {assertions.MinEffect(.2), assertions.RuleOut(.3)}} {
		var f fakeT
		assert.False(t, assertions.Check(&f, result(scenario(200, 1)), fiveRuns(t), gates...))
		assert.Contains(t, f.errors[0], "a check without a condition would pass whatever happens")
	}
}

func TestNoRegressionNeedsAStore(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.False(t, assertions.Check(&f, result(scenario(200, 1)), nil, ttft90, alone))
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "baseline.Dir(latencytest.Dir)")
}

func TestMinEffectAndRuleOutMoveTheTolerance(t *testing.T) {
	t.Parallel()
	store, slower := fiveRuns(t), scenario(200, 1, later(1.25))
	for _, test := range []struct {
		settings []assertions.Gate
		says     string
	}{
		{nil, ": regression: "},
		{[]assertions.Gate{assertions.MinEffect(.05)}, ": regression: "},
		{[]assertions.Gate{assertions.MinEffect(.5)}, ": pass: "},
		{[]assertions.Gate{assertions.MinEffect(.4), assertions.RuleOut(1)}, ": pass: "},
	} {
		var f fakeT
		assertions.Check(&f, result(slower), store, append(test.settings, ttft90, alone)...)
		assert.Contains(t, append(f.errors, f.logs...)[0], test.says, "%v", test.settings)
	}
	var f fakeT
	assertions.Check(&f, result(scenario(200, 1, later(1.04))), store, assertions.RuleOut(.1), ttft90, alone)
	assert.Contains(t, f.logs[0], ": inconclusive: ", "a tighter promise needs more requests")
}

func TestGatesAreWrittenAsTheyAreCalled(t *testing.T) {
	t.Parallel()
	for want, gate := range map[string]assertions.Gate{
		"NoRegression(ttft, [P50 P90])":  assertions.NoRegression(latencytest.TTFT),
		"NoRegression(otps, [P99])":      assertions.NoRegression(latencytest.OTPS, latencytest.P99),
		"Below(ttft, P99, 3000 ms)":      assertions.Below(latencytest.TTFT, latencytest.P99, 3*time.Second),
		"AtLeast(otps, P90, 40.5 tok/s)": assertions.AtLeast(latencytest.OTPS, latencytest.P90, 40.5),
		"ErrorRate(0.5 %)":               assertions.ErrorRate(.005),
		"MinEffect(0.15)":                assertions.MinEffect(.15),
		"RuleOut(0.3)":                   assertions.RuleOut(.3),
	} {
		assert.Equal(t, want, gate.String())
	}
}
