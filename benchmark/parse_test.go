package benchmark_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/latencytest"
)

// The file of LLM-Latency-Lens's README is read as it is.
func TestReadmeFile(t *testing.T) {
	t.Parallel()
	f, err := benchmark.Read("testdata/benchmark.yaml")
	require.NoError(t, err)
	require.Len(t, f.Providers, 2)
	assert.Equal(t, "openai", f.Providers[0].Name)
	assert.Equal(t, "openai", f.Providers[0].Label)
	assert.Equal(t, []string{"gpt-4-turbo-preview", "gpt-3.5-turbo"}, f.Providers[0].Models)
	assert.Equal(t, []string{"claude-3-opus-20240229"}, f.Providers[1].Models)
	require.Len(t, f.Scenarios, 2)
	short, long := f.Scenarios[0], f.Scenarios[1]
	assert.Equal(t, []any{"short_prompt_high_concurrency", "What is the capital of France?", 100, latencytest.Closed(20), false},
		[]any{short.Name, short.Prompt, short.Requests, short.Load, short.Unary})
	assert.Equal(t, []any{"long_prompt_streaming", "Write a comprehensive guide to machine learning", 50, latencytest.Closed(5), false},
		[]any{long.Name, long.Prompt, long.Requests, long.Load, long.Unary})
	assert.Equal(t, benchmark.Execution{MaxConcurrency: 50, Warmup: 5, Retries: 2, Backoff: time.Second, Timeout: 2 * time.Minute}, f.Execution)
	assert.Equal(t, []benchmark.Export{
		{Format: "json", Path: "./results/benchmark_{timestamp}.json"},
		{Format: "csv", Path: "./results/benchmark_{timestamp}.csv"},
	}, f.Exports)
}

const everything = `providers:
  - name: anthropic
    label: thinking
    models: [a, "4"]
    base_url: https://example.test
    key_env: MY_KEY
    region: r
    project: p
    api_version: v
    latency: optimized
    family: nova
    endpoint: endpoint.yaml
    headers: {X-Team: "${TEAM}", Authorization: "Bearer ${MY_TOKEN}"}
    temperature: 0
    top_p: 0.9
    top_k: 40
    max_tokens: 2000
    thinking_budget: 1024
    rate_limit: 2.5
    fields: {seed: 7, on: true, off: null, list: [1, a], object: {x: 1.5}}
workload:
  scenarios:
    - {name: one, prompts: sub/prompts.jsonl, system: Be brief., max_tokens: 7, requests: 9, repetitions: 2, concurrency: 3, pause: 20ms, stream: false, cache: bust}
    - {name: two, prompt: Hi, rate: 5, arrivals: poisson, duration: 3s}
    - {name: three, prompt: Hi, ramp: "1, 20, 30s"}
    - {name: four, prompt: Hi, rate: 5}
execution:
  max_concurrency: 2
  warmup_requests: 0
  retry: {max_attempts: 1, initial_backoff_ms: 250}
  timeout: 9s
  dial_anew: true
  order: shuffled
  seed: 11
  budget: 2.50
  prices: /prices.json
output:
  export: [{format: jsonl, path: run.samples.jsonl}]
`

