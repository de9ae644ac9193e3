package assertions_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// The ways a check can end.
const (
	passes  = "passes"
	warns   = "warns"
	fails   = "fails"
	warning = "[latgate] WARNING: "
)

// ends checks how a gate ends for a scenario and returns what it says.
func ends(t *testing.T, want string, s *latencytest.Scenario, store baseline.Store, gate assertions.Gate) string {
	t.Helper()
	var f fakeT
	assert.Equal(t, want != fails, assertions.Check(&f, result(s), store, gate), "%v", gate)
	texts := append(f.logs, f.errors...)
	require.Len(t, texts, 1, "%v", gate)
	assert.Equal(t, want == fails, len(f.errors) == 1, "%s", texts[0])
	assert.Equal(t, want == warns, len(texts[0]) > len(warning) && texts[0][:len(warning)] == warning, "%s", texts[0])
	return texts[0]
}

// P90 of the time to first token is near 517 ms; of the tokens per second the 10th
// percentile is near 37.5.
func TestBudgetsFailOnlyWithConfidence(t *testing.T) {
	t.Parallel()
	s := scenario(200, 1)
	p90, p10 := s.Quantile(latencytest.TTFT, latencytest.P90), s.Quantile(latencytest.OTPS, latencytest.P90)
	below := func(share float64) assertions.Gate {
		return assertions.Below(latencytest.TTFT, latencytest.P90, duration(p90*share))
	}
	atLeast := func(share float64) assertions.Gate {
		return assertions.AtLeast(latencytest.OTPS, latencytest.P90, p10*share)
	}
	for _, test := range []struct {
		gate assertions.Gate
		want string
		says string
	}{
		{below(1.5), passes, ": pass"},
		{below(1.001), passes, ": pass"},
		{below(.999), warns, ": inconclusive: beyond the limit, but not with 95 % confidence"},
		{below(.7), fails, ": budget"},
		{atLeast(.7), passes, ": pass"},
		{atLeast(.999), passes, ": pass"},
		{atLeast(1.001), warns, ": inconclusive: beyond the limit, but not with 95 % confidence"},
		{atLeast(1.3), fails, ": budget"},
	} {
		assert.Contains(t, ends(t, test.want, s, nil, test.gate), test.says, "%v", test.gate)
	}
}

func TestTheTextOfABudget(t *testing.T) {
	t.Parallel()
	text := ends(t, fails, scenario(200, 1), nil, assertions.Below(latencytest.TTFT, latencytest.P90, 300*ms))
	assert.Regexp(t, `^\[latgate\] all: Below\(ttft, P90, 300 ms\): P90 ttft is 5\d\d ms \(95 % bound \d+ ms\), limit 300 ms, n 200: budget\n    samples:  `, text)
	assert.Contains(t, text, "again: ")
	assert.NotContains(t, text, "accept: ", "a new baseline does not change a budget")

	text = ends(t, fails, scenario(200, 1), nil, assertions.AtLeast(latencytest.OTPS, latencytest.P90, 80))
	assert.Regexp(t, `^\[latgate\] all: AtLeast\(otps, P90, 80 tok/s\): P90 otps is 3\d\.\d tok/s \(95 % bound \d\d\.\d tok/s\), limit 80 tok/s, n 200: budget\n`, text)
}

func TestARunTooShortForABudgetSaysSo(t *testing.T) {
	t.Parallel()
	text := ends(t, warns, scenario(4, 1), nil, assertions.Below(latencytest.TTFT, latencytest.P50, ms))
	assert.Regexp(t, `P50 ttft is \d+ ms \(no bound\), limit 1 ms, n 4: inconclusive: needs at least 5 requests$`, text)
	ends(t, fails, scenario(5, 1), nil, assertions.Below(latencytest.TTFT, latencytest.P50, ms))
}

func TestTimedOutRequestsBreakABudget(t *testing.T) {
	t.Parallel()
	gate := assertions.Below(latencytest.TTFT, latencytest.P95, 2000*ms)
	ends(t, passes, scenario(200, 1), nil, gate)
	ends(t, fails, scenario(200, 1, failing(19, providers.Timeout)), nil, gate)
}

