package fakes_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

const (
	coherePath = "/v2/chat"
	askCohere  = `{"model":"command-m","stream":true,"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`
)

func cohereTarget(o endpoint.Options) *endpoint.Target { return cohere.Chat("command-m", o) }

var cohereID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}|get_weather_[0-9a-z]+`)

func TestCohereEvents(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), Head: fakes.Constant(40 * ms),
		OutputTokens: 6, Reasoning: 1, ToolCalls: 1,
	}
	synctest.Test(t, func(t *testing.T) {
		resp, body, err := post(t, fakes.Cohere(script), coherePath, askCohere)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		assert.Equal(t, "40", resp.Header.Get("X-Envoy-Upstream-Service-Time"))
		assert.Regexp(t, `^[0-9a-f]{32}$`, resp.Header.Get("X-Debug-Trace-Id"))
		assert.Equal(t, `event: message-start
data: {"id":"ID","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

event: tool-plan-delta
data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"a"}}}

event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" request"}}}}

event: content-end
data: {"type":"content-end","index":0}

event: tool-call-start
data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"ID","type":"function","function":{"name":"get_weather","arguments":""}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"city\":"}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"\"Reykja"}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"vík\"}"}}}}}

event: tool-call-end
data: {"type":"tool-call-end","index":0}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":8,"output_tokens":6},"tokens":{"input_tokens":8,"output_tokens":6},"cached_tokens":0}}}

data: [DONE]

`, cohereID.ReplaceAllString(string(body), "ID"))
	})
	synctest.Test(t, func(t *testing.T) {
		script.OutputTokens, script.ToolCalls, script.EmptyDelta = 2, 0, true
		_, body, err := post(t, fakes.Cohere(script), coherePath, askCohere)
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(body), "\n\n")
		assert.Equal(t, `event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":""}}}}

event: content-end
data: {"type":"content-end","index":0}

event: content-start
data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}

event: content-delta
data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"thinking":"a"}}}}

event: content-end
data: {"type":"content-end","index":1}

