package latencytest_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// steady answers every request alike: the first token after 100 ms, 10 tokens 10 ms apart.
var steady = fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 10}

// calls returns when each measured request was made, since the first.
func calls(res *latencytest.Result) []time.Duration {
	samples := res.Scenarios[0].Samples
	var out []time.Duration
	for _, s := range samples {
		out = append(out, s.Time.Sub(samples[0].Time).Round(ms))
	}
	return out
}

func TestOpenLoadKeepsItsTimes(t *testing.T) {
	t.Parallel()
	for _, load := range []latencytest.LoadModel{latencytest.Open(20), latencytest.Poisson(20), latencytest.Ramp(10, 40, 2*time.Second)} {
		plan := latencytest.Plan{Prompts: promptSet(3), Requests: 60, Load: load}
		res := measured(t, steady, plan)
		again := measured(t, steady, plan)
		assert.Equal(t, calls(res), calls(again), "%v: the seed decides", load)
		for i, s := range res.Scenarios[0].Samples {
			lag, ok := s.Lag.Get()
			require.True(t, ok)
			assert.LessOrEqual(t, lag, 100*time.Nanosecond, "request %d of %v", i, load)
			assert.Equal(t, s.First.Add(lag), s.First.Add(lag))
			v, _ := latencytest.TTFTSched.Of(&s)
			ttft, _ := latencytest.TTFT.Of(&s)
			assert.Equal(t, ttft+float64(lag), v)
		}
	}
	res := measured(t, steady, latencytest.Plan{Prompts: promptSet(1), Requests: 5, Load: latencytest.Open(4)})
	assert.Equal(t, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms, time.Second}, calls(res))
	assert.Equal(t, 4, res.Plan.Warmup, "what starts within a second")
}

// Load that comes as it once did, over a day: each request at its time, none late.
func TestGivenArrivals(t *testing.T) {
	t.Parallel()
	arrivals := []time.Duration{0, 3 * ms, 3 * ms, 250 * ms, time.Hour, 24 * time.Hour}
	file := t.TempDir() + "/run.samples.jsonl"
	res := measured(t, steady, latencytest.Plan{Prompts: promptSet(3), Load: latencytest.Arrivals(arrivals), SampleFile: file})
	assert.Equal(t, arrivals, calls(res))
	for _, s := range res.Scenarios[0].Samples {
		lag, ok := s.Lag.Get()
		assert.True(t, ok)
		assert.LessOrEqual(t, lag, 100*time.Nanosecond)
	}
	again, err := latencytest.Load(file)
	require.NoError(t, err)
	assert.Equal(t, res.Plan.Load.String(), again.Plan.Load.String())
	assert.Equal(t, res.Scenarios[0].Identity, again.Scenarios[0].Identity)
}

// An endpoint that admits one request at a time makes the others wait: a closed
// load of one client sees one slow request, an open one the queue behind it.
func TestStallIsNotHiddenInAnOpenLoad(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		TTFT: fakes.Constant(5 * ms), OutputTokens: 1,
		Faults: []fakes.Fault{{On: fakes.Request(50), Effect: fakes.Stall{At: 0, For: 2 * time.Second}}},
	}
	plan := latencytest.Plan{Prompts: promptSet(1), Requests: 400, RateLimit: 0}
	plan.Load = latencytest.Closed(1)
	coordinated := measured(t, script, plan)
	assert.Less(t, coordinated.Scenarios[0].Quantile(latencytest.TTFTSched, latencytest.P99), float64(10*ms))

	// The open load's client is held up by a limit of its own: the schedule tells.
	plan.Load, plan.RateLimit = latencytest.Open(100), 50
	late := measured(t, script, plan)
	assert.Greater(t, late.Scenarios[0].Quantile(latencytest.TTFTSched, latencytest.P99), float64(2900*ms))
	assert.Greater(t, late.Scenarios[0].Quantile(latencytest.ScheduleLag, latencytest.P99), float64(2900*ms))
}

func TestBoundsOfARun(t *testing.T) {
	t.Parallel()
	dollar := 1.
	tenCents := .1
	for _, c := range []struct {
		name  string
		plan  latencytest.Plan
		n     int
		ended string
	}{
		{"duration, without limit of requests", latencytest.Plan{Duration: time.Second}, 6, "the duration of 1s has passed"},
		{"duration, closed, of 3", latencytest.Plan{Duration: time.Second, Load: latencytest.Closed(3)}, 15, "the duration of 1s has passed"},
		{"duration of an open load", latencytest.Plan{Duration: time.Second, Load: latencytest.Open(20)}, 20, "the duration of 1s has passed"},
		{"a duration shorter than one request", latencytest.Plan{Duration: ms}, 1, "the duration of 1ms has passed"},
		{"requests come first", latencytest.Plan{Duration: time.Minute, Requests: 7}, 7, ""},
		{"tokens", latencytest.Plan{MaxTokens: 45}, 5, "50 output tokens have come of 45 allowed"},
		{"a pause", latencytest.Plan{Duration: time.Second, Pause: 300 * ms}, 3, "the duration of 1s has passed"},
		{"a rate limit", latencytest.Plan{Duration: 10 * time.Second, RateLimit: 2, Load: latencytest.Closed(8)}, 20, "the duration of 10s has passed"},
		{"no price", latencytest.Plan{Budget: 1, Prices: latencytest.Prices{"other": {Input: &dollar, Output: &dollar}}}, 0, "the budget cannot be kept: the price file has no price for " + model},
		{"a budget", latencytest.Plan{Budget: 100, Prices: latencytest.Prices{model: {Input: &tenCents, Output: &tenCents}}}, -1, "the budget is used up"},
	} {
		c.plan.Prompts = promptSet(1)
		res := measured(t, steady, c.plan)
		if c.n >= 0 {
			assert.InDelta(t, c.n, len(res.Scenarios[0].Samples), 1, c.name)
		} else {
			spent := 0.
			for _, s := range res.Samples {
				spent += *s.Cost
			}
			assert.LessOrEqual(t, spent, 100., c.name)
			assert.Greater(t, spent, 70., c.name)
		}
		assert.Contains(t, res.Ended, c.ended, c.name)
		if c.ended != "" {
			assert.Contains(t, res.String(), "no further requests: "+res.Ended)
		}
	}
}

