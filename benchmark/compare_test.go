package benchmark_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

var questions = []baseline.Question{
	{Metric: latencytest.TTFT, Quantile: latencytest.P50}, {Metric: latencytest.TTFT, Quantile: latencytest.P90}, {Metric: latencytest.OTPS, Quantile: latencytest.P90},
}

// spread answers as endpoints do, some factor slower than usual.
func spread(factor float64) fakes.Script {
	return fakes.Script{
		OutputTokens: 20, TTFT: fakes.Scale(fakes.Lognormal(300*time.Millisecond, .3), factor),
		Gap: fakes.Scale(fakes.Lognormal(20*time.Millisecond, .2), factor),
	}
}

const three = `providers:
  - {name: openai, label: first, models: [m]}
  - {name: openai, label: same, models: [m]}
  - {name: anthropic, label: slow, models: [c]}
workload: {scenarios: [{name: chat, prompt: Hi, requests: 100, concurrency: 4}, {name: whole, prompt: Hi, requests: 40, stream: false}]}
`

// Each endpoint is compared with the first one, by ratio, interval and verdict.
func TestCompare(t *testing.T) {
	t.Parallel()
	handlers := map[string]http.Handler{"first": fakes.OpenAI(spread(1)), "same": fakes.OpenAI(spread(1)), "slow": fakes.Anthropic(spread(2))}
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		r := measure(t, prepare(t, three, open), benchmark.Watch{})
		comparisons, err := r.Compare(stat.Options{}, questions...)
		require.NoError(t, err)
		require.Len(t, comparisons, 2*3+2*2, "replies in one piece have no speed on either side")
		for _, c := range comparisons {
			ratio, low, high, known := c.Ratio()
			require.True(t, known)
			assert.Less(t, low, ratio)
			assert.Less(t, ratio, high)
			assert.Equal(t, "first", c.Base.Provider)
			switch {
			case c.Head.Provider == "same":
				assert.InDelta(t, 1, ratio, .001)
				assert.Equal(t, baseline.Pass, c.Verdict, c.Reason)
			case c.Metric == latencytest.OTPS:
				assert.InDelta(t, .5, ratio, .01)
				assert.Equal(t, baseline.Regression, c.Verdict)
			default:
				assert.InDelta(t, 2, ratio, .05)
				assert.Equal(t, baseline.Regression, c.Verdict)
			}
		}
		text := r.ComparisonTable()
		assert.Contains(t, text, "Comparison with first m: chat\n\n┌─")
		assert.Regexp(t, `│ Endpoint +│ P50 ttft +│ P90 ttft +│ P90 otps +│\n`, text)
		assert.Regexp(t, `│ first m +│ \d+ ms +│ \d+ ms +│ [\d.]+ tok/s +│\n`, text)
		assert.Regexp(t, `│ slow c +│ \d+ ms ×2\.00 +│ \d+ ms ×[12]\.\d\d +│ [\d.]+ tok/s ×0\.50 +│\n`, text)
		assert.Regexp(t, `\nchat: slow c: P50 ttft \d+ → \d+ ms \(type-7 .*\), ratio 2\.00 \[1\.\d\d, 2\.\d\d\], p .*: regression: `, text)
		for _, record := range r.Document().Comparisons {
			assert.NotNil(t, record.Ratio)
			assert.Positive(t, record.BaseN)
			assert.NotNil(t, record.HeadValue)
		}
	})
}

// What was not measured, or failed too often, is not compared, and says why.
func TestCompareFailures(t *testing.T) {
	t.Parallel()
	faulty := spread(1)
	faulty.Faults = []fakes.Fault{{On: fakes.Every(4), Effect: fakes.Refuse{}}}
	for _, c := range []struct {
		name        string
		first, same http.Handler
		want        string
	}{
		{"head is down", fakes.OpenAI(spread(1)), http.NotFoundHandler(), "chat: same m: P50 ttft: infrastructure: same m: it was not measured: all 4 warm-up requests failed"},
		{"base is down", http.NotFoundHandler(), fakes.OpenAI(spread(1)), "chat: same m: P50 ttft: infrastructure: first m: it was not measured: all 4 warm-up requests failed"},
		{"many fail", fakes.OpenAI(spread(1)), fakes.OpenAI(faulty), "chat: same m: P50 ttft: infrastructure: same m: 25 of 100 requests failed"},
		{"no usage", fakes.OpenAI(spread(1)), fakes.OpenAI(fakes.Script{OutputTokens: 20, TTFT: fakes.Constant(time.Second), Faults: []fakes.Fault{{Effect: fakes.NoUsage{}}}}), "chat: same m: P90 otps: missing: same m: no reply has a value of otps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			handlers := map[string]http.Handler{"first": c.first, "same": c.same, "slow": fakes.Anthropic(spread(2))}
			inVirtualTime(t, handlers, func(t *testing.T, open opener) {
				r := measure(t, prepare(t, three, open), benchmark.Watch{})
				_, err := r.Compare(stat.Options{}, questions...)
				require.NoError(t, err)
				text := r.ComparisonTable()
				assert.Contains(t, text, c.want)
				assert.Equal(t, 2, strings.Count(text, "┌"), "a table for each scenario")
			})
		})
	}
}

func TestNothingToCompare(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		r := measure(t, prepare(t, "providers: [{name: openai, models: [m]}]\nworkload: {scenarios: [{name: s, prompt: Hi, requests: 2}]}", open), benchmark.Watch{})
		comparisons, err := r.Compare(stat.Options{}, questions...)
		require.NoError(t, err)
		assert.Empty(t, comparisons)
		assert.Equal(t, "There is nothing to compare: the file has one endpoint.\n", r.ComparisonTable())
	})
}

// Prompts with models of their own are scenarios of one run, which are compared by name.
func TestPromptsWithModels(t *testing.T) {
	t.Parallel()
	handlers := map[string]http.Handler{"first": fakes.OpenAI(spread(1)), "second": fakes.OpenAI(spread(2))}
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		prompts := write(t, "prompts.jsonl", `{"text_prompt": "a", "model_id": "fast"}
{"text_prompt": "a", "model_id": "large"}`)
		r := measure(t, prepare(t, fmt.Sprintf(`providers: [{name: openai, label: first}, {name: openai, label: second}]
workload: {scenarios: [{name: chat, prompts: %q, requests: 40}]}`, prompts), open), benchmark.Watch{})
		comparisons, err := r.Compare(stat.Options{}, questions[0])
		require.NoError(t, err)
		require.Len(t, comparisons, 2)
		assert.Equal(t, []string{"chat/fast: second", "chat/large: second"}, []string{comparisons[0].Scenario, comparisons[1].Scenario})
		assert.Contains(t, r.String(), "Provider: first | Model: – | Scenario: chat\nfast:\n")
		assert.Equal(t, "chat/fast", readCSV(t, r)[0]["scenario"])
		assert.Contains(t, r.ComparisonTable(), "│ second               │ –        │\n")
	})
}
