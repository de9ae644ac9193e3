package latencytest_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// What was shown live is what the result says, and its file when it is read back.
func TestProgressIsWhatTheResultSays(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Share(.1), Effect: fakes.Refuse{}}}
	price := 1e-6
	for _, low := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "samples.jsonl")
		var seen []latencytest.Progress
		var res *latencytest.Result
		bubble(t, script, func(t *testing.T, network *fakes.Network) {
			var err error
			res, err = latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{
				Prompts: promptSet(3), Requests: 200, Load: latencytest.Closed(4), SampleFile: path, LowMemory: low,
				Prices: latencytest.Prices{model: {Input: &price, Output: &price}},
				Live:   []latencytest.Metric{latencytest.TTFT, latencytest.OTPS}, ProgressEvery: 5 * time.Second,
				Progress: func(p latencytest.Progress) { seen = append(seen, p) },
			})
			require.NoError(t, err)
		})
		require.Greater(t, len(seen), 5)
		last := seen[len(seen)-1]
		assert.True(t, last.Last)
		assert.Equal(t, 200, last.Done)
		results := []*latencytest.Result{res}
		if !low {
			loaded, err := latencytest.Load(path)
			require.NoError(t, err)
			results = append(results, loaded)
		}
		for _, r := range results {
			s, live := r.Scenarios[0], last.Scenarios[0]
			assert.Equal(t, s.Rates(), live.Rates)
			assert.Equal(t, s.Counts(), live.Counts)
			dollars, unknown := s.Cost()
			assert.InEpsilon(t, dollars, live.Cost, 1e-12)
			assert.Zero(t, unknown)
			for _, q := range live.Quantiles {
				assert.Equal(t, s.Quantile(q.Metric, latencytest.P50), q.P50, "%v", q.Metric)
				assert.Equal(t, s.Quantile(q.Metric, latencytest.P90), q.P90, "%v", q.Metric)
			}
		}
		for i, p := range seen[:len(seen)-1] {
			assert.Equal(t, 200, p.Planned)
			assert.LessOrEqual(t, p.Done, last.Done, "report %d", i)
			if p.Done > 20 && p.Done < 180 {
				end := p.Elapsed + p.Left
				assert.InEpsilon(t, last.Elapsed, end, .25, "the estimated end")
			}
		}
	}
}

func TestProgressInWords(t *testing.T) {
	t.Parallel()
	one := latencytest.Running{
		Name: "all", Counts: map[providers.Class]int{providers.OK: 118, providers.Throttled: 2}, Cost: .0123,
		Rates:     latencytest.Rates{Completed: 178.2, Tokens: 42.13},
		Quantiles: []latencytest.RunningQuantiles{{Metric: latencytest.TTFT, P50: 402e6, P90: 633e6}},
	}
	p := latencytest.Progress{Elapsed: 10 * time.Second, Left: 34 * time.Second, Done: 120, Planned: 400, Scenarios: []latencytest.Running{one}}
	assert.Equal(t, "120/400, 34s left: 178.2 requests/min, 42.13 tok/s, ttft P50 402 ms P90 633 ms, $0.0123, throttled 2", p.String())
	p.Scenarios = append(p.Scenarios, one)
	p.Planned, p.Left = 0, 0
	assert.Equal(t, 3, len(strings.Split(p.String(), "\n")))
	assert.True(t, strings.HasPrefix(p.String(), "120 requests\n  all: 178.2"))
	assert.Equal(t, "warming up", latencytest.Progress{Warmup: true}.String())
}
