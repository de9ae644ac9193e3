package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// one is a file with one provider at that URL.
func one(t *testing.T, url, more string) string {
	t.Helper()
	return write(t, "benchmark.yaml", fmt.Sprintf(`providers: [{name: openai, base_url: %q, models: [m, n]}]
workload: {scenarios: [{name: short, prompt: Hi, requests: 4, concurrency: 2}, {name: long, prompt: Hello, requests: 3}]}
`, url)+more)
}

func readDocument(t *testing.T, path string) benchmark.Document {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return decode(t, data)
}

// inDirectory makes an empty directory the working directory, which a process has one
// of: the test cannot be parallel.
func inDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return dir
}

// The README of LLM-Latency-Lens, verbatim: its file and its command lines, with another
// name of the tool.
func TestReadmeOfLatencyLens(t *testing.T) { // not parallel: it changes the working directory
	data, err := os.ReadFile("../../benchmark/testdata/benchmark.yaml")
	require.NoError(t, err)
	dir := inDirectory(t)
	require.NoError(t, os.WriteFile("benchmark.yaml", data, 0o644))
	openai := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8, Gap: fakes.Constant(time.Millisecond)}))
	anthropic := serve(t, fakes.Anthropic(fakes.Script{OutputTokens: 8, Gap: fakes.Constant(time.Millisecond)}))
	at := " --base-url openai=" + openai.URL + "/v1,anthropic=" + anthropic.URL

	h := newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "compare --config benchmark.yaml --output results.json"+at), h.err.String())
	assert.Len(t, openai.all(), 2*(100+20+50+5), "with warm-ups of a wave each")
	assert.Len(t, anthropic.all(), 100+20+50+5)
	assert.Equal(t, "gpt-4-turbo-preview", openai.all()[0].body["model"])
	assert.Equal(t, true, openai.last(t).body["stream"])
	assert.Equal(t, "anthropic-0123456789", anthropic.last(t).header.Get("X-Api-Key"))

	results := readDocument(t, "results.json")
	require.Len(t, results.Runs, 6)
	assert.Empty(t, results.Error)
	assert.Len(t, results.Comparisons, 2*2*4)
	exports, err := filepath.Glob("results/benchmark_*")
	require.NoError(t, err)
	require.Len(t, exports, 2)
	assert.Regexp(t, `^results/benchmark_\d{8}T\d{6}Z\.csv$`, filepath.ToSlash(exports[0]))
	assert.Equal(t, strings.TrimSuffix(exports[0], "csv"), strings.TrimSuffix(exports[1], "json"))
	assert.Equal(t, results, readDocument(t, exports[1]))

	out := h.out.String()
	assert.Contains(t, out, "latgate - Benchmark Results\n===========================\n\nProvider: openai | Model: gpt-4-turbo-preview | Scenario: short_prompt_high_concurrency\nDuration: ")
	assert.Contains(t, out, " | Requests: 100 | Concurrency: 20 | Warm-up: 20\n\n┌──────────────────────┬──────────┬──────────┬──────────┬──────────┬──────────┐\n"+
		"│ Metric               │ Min      │ Mean     │ Median   │ p95      │ p99      │\n├──────────────────────┼")
	assert.Equal(t, 6, strings.Count(out, "│ Inter-token (ms)     │ "))
	assert.Contains(t, out, "Success Rate: 100.0% (100/100)\n")
	assert.Contains(t, out, "Comparison with openai gpt-4-turbo-preview: short_prompt_high_concurrency\n")
	assert.Contains(t, out, "long_prompt_streaming: anthropic claude-3-opus-20240229: P90 otps (otps_p10) ")
	assert.True(t, strings.HasSuffix(out, "\nresults: results.json\n"), out)
	for _, name := range append(exports, "results.json") {
		stored, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotContains(t, string(stored), "0123456789", name)
	}

	for _, line := range []string{
		`profile --provider openai --model gpt-4 --iterations 100 --base-url ` + openai.URL,
		`profile --provider anthropic --model claude-3-opus-20240229 --stream --iterations 50 --concurrency 10 --base-url ` + anthropic.URL,
	} {
		h := newHarness(keys)
		require.Equal(t, exitOK, h.call(t, line, "--prompt", "Explain quantum computing in simple terms"), h.err.String())
		assert.Regexp(t, `all: (100/100|50/50) ok`, h.out.String())
	}
	h = newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "profile --config benchmark.yaml --output samples.jsonl --quiet"+at), h.err.String())
	assert.Empty(t, h.err.String())
	assert.NotContains(t, h.out.String(), "Comparison")
	assert.FileExists(t, filepath.Join(dir, "samples.2-openai-gpt-4-turbo-preview-long_prompt_streaming.jsonl"))
	again := newHarness(nil)
	again.call(t, "compare samples.1-openai-gpt-4-turbo-preview-short_prompt_high_concurrency.jsonl samples.1-openai-gpt-4-turbo-preview-short_prompt_high_concurrency.jsonl")
	assert.Contains(t, again.out.String(), "short_prompt_high_concurrency/all: P50 ttft")
}