func TestEveryKey(t *testing.T) {
	t.Parallel()
	f, err := benchmark.Parse([]byte(everything), filepath.Join("dir", "b.yaml"))
	require.NoError(t, err)
	p := f.Providers[0]
	assert.Equal(t, []any{"anthropic", "thinking", []string{"a", "4"}, "https://example.test", "MY_KEY", "r", "p", "v", "optimized", "nova", 2000, 1024, 2.5},
		[]any{p.Name, p.Label, p.Models, p.BaseURL, p.KeyEnv, p.Region, p.Project, p.APIVersion, p.Latency, p.Family, p.MaxTokens, p.ThinkingBudget, p.RateLimit})
	assert.Equal(t, filepath.Join("dir", "endpoint.yaml"), p.Endpoint)
	assert.Equal(t, map[string]string{"X-Team": "${TEAM}", "Authorization": "Bearer ${MY_TOKEN}"}, p.Headers)
	assert.Equal(t, []any{0., .9, 40}, []any{*p.Temperature, *p.TopP, *p.TopK})
	assert.Equal(t, map[string]any{"seed": 7., "on": true, "off": nil, "list": []any{1., "a"}, "object": map[string]any{"x": 1.5}}, p.Fields)
	assert.True(t, p.Given("temperature"))
	assert.False(t, p.Given("temperatures"))

	one := f.Scenarios[0]
	assert.Equal(t, []any{filepath.Join("dir", "sub", "prompts.jsonl"), "Be brief.", 7, 9, 2, latencytest.Closed(3), 20 * time.Millisecond, true, latencytest.BustCache},
		[]any{one.Prompts, one.System, one.MaxTokens, one.Requests, one.Repetitions, one.Load, one.Pause, one.Unary, one.Cache})
	assert.Equal(t, latencytest.Poisson(5), f.Scenarios[1].Load)
	assert.Equal(t, 3*time.Second, f.Scenarios[1].Duration)
	assert.Equal(t, latencytest.Ramp(1, 20, 30*time.Second), f.Scenarios[2].Load)
	assert.Equal(t, latencytest.Open(5), f.Scenarios[3].Load)
	assert.Equal(t, benchmark.Execution{
		MaxConcurrency: 2, Backoff: 250 * time.Millisecond, Timeout: 9 * time.Second, DialAnew: true, Shuffled: true, Seed: 11, Budget: 2.5, Prices: "/prices.json",
	}, f.Execution)
	assert.Equal(t, []benchmark.Export{{Format: "jsonl", Path: "run.samples.jsonl"}}, f.Exports)
}

