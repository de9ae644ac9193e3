package main

import (
	"bytes"
	"encoding/json"
	"errors"
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

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

const chat = "profile --quiet --provider openai --prompt Hi --base-url "

func quick() http.Handler { return fakes.OpenAI(fakes.Script{OutputTokens: 8}) }

// Several models are scenarios that take turns in one run.
func TestModelsTakeTurns(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model fast --model large -n 5 --seed 7"), h.err.String())
	assert.Contains(t, h.out.String(), "10 requests after 2 of warm-up, closed(1), seed 7")
	assert.Contains(t, h.out.String(), "\nfast: 5/5 ok, model fast\n")
	assert.Contains(t, h.out.String(), "\nlarge: 5/5 ok, model large\n")
	var models []string
	for _, r := range server.all() {
		models = append(models, r.body["model"].(string))
	}
	assert.Equal(t, slices.Repeat([]string{"fast", "large"}, 6), models)

	bedrock := serve(t, fakes.Bedrock(fakes.Script{OutputTokens: 4}))
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "profile --quiet --provider bedrock --region us-east-2 --model a --model b --latency standard --latency optimized --prompt Hi -n 1 --base-url "+bedrock.URL), h.err.String())
	for _, scenario := range []string{"a,standard", "a,optimized", "b,standard", "b,optimized"} {
		assert.Contains(t, h.out.String(), "\n"+scenario+": 1/1 ok")
	}
}

// A prompt file goes before flags, line by line.
func TestPromptFile(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	h := newHarness(nil)
	h.in.WriteString(`{"text_prompt": "one", "expected_output_tokens": 5, "system": "Mine."}
{"text_prompt": "two", "model_id": "other"}`)
	require.Equal(t, exitOK, h.call(t, "profile --quiet --provider openai --prompts - --model m -n 1 --system Yours. --max-tokens 7 --base-url "+server.URL), h.err.String())
	got := map[string]map[string]any{}
	for _, r := range server.all() {
		got[r.body["model"].(string)] = r.body
	}
	assert.Equal(t, 5., got["m"]["max_tokens"])
	assert.Equal(t, 7., got["other"]["max_tokens"])
	assert.Equal(t, []any{map[string]any{"role": "system", "content": "Mine."}, map[string]any{"role": "user", "content": "one"}}, got["m"]["messages"])
	assert.Equal(t, []any{map[string]any{"role": "system", "content": "Yours."}, map[string]any{"role": "user", "content": "two"}}, got["other"]["messages"])
}

