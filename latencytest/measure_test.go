package latencytest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

// Every instant of every sample is the scripted one, to the nanosecond: through
// the real SDK, four requests at a time.
func TestTimesAreTheScriptedOnes(t *testing.T) {
	t.Parallel()
	script := lively
	script.Reasoning, script.EmptyDelta = 3, true
	start := time.Now()
	res := measured(t, script, latencytest.Plan{Prompts: promptSet(5), Requests: 200, Load: latencytest.Closed(4)})
	t.Logf("200 requests took %v of real time", time.Since(start))
	require.Len(t, res.Samples, 204)
	require.Len(t, res.Scenarios, 1)
	s := res.Scenarios[0]
	require.Len(t, s.Samples, 200)
	assert.Equal(t, "200/200 ok", s.Ends())
	for i, sample := range res.Samples {
		require.Equal(t, i, sample.Number, "in request order")
		require.Equal(t, i < 4, sample.Warmup)
		want := schedule(script, sample)
		first, last := want.Content[0].At, want.Content[39].At
		require.Equal(t, providers.OK, sample.Class, sample.Error)
		require.Equal(t, at(want.Head), sample.Header)
		require.Equal(t, at(want.Head), sample.Body)
		require.Equal(t, at(want.Head), sample.FirstEvent, "messageStart")
		require.Equal(t, at(first), sample.First, "reasoning is content")
		require.Equal(t, at(want.Content[3].At), sample.FirstVisible)
		require.Equal(t, at(last), sample.Last)
		require.Equal(t, at(want.End), sample.End)
		require.Equal(t, at(want.End.Truncate(ms)), sample.ServerLatency)
		require.Equal(t, at(0), sample.Wrote)
		require.Equal(t, wire.Instant{}, sample.Limit)
		require.Equal(t, 40, sample.ContentEvents)
		require.Equal(t, 0, sample.Coalesced)
		require.Equal(t, tokens(40), sample.Usage.Output)
		require.Equal(t, providers.Reasoning, sample.FirstChannel)
		require.Equal(t, providers.Verbatim, sample.Disclosure)
		require.Equal(t, 1, sample.Calls)
		require.Equal(t, "end_turn", sample.Stop)

		otps, ok := latencytest.OTPS.Of(&sample)
		require.True(t, ok)
		require.Equal(t, 39/(last-first).Seconds(), otps)
		longest := time.Duration(0)
		for i := 1; i < 40; i++ {
			longest = max(longest, want.Content[i].At-want.Content[i-1].At)
		}
		require.Equal(t, 39, sample.Gaps.N)
		require.Equal(t, at(longest), sample.Gaps.Longest)
	}
	var want []float64
	for _, sample := range s.Samples {
		want = append(want, float64(schedule(script, sample).Content[0].At))
	}
	assert.Equal(t, want, s.Values(latencytest.TTFT))
	assert.Equal(t, latencytest.Type7(want, .9), s.Quantile(latencytest.TTFT, latencytest.P90))
}

// A prompt's own limit is sent, and what comes back is as long as it says.
func TestPromptsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	prompts := []providers.Prompt{{ID: "short", Text: "abcdefgh", MaxTokens: 10}, {ID: "long", Text: "abcdefghijklmnop", System: "1234"}}
	res := measured(t, fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(ms), OutputTokens: 150}, latencytest.Plan{Prompts: prompts, Requests: 10})
	for _, s := range res.Samples {
		if s.Prompt == "short" {
			assert.Equal(t, tokens(10), s.Usage.Output)
			assert.Equal(t, tokens(2), s.Usage.Input)
		} else {
			assert.Equal(t, tokens(providers.DefaultMaxTokens), s.Usage.Output)
			assert.Equal(t, tokens(5), s.Usage.Input)
		}
		assert.Equal(t, "max_tokens", s.Stop)
	}
}

// A closed loop keeps exactly n requests in flight, from the moment the measured
// part starts until there is none left to start, and the measured part starts
// when the last warm-up request has ended.
func TestClosedLoopKeepsItsClientsBusy(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 4, 7} {
		res := measured(t, lively, latencytest.Plan{Prompts: promptSet(3), Requests: 60, Warmup: n + 2, Load: latencytest.Closed(n)})
		samples := res.Scenarios[0].Samples
		require.Len(t, samples, 60)
		var warm time.Time
		for _, s := range res.Samples[:n+2] {
			require.True(t, s.Warmup)
			if e := ended(t, s); e.After(warm) {
				warm = e
			}
		}
		for i, s := range samples {
			assert.False(t, s.Time.Before(warm), "sample %d started before the last warm-up request had ended", s.Number)
			inFlight := 0
			for _, other := range samples {
				if !other.Time.After(s.Time) && ended(t, other).After(s.Time) {
					inFlight++
				}
			}
			if i < n {
				assert.LessOrEqual(t, s.Time.Sub(warm), time.Duration(i), "the first wave starts at once, but for the nanosecond that keeps it in order")
				continue
			}
			assert.Equal(t, n, inFlight, "in flight when sample %d started", s.Number)
		}
	}
}

