package benchmark_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

func decode(t *testing.T, path string) benchmark.Document {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var d benchmark.Document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&d), string(data))
	return d
}

// The table is that of LLM-Latency-Lens's README.
func TestTable(t *testing.T) {
	t.Parallel()
	script := steady()
	script.Faults = []fakes.Fault{{On: fakes.Every(5), Effect: fakes.Refuse{}}}
	handlers := map[string]http.Handler{"openai": fakes.OpenAI(script)}
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.0001, "output_cost_per_token": 0.0002}}`)
		r := measure(t, prepare(t, `providers: [{name: openai, models: [m, n]}]
workload: {scenarios: [{name: chat, prompt: Hi, requests: 10, concurrency: 1}]}
execution: {prices: "`+prices+`"}`, open), benchmark.Watch{})
		m, n, found := strings.Cut(r.String(), "\nProvider: openai | Model: n | Scenario: chat\n")
		require.True(t, found)
		assert.Equal(t, `latgate - Benchmark Results
===========================

Provider: openai | Model: m | Scenario: chat
Duration: 1.7s | Requests: 10 | Concurrency: 1 | Warm-up: 1

┌──────────────────────┬──────────┬──────────┬──────────┬──────────┬──────────┐
│ Metric               │ Min      │ Mean     │ Median   │ p95      │ p99      │
├──────────────────────┼──────────┼──────────┼──────────┼──────────┼──────────┤
│ TTFT (ms)            │ 100.0    │ 100.0    │ 100.0    │ 100.0    │ 100.0    │
│ Total Duration (ms)  │ 210.0    │ 210.0    │ 210.0    │ 210.0    │ 210.0    │
│ Tokens/sec           │ 100.0    │ 100.0    │ 100.0    │ 100.0    │ 100.0    │
│ Inter-token (ms)     │ 10.0     │ 10.0     │ 10.0     │ 10.0     │ 10.0     │
└──────────────────────┴──────────┴──────────┴──────────┴──────────┴──────────┘

Token Usage:
  Prompt: 8 tokens | Completion: 88 tokens | Total: 96 tokens | of 2 requests unknown

Cost Analysis:
  Total Cost: $0.018 | Cost/Request: $0.0023 | Cost/1K tokens: $0.19 | of 2 requests unknown

Success Rate: 80.0% (8/10): 8/10 ok, throttled 2
`, m)
		assert.Contains(t, n, "Cost Analysis:\n  unknown: the price file has no price for n\n")
	})
}

// A reply in one piece has no speed, which is not 0.
func TestWholeReplies(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		r := measure(t, prepare(t, "providers: [{name: openai, models: [m]}]\nworkload: {scenarios: [{name: chat, prompt: Hi, requests: 3, stream: false}]}", open), benchmark.Watch{})
		assert.Contains(t, r.String(), "Warm-up: 1 | whole replies: their first token is their last\n")
		assert.Contains(t, r.String(), "│ Tokens/sec           │ –        │ –        │ –        │ –        │ –        │\n")
		assert.Contains(t, r.String(), "Cost Analysis:\n  unknown: no prices\n")
		lines := readCSV(t, r)
		i := slices.IndexFunc(lines, func(l map[string]string) bool { return l["metric"] == "otps" })
		require.GreaterOrEqual(t, i, 0)
		assert.Equal(t, []string{"0", "", "", "", "tok/s", ""}, []string{lines[i]["n"], lines[i]["min"], lines[i]["p50"], lines[i]["max"], lines[i]["unit"], lines[i]["cost_usd"]})
		assert.NotContains(t, r.Document().Runs[0].Scenarios[0].Values, "otps")
	})
}

func readCSV(t *testing.T, r *benchmark.Results) []map[string]string {
	t.Helper()
	data, err := r.CSV()
	require.NoError(t, err)
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll() // checks that all rows are as long
	require.NoError(t, err)
	require.Equal(t, benchmark.CSVColumns, lines[0])
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCSV(t *testing.T) {
	t.Parallel()
	handlers := both()
	handlers["anthropic"] = http.NotFoundHandler()
	inVirtualTime(t, handlers, func(t *testing.T, open opener) {
		b := prepare(t, two, open)
		r := measure(t, b, benchmark.Watch{})
		r.Outcomes[1].Result, r.Outcomes[1].Status, r.Outcomes[1].Reason = nil, benchmark.NotMade, "the budget of $1 was spent"
		rows := readCSV(t, r)
		assert.Equal(t, map[string]string{
			"started": rows[0]["started"], "provider": "openai", "model": "m", "scenario": "short", "status": "measured", "reason": "",
			"load": "closed(2)", "requests": "10", "ok": "10", "input_tokens": "10", "output_tokens": "110", "cost_usd": "",
			"metric": "ttft", "unit": "ms", "higher_is_better": "false", "n": "10", "min": rows[0]["min"], "mean": rows[0]["mean"], "std": rows[0]["std"],
			"p50": rows[0]["p50"], "p90": rows[0]["p90"], "p95": rows[0]["p95"], "p99": rows[0]["p99"], "p99.9": rows[0]["p99.9"], "max": rows[0]["max"],
		}, rows[0])
		assert.True(t, strings.HasPrefix(rows[0]["p50"], "100"), rows[0]["p50"])
		i := slices.IndexFunc(rows, func(row map[string]string) bool { return row["status"] == "not made" })
		assert.Equal(t, []string{"long", "the budget of $1 was spent", "", "", ""}, []string{rows[i]["scenario"], rows[i]["reason"], rows[i]["metric"], rows[i]["n"], rows[i]["requests"]})
		last := rows[len(rows)-1]
		assert.Equal(t, []string{"anthropic", "failed", "0", "0", "", "0"}, []string{last["provider"], last["status"], last["requests"], last["ok"], last["p50"], last["n"]})
	})
}

// Names that are commands to a spreadsheet, a terminal or a CI system are harmless.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]http.Handler{"evil": fakes.OpenAI(steady())}, func(t *testing.T, open opener) {
		r := measure(t, prepare(t, `providers: [{name: openai, label: evil, models: ["=HYPERLINK(\"http://evil.test\")", "@SUM(1)", "-1+1|cmd"]}]