// Every flag of the plan arrives in it; the rest of what they do is the library's.
func TestPlanFlags(t *testing.T) {
	t.Parallel()
	prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}}`)
	for _, c := range []struct {
		flags string
		check func(*testing.T, latencytest.Plan)
	}{
		{"", func(t *testing.T, p latencytest.Plan) {
			assert.Equal(t, latencytest.Closed(1), p.Load)
			assert.Equal(t, 100, p.Requests)
			assert.Empty(t, p.SampleFile)
			assert.Equal(t, []latencytest.Metric{latencytest.TTFT, latencytest.TTLT}, p.Live)
		}},
		{"-n 7 -c 3 --warmup 5 --pause 20ms --retries 2 --timeout 9s --dial-anew --low-memory --seed 11 --cache bust --repetitions 2", func(t *testing.T, p latencytest.Plan) {
			assert.Equal(t, latencytest.Closed(3), p.Load)
			assert.Equal(t, []any{7, 5, 20 * time.Millisecond, 2, 9 * time.Second, true, true, uint64(11), latencytest.BustCache, 2},
				[]any{p.Requests, p.Warmup, p.Pause, p.Retries, p.Timeout, p.DialAnew, p.LowMemory, p.Seed, p.Cache, p.Repetitions})
		}},
		{"--duration 3s --max-tokens-total 99 --budget 2.5 --rate-limit 4 --prices " + prices, func(t *testing.T, p latencytest.Plan) {
			assert.Equal(t, []any{0, 3 * time.Second, int64(99), 2.5, 4.}, []any{p.Requests, p.Duration, p.MaxTokens, p.Budget, p.RateLimit})
			assert.Len(t, p.Prices, 1)
		}},
		{"--duration 3s -n 5", func(t *testing.T, p latencytest.Plan) { assert.Equal(t, 5, p.Requests) }},
		{"--rate 5", func(t *testing.T, p latencytest.Plan) { assert.Equal(t, latencytest.Open(5), p.Load) }},
		{"--rate 5 --arrivals poisson", func(t *testing.T, p latencytest.Plan) { assert.Equal(t, latencytest.Poisson(5), p.Load) }},
		{"--ramp 1,20,30s", func(t *testing.T, p latencytest.Plan) {
			assert.Equal(t, latencytest.Ramp(1, 20, 30*time.Second), p.Load)
		}},
		{"--live otps,stall", func(t *testing.T, p latencytest.Plan) {
			assert.Equal(t, []latencytest.Metric{latencytest.OTPS, latencytest.Stall}, p.Live)
		}},
		{"--output run-{timestamp}.jsonl", func(t *testing.T, p latencytest.Plan) {
			assert.Regexp(t, `^run-\d{8}T\d{6}Z\.jsonl$`, p.SampleFile)
		}},
	} {
		t.Run(c.flags, func(t *testing.T) {
			t.Parallel()
			c.check(t, prepare(t, newHarness(nil), strings.Fields("--provider ollama --model m --prompt Hi "+c.flags)).plan)
		})
	}
}

// prepare reads the flags of a profile that is not made.
func prepare(t *testing.T, h *harness, args []string) *prepared {
	t.Helper()
	f := new(profileFlags)
	cmd := h.profileCommand()
	cmd.ResetFlags()
	f.register(cmd)
	require.NoError(t, cmd.ParseFlags(args))
	require.NoError(t, cmd.ValidateFlagGroups())
	got, err := h.prepare(t.Context(), f)
	require.NoError(t, err)
	return got
}

// What is printed is the library's table, of the same numbers as those stored.
func TestTable(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	file := filepath.Join(t.TempDir(), "run.samples.jsonl")
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 20 -c 2 --percentiles --output "+file), h.err.String())
	res, err := latencytest.Load(file)
	require.NoError(t, err)
	table, rest, found := strings.Cut(h.out.String(), "\n\n")
	require.True(t, found)
	assert.Equal(t, res.String(), table)
	assert.Regexp(t, `^closed\(2\), all:\n +metric +n +min +mean +std +P50 +P90 +P95 +P99 +P99.9 +max\n +ttft +20 `, rest)
	assert.NotContains(t, rest, "ttft_sched", "in a closed load it is the ttft")
	assert.True(t, strings.HasSuffix(rest, "\nsamples: "+file+"\n"), rest)

	s := res.Scenarios[0]
	u := s.Summary(latencytest.OutputTokens)
	assert.Equal(t, []float64{20, 8, 0}, []float64{float64(u.N), u.Mean, u.SD})
	assert.Regexp(t, `\n +output_tokens +20 +8 +8 +0 +8 `, rest)
}

// A run in low memory has an HDR histogram.
func TestLowMemory(t *testing.T) {
	t.Parallel()
	server := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8, Gap: fakes.Constant(time.Millisecond)}))
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 5 --low-memory --percentiles"), h.err.String())
	assert.Contains(t, h.out.String(), "quantiles of an HDR histogram")
	assert.Regexp(t, `output_tokens +5 +8 +8 +0 +8`, h.out.String())
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 5 --low-memory --format json"), h.err.String())
	otps := decode(t, h.out.Bytes()).Runs[0].Scenarios[0].Values["otps"]
	assert.Equal(t, true, otps["hdr"])
	assert.EqualValues(t, 5, otps["n"])
	assert.Less(t, otps["min"], otps["max"])
	assert.LessOrEqual(t, otps["p50"], otps["p90"], "percentiles, whichever direction is better")
}

func decode(t *testing.T, data []byte) benchmark.Document {
	t.Helper()
	var d benchmark.Document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&d), string(data))
	assert.False(t, decoder.More(), "nothing but the document")
	return d
}

func TestJSON(t *testing.T) {
	t.Parallel()
	server := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8, Faults: []fakes.Fault{{On: fakes.Every(4), Effect: fakes.Refuse{}}}}))
	file := filepath.Join(t.TempDir(), "run.samples.jsonl")
	prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}}`)
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 11 --warmup 2 --format json --prices "+prices+" --output "+file), h.err.String())
	assert.Empty(t, h.err.String())
	d := decode(t, h.out.Bytes())
	assert.Equal(t, "latgate.profile/1", d.Schema)
	assert.Equal(t, latencytest.MetricsVersion, d.Metrics)
	require.Len(t, d.Runs, 1)
	run := d.Runs[0]
	assert.Equal(t, []any{11, 2, "closed(1)", uint64(1), file}, []any{run.Requests, run.Warmup, run.Load, run.Seed, run.Samples})
	require.Len(t, run.Scenarios, 1)
	s := run.Scenarios[0]
	assert.Equal(t, "m", s.Identity["model"])
	assert.Equal(t, 11, s.Attempts)
	assert.Equal(t, 8, s.Ends["ok"])
	assert.Equal(t, 3, s.Ends["throttled"])
	require.NotNil(t, s.Cost)
	assert.InDelta(t, 8*.017, s.Cost.Dollars, 1e-9)
	assert.Zero(t, s.Cost.Unknown)
	assert.Positive(t, *s.Completed)
	ttft := s.Values["ttft"]
	assert.Equal(t, 8., ttft["n"])
	assert.Equal(t, "ns", ttft["unit"])
	assert.Equal(t, false, ttft["higher_is_better"])
	for _, name := range []string{"min", "mean", "std", "p50", "p90", "p95", "p99", "p99.9", "max"} {
		assert.IsType(t, 0., ttft[name], name)
	}

	// The stored file gives the same document.
	again := newHarness(nil)
	require.Equal(t, exitOK, again.call(t, "show --format json "+file), again.err.String())
	assert.Equal(t, d, decode(t, again.out.Bytes()))
}