// The example of the page runs as it stands, but for the address.
func TestDocumentedExample(t *testing.T) { // not parallel: it changes the working directory
	data, err := os.ReadFile("../../docs/profile.md")
	require.NoError(t, err)
	_, example, found := strings.Cut(string(data), "```yaml\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	inDirectory(t)
	server := serve(t, quick())
	require.Contains(t, example, "http://127.0.0.1:8080")
	require.NoError(t, os.WriteFile("benchmark.yaml", []byte(strings.ReplaceAll(example, "http://127.0.0.1:8080", server.URL)), 0o644))
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "profile --config benchmark.yaml"), h.err.String())
	assert.Equal(t, "run 1 of 4: openai fast, short\nrun 2 of 4: openai fast, whole_replies\nrun 3 of 4: openai large, short\nrun 4 of 4: openai large, whole_replies\n", h.err.String())
	last := server.last(t).body
	assert.Equal(t, []any{"large", 0.}, []any{last["model"], last["temperature"]})
	assert.NotEqual(t, true, last["stream"])
	assert.Contains(t, fmt.Sprint(last["messages"]), "Be brief.")
	exports, err := filepath.Glob("results/benchmark_*")
	require.NoError(t, err)
	assert.Len(t, exports, 2)
}

// What a file says of a provider reaches the request as flags do.
func TestProviderSettings(t *testing.T) {
	t.Parallel()
	server := serve(t, fakes.Anthropic(fakes.Script{OutputTokens: 8, Reasoning: 2}))
	file := write(t, "b.yaml", fmt.Sprintf(`providers:
  - name: anthropic
    label: thinking
    base_url: %s
    models: [claude]
    key_env: GROQ_API_KEY
    headers: {X-Team: "Team ${TEAM_TOKEN}"}
    thinking_budget: 1024
    max_tokens: 1500
    top_p: 0.9
    fields: {metadata: {user_id: u}, max_tokens: 1600, top_k: null}
    top_k: 5
workload: {scenarios: [{name: s, prompt: Hi, requests: 1}]}
`, server.URL))
	h := newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "profile --quiet --format json --config "+file), h.err.String())
	got := server.last(t)
	assert.Equal(t, []any{map[string]any{"type": "enabled", "budget_tokens": 1024.}, map[string]any{"user_id": "u"}, 1600., .9, "claude"},
		[]any{got.body["thinking"], got.body["metadata"], got.body["max_tokens"], got.body["top_p"], got.body["model"]})
	assert.NotContains(t, got.body, "top_k")
	assert.Equal(t, []string{"groq-0123456789", "Team team-0123456789"}, []string{got.header.Get("X-Api-Key"), got.header.Get("X-Team")})
	d := decode(t, h.out.Bytes())
	assert.Equal(t, benchmark.Combination{Provider: "thinking", Model: "claude", Scenario: "s"}, *d.Runs[0].Combination)
	assert.NotContains(t, h.out.String(), "0123456789")

	// The identity is that of the same flags: samples of either can be compared.
	flags := newHarness(keys)
	require.Equal(t, exitOK, flags.call(t, "profile --quiet --format json -n 1 --provider anthropic --model claude --prompt Hi --thinking-budget 1024 --max-tokens 1500 --top-p 0.9 --top-k 5 --key-env GROQ_API_KEY --field metadata={\"user_id\":\"u\"} --field max_tokens=1600 --field top_k=null --base-url "+server.URL,
		"--header", "X-Team=Team ${TEAM_TOKEN}"), flags.err.String())
	identity := d.Runs[0].Scenarios[0].Identity
	assert.Equal(t, "s", identity["plan"])
	delete(identity, "plan")
	assert.Equal(t, decode(t, flags.out.Bytes()).Runs[0].Scenarios[0].Identity, identity)
}