// Bad input gets an error with file, line and key, and what to write instead.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	const head = "providers: [{name: openai, models: [m]}]\n" // line 1
	const work = "workload: {scenarios: [{name: s, prompt: Hi}]}\n"
	provider := func(more string) string { return work + "providers:\n- name: openai\n  models: [m]\n  " + more + "\n" } // from line 5
	scenario := func(more string) string {
		return head + "workload:\n  scenarios:\n  - name: s\n    prompt: Hi\n    " + more + "\n"
	} // from line 6
	execution := func(more string) string { return head + work + "execution:\n  " + more + "\n" } // from line 4
	export := func(more string) string { return head + work + "output:\n  export:\n  - " + more + "\n" }
	for content, want := range map[string]string{
		"":                                  "b.yaml: there is nothing in it: want providers and workload",
		"# nothing\n":                       "b.yaml: there is nothing in it",
		"- a":                               "b.yaml:1: want keys and values: execution, output, providers, workload",
		"providers: [":                      "b.yaml",
		head:                                "b.yaml:1: workload: there is none: write its scenarios",
		work:                                "b.yaml:1: providers: there are none: write at least one, as in providers: [{name: openai",
		head + work + "---\na: 1":           "b.yaml: more than one document",
		head + work + "outputs: {}":         "b.yaml:3: outputs: unknown key; there are execution, output, providers, workload",
		head + work + head:                  "b.yaml:3: providers: given on line 1 already",
		work + "providers: []":              "b.yaml:2: providers: want a list with at least one element",
		work + "providers: {}":              "b.yaml:2: providers: want a list",
		work + "providers: [a]":             "b.yaml:2: providers[0]: want keys and values: api_version",
		work + "providers: [{models: [m]}]": "b.yaml:2: providers[0].name: missing: say whose API it is",
		work + "x: &x 1\nproviders: [*x]":   "b.yaml:3: providers[0]: write it out, there are no aliases here",
		work + "x: &x 1\nproviders: *x":     "b.yaml:3: providers: write it out, there are no aliases here",
		work + "providers:\n- {name: a, models: [m]}\n- {name: a, models: [n, m]}": "b.yaml:4: providers[1]: a with the same model is on line 3 already: give one of them a label",
		work + "providers:\n- name: tgi\n- name: tgi":                              "b.yaml:4: providers[1]: tgi with the same model is on line 3 already",
		work + "providers: [{name: a, models: [m, m]}]":                            "b.yaml:2: providers[0].models[1]: m is in the list already",
		work + "providers: [{name: a, models: m}]":                                 "b.yaml:2: providers[0].models: want a list",
		work + "providers: [{name: a, models: [3.5]}]":                             "b.yaml:2: providers[0].models[0]: want a text, in quotes where YAML takes it for something else, got 3.5",
		work + "providers: [{name: }]":                                             "b.yaml:2: providers[0].name: want a text, in quotes where YAML takes it for something else, got nothing",
		work + "providers: [{name: ' '}]":                                          "b.yaml:2: providers[0].name: want a text that is not blank",
		provider("label: \"a\\nb\""):                                               "b.yaml:5: providers[0].label: want a name, of one line",
		provider("model: m"):                                                       "b.yaml:5: providers[0].model: unknown key; there are api_version, base_url",
		provider("api_key: sk-0123456789abcdef"):                                   "b.yaml:5: providers[0].api_key: keys are not for files: write the name of the environment variable that holds it, as in key_env: MY_KEY",
		provider("key_env: sk-0123456789abcdef"):                                   "b.yaml:5: providers[0].key_env: want the name of an environment variable, such as OPENAI_API_KEY",
		provider("headers: [a]"):                                                   "b.yaml:5: providers[0].headers: want names and values",
		provider("headers: {'a b': c}"):                                            `b.yaml:5: providers[0].headers: "a b" is no name of a header`,
		provider("headers: {a: 1}"):                                                "b.yaml:5: providers[0].headers.a: want a text of one line",
		provider("headers: {a: b, a: c}"):                                          "b.yaml:5: providers[0].headers.a: given twice",
		provider("headers: {Authorization: Bearer sk-0123456789abcdef}"):           "b.yaml:5: providers[0].headers.Authorization: it holds a key, and keys are not for files: put it into an environment variable, as in Authorization: ${MY_KEY}",
		provider("temperature: warm"):                                              `b.yaml:5: providers[0].temperature: want a number of 0 or more, got the text "warm"`,
		provider("temperature: -1"):                                                "b.yaml:5: providers[0].temperature: want a number of 0 or more, got -1",
		provider("temperature: .nan"):                                              "b.yaml:5: providers[0].temperature: want a number of 0 or more, got .nan",
		provider("top_k: 1.5"):                                                     "b.yaml:5: providers[0].top_k: want a whole number of at least 1, got 1.5",
		provider("max_tokens: 0"):                                                  "b.yaml:5: providers[0].max_tokens: want a whole number of at least 1, got 0",
		provider("rate_limit: 0"):                                                  "b.yaml:5: providers[0].rate_limit: want a positive number, got 0",
		provider("latency: fast"):                                                  `b.yaml:5: providers[0].latency: want standard or optimized, got "fast"`,
		provider("fields: 1"):                                                      "b.yaml:5: providers[0].fields: want members of the request body",
		provider("fields: {a: .inf}"):                                              "b.yaml:5: providers[0].fields.a: want a number that JSON has, got .inf",
		provider("fields: {a: 2026-01-01}"):                                        "b.yaml:5: providers[0].fields.a: want what JSON has",
		provider("fields: {a: &x 1, b: *x}"):                                       "b.yaml:5: providers[0].fields.b: write it out",
		provider("fields: {1: a}"):                                                 "b.yaml:5: providers[0].fields: want a text",
		provider("base_url: [a]"):                                                  "b.yaml:5: providers[0].base_url: want a text, in quotes where YAML takes it for something else, got a list",

		head + "workload: {}":                          "b.yaml:2: workload.scenarios: there are none: write at least one",
		head + "workload: []":                          "b.yaml:2: workload: want keys and values: scenarios",
		head + "workload: {scenarios: [a]}":            "b.yaml:2: workload.scenarios[0]: want keys and values: arrivals",
		head + "workload: {scenarios: [{prompt: Hi}]}": "b.yaml:2: workload.scenarios[0].name: missing",
		head + "workload: {scenarios: [{name: s}]}":    "b.yaml:2: workload.scenarios[0].prompt: there is nothing to send",
		scenario("prompts: x.jsonl"):                   "b.yaml:6: workload.scenarios[0].prompts: there is a prompt already",
		scenario("iterations: 5"):                      "b.yaml:6: workload.scenarios[0].iterations: unknown key; there are arrivals, cache, concurrency",
		scenario("requests: 0"):                        "b.yaml:6: workload.scenarios[0].requests: want a whole number of at least 1, got 0",
		scenario("requests: '5'"):                      `b.yaml:6: workload.scenarios[0].requests: want a whole number of at least 1, got the text "5"`,
		scenario("requests: 99999999999999999999"):     "b.yaml:6: workload.scenarios[0].requests: want a whole number of at least 1",
		scenario("concurrency: -1"):                    "b.yaml:6: workload.scenarios[0].concurrency: want a whole number of at least 1, got -1",
		scenario("rate: 5\n    concurrency: 5"):        "b.yaml:6: workload.scenarios[0].rate: there is concurrency already: write one or the other",
		scenario("rate: 2e6"):                          "b.yaml:6: workload.scenarios[0].rate: want at most 1e+06 a second, got 2e+06",
		scenario("rate: 5\n    pause: 1s"):             "b.yaml:7: workload.scenarios[0].pause: requests at a rate are made when they are due",
		scenario("arrivals: poisson"):                  "b.yaml:6: workload.scenarios[0].arrivals: needs rate",
		scenario("rate: 5\n    arrivals: often"):       `b.yaml:7: workload.scenarios[0].arrivals: want constant or poisson, got "often"`,
		scenario("ramp: 1,0,3s"):                       `b.yaml:6: workload.scenarios[0].ramp: want two rates, the latter positive, and a time, as in 1,20,30s, got "1,0,3s"`,
		scenario("duration: 30"):                       "b.yaml:6: workload.scenarios[0].duration: want a time with its unit, such as 30s or 10m, got 30",
		scenario("duration: -3s"):                      `b.yaml:6: workload.scenarios[0].duration: want a time with its unit, such as 30s or 10m, got "-3s"`,
		scenario("duration: 3s\n    repetitions: 2"):   "b.yaml:7: workload.scenarios[0].repetitions: needs requests",
		scenario("stream: yes"):                        `b.yaml:6: workload.scenarios[0].stream: want true or false, got the text "yes"`,
		scenario("cache: hot"):                         `b.yaml:6: workload.scenarios[0].cache: want asis or bust or warm, got "hot"`,
		scenario("system: {}"):                         "b.yaml:6: workload.scenarios[0].system: want a text, in quotes where YAML takes it for something else, got keys and values",
		head + "workload: {scenarios: [{name: s, prompt: a}, {name: s, prompt: b}]}": `b.yaml:2: workload.scenarios[1].name: "s" is on line 2 already`,

		execution("retries: 3"):                     "b.yaml:4: execution.retries: unknown key; there are budget, dial_anew, max_concurrency",
		execution("max_concurrency: 0"):             "b.yaml:4: execution.max_concurrency: want a whole number of at least 1, got 0",
		execution("warmup_requests: -1"):            "b.yaml:4: execution.warmup_requests: want a whole number of at least 0, got -1",
		execution("retry: 3"):                       "b.yaml:4: execution.retry: want keys and values: initial_backoff_ms, max_attempts",
		execution("retry: {max_attempts: 0}"):       "b.yaml:4: execution.retry.max_attempts: want a whole number of at least 1, got 0",
		execution("retry: {initial_backoff_ms: 0}"): "b.yaml:4: execution.retry.initial_backoff_ms: ",
		execution("retry: {max_backoff_ms: 5}"):     "b.yaml:4: execution.retry.max_backoff_ms: unknown key",
		execution("order: random"):                  `b.yaml:4: execution.order: want file or shuffled, got "random"`,
		execution("budget: 5"):                      "b.yaml:4: execution.budget: needs execution.prices, a file of what a token costs",
		execution("timeout: 0s"):                    "b.yaml:4: execution.timeout: want a time with its unit",
		execution("seed: -1"):                       "b.yaml:4: execution.seed: want a whole number of at least 1, got -1",
		execution("dial_anew: 1"):                   "b.yaml:4: execution.dial_anew: want true or false, got 1",

		export("format: xml\n    path: a"):                              `b.yaml:5: output.export[0].format: want json or csv or jsonl, got "xml"`,
		export("format: json"):                                          "b.yaml:5: output.export[0].path: missing, as in {format: json, path: results/benchmark_{timestamp}.json}",
		export("path: a.json"):                                          "b.yaml:5: output.export[0].format: missing",
		export("format: json\n    path: a_{model}"):                     "b.yaml:6: output.export[0].path: there is no {model}, only {timestamp}",
		export("format: json\n    path: results/"):                      "b.yaml:6: output.export[0].path: want the name of a file",
		export("format: json\n    file: a"):                             "b.yaml:6: output.export[0].file: unknown key; there are format, path",
		export("{format: json, path: a}\n  - {format: csv, path: ./a}"): "b.yaml:6: output.export[1].path: another export goes to ./a already",
		head + work + "output: {file: a}":                               "b.yaml:3: output.file: unknown key; there are export",
		"# " + strings.Repeat("x", 1<<20):                               "b.yaml: more than 1 MiB",
	} {
		_, err := benchmark.Parse([]byte(content), "b.yaml")
		require.ErrorContains(t, err, want, content[:min(300, len(content))])
		assert.NotContains(t, err.Error(), "0123456789abcdef", "a key in the wrong place is not shown")
	}
	_, err := benchmark.Read("none.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// All that is wrong is told at once.
func TestEveryMistakeIsTold(t *testing.T) {
	t.Parallel()
	_, err := benchmark.Parse([]byte("providers: [{nam: a}]\nworkload: {scenarios: [{name: s, requests: x}]}\noutputs: {}"), "b.yaml")
	require.Error(t, err)
	for _, want := range []string{"b.yaml:1: providers[0].nam: unknown key", "b.yaml:1: providers[0].name: missing", "b.yaml:2: workload.scenarios[0].requests: want", "b.yaml:2: workload.scenarios[0].prompt: there is nothing", "b.yaml:3: outputs: unknown key"} {
		assert.Contains(t, err.Error(), want)
	}
}

// What a file says is no command to a terminal when an error quotes it.
func TestHostileFile(t *testing.T) {
	t.Parallel()
	_, err := benchmark.Parse([]byte("\"a\\e[2J::error::\": 1\nproviders: [{name: x, latency: \"\\e]0;owned\\a\"}]\nworkload: {scenarios: [{name: \"\\e[2J\", prompt: a, cache: \"\\u202e\"}]}"), "b.yaml")
	require.Error(t, err)
	assert.NotRegexp(t, "[\\x00-\\x09\\x0b-\\x1f\\x7f\u0080-\u009f\u202e]|::error", err.Error())
}

// Every key is documented, and the example of the page is a file.
func TestFileIsDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/profile.md")
	require.NoError(t, err)
	_, err = benchmark.Parse([]byte(`unknown: 1
providers: [{unknown: 1}]
workload: {unknown: 1, scenarios: [{unknown: 1}]}
execution: {unknown: 1, retry: {unknown: 1}}
output: {unknown: 1, export: [{unknown: 1}]}
`), "b.yaml")
	require.Error(t, err)
	page := string(data)
	section := func(of string) string {
		_, section, found := strings.Cut(page, "\n## "+of+"\n")
		require.True(t, found, of)
		section, _, _ = strings.Cut(section, "\n## ")
		return section
	}
	levels := 0
	for line := range strings.Lines(err.Error()) {
		path, rest, _ := strings.Cut(line, ": unknown key; there are ")
		if rest == "" {
			continue
		}
		levels++
		top, _, nested := strings.Cut(strings.TrimPrefix(path, path[:strings.LastIndexByte(path, ' ')+1]), ".")
		top, _, _ = strings.Cut(top, "[")
		for key := range strings.SplitSeq(strings.TrimSpace(rest), ", ") {
			if !nested {
				section(key)
				continue
			}
			assert.True(t, strings.Contains(section(top), "\n| `"+key+"` |"), "%s: %s", path, key)
		}
	}
	for _, column := range benchmark.CSVColumns {
		assert.Contains(t, section("CSV"), column)
	}
	_, example, found := strings.Cut(string(data), "```yaml\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	_, err = benchmark.Parse([]byte(example), "docs/profile.md")
	require.NoError(t, err)
}

func TestExportTo(t *testing.T) {
	t.Parallel()
	e, err := benchmark.ExportTo("results/x_{timestamp}.JSON")
	require.NoError(t, err)
	assert.Equal(t, benchmark.Export{Format: "json", Path: "results/x_{timestamp}.JSON"}, e)
	_, err = benchmark.ExportTo("results.xml")
	require.ErrorContains(t, err, `want a file that ends in .json, .csv or .jsonl (samples), got "results.xml"`)
	_, err = benchmark.ExportTo("{model}.json")
	require.ErrorContains(t, err, "there is no {model} in names of files, only {timestamp}")
}