workload: {scenarios: [{name: "+1::set-output name=x::\e[2J│\u202e", prompt: Hi, requests: 2}]}`, open), benchmark.Watch{})
		_, err := r.Compare(stat.Options{}, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P50})
		require.NoError(t, err)
		data, err := r.Document().JSON()
		require.NoError(t, err)
		table, err := r.CSV()
		require.NoError(t, err)
		for _, text := range []string{r.String(), r.ComparisonTable(), string(data), string(table)} {
			assert.NotRegexp(t, "[\\x00-\\x09\\x0b-\\x1f\\x7f\u0080-\u009f\u202e]|::set", text)
			assert.NotContains(t, text, `\u001b`)
		}
		for _, row := range readCSV(t, r) {
			assert.Equal(t, "'+1: :set-output name=x: : [2J│ ", row["scenario"])
			assert.Contains(t, []string{`'=HYPERLINK("http://evil.test")`, "'@SUM(1)", "'-1+1|cmd"}, row["model"])
			for column, cell := range row {
				assert.Falsef(t, cell != "" && strings.ContainsRune("=+-@", rune(cell[0])), "%s: %s", column, cell)
			}
		}
	})
}

// The schema's members, which are only ever added to.
func TestSchema(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, both(), func(t *testing.T, open opener) {
		prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.0001, "output_cost_per_token": 0.0002}}`)
		dir := t.TempDir()
		b := prepare(t, two+`execution: {max_concurrency: 1, prices: "`+prices+`"}`, open, benchmark.Export{Format: "json", Path: dir + "/r.json"}, benchmark.Export{Format: "csv", Path: dir + "/r.csv"})
		r := measure(t, b, benchmark.Watch{})
		_, err := r.Compare(stat.Options{}, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
		require.NoError(t, err)
		require.NoError(t, r.Export())
		d := decode(t, dir+"/r.json")
		assert.Equal(t, benchmark.Schema, d.Schema)
		assert.Equal(t, []string{"short: concurrency is 1, not 2: max_concurrency caps it"}, d.Notes)
		run := d.Runs[0]
		assert.Equal(t, benchmark.Combination{Provider: "openai", Model: "m", Scenario: "short"}, *run.Combination)
		s := run.Scenarios[0]
		assert.Equal(t, &benchmark.UsageRecord{Input: 10, Output: 110}, s.Usage)
		assert.InDelta(t, .023, s.Cost.Dollars, 1e-9)
		assert.Nil(t, d.Runs[2].Scenarios[0].Cost, "n has no price")
		assert.InDelta(t, 2.1e9, *s.Duration, 1e4)

		data, err := os.ReadFile(dir + "/r.json")
		require.NoError(t, err)
		var raw struct {
			Runs        []map[string]any
			Comparisons []map[string]any
		}
		require.NoError(t, json.Unmarshal(data, &raw))
		assert.Subset(t, raw.Runs[0], map[string]any{"provider": "openai", "model": "m", "scenario": "short", "load": "closed(1)", "requests": 10., "warmup": 1., "seed": 1., "environment": "virtual"})
		for _, member := range []string{"started", "provenance", "scenarios"} {
			assert.Contains(t, raw.Runs[0], member)
		}
		scenario := raw.Runs[0]["scenarios"].([]any)[0].(map[string]any)
		for _, member := range []string{"name", "identity", "attempts", "ends", "duration", "requests_completed_per_minute", "requests_sent_per_minute", "output_tokens_per_second", "usage", "cost", "prompt_cache_hit_rate", "metrics"} {
			assert.Contains(t, scenario, member)
		}
		for _, member := range []string{"unit", "higher_is_better", "hdr", "n", "min", "mean", "std", "p50", "p90", "p95", "p99", "p99.9", "max"} {
			assert.Contains(t, scenario["metrics"].(map[string]any)["ttft"], member)
		}
		for _, member := range []string{"scenario", "base", "head", "metric", "unit", "quantile", "base_value", "head_value", "base_n", "head_n", "ratio", "ratio_low", "ratio_high", "p", "holm_p", "verdict", "reason"} {
			assert.Contains(t, raw.Comparisons[0], member)
		}
	})
}

// No key is in any file.
func TestKeysAreNowhere(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"error":{"message":"you sent ` + r.Header.Get("Authorization") + `"}}`))
	})
	inVirtualTime(t, map[string]http.Handler{"openai": echo}, func(t *testing.T, open opener) {
		dir := t.TempDir()
		b := prepare(t, "providers: [{name: openai, models: [m]}]\nworkload: {scenarios: [{name: s, prompt: Hi, requests: 3}]}", open,
			benchmark.Export{Format: "json", Path: dir + "/r.json"}, benchmark.Export{Format: "csv", Path: dir + "/r.csv"}, benchmark.Export{Format: "jsonl", Path: dir + "/r.jsonl"})
		r := measure(t, b, benchmark.Watch{After: (*benchmark.Results).Export})
		assert.Contains(t, r.Err().Error(), "you sent Bearer ***")
		for _, name := range []string{"r.json", "r.csv", "r.jsonl"} {
			data, err := os.ReadFile(dir + "/" + name)
			require.NoError(t, err)
			assert.Contains(t, string(data), "you sent Bearer ***", name)
			assert.NotContains(t, string(data), "key-0123456789", name)
		}
	})
}