// Each provider can be in a file.
func TestProvidersOfAFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings string
		fake     func(fakes.Script) http.Handler
	}{
		{"name: azure, models: [m], base_url: URL, api_version: 2025-01-01", fakes.OpenAI},
		{"name: openai-responses, models: [m], base_url: URL/v1", fakes.OpenAI},
		{"name: gemini, models: [m], base_url: URL/v1beta", fakes.Gemini},
		{"name: vertex, models: [m], base_url: URL/v1, region: europe-west1, project: p", fakes.Gemini},
		{"name: cohere, models: [m], base_url: URL", fakes.Cohere},
		{"name: ollama, models: [m], base_url: URL", fakes.Ollama},
		{"name: tgi, base_url: URL", fakes.TGI},
		{`name: bedrock, models: ["us.amazon.nova-lite-v1:0"], base_url: URL, region: us-east-2, latency: optimized`, fakes.Bedrock},
		{`name: bedrock-invoke, models: ["us.amazon.nova-lite-v1:0"], base_url: URL, region: us-east-2, family: nova`, fakes.Bedrock},
		{"name: sagemaker, models: [m], base_url: URL, region: us-east-2", sageMaker},
		{"name: custom, models: [m], endpoint: acme.yaml", chatAnywhere},
		{"name: custom, endpoint: acme.yaml", chatAnywhere},
	} {
		t.Run(c.settings, func(t *testing.T) {
			t.Parallel()
			server := serve(t, c.fake(fakes.Script{OutputTokens: 8}))
			file := write(t, "b.yaml", "providers: [{"+strings.ReplaceAll(c.settings, "URL", server.URL)+"}]\nworkload: {scenarios: [{name: s, prompt: Hi, requests: 2}]}")
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), "acme.yaml"), fmt.Appendf(nil, customFile, server.URL), 0o644))
			h := newHarness(keys)
			require.Equal(t, exitOK, h.call(t, "profile --quiet --config "+file), h.err.String())
			assert.Contains(t, h.out.String(), "Success Rate: 100.0% (2/2)\n")
			got := server.last(t)
			switch {
			case strings.Contains(c.settings, "azure"):
				assert.Equal(t, "api-version=2025-01-01", got.query)
			case strings.Contains(c.settings, "optimized"):
				assert.Equal(t, map[string]any{"latency": "optimized"}, got.body["performanceConfig"])
			case strings.Contains(c.settings, "custom, models"):
				assert.Equal(t, "m", got.body["model"])
			case strings.Contains(c.settings, "custom"):
				assert.Equal(t, "acme-large", got.body["model"])
			}
		})
	}
}