func TestSweep(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	dir := t.TempDir()
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 8 --sweep 1,2 --percentiles --output "+dir+"/s.samples.jsonl"), h.err.String())
	assert.Regexp(t, `(?s)^ +clients +requests/min .*\n +1 .*\n +2 .*saturated with \d clients.*\nclosed\(1\), all:.*\nclosed\(2\), all:`, h.out.String())
	assert.True(t, strings.HasSuffix(h.out.String(), "samples: "+dir+"/s.1-clients.samples.jsonl\nsamples: "+dir+"/s.2-clients.samples.jsonl\n"))
	assert.FileExists(t, dir+"/s.2-clients.samples.jsonl")
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+server.URL+" --model m -n 2 --sweep 1,2 --format json"), h.err.String())
	assert.Len(t, decode(t, h.out.Bytes()).Runs, 2)
}

// What ends a run decides what the command exits with; the table is printed in any case.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	prices := write(t, "prices.json", `{"other": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}}`)
	unauthorized := refuse(401, `{"error":{"message":"Incorrect API key provided: wrong","code":"invalid_api_key"}}`)
	for _, c := range []struct {
		name, flags string
		handler     http.Handler
		code        int
		err, out    string
	}{
		{"some fail", "-n 20", fakes.OpenAI(fakes.Script{Faults: []fakes.Fault{{On: fakes.Every(5), Effect: fakes.Refuse{}}}}), exitOK, "", "all: 16/20 ok, throttled 4"},
		{"a storm", "-n 100", fakes.OpenAI(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Refuse{}}}}), exitEndpoint, "19 of the last 20 requests failed|20 of the last 20 requests failed", "all: 0/"},
		{"refused warm-up", "-n 5", unauthorized, exitEndpoint, "latgate: all 1 warm-up requests failed, nothing was measured: http_4xx: invalid_api_key: Incorrect API key provided: wrong\n", "0 requests after 1 of warm-up"},
		{"each fails", "-n 3", refuse(500, `{"error":{"message":"oops"}}`), exitEndpoint, "latgate: none of 3 requests ended well, the last one as http_5xx: oops\n", "all: 0/3 ok, http_5xx 3"},
		{"each fails, in low memory", "-n 3 --low-memory", refuse(500, `{"error":{"message":"oops"}}`), exitEndpoint, "latgate: none of 3 requests ended well, the last one as http_5xx: oops\n", "all: 0/3 ok, http_5xx 3"},
		{"no price", "-n 3 --budget 5 --prices " + prices, quick(), exitUsage, "latgate: nothing was measured: the budget cannot be kept: the price file has no price for m\n", "0 requests"},
		{"a duration", "--duration 50ms", quick(), exitOK, "", "no further requests: the duration of 50ms has passed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, c.handler)
			h := newHarness(nil)
			assert.Equal(t, c.code, h.call(t, chat+server.URL+" --model m "+c.flags), h.err.String())
			assert.Contains(t, h.out.String(), c.out)
			if c.err == "" {
				assert.Empty(t, h.err.String())
			} else {
				assert.Regexp(t, strings.NewReplacer("(", `\(`).Replace(c.err), h.err.String())
			}
			if c.code == exitEndpoint {
				h := newHarness(nil)
				assert.Equal(t, c.code, h.call(t, chat+server.URL+" --model m --format json "+c.flags))
				assert.Equal(t, h.err.String(), "latgate: "+decode(t, h.out.Bytes()).Error+"\n")
			}
		})
	}
	h := newHarness(nil)
	assert.Equal(t, exitEndpoint, h.call(t, chat+"http://127.0.0.1:1 --model m"))
	assert.Contains(t, h.err.String(), "all 1 warm-up requests failed, nothing was measured: connect: ")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	server := serve(t, quick())
	for _, line := range []string{chat + server.URL + " --model m -n 1", chat + server.URL + " --model m -n 1 --format json", "version"} {
		h := newHarness(nil)
		h.stdout = full{}
		assert.Equal(t, exitInternal, h.call(t, line), line)
		assert.Equal(t, "latgate: no space left on device\n", h.err.String())
	}
}

