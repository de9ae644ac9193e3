package benchmark_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

const two = `providers:
  - {name: openai, models: [m, n]}
  - {name: anthropic, models: [o]}
workload:
  scenarios:
    - {name: short, prompt: Hi, requests: 10, concurrency: 2}
    - {name: long, prompt: Hello, requests: 5}
`

func both() map[string]http.Handler {
	return map[string]http.Handler{"openai": fakes.OpenAI(steady()), "anthropic": fakes.Anthropic(steady())}
}

// A file expands into providers × models × scenarios, in its order.
func TestExpansion(t *testing.T) {
	t.Parallel()
	f, err := benchmark.Read("testdata/benchmark.yaml")
	require.NoError(t, err)
	var asked []string
	b, err := f.Prepare(t.Context(), func(_ context.Context, e benchmark.Endpoint) (providers.Target, error) {
		asked = append(asked, e.Name+" "+e.Model)
		assert.Len(t, e.Prompts, 1)
		return nil, nil
	})
	require.NoError(t, err)
	var names []string
	for i, r := range b.Runs {
		names = append(names, r.Combination.String())
		assert.Equal(t, i+1, r.Number)
		assert.Equal(t, []any{r.Scenario, 5, 2, 100}, []any{r.Plan.Name, r.Plan.Warmup, r.Plan.Retries, r.Plan.Prompts[0].MaxTokens})
	}
	assert.Equal(t, []string{
		"openai gpt-4-turbo-preview, short_prompt_high_concurrency", "openai gpt-4-turbo-preview, long_prompt_streaming",
		"openai gpt-3.5-turbo, short_prompt_high_concurrency", "openai gpt-3.5-turbo, long_prompt_streaming",
		"anthropic claude-3-opus-20240229, short_prompt_high_concurrency", "anthropic claude-3-opus-20240229, long_prompt_streaming",
	}, names)
	assert.Len(t, asked, 6, "a target for each run")
	assert.Equal(t, []any{latencytest.Closed(20), 100, latencytest.Closed(5), 50},
		[]any{b.Runs[0].Plan.Load, b.Runs[0].Plan.Requests, b.Runs[1].Plan.Load, b.Runs[1].Plan.Requests})
	assert.Empty(t, b.Notes, "20 and 5 clients are below the cap of 50")
	require.Len(t, b.Exports, 2)
	assert.Regexp(t, `^\./results/benchmark_\d{8}T\d{6}Z\.json$`, b.Exports[0].Path)
	assert.Equal(t, strings.TrimSuffix(b.Exports[0].Path, "json"), strings.TrimSuffix(b.Exports[1].Path, "csv"), "one time for all")
}

func TestPlans(t *testing.T) {
	t.Parallel()
	prompts := write(t, "prompts.jsonl", `{"text_prompt": "a", "system": "Mine.", "expected_output_tokens": 5}
{"text_prompt": "b"}`)
	prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}}`)
	b := prepare(t, fmt.Sprintf(`providers: [{name: openai, models: [m], max_tokens: 50, rate_limit: 3}]
workload:
  scenarios:
    - {name: file, prompts: %q, system: Yours., max_tokens: 7, repetitions: 2, requests: 4, concurrency: 9}
    - {name: time, prompt: Hi, duration: 3s, rate: 5}
    - {name: plain, prompt: Hi, pause: 1s, cache: bust}