// What keeps a file from being measured is said before anything is sent, in its words.
func TestBenchmarkUsage(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	file := one(t, server.URL, "")
	short := regexp.QuoteMeta(file)
	provider := func(settings string) string {
		return write(t, "b.yaml", "providers: [{"+settings+"}]\nworkload: {scenarios: [{name: s, prompt: Hi, requests: 1}]}")
	}
	for _, c := range []struct{ line, want string }{
		{"profile --config none.yaml", "open none.yaml: no such file or directory"},
		{"compare --config none.yaml", "open none.yaml: no such file or directory"},
		{"profile --config " + write(t, "b.yaml", "provider: 1"), `b\.yaml:1: provider: unknown key; there are execution, output, providers, workload`},
		{"profile --model x --config " + file, "--model contradicts providers\\[\\]\\.models of " + short + ": change it there, or leave --config out"},
		{"profile --iterations 5 --config " + file, "--requests contradicts workload\\.scenarios\\[\\]\\.requests of " + short},
		{"profile -c 5 --config " + file, "--concurrency contradicts workload\\.scenarios\\[\\]\\.concurrency of "},
		{"profile --unary --config " + file, "--unary contradicts workload\\.scenarios\\[\\]\\.stream of "},
		{"profile --retries 1 --config " + file, "--retries contradicts execution\\.retry\\.max_attempts of "},
		{"profile --warmup 1 --config " + file, "--warmup contradicts execution\\.warmup_requests of "},
		{"profile --header a=b --config " + file, "--header contradicts providers\\[\\]\\.headers of "},
		{"profile --sweep 1,2 --config " + file, "--sweep and --config: a benchmark file such as " + short + " has no such setting: leave one of them out"},
		{"profile --low-memory --config " + file, "--low-memory and --config: "},
		{"profile --format xml --config " + file, `--format: want table or json, got "xml"`},
		{"compare --format xml --config " + file, `--format: want table or json, got "xml"`},
		{"profile --live speed --config " + file, `--live: there is no metric "speed"`},
		{"compare --live speed --config " + file, `--live: there is no metric "speed"`},
		{"compare --alpha 2 --config " + file, "--alpha: want a percentage"},
		{"compare a b --config " + file, "--config and BASE HEAD: compare what " + short + " measures, or what is stored, not both"},
		{"compare a b --output r.json", "--output: needs --config, of what is to be measured"},
		{"profile --output r.xml --config " + file, `--output: want a file that ends in \.json, \.csv or \.jsonl \(samples\), got "r\.xml"`},
		{"compare --output /dev/null/r.json --config " + file, "the results cannot be written: mkdir /dev/null: not a directory"},
		{"profile --base-url http://127.0.0.1:1 --config " + file, "--base-url: with --config, want PROVIDER=URL, as in openai=http://127\\.0\\.0\\.1:8080/v1"},
		{"profile --base-url acme=http://127.0.0.1:1 --config " + file, `--base-url: ` + short + ` has no provider "acme", it has openai`},
		{"profile --base-url openai=http://127.0.0.1:1 --config " + file, "--base-url contradicts providers\\[0\\]\\.base_url of " + short + ": change it there, or leave --base-url out"},
		{"profile --config " + provider("name: acme, models: [m]"), `b\.yaml:1: acme: name: there is no "acme": want openai, `},
		{"profile --config " + provider("name: openai, models: [m]"), `b\.yaml:1: openai: the environment variable OPENAI_API_KEY is not set: provider openai takes its key from there, or from the one that key_env names`},
		{"profile --config " + provider("name: ollama"), `b\.yaml:1: ollama: models: say which, as in models: \[llama3\.2\]`},
		{"profile --config " + provider("name: ollama, models: [m], region: r"), `b\.yaml:1: ollama: region: provider ollama takes none, only vertex, `},
		{"profile --config " + provider("name: tgi, models: [m], base_url: http://127.0.0.1:1"), `b\.yaml:1: tgi: models: provider tgi takes none`},
		{"profile --config " + provider("name: ollama, models: [m], base_url: localhost"), `b\.yaml:1: ollama: base_url: want http:// or https://, a host, and a path at most`},
		{"profile --config " + provider("name: ollama, models: [m], headers: {a: '${NONE}'}"), `b\.yaml:1: ollama: headers: A: the environment variable NONE is not set`},
		{"profile --config " + provider("name: custom"), `b\.yaml:1: custom: endpoint: provider custom needs a file that describes it`},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Regexp(t, "^latgate: .*"+c.want, h.err.String(), c.line)
		assert.Empty(t, h.out.String(), c.line)
	}
	h := newHarness(map[string]string{"LATGATE_REQUESTS": "5"})
	assert.Equal(t, exitUsage, h.call(t, "profile --config "+file))
	assert.Equal(t, "latgate: LATGATE_REQUESTS=5 would go before the requests of "+file+": unset it\n", h.err.String())
	assert.Empty(t, server.all())
}

