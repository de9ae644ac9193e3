package latencytest_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// The same run, once with its samples and once without: what is counted is the
// same, quantiles to 3 digits.
func TestLowMemory(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Share(.1), Effect: fakes.Refuse{}}}
	plan := latencytest.Plan{
		Prompts: promptSet(3), Requests: 400, Load: latencytest.Closed(4), Seed: 3,
		SampleFile: filepath.Join(t.TempDir(), "samples.jsonl"),
	}
	want := measured(t, script, plan)
	plan.LowMemory, plan.SampleFile = true, filepath.Join(t.TempDir(), "samples.jsonl")
	low := measured(t, script, plan)

	assert.Len(t, low.Samples, 4, "the warm-up")
	a, b := want.Scenarios[0], low.Scenarios[0]
	assert.Empty(t, b.Samples)
	assert.Equal(t, a.Identity, b.Identity)
	assert.Equal(t, a.Ends(), b.Ends())
	assert.Equal(t, a.Attempts(), b.Attempts())
	assert.Equal(t, a.Counts(), b.Counts())
	for _, m := range latencytest.Metrics {
		for _, q := range []latencytest.Quantile{latencytest.P50, latencytest.P90, latencytest.P99} {
			exact, hdr := a.Quantile(m, q), b.Quantile(m, q)
			if math.IsNaN(exact) {
				assert.True(t, math.IsNaN(hdr), "%v", m)
				continue
			}
			// an order statistic, not interpolated, and a bucket wide
			assert.InEpsilon(t, exact, hdr, .06, "%v of %v", q, m)
		}
	}
	exact, hdr := a.Summary(latencytest.TTFT), b.Summary(latencytest.TTFT)
	assert.Equal(t, exact.N, hdr.N)
	assert.InEpsilon(t, exact.Mean, hdr.Mean, .002)
	assert.InEpsilon(t, exact.SD, hdr.SD, .005)
	assert.InEpsilon(t, exact.Min, hdr.Min, .002)
	assert.InEpsilon(t, exact.Max, hdr.Max, .002)
	assert.InEpsilon(t, exact.Percentile(.9), hdr.Percentile(.9), .06)
	assert.True(t, hdr.HDR && !exact.HDR)
	assert.InEpsilon(t, a.Adjusted(latencytest.TTFT, latencytest.P50), b.Adjusted(latencytest.TTFT, latencytest.P50), .02)
	assert.True(t, math.IsInf(b.Adjusted(latencytest.TTFT, latencytest.P95), 1))
	assert.Contains(t, low.String(), "quantiles of an HDR histogram")
	assert.NotContains(t, want.String(), "HDR")
	assert.Equal(t, a.Rates().Tokens, b.Rates().Tokens)

	full, err := low.Full()
	require.NoError(t, err)
	assert.Equal(t, a.Values(latencytest.TTFT), full.Scenarios[0].Values(latencytest.TTFT), "the gate sees every sample")
	same, err := want.Full()
	require.NoError(t, err)
	assert.Same(t, want, same)

	plan.SampleFile = ""
	_, err = measured(t, script, plan).Full()
	assert.ErrorContains(t, err, "Plan.SampleFile")
}

// A client that cannot keep up with its own schedule has measured itself.
func TestLateClientInvalidatesTheRun(t *testing.T) {
	t.Parallel()
	plan := latencytest.Plan{Prompts: promptSet(1), Requests: 200, Load: latencytest.Open(50)}
	assert.Empty(t, measured(t, steady, plan).Scenarios[0].Invalid())
	plan.RateLimit = 40
	res := measured(t, steady, plan)
	assert.Contains(t, res.Scenarios[0].Invalid(), "the client was the bottleneck: the P99 of schedule_lag is ")
	assert.Contains(t, res.String(), "INVALID: the client")
	plan.Load, plan.RateLimit = latencytest.Closed(4), 0
	assert.Empty(t, measured(t, steady, plan).Scenarios[0].Invalid())
}

// What a callback says of a sample is stored with it.
func TestStatisticsOfOnesOwn(t *testing.T) {
	t.Parallel()
	words := latencytest.Custom("words", "words", true)
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	var seen []int
	bubble(t, steady, func(t *testing.T, network *fakes.Network) {
		res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{
			Prompts: promptSet(1), Requests: 20, SampleFile: path,
			OnSample: func(s *latencytest.Sample) {
				seen = append(seen, s.Number)
				s.Extra = map[string]float64{"words": float64(s.Number)}
			},
		})
		require.NoError(t, err)
		assert.Len(t, seen, 21)
		assert.Equal(t, 10.5, res.Scenarios[0].Quantile(words, latencytest.P50))
	})
	loaded, err := latencytest.Load(path)
	require.NoError(t, err)
	assert.Equal(t, 10.5, loaded.Scenarios[0].Quantile(words, latencytest.P50))
	_, ok := words.Of(&latencytest.Sample{})
	assert.False(t, ok, "missing is not zero")
}