execution: {max_concurrency: 4, timeout: 9s, dial_anew: true, seed: 11, prices: %q}
`, prompts, prices), func(context.Context, benchmark.Endpoint) (providers.Target, error) { return nil, nil })
	file, timed, plain := b.Runs[0].Plan, b.Runs[1].Plan, b.Runs[2].Plan
	assert.Equal(t, []providers.Prompt{
		{ID: "p1", Text: "a", System: "Mine.", MaxTokens: 5},
		{ID: "p2", Text: "b", System: "Yours.", MaxTokens: 7},
	}, file.Prompts)
	assert.Equal(t, []any{4, 2, latencytest.Closed(4), 9 * time.Second, true, uint64(11), 3.},
		[]any{file.Requests, file.Repetitions, file.Load, file.Timeout, file.DialAnew, file.Seed, file.RateLimit})
	assert.Len(t, file.Prices, 1)
	assert.Equal(t, []any{0, 3 * time.Second, latencytest.Open(5), 50}, []any{timed.Requests, timed.Duration, timed.Load, timed.Prompts[0].MaxTokens})
	assert.Equal(t, []any{100, time.Second, latencytest.BustCache, latencytest.Closed(1)}, []any{plain.Requests, plain.Pause, plain.Cache, plain.Load})
	assert.Equal(t, []string{
		"file: concurrency is 4, not 9: max_concurrency caps it",
		"time: max_concurrency does not bound a rate: requests are made when they are due, however many are under way",
	}, b.Notes)
}

// What is wrong beyond the file itself is told before anything is sent, each once.
func TestPrepareErrors(t *testing.T) {
	t.Parallel()
	named := write(t, "named.jsonl", `{"text_prompt": "a", "model_id": "mine"}`)
	for content, want := range map[string]string{
		"workload: {scenarios: [{name: s, prompts: none.jsonl}]}":                                                               "b.yaml:2: s: prompts: open ",
		"workload: {scenarios: [{name: s, prompts: " + named + "}]}":                                                            "b.yaml:2: s: prompt p1 names a model_id of its own: leave it out, or the models of openai",
		"workload: {scenarios: [{name: s, prompt: ' '}]}":                                                                       "not blank",
		"workload: {scenarios: [{name: s, prompt: a}]}\nexecution: {prices: none.json}":                                         "b.yaml: execution.prices: open ",
		"workload: {scenarios: [{name: s, prompt: refuse}]}":                                                                    "b.yaml:1: openai: no such key",
		"workload: {scenarios: [{name: s, prompt: a}]}\noutput: {export: [{format: jsonl, path: a}, {format: jsonl, path: b}]}": "b.yaml: samples are exported once, not to a and b",
	} {
		f, err := benchmark.Parse([]byte("providers: [{name: openai, models: [m, n]}]\n"+content), "b.yaml")
		if err == nil {
			_, err = f.Prepare(t.Context(), func(_ context.Context, e benchmark.Endpoint) (providers.Target, error) {
				if e.Prompts[0].Text == "refuse" {
					return nil, errors.New("no such key")
				}
				return nil, nil
			})
		}
		require.ErrorContains(t, err, want)
		assert.Equal(t, 1, strings.Count(err.Error(), want), "once, not for each model")
	}
	_, err := parse(t, "providers: [{name: anthropic, models: [m], thinking_budget: 100}]\nworkload: {scenarios: [{name: s, prompt: a}]}").
		Prepare(t.Context(), func(context.Context, benchmark.Endpoint) (providers.Target, error) { return nil, nil })
	require.ErrorContains(t, err, "thinking_budget: 100 tokens of thought leave none of the 100 that prompt p1 may have: raise max_tokens")
}

// All runs are made in turn, in virtual time exactly as the script says.
func TestMeasure(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		var begun []string
		var samples, shown, after int
		r := measure(t, prepare(t, two, open), benchmark.Watch{
			Begin:    func(r *benchmark.Run) { begun = append(begun, r.Combination.String()) },
			OnSample: func(*latencytest.Sample) { samples++ },
			Progress: func(latencytest.Progress) { shown++ },
			Plan:     func(p *latencytest.Plan) { p.ProgressEvery = time.Minute },
			After:    func(*benchmark.Results) error { after++; return nil },
		})
		assert.Equal(t, []string{"openai m, short", "openai m, long", "openai n, short", "openai n, long", "anthropic o, short", "anthropic o, long"}, begun)
		assert.Equal(t, []int{6, 3 * (12 + 6)}, []int{after, samples}, "10 and 2 of warm-up, 5 and 1")
		assert.GreaterOrEqual(t, shown, 6)
		require.NoError(t, r.Err())
		assert.Equal(t, benchmark.Measured, r.Worst())
		for _, o := range r.Outcomes {
			s := o.Result.Scenarios[0]
			assert.Equal(t, benchmark.Measured, o.Status)
			assert.InDelta(t, 100e6, s.Quantile(latencytest.TTFT, latencytest.P50), 10)
			assert.InDelta(t, 100, s.Quantile(latencytest.OTPS, latencytest.P50), .01)
			assert.Equal(t, o.Combination.Scenario, s.Identity.Get("plan"))
		}
	})
}

func TestShuffledOrder(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		orders := make(map[string]bool)
		for _, seed := range []int{1, 1, 2, 3} {
			var begun []string
			b := prepare(t, two+fmt.Sprintf("execution: {order: shuffled, seed: %d}", seed), open)
			r := measure(t, b, benchmark.Watch{Begin: func(r *benchmark.Run) { begun = append(begun, r.Combination.String()) }})
			assert.Len(t, begun, 6)
			for i, o := range r.Outcomes {
				assert.Equal(t, i+1, o.Number, "results are in the order of the file")
			}
			orders[strings.Join(begun, "; ")] = true
		}
		assert.Greater(t, len(orders), 1)
		assert.Less(t, len(orders), 4, "the same seed gives the same order")
	})
}

// One that fails does not end the others.
func TestOneFails(t *testing.T) {
	t.Parallel()
	handlers := both()
	handlers["openai"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"wrong key","code":"invalid_api_key"}}`))
	})
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		r := measure(t, prepare(t, two, open), benchmark.Watch{})
		assert.Equal(t, benchmark.Failed, r.Worst())
		require.EqualError(t, r.Err(), `4 of 6 runs were not measured:
  openai m, short: failed: all 2 warm-up requests failed, nothing was measured: http_4xx: invalid_api_key: wrong key
  openai m, long: failed: all 1 warm-up requests failed, nothing was measured: http_4xx: invalid_api_key: wrong key
  openai n, short: failed: all 2 warm-up requests failed, nothing was measured: http_4xx: invalid_api_key: wrong key
  openai n, long: failed: all 1 warm-up requests failed, nothing was measured: http_4xx: invalid_api_key: wrong key`)
		assert.Equal(t, 10, r.Outcomes[4].Result.Scenarios[0].Attempts())
		d := r.Document()
		assert.Equal(t, r.Err().Error(), d.Error)
		assert.Len(t, d.Runs, 6, "with what the warm-ups were")
		assert.NotEmpty(t, d.Runs[0].Error)
		assert.Empty(t, d.Runs[4].Error)
		table := r.String()
		assert.Contains(t, table, "Provider: openai | Model: m | Scenario: short\nDuration: – | Requests: 0 | Concurrency: 2 | Warm-up: 2\n")
		assert.Contains(t, table, "│ TTFT (ms)            │ –        │ –        │ –        │ –        │ –        │\n")
		assert.Contains(t, table, "Token Usage:\n  unknown: no reply says how many\n")
		assert.Contains(t, table, "Success Rate: – (0/0)\nFAILED: all 2 warm-up requests failed")
		assert.NotContains(t, table, " 0.0 ")
	})
}