// What a request takes depends on its number, not on how many run beside it:
// concurrency shortens the run and changes no sample.
func TestConcurrencyOneAndFour(t *testing.T) {
	t.Parallel()
	plan := latencytest.Plan{Prompts: promptSet(5), Requests: 80, Warmup: 4, Seed: 3}
	one := measured(t, lively, plan)
	plan.Load = latencytest.Closed(4)
	four := measured(t, lively, plan)
	assert.Equal(t, one.Scenarios[0].Values(latencytest.TTFT), four.Scenarios[0].Values(latencytest.TTFT))
	assert.Equal(t, one.Scenarios[0].Values(latencytest.OTPS), four.Scenarios[0].Values(latencytest.OTPS))
	assert.Equal(t, prompts(one), prompts(four))
	length := func(r *latencytest.Result) time.Duration {
		return slices.MaxFunc(r.Samples, func(a, b latencytest.Sample) int {
			return ended(t, a).Compare(ended(t, b))
		}).Time.Sub(r.Samples[0].Time)
	}
	assert.InDelta(t, 4, float64(length(one))/float64(length(four)), .4)
	assert.NotEqual(t, one.Scenarios[0].Identity, four.Scenarios[0].Identity, "they are not to be compared all the same")
}

func prompts(r *latencytest.Result) []string {
	var out []string
	for _, s := range r.Samples {
		out = append(out, s.Prompt)
	}
	return out
}

// Models, regions and profiles of single prompts are scenarios, interleaved, each
// with as many requests and an identity of its own.
func TestScenariosOfAPromptSet(t *testing.T) {
	t.Parallel()
	haiku, llama := "us.anthropic.claude-3-5-haiku-20241022-v1:0", "us.meta.llama3-1-70b-instruct-v1:0"
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Every(7), Effect: fakes.Fallback{}}}
	res := measured(t, script, latencytest.Plan{
		Name: "notebook",
		Prompts: []providers.Prompt{
			{ID: "a", Text: "One.", Model: llama, Region: "us-east-2", Profile: "optimized"},
			{ID: "b", Text: "Two.", Model: haiku, Region: "us-east-2", Profile: "optimized"},
			{ID: "c", Text: "Two.", Model: haiku, Region: "us-east-2", Profile: "standard"},
			{ID: "d", Text: "Three.", Model: haiku, Region: "us-east-2", Profile: "standard"},
		},
		Requests: 30, Load: latencytest.Closed(2), Timeout: 30 * time.Second,
	}, bedrock.Temperature(0), bedrock.TopP(.9))
	var names []string
	for _, s := range res.Scenarios {
		names = append(names, s.Name)
		assert.Len(t, s.Samples, 30)
	}
	assert.Equal(t, []string{llama + ",optimized", haiku + ",optimized", haiku + ",standard"}, names, "the region is the same in all")
	assert.Len(t, res.Samples, 3*32, "the warm-up is a wave for each")
	for i, s := range res.Samples {
		assert.Equal(t, names[i%3], s.Scenario)
	}
	assert.Equal(t, providers.Facts{
		{Name: "metrics", Value: "metrics/1"},
		{Name: "test", Value: ""},
		{Name: "scenario", Value: haiku + ",standard"},
		{Name: "plan", Value: "notebook"},
		{Name: "provider", Value: "bedrock"},
		{Name: "api", Value: "converse-stream"},
		{Name: "model", Value: haiku},
		{Name: "region", Value: "us-east-2"},
		{Name: "profile", Value: "standard"},
		{Name: "temperature", Value: "0"},
		{Name: "top-p", Value: "0.9"},
		{Name: "prompts", Value: res.Scenarios[2].Identity.Get("prompts")},
		{Name: "load", Value: "closed(2)"},
		{Name: "warmup", Value: "2"},
		{Name: "timeout", Value: "30s"},
		{Name: "prompt-cache", Value: "asis"},
		{Name: "environment", Value: "virtual"},
	}, res.Scenarios[2].Identity)
	assert.Same(t, res.Scenarios[1], res.Scenario(names[1]))
	assert.Nil(t, res.Scenario("another"))
	assert.Contains(t, res.String(), "optimized inference was asked for, 4 of 30 requests were served as standard")
}

func TestPlanThatMakesNoSense(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Requests: -1})
		assert.Nil(t, res)
		assert.ErrorContains(t, err, "Plan.Prompts: there are none")
		assert.ErrorContains(t, err, "Plan.Requests: want a positive number, got -1")
	})
}