// Every flag of profile goes with a file, has a key in it, or is named here.
func TestFlagsAndKeys(t *testing.T) {
	t.Parallel()
	_, err := benchmark.Parse([]byte("providers: [{unknown: 1}]\nworkload: {scenarios: [{unknown: 1}]}\nexecution: {unknown: 1, retry: {unknown: 1}}"), "b.yaml")
	require.Error(t, err)
	var without []string
	cmd := newHarness(nil).profileCommand()
	for _, name := range regexp.MustCompile(`--([a-z][a-z-]+) `).FindAllStringSubmatch(cmd.Flags().FlagUsages()+" --stream ", -1) {
		key := keyOf(name[1])
		switch {
		case key != "":
			last := key[strings.LastIndexByte(key, '.')+1:]
			assert.Regexp(t, `\b`+last+`\b`, err.Error(), name[1])
		case !slices.Contains(besideConfig, name[1]):
			without = append(without, name[1])
		}
	}
	assert.Subset(t, []string{"sweep", "max-tokens-total", "low-memory", "help"}, without)
	assert.Contains(t, without, "sweep")
}

// What ends a benchmark decides what the command exits with; what was measured is there.
func TestBenchmarkOutcomes(t *testing.T) {
	t.Parallel()
	down := serve(t, http.NotFoundHandler())
	up := serve(t, quick())
	file := write(t, "b.yaml", fmt.Sprintf(`providers: [{name: openai, label: up, base_url: %q, models: [m]}, {name: openai, label: down, base_url: %q, models: [m]}]
workload: {scenarios: [{name: s, prompt: Hi, requests: 40}]}
`, up.URL, down.URL))
	dir := t.TempDir()
	for _, command := range []string{"profile", "compare"} {
		h := newHarness(nil)
		require.Equal(t, exitEndpoint, h.call(t, command+" --quiet --config "+file+" --output "+dir+"/"+command+".json"), h.out.String())
		assert.Contains(t, h.err.String(), "latgate: 1 of 2 runs were not measured:\n  down m, s: failed: all 1 warm-up requests failed, nothing was measured: http_4xx")
		assert.Contains(t, h.out.String(), "Success Rate: 100.0% (40/40)\n")
		d := readDocument(t, dir+"/"+command+".json")
		assert.Contains(t, d.Error, "down m, s: failed")
		assert.Len(t, d.Runs, 2)
		if command == "compare" {
			require.NotEmpty(t, d.Comparisons)
			assert.Equal(t, baseline.Infrastructure, d.Comparisons[0].Verdict)
		}
	}
	faulty := serve(t, fakes.OpenAI(fakes.Script{Faults: []fakes.Fault{{On: fakes.Every(4), Effect: fakes.Refuse{}}}}))
	file = write(t, "b.yaml", fmt.Sprintf(`providers: [{name: openai, label: up, base_url: %q, models: [m]}, {name: openai, label: faulty, base_url: %q, models: [m]}]
workload: {scenarios: [{name: s, prompt: Hi, requests: 40}]}
`, up.URL, faulty.URL))
	h := newHarness(nil)
	assert.Equal(t, exitOK, h.call(t, "profile --quiet --config "+file), "a run with failures is one")
	h = newHarness(nil)
	assert.Equal(t, exitEndpoint, h.call(t, "compare --quiet --metric ttft --config "+file), "but says nothing of its times")
	assert.Contains(t, h.err.String(), "latgate: 2 of 2 comparisons could not be made, such as s: faulty m: P90 ttft: infrastructure: faulty m: 10 of 40 requests failed")

	h = newHarness(nil)
	h.stdout = full{}
	assert.Equal(t, exitInternal, h.call(t, "profile --quiet --config "+one(t, up.URL, "")))
	assert.Equal(t, "latgate: no space left on device\n", h.err.String())
}

// Endpoints that differ are no failure.
func TestSlowerEndpoint(t *testing.T) {
	t.Parallel()
	fast := serve(t, quick())
	slow := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8, TTFT: fakes.Constant(60 * time.Millisecond)}))
	file := write(t, "b.yaml", fmt.Sprintf(`providers: [{name: openai, label: fast, base_url: %q, models: [m]}, {name: openai, label: slow, base_url: %q, models: [m]}]
workload: {scenarios: [{name: s, prompt: Hi, requests: 40, concurrency: 4}]}
`, fast.URL, slow.URL))
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "compare --quiet --metric ttft --quantile p50 --format json --config "+file), h.err.String())
	d := decode(t, h.out.Bytes())
	require.Len(t, d.Comparisons, 1)
	assert.Equal(t, baseline.Regression, d.Comparisons[0].Verdict)
	assert.Greater(t, *d.Comparisons[0].Low, 1.)
}

