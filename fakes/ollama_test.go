package fakes_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

const askOllama = `{"model":"llama-m","messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`

func ollamaChat(o endpoint.Options) *endpoint.Target     { return ollama.Chat("llama-m", o) }
func ollamaGenerate(o endpoint.Options) *endpoint.Target { return ollama.Generate("llama-m", o) }

func TestOllamaLines(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), Head: fakes.Constant(40 * ms),
		OutputTokens: 5, Reasoning: 1, ToolCalls: 1, EmptyDelta: true,
	}
	synctest.Test(t, func(t *testing.T) {
		resp, body, err := post(t, fakes.Ollama(script), "/api/chat", askOllama)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "application/x-ndjson", resp.Header.Get("Content-Type"))
		assert.Equal(t, `{"model":"llama-m","created_at":"2000-01-01T00:00:00.04Z","message":{"role":"assistant","content":""},"done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.25Z","message":{"role":"assistant","content":"","thinking":"a"},"done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.26Z","message":{"role":"assistant","content":"a"},"done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.29Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"index":0,"name":"get_weather","arguments":{"city":"Reykjavík"}}}]},"done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.3Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":300000000,"load_duration":1000000,"prompt_eval_count":8,"prompt_eval_duration":249000000,"eval_count":5,"eval_duration":50000000}
`, string(body))
	})
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.Ollama(script), "/api/generate", `{"model":"llama-m","prompt":"Say hello","options":{"num_predict":3}}`)
		require.NoError(t, err)
		assert.Equal(t, `{"model":"llama-m","created_at":"2000-01-01T00:00:00.04Z","response":"","done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.25Z","response":"","thinking":"a","done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.26Z","response":"a","done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.27Z","response":"{\"city\":","done":false}
{"model":"llama-m","created_at":"2000-01-01T00:00:00.28Z","response":"","done":true,"done_reason":"length","total_duration":280000000,"load_duration":1000000,"prompt_eval_count":2,"prompt_eval_duration":249000000,"eval_count":3,"eval_duration":30000000}
`, string(body))
	})
}

// Every line comes at the nanosecond of the schedule.
func TestOllamaKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{
			Seed: 7, TTFT: fakes.Lognormal(400*ms, 0.35), Gap: fakes.Lognormal(20*ms, 0.3), Head: fakes.Uniform(0, 200*ms),
			OutputTokens: 40, TokensPerChunk: 3, Reasoning: 4, ToolCalls: 2, EmptyDelta: true,
			Faults: []fakes.Fault{{On: fakes.Every(3), Effect: fakes.Stall{At: 5, For: 2 * time.Second}}},
		}
		n := fakes.NewNetwork(fakes.Ollama(script))
		defer n.Close()
		for request := range 10 {
			r := pointed(ollamaChat).measure(t, n, request, endpoint.Options{}, 1000)
			schedule := script.Schedule(request, 0)
			checkSchedule(t, schedule, true, r)
			assert.Equal(t, "stop", r.Stop)
			assert.Equal(t, "llama-m", r.Model)
			assert.Equal(t, providers.Usage{Input: providers.CountOf(42), Output: providers.CountOf(40)}, r.Usage)
			assert.Equal(t, wire.At(schedule.End), r.ServerLatency)
			load, _ := r.ServerTime("load_duration").Get()
			prompt, _ := r.ServerTime("prompt_eval_duration").Get()
			eval, _ := r.ServerTime("eval_duration").Get()
			assert.Equal(t, schedule.End, load+prompt+eval)
			assert.Equal(t, wire.At(load+prompt), r.First())
		}
		script.ToolCalls = 0
		g := fakes.NewNetwork(fakes.Ollama(script))
		defer g.Close()
		r := pointed(ollamaGenerate).measure(t, g, 2, endpoint.Options{}, 1000)
		checkSchedule(t, script.Schedule(2, 0), true, r)
		assert.Equal(t, "generate", r.API)
	})
}

func TestOllamaReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8, Reasoning: 2, ToolCalls: 1}
		r := pointed(ollamaChat).once(t, fakes.Ollama(script), endpoint.Options{Unary: true}, 0)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "a request that", r.Text)
		assert.Equal(t, len("a request"), r.Reasoning)
		assert.Equal(t, wire.At(330*ms), r.First())
		assert.Equal(t, providers.Tool, r.Events[2].Channel)
		assert.Equal(t, providers.Usage{Input: providers.CountOf(42), Output: providers.CountOf(8)}, r.Usage)
		assert.Equal(t, wire.At(330*ms), r.ServerLatency)

		script.Faults = []fakes.Fault{{Effect: fakes.NoUsage{}}}
		for _, unary := range []bool{false, true} {
			for _, target := range []pointed{ollamaChat, ollamaGenerate} {
				r := target.once(t, fakes.Ollama(script), endpoint.Options{Unary: unary}, 4)
				assert.Equal(t, providers.OK, r.Class)
				assert.Equal(t, "length", r.Stop)
				assert.Equal(t, "a request", r.Text)
				assert.Equal(t, len("a request"), r.Reasoning)
				assert.Equal(t, providers.Usage{}, r.Usage)
				assert.Equal(t, wire.At(290*ms), r.ServerLatency, "times are no usage")
			}
		}
	})
}

func TestOllamaFaults(t *testing.T) {
	t.Parallel()
	cases := []faultCase{
		{effect: fakes.Refuse{Exception: fakes.ServiceUnavailable, Delay: 70 * ms}, class: providers.HTTP5xx, overloaded: true, detail: "server busy, please try again.  maximum pending requests exceeded"},
		{effect: fakes.Refuse{RetryAfter: 1500 * ms}, class: providers.Throttled, retryAfter: 2 * time.Second},
		{effect: fakes.Refuse{Exception: fakes.ResourceNotFound}, class: providers.HTTP4xx, detail: "not found"},
		{effect: fakes.Refuse{Exception: fakes.Validation}, class: providers.HTTP4xx},
		{effect: fakes.Refuse{Exception: "Surprise"}, class: providers.HTTP5xx, detail: "Surprise"},
		{effect: fakes.Throw{Exception: fakes.ModelError, After: 2}, class: providers.StreamError, detail: "unexpected EOF"},
		{effect: fakes.Throw{Exception: fakes.InternalServer}, class: providers.StreamError, detail: "llama runner"},
		{effect: fakes.ThrowUnmodelled{Code: "Novel", Message: "lost", After: 2}, class: providers.StreamError, detail: "Novel: lost"},
	}
	for _, target := range []pointed{ollamaChat, ollamaGenerate} {
		synctest.Test(t, func(t *testing.T) { checkFaults(t, fakes.Ollama, target, cases) })
	}
}

func TestOllamaSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	checkDeterminism(t, fakes.Ollama, "/api/chat", askOllama)
}

func TestRequestsThatOllamaWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Ollama(fakes.Script{})
		for body, message := range map[string]string{
			``:   `missing request body`,
			`[]`: `json: cannot unmarshal array`,
			`{"messages":[{"role":"user","content":"x"}]}`:             `model is required`,
			`{"model":"m","messages":[{"role":"boss","content":"x"}]}`: `invalid role: \"boss\"`,
			`{"model":"m","options":{"num_predict":"all"}}`:            `json: cannot unmarshal string`,
		} {
			resp, got, err := post(t, h, "/api/chat", body)
			require.NoError(t, err)
			assert.Equal(t, 400, resp.StatusCode, body)
			assert.Contains(t, string(got), `{"error":"`+message, body)
		}
		for path, status := range map[string]int{"/api/embed": 404, "/v1/chat/completions": 404, "/proxy/api/chat": 200} {
			resp, _, err := post(t, h, path, askOllama)
			require.NoError(t, err)
			assert.Equal(t, status, resp.StatusCode, path)
		}
		n := fakes.NewNetwork(h)
		defer n.Close()
		resp, err := n.Client().Get("http://ollama.test/api/chat")
		require.NoError(t, err)
		assert.Equal(t, 405, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	})
}

// A request without a prompt has a model loaded and says so at once.
func TestOllamaLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Constant(time.Second)}
		for _, path := range []string{"/api/chat", "/api/generate"} {
			start := time.Now()
			_, body, err := post(t, fakes.Ollama(script), path, `{"model":"m"}`)
			require.NoError(t, err)
			assert.Contains(t, string(body), `"done_reason":"load","done":true}`)
			assert.Zero(t, time.Since(start))
		}
	})
}

func TestOllamaToolOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request := strings.Replace(askOllama, "{", `{"stream":true,"tools":[{"type":"function","function":{"name":"look"}}],`, 1)
		_, body, err := post(t, fakes.Ollama(fakes.Script{ToolCalls: 1}), "/api/chat", request)
		require.NoError(t, err)
		assert.Contains(t, string(body), `"name":"look","arguments":{"city":"Reykjavík"}`)
	})
}