// A storm ends its run alone; what it measured stays, and says why in the file's words.
func TestStorm(t *testing.T) {
	t.Parallel()
	handlers := both()
	script := steady()
	script.Faults = []fakes.Fault{{Effect: fakes.Refuse{Exception: fakes.Throttling}}}
	handlers["anthropic"] = fakes.Anthropic(script)
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		r := measure(t, prepare(t, strings.Replace(two, "requests: 10", "requests: 100", 1), open), benchmark.Watch{})
		assert.Equal(t, benchmark.Failed, r.Outcomes[4].Status)
		assert.Contains(t, r.Outcomes[4].Reason, "the load is above its limits: lower concurrency or rate, or set rate_limit")
		assert.Equal(t, benchmark.Failed, r.Outcomes[5].Status)
		assert.Contains(t, r.Outcomes[5].Reason, "none of 5 requests ended well, the last one as throttled: ")
		assert.Equal(t, benchmark.Measured, r.Outcomes[3].Status)
		assert.Contains(t, r.String(), "Success Rate: 0.0% (0/5): 0/5 ok, throttled 5\n")
	})
}

// The end of the context keeps what was measured, and makes no further runs.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	stopped := errors.New("stopped by hand")
	handlers := both()
	next := handlers["openai"]
	var cancel context.CancelCauseFunc
	handlers["openai"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 12+4 { // the third measured request of the second run
			cancel(stopped)
		}
		next.ServeHTTP(w, r)
	})
	dir := t.TempDir()
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		var ctx context.Context
		ctx, cancel = context.WithCancelCause(t.Context())
		b := prepare(t, two, open, benchmark.Export{Format: "json", Path: dir + "/new/r.json"}, benchmark.Export{Format: "jsonl", Path: dir + "/new/r.samples.jsonl"})
		r, err := b.Measure(ctx, benchmark.Watch{After: (*benchmark.Results).Export})
		require.NoError(t, err)
		assert.Equal(t, benchmark.Interrupted, r.Worst())
		var statuses []benchmark.Status
		for _, o := range r.Outcomes {
			statuses = append(statuses, o.Status)
		}
		assert.Equal(t, []benchmark.Status{benchmark.Measured, "interrupted", "interrupted", "interrupted", "interrupted", "interrupted"}, statuses)
		assert.Equal(t, 3, r.Outcomes[1].Result.Scenarios[0].Attempts())
		assert.Nil(t, r.Outcomes[2].Result)
		assert.Equal(t, "stopped by hand", r.Outcomes[2].Reason)

		d := decode(t, filepath.Join(dir, "new", "r.json"))
		require.Len(t, d.Runs, 2)
		assert.Equal(t, dir+"/new/r.1-openai-m-short.samples.jsonl", d.Runs[0].Samples)
		assert.Regexp(t, `/r\.2-openai-m-long\.samples\.jsonl\.\d+\.partial$`, d.Runs[1].Samples)
		require.Len(t, d.Unmeasured, 4)
		assert.Equal(t, benchmark.UnmeasuredRecord{Combination: benchmark.Combination{Provider: "openai", Model: "n", Scenario: "short"}, Status: "interrupted", Reason: "stopped by hand"}, d.Unmeasured[0])
		res, err := latencytest.Load(d.Runs[0].Samples)
		require.NoError(t, err)
		assert.Len(t, res.Samples, 12)
		_, err = latencytest.Load(d.Runs[1].Samples)
		require.ErrorIs(t, err, latencytest.ErrInterrupted)
	})
}