func TestRetriesHonourTheHint(t *testing.T) {
	t.Parallel()
	script := steady
	script.Faults = []fakes.Fault{{Attempts: 2, Effect: fakes.Refuse{RetryAfter: 7 * time.Second}}}
	res := measured(t, script, latencytest.Plan{Prompts: promptSet(1), Requests: 5, Retries: 3})
	for _, s := range res.Samples {
		assert.Equal(t, providers.OK, s.Class)
		assert.Equal(t, 2, s.Retries)
		assert.Equal(t, 2, s.Throttles)
		assert.Equal(t, 3, s.Calls)
		first, _ := s.First.Get()
		assert.GreaterOrEqual(t, first, 14*time.Second, "a sample runs from its first attempt")
		assert.Less(t, first, 15*time.Second, "no backoff where the server says how long")
	}
	script.Faults[0].Attempts = 9
	res = measured(t, script, latencytest.Plan{Prompts: promptSet(1), Requests: 5, Retries: 2, Storm: -1})
	for _, s := range res.Samples {
		assert.Equal(t, providers.Throttled, s.Class)
		assert.Equal(t, 3, s.Throttles)
	}
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Exception: fakes.InternalServer}}}
	res = measured(t, script, latencytest.Plan{Prompts: promptSet(1), Requests: 40, Retries: 1})
	waited := map[time.Duration]bool{}
	for _, s := range res.Samples {
		first, _ := s.First.Get()
		assert.Less(t, first, 1100*ms, "full jitter: between 0 and the first interval")
		waited[first] = true
	}
	assert.Greater(t, len(waited), 30, "of many lengths")
	res = measured(t, script, latencytest.Plan{Prompts: promptSet(1), Requests: 40, Retries: 1, Backoff: 100 * ms})
	for _, s := range res.Samples {
		first, _ := s.First.Get()
		assert.Less(t, first, 200*ms, "the plan's own first interval")
	}
}

func TestStormEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault fakes.Fault
		storm float64
		class providers.Class
	}{
		{fakes.Fault{Effect: fakes.Refuse{RetryAfter: time.Second}}, 0, providers.Throttled},
		{fakes.Fault{Effect: fakes.Refuse{Exception: fakes.InternalServer}}, 0, providers.HTTP5xx},
		{fakes.Fault{Effect: fakes.Hang{}}, 0, providers.Timeout},
		{fakes.Fault{Effect: fakes.Refuse{}}, -1, ""},
		{fakes.Fault{On: fakes.Every(2), Effect: fakes.Refuse{}}, 0, ""},
		{fakes.Fault{On: fakes.Every(2), Effect: fakes.Refuse{}}, .4, providers.Throttled},
	} {
		script := steady
		script.Faults = []fakes.Fault{c.fault}
		bubble(t, script, func(t *testing.T, network *fakes.Network) {
			res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model),
				latencytest.Plan{Prompts: promptSet(1), Requests: 200, Load: latencytest.Closed(2), Storm: c.storm})
			storm, is := errors.AsType[*latencytest.StormError](err)
			require.Equal(t, c.class != "", is, "%+v: %v", c, err)
			if is {
				assert.Equal(t, c.class, storm.Class)
				assert.Less(t, len(res.Samples), 30, "%+v", c)
				assert.Equal(t, 20, storm.Of)
			}
		})
	}
}

func TestCostOfASample(t *testing.T) {
	t.Parallel()
	in, out, read := 2e-6, 8e-6, 5e-7
	prices := latencytest.Prices{"anthropic.claude": {Input: &in, Output: &out, CacheRead: &read}}
	count := providers.CountOf
	dollars, known := prices.Cost("bedrock", "us.anthropic.claude", providers.Usage{Input: count(1000), Output: count(100), CachedRead: count(400)})
	assert.True(t, known)
	assert.InDelta(t, 600*in+400*read+100*out, dollars, 1e-12)
	dollars, known = prices.Cost("", "anthropic.claude", providers.Usage{Input: count(7), Output: count(1), CachedRead: count(161), CachedWrite: count(9)})
	assert.True(t, known)
	assert.InDelta(t, 7*read+out, dollars, 1e-12, "more cached than there was")
	for _, u := range []providers.Usage{{}, {Input: count(1)}, {Output: count(1)}} {
		_, known = prices.Cost("", "anthropic.claude", u)
		assert.False(t, known, "%+v", u)
	}
	_, known = prices.Cost("", "claude", providers.Usage{Input: count(1), Output: count(1)})
	assert.False(t, known, "a model without a price")
	assert.False(t, math.IsNaN(dollars))
}