// An endpoint that repeats a key, whatever it looks like, gets it nowhere.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	const key, team = "6f1d8bb7c3ab4a8d9c11aa55d0f1e2b3", "plain-words-of-a-team"
	for _, status := range []int{401, 500} {
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			echo := "you sent " + r.Header.Get("Authorization") + " and " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + " and " + r.Header.Get("X-Team")
			refuse(status, `{"error":{"message":"`+echo+`","code":"`+key+`"}}`).ServeHTTP(w, r)
		}))
		file := filepath.Join(t.TempDir(), "run.samples.jsonl")
		for _, format := range []string{"table", "json"} {
			h := newHarness(map[string]string{"OPENAI_API_KEY": key + "\n", "TEAM": team})
			code := h.call(t, chat+server.URL+" --model m -n 3 --percentiles --header X-Team=${TEAM} --format "+format+" --output "+file)
			assert.Equal(t, exitEndpoint, code)
			assert.Equal(t, "Bearer "+key, server.last(t).header.Get("Authorization"))
			printed := h.out.String() + h.err.String()
			for _, name := range partialOrWhole(t, file) {
				data, err := os.ReadFile(name)
				require.NoError(t, err)
				assert.Contains(t, string(data), "you sent Bearer ***")
				printed += string(data)
			}
			assert.NotContains(t, printed, key)
			assert.NotContains(t, printed, team)
		}
	}
}

func partialOrWhole(t *testing.T, file string) []string {
	t.Helper()
	names, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

var control = regexp.MustCompile("[\\x00-\\x09\\x0b-\\x1f\\x7f\u0080-\u009f]")

// Text of a model, of an endpoint or of a user is never a command to a terminal.
func TestHostileText(t *testing.T) {
	t.Parallel()
	const hostile = `\u001b]0;owned\u0007\u001b[2J\u009b31m::set-output name=x::y\r`
	for _, handler := range []http.Handler{
		refuse(400, `{"error":{"message":"`+hostile+`","code":"`+hostile+`"}}`),
		refuse(500, `{"error":{"message":"`+hostile+`","code":"`+hostile+`"}}`),
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte(`data: {"id":"` + hostile + `","object":"chat.completion.chunk","model":"` + hostile + `","choices":[{"index":0,"delta":{"content":"` + hostile + `"},"finish_reason":"` + hostile + `"}]}` + "\n\ndata: [DONE]\n\n"))
		}),
	} {
		server := serve(t, handler)
		for _, format := range []string{"table", "json"} {
			h := newHarness(nil)
			h.call(t, chat+server.URL+" -n 2 --percentiles --format "+format, "--model", "m\x1b[31m\u009b", "--model", "n")
			h.call(t, chat+server.URL+" -n 2 --percentiles --format "+format, "--model", "m")
			assert.NotEmpty(t, h.out.String())
			assert.NotRegexp(t, control, h.out.String()+h.err.String())
			assert.NotContains(t, h.out.String()+h.err.String(), "::set-output")
		}
	}
}