// A budget is of all runs together.
func TestBudget(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}, "n": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}, "o": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}}`)
		content := two + fmt.Sprintf("execution: {budget: 0.5, prices: %q}", prices)
		r := measure(t, prepare(t, content, open), benchmark.Watch{})
		spent, made := 0., 0
		for _, o := range r.Outcomes {
			if o.Result == nil {
				continue
			}
			made++
			for _, s := range o.Result.Samples {
				require.NotNil(t, s.Cost)
				spent += *s.Cost
			}
		}
		assert.LessOrEqual(t, spent, .5)
		assert.Greater(t, spent, .2)
		last := r.Outcomes[5]
		assert.Equal(t, benchmark.Failed, last.Status)
		assert.Contains(t, last.Reason, "nothing was measured: the budget is used up: ")
		assert.Equal(t, 6, made)
		assert.Contains(t, r.Outcomes[0].String(), "Cost Analysis:\n  Total Cost: $0.1")
	})
}

// Nothing is left to run on.
func TestSpentBudget(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}}`)
		content := fmt.Sprintf(`providers: [{name: openai, models: [m]}]
workload:
  scenarios: [{name: a, prompt: Hi, requests: 1, max_tokens: 11}, {name: b, prompt: Hi, requests: 1}]
execution: {budget: 0.0000001, prices: %q}`, prices)
		b := prepare(t, content, open)
		r := measure(t, b, benchmark.Watch{OnSample: func(*latencytest.Sample) { t.Error("a request was made") }})
		assert.Contains(t, r.Outcomes[0].Reason, "nothing was measured: the budget")
		assert.Equal(t, benchmark.Failed, r.Worst())
	})
}

// What cannot be stored ends the benchmark.
func TestAfterFails(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		full := errors.New("no space left on device")
		r, err := prepare(t, two, open).Measure(t.Context(), benchmark.Watch{After: func(*benchmark.Results) error { return full }})
		require.ErrorIs(t, err, full)
		assert.Equal(t, benchmark.NotMade, r.Worst())
		assert.Equal(t, "its turn has not come", r.Outcomes[1].Reason)
	})
}

// Where files cannot be written is known beforehand.
func TestCheck(t *testing.T) {
	t.Parallel()
	none := func(context.Context, benchmark.Endpoint) (providers.Target, error) { return nil, nil }
	dir := t.TempDir()
	b := prepare(t, two, none, benchmark.Export{Format: "csv", Path: dir + "/a/b/r.csv"})
	require.NoError(t, b.Check())
	entries, err := os.ReadDir(dir + "/a/b")
	require.NoError(t, err)
	assert.Empty(t, entries, "nothing is left behind")
	b = prepare(t, two, none, benchmark.Export{Format: "csv", Path: dir + "/a"}, benchmark.Export{Format: "json", Path: os.DevNull + "/r.json"})
	err = b.Check()
	require.ErrorContains(t, err, "the results cannot be written: "+dir+"/a is a directory")
	require.ErrorContains(t, err, "not a directory")
}