event: content-start
data: {"type":"content-start","index":2,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":2,"delta":{"message":{"content":{"text":"a"}}}}

event: content-end
data: {"type":"content-end","index":2}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":8,"output_tokens":2},"tokens":{"input_tokens":8,"output_tokens":2,"reasoning_tokens":1},"cached_tokens":0}}}

data: [DONE]

`, rest)
	})
}

// Every event comes at the nanosecond of the schedule, for Cohere's SDK too.
func TestCohereKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{
			Seed: 7, TTFT: fakes.Lognormal(400*ms, 0.35), Gap: fakes.Lognormal(20*ms, 0.3), Head: fakes.Uniform(0, 200*ms),
			OutputTokens: 40, TokensPerChunk: 3, Reasoning: 4, ToolCalls: 2, EmptyDelta: true,
			Faults: []fakes.Fault{{On: fakes.Every(3), Effect: fakes.Stall{At: 5, For: 2 * time.Second}}},
		}
		plain, forSDK := fakes.NewNetwork(fakes.Cohere(script)), fakes.NewNetwork(fakes.CohereForGoSDK(script))
		defer plain.Close()
		defer forSDK.Close()
		for request := range 10 {
			a := pointed(cohereTarget).measure(t, plain, request, endpoint.Options{}, 1000)
			b := pointed(cohereTarget).measure(t, forSDK, request, endpoint.Options{}, 1000)
			schedule := script.Schedule(request, 0)
			checkSchedule(t, schedule, false, a)
			checkSchedule(t, schedule, false, b)
			assert.Equal(t, "TOOL_CALL", a.Stop)
			assert.Equal(t, providers.CountOf(42), a.Usage.Input, "168 bytes")
			cached := int64(0)
			if request > 0 {
				cached = 2 // the system message, 8 bytes
			}
			assert.Equal(t, providers.CountOf(cached), a.Usage.CachedRead)
			assert.Regexp(t, `^[0-9a-f]{32}$`, a.RequestID)
			assert.Equal(t, a.RequestID, b.RequestID)
		}
	})
}

// What cohere-go makes of a read: the JSON between "data: " and the next LF, and
// nothing may be left behind it that it would take for more.
func TestCohereForGoSDKLeavesNoBlankLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.CohereForGoSDK(fakes.Script{OutputTokens: 8, Reasoning: 2, ToolCalls: 1}), coherePath, askCohere)
		require.NoError(t, err)
		rest, events := string(body), 0
		for rest != "" {
			_, after, found := strings.Cut(rest, "data: ")
			require.True(t, found, "%q", rest)
			data, behind, found := strings.Cut(after, "\n")
			require.True(t, found, "%q", rest)
			if behind == "" {
				assert.Equal(t, "[DONE]\r\r", data)
			} else {
				assert.True(t, json.Valid([]byte(data)), "%q", data)
			}
			rest = behind
			events++
		}
		assert.Equal(t, 15, events)
	})
}

func TestCohereReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8, Reasoning: 2, ToolCalls: 1}
		r := pointed(cohereTarget).once(t, fakes.Cohere(script), endpoint.Options{Unary: true}, 0)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "a request that", r.Text)
		assert.Equal(t, len("a request"), r.Reasoning)
		assert.Equal(t, wire.At(330*ms), r.First())
		assert.Equal(t, providers.Tool, r.Events[2].Channel)
		assert.Equal(t, "TOOL_CALL", r.Stop)
		assert.Equal(t, providers.Usage{Input: providers.CountOf(42), Output: providers.CountOf(8), CachedRead: providers.CountOf(0)}, r.Usage)
		assert.Equal(t, wire.At(330*ms), r.ServerTime("x-envoy-upstream-service-time"))

		script.ToolCalls = 0
		script.Faults = []fakes.Fault{{Effect: fakes.NoUsage{}}}
		for _, unary := range []bool{false, true} {
			r := pointed(cohereTarget).once(t, fakes.Cohere(script), endpoint.Options{Unary: unary}, 4)
			assert.Equal(t, providers.OK, r.Class)
			assert.Equal(t, "MAX_TOKENS", r.Stop)
			assert.Equal(t, "a request", r.Text)
			assert.Equal(t, len("a request"), r.Reasoning)
			assert.Equal(t, providers.Usage{}, r.Usage)
		}
	})
}

func TestCohereFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checkFaults(t, fakes.Cohere, cohereTarget, []faultCase{
			{effect: fakes.Refuse{RetryAfter: 1500 * ms}, class: providers.Throttled, retryAfter: 2 * time.Second, detail: "Please wait"},
			{effect: fakes.Refuse{Exception: fakes.ServiceUnavailable, Delay: 70 * ms}, class: providers.HTTP5xx, overloaded: true},
			{effect: fakes.Refuse{Exception: fakes.ExpiredToken}, class: providers.HTTP4xx, detail: "invalid token"},
			{effect: fakes.Refuse{Exception: fakes.Validation}, class: providers.HTTP4xx},
			{effect: fakes.Refuse{Exception: "Surprise"}, class: providers.HTTP5xx, detail: "Surprise"},
			{effect: fakes.Throw{Exception: fakes.InternalServer, After: 2}, class: providers.StreamError, code: "ERROR", detail: "internal server error"},
			{effect: fakes.Throw{Exception: fakes.ModelStreamError}, class: providers.StreamError, code: "ERROR"},
			{effect: fakes.ThrowUnmodelled{Code: "Novel", Message: "lost", After: 2}, class: providers.StreamError, detail: "Novel: lost"},
		})
	})
}

func TestCohereSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	checkDeterminism(t, fakes.Cohere, coherePath, askCohere)
}

func TestRequestsThatCohereWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Cohere(fakes.Script{})
		for body, message := range map[string]string{
			`[]`: "invalid request",
			`{"messages":[{"role":"user","content":"x"}]}`: "model is required",
			`{"model":"m"}`: "must not be empty",
			`{"model":"m","messages":[{"role":"boss","content":"x"}]}`:                  "role must be one of",
			`{"model":"m","messages":[{"role":"user","content":7}]}`:                    "invalid request",
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":-1}`:  "must not be negative",
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":"1"}`: "invalid request",
		} {
			resp, got, err := post(t, h, coherePath, body)
			require.NoError(t, err)
			assert.Equal(t, 400, resp.StatusCode, body)
			assert.Regexp(t, `^\{"id":"[0-9a-f-]{36}","message":".*`+message, string(got), body)
		}
		resp, _, err := post(t, h, "/v1/chat", askCohere)
		require.NoError(t, err)
		assert.Equal(t, 404, resp.StatusCode)
		_, got, err := post(t, h, "/proxy/v2/chat", `{"model":"m","max_tokens":0,"messages":[
			{"role":"user","content":[{"type":"text","text":"12345678"},{"type":"image_url"}]}]}`)
		require.NoError(t, err)
		assert.Contains(t, string(got), `"tokens":{"input_tokens":2,"output_tokens":32}`)
	})
}

func TestCohereToolOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request := strings.Replace(askCohere, "{", `{"tools":[{"type":"function","function":{"name":"look"}}],`, 1)
		_, body, err := post(t, fakes.Cohere(fakes.Script{ToolCalls: 1}), coherePath, request)
		require.NoError(t, err)
		assert.Contains(t, string(body), `"function":{"name":"look","arguments":""}`)
	})
}