// An endpoint that answers a tenth of its requests fast is no fast endpoint.
func TestAFailingEndpointMeetsNoBudget(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scenario *latencytest.Scenario
		says     string
	}{
		{scenario(0, 1), "no request was measured"},
		{scenario(200, 1, failing(200, providers.Connect)), "200 of 200 requests failed (0/200 ok, connect 200)"},
		{scenario(200, 1, failing(180, providers.Throttled)), "180 of 200 requests failed (20/200 ok, throttled 180)"},
		{scenario(200, 1, func(_ int, s *latencytest.Sample) { s.ContentEvents = 1 }), "none of 200 requests has a value of otps"},
	} {
		text := ends(t, fails, test.scenario, nil, assertions.AtLeast(latencytest.OTPS, latencytest.P50, 1))
		assert.Contains(t, text, "all: AtLeast(otps, P50, 1 tok/s): infrastructure: "+test.says)
	}
	ends(t, fails, scenario(200, 1, failing(180, providers.Throttled)), nil, assertions.Below(latencytest.TTFT, latencytest.P50, limit))
}

func TestErrorRateFailsOnlyWithConfidence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		failed int
		limit  float64
		want   string
		says   string
	}{
		{0, 0, passes, "[latgate] all: ErrorRate(0 %): 200/200 ok: pass"},
		{1, 0, fails, "[latgate] all: ErrorRate(0 %): 199/200 ok, throttled 1: budget: above the limit with 95 % confidence"},
		{2, .01, passes, "[latgate] all: ErrorRate(1 %): 198/200 ok, throttled 2: pass"},
		{4, .01, warns, "[latgate] WARNING: all: ErrorRate(1 %): 196/200 ok, throttled 4: inconclusive: above the limit, but not with 95 % confidence"},
		{6, .01, fails, "[latgate] all: ErrorRate(1 %): 194/200 ok, throttled 6: budget: above the limit with 95 % confidence"},
		{200, .5, fails, "[latgate] all: ErrorRate(50 %): 0/200 ok, throttled 200: budget: above the limit with 95 % confidence"},
	} {
		text := ends(t, test.want, scenario(200, 1, failing(test.failed, providers.Throttled)), nil, assertions.ErrorRate(test.limit))
		assert.Contains(t, text, test.says)
	}
	assert.Contains(t, ends(t, fails, scenario(0, 1), nil, assertions.ErrorRate(.5)), "infrastructure: no request was measured")
}

func TestErrorRateIsComparedWithTheStoredRuns(t *testing.T) {
	t.Parallel()
	gate := assertions.ErrorRate(.05)
	clean, flaky := fiveRuns(t), stored(t, 5, failing(6, providers.HTTP5xx))
	assert.Contains(t, ends(t, passes, scenario(200, 1, failing(1, providers.Timeout)), clean, gate), ": pass")
	text := ends(t, fails, scenario(200, 1, failing(6, providers.Timeout)), clean, gate)
	assert.Contains(t, text, "194/200 ok, timeout 6: pass; regression: the stored runs failed 0 of 1000 times (Fisher's exact p 2e-05, Holm 2e-05)")
	assert.Contains(t, text, "accept: ")
	ends(t, passes, scenario(200, 1, failing(6, providers.Timeout)), flaky, gate)
	ends(t, passes, scenario(200, 1, failing(6, providers.Timeout)), baseline.Dir(t.TempDir()), gate)
}

// Ten endpoints that fail as often as ever must not raise ten times the alarms.
func TestTheErrorRatesOfScenariosAreOneFamily(t *testing.T) {
	t.Parallel()
	numbered := func(i int, s *latencytest.Scenario) *latencytest.Scenario {
		s.Name = fmt.Sprint("scenario ", i)
		s.Identity[2].Value = s.Name
		return s
	}
	store := baseline.Dir(t.TempDir())
	var all []*latencytest.Scenario
	for i := range 10 {
		_, err := baseline.Accept(result(numbered(i, scenario(200, 1, failing(2, providers.HTTP5xx)))), store, "x")
		require.NoError(t, err)
		all = append(all, numbered(i, scenario(200, 2, failing(2, providers.HTTP5xx))))
	}
	all[0] = numbered(0, scenario(200, 2, failing(9, providers.HTTP5xx))) // p .031
	gate := assertions.ErrorRate(.5)
	var f fakeT
	assert.False(t, assertions.Check(&f, result(all[:1]...), store, gate), "alone")
	assert.Contains(t, f.errors[0], "Fisher's exact p 0.031, Holm 0.031")
	assert.True(t, assertions.Check(&f, result(all...), store, gate), "one of ten")
	all[0] = numbered(0, scenario(200, 2, failing(18, providers.HTTP5xx)))
	assert.False(t, assertions.Check(&f, result(all...), store, gate), "much worse")
}