// An interrupt keeps what was measured.
func TestInterruptOfABenchmark(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	server := serve(t, interrupting(h, 11, fakes.OpenAI(fakes.Script{OutputTokens: 8, TTFT: fakes.Constant(20 * time.Millisecond)})))
	dir := t.TempDir()
	require.Equal(t, exitInterrupted, h.call(t, "compare --config "+one(t, server.URL, "")+" --output "+dir+"/r.csv"), h.err.String())
	assert.Contains(t, h.err.String(), "latgate: interrupted: requests under way have 10 s to end; once more ends them at once\n")
	assert.Contains(t, h.err.String(), "latgate: 2 of 4 runs were not measured:\n  openai n, short: interrupted: ")
	assert.Contains(t, h.err.String(), "  openai n, long: interrupted: interrupted\n")
	assert.Equal(t, 2, strings.Count(h.out.String(), "Success Rate: 100.0% (4/4)")+strings.Count(h.out.String(), "Success Rate: 100.0% (3/3)"))
	data, err := os.ReadFile(dir + "/r.csv")
	require.NoError(t, err)
	assert.Contains(t, string(data), ",openai,m,long,measured,")
	assert.Contains(t, string(data), ",openai,n,long,interrupted,interrupted,")
}

// A key that an endpoint repeats, whatever it looks like, gets it nowhere.
func TestBenchmarkSecrets(t *testing.T) {
	t.Parallel()
	const key = "6f1d8bb7c3ab4a8d9c11aa55d0f1e2b3"
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(500, `{"error":{"message":"sent `+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`","code":"`+key+`"}}`).ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	file := one(t, server.URL, "output: {export: [{format: json, path: "+dir+"/r.json}, {format: jsonl, path: "+dir+"/r.jsonl}]}\n")
	h := newHarness(map[string]string{"OPENAI_API_KEY": key})
	require.Equal(t, exitEndpoint, h.call(t, "compare --output "+dir+"/r.csv --config "+file))
	assert.Equal(t, "Bearer "+key, server.last(t).header.Get("Authorization"))
	said := h.out.String() + h.err.String()
	names, err := filepath.Glob(dir + "/*")
	require.NoError(t, err)
	assert.Len(t, names, 6, "results twice, samples of four runs")
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		said += string(data)
	}
	assert.Contains(t, said, "sent ***")
	assert.NotContains(t, said, key)
}

// What is printed on demand is printed of each run.
func TestBenchmarkDetails(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "profile --quiet --percentiles --heat-map ttft --config "+one(t, server.URL, "")), h.err.String())
	assert.Equal(t, 4, strings.Count(h.out.String(), " P99.9 "))
	assert.Contains(t, h.out.String(), "\nopenai n, long:\n\nclosed(1), all:\n")
}

// A view of several runs says which it is of.
func TestLiveViewOfRuns(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	v := &view{out: &h.err, size: terminalOf(90, 40)}
	v.begin("run 1 of 2: openai m, s\x1b[2J")
	v.show(course[1])
	v.show(latencytest.Progress{Last: true})
	v.begin("run 2 of 2: openai n, s")
	assert.Equal(t, "\r\x1b[Jrun 1 of 2: openai m, s [2J\nwarming up\n"+
		"\x1b[2A\r\x1b[Jrun 1 of 2: openai m, s [2J\n[========>                     ] 120/400 requests, 34s, about 1m20s left\n212 requests/min, 42.1 tok/s, $0.0123\n  ttft P50 402 ms P90 633 ms, otps P50 48.2 tok/s P90 31 tok/s\n  failed: throttled 2, timeout 1\n"+
		"\x1b[5A\r\x1b[J"+"\r\x1b[Jrun 2 of 2: openai n, s\nwarming up\n", h.err.String())
	h.err.Reset()
	(&view{out: &h.err, size: h.terminal, quiet: true}).begin("run 1 of 1")
	assert.Empty(t, h.err.String())
}
