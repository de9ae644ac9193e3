package fakes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

const askClaude = `{"model":"claude-m","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`

var anthropicID = regexp.MustCompile(`(msg_01|req_011C|toolu_01)[1-9A-Za-z]{20}`)

func TestAnthropicEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Anthropic(fakes.Script{
			TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), Head: fakes.Constant(40 * ms),
			OutputTokens: 8, Reasoning: 2, ToolCalls: 1, EmptyDelta: true,
		})
		resp, body, err := post(t, h, "/v1/messages", askClaude)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
		assert.Equal(t, "40", resp.Header.Get("x-envoy-upstream-service-time"))
		assert.Regexp(t, `^req_011C[1-9A-Za-z]{20}$`, resp.Header.Get("request-id"))
		assert.NotEmpty(t, resp.Header.Get("anthropic-organization-id"))
		for _, limit := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
			assert.NotEmpty(t, resp.Header.Get("anthropic-ratelimit-"+limit+"-limit"))
			assert.NotEmpty(t, resp.Header.Get("anthropic-ratelimit-"+limit+"-remaining"))
			_, err := time.Parse(time.RFC3339, resp.Header.Get("anthropic-ratelimit-"+limit+"-reset"))
			assert.NoError(t, err)
		}
		assert.Equal(t, `event: message_start
data: {"type":"message_start","message":{"model":"claude-m","id":"ID","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"a"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":" request"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"signature_delta","signature":"c2VhbGVkIGJ5IGEgZmFrZQ=="}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"a"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" request"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" that"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"ID","name":"get_weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\"Reykja"}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"vík\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":8,"output_tokens_details":{"thinking_tokens":2}}}

event: message_stop
data: {"type":"message_stop"}

`, anthropicID.ReplaceAllString(string(body), "ID"))
	})
}

func TestAnthropicReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := fakes.Anthropic(fakes.Script{
			TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8, Reasoning: 2, ToolCalls: 1, EmptyDelta: true,
		})
		resp, body, err := post(t, h, "/anthropic/v1/messages", strings.Replace(askClaude, `"stream":true,`, "", 1))
		require.NoError(t, err)
		assert.Equal(t, 330*ms, time.Since(start), "when a stream would end")
		assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		assert.Equal(t, "330", resp.Header.Get("x-envoy-upstream-service-time"))
		assert.Equal(t, `{"content":[{"type":"text","text":""},{"type":"thinking","thinking":"a request","signature":"c2VhbGVkIGJ5IGEgZmFrZQ=="},`+
			`{"type":"text","text":"a request that"},{"type":"tool_use","id":"ID","name":"get_weather","input":{"city":"Reykjavík"}}],`+
			`"id":"ID","model":"claude-m","role":"assistant","stop_reason":"tool_use","stop_sequence":null,"type":"message",`+
			`"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":8,"output_tokens_details":{"thinking_tokens":2},"service_tier":"standard"}}`,
			anthropicID.ReplaceAllString(string(body), "ID"))
	})
}

// measure sends a prompt to the fake through a target and decodes what came.
func measureClaude(t *testing.T, n *fakes.Network, request int, o endpoint.Options, p providers.Prompt) *providers.Response {
	t.Helper()
	o.Client, o.Key = n.Client(), "any"
	target := anthropic.Messages("claude-m", o)
	capture := wire.NewCapture(request)
	_ = target.Send(capture.Context(t.Context()), p) // judged by what was captured
	exchanges := capture.Exchanges()
	require.Len(t, exchanges, 1)
	require.True(t, target.Recognizes(exchanges[0]))
	return target.Decode(exchanges[0])
}

var claudePrompt = providers.Prompt{Text: strings.Repeat("word", 40), MaxTokens: 1000}

// Every event comes at the nanosecond of the schedule.
func TestAnthropicTimesAreExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{
			Seed: 7, TTFT: fakes.Lognormal(400*ms, 0.35), Gap: fakes.Lognormal(20*ms, 0.3), Head: fakes.Uniform(0, 200*ms),
			OutputTokens: 40, TokensPerChunk: 3, Reasoning: 4, ToolCalls: 2, EmptyDelta: true, Padding: true,
			Faults: []fakes.Fault{{On: fakes.Every(3), Effect: fakes.Stall{At: 5, For: 2 * time.Second}}},
		}
		n := fakes.NewNetwork(fakes.Anthropic(script))
		defer n.Close()
		for request := range 12 {
			r := measureClaude(t, n, request, endpoint.Options{}, claudePrompt)
			want := script.Schedule(request, 0)
			require.Equal(t, providers.OK, r.Class, r.Detail)
			require.Len(t, r.Events, len(want.Content))
			var text strings.Builder
			for i, c := range want.Content {
				require.Equal(t, c.At, r.Events[i].At, "request %d, event %d", request, i)
				require.Equal(t, len(c.Text), r.Events[i].Bytes)
				if c.Channel == fakes.Text {
					text.WriteString(c.Text)
				}
			}
			assert.Equal(t, text.String(), r.Text)
			assert.Equal(t, wire.At(want.Head), r.FirstFrame)
			assert.Equal(t, wire.At(want.End), r.End)
			assert.Equal(t, providers.Usage{
				Input: providers.CountOf(40), Output: providers.CountOf(40), Reasoning: providers.CountOf(12),
				CachedRead: providers.CountOf(0), CachedWrite: providers.CountOf(0),
			}, r.Usage)
			assert.Equal(t, "tool_use", r.Stop)
			assert.Equal(t, "claude-m", r.Model)
			assert.Regexp(t, "^req_011C", r.RequestID)
			assert.Equal(t, want.Head.Truncate(ms), timeOf(r.ServerTime("x-envoy-upstream-service-time")))

			r = measureClaude(t, n, 100+request, endpoint.Options{Unary: true}, claudePrompt)
			want = script.Schedule(100+request, 0)
			require.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, wire.At(want.End), r.First())
			assert.Equal(t, text.String(), r.Text)
			assert.Equal(t, providers.CountOf(40), r.Usage.Output)
		}
	})
}

func timeOf(i wire.Instant) time.Duration {
	d, _ := i.Get()
	return d
}

func TestAnthropicFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effect     fakes.Effect
		class      providers.Class
		unary      providers.Class // of the reply in one piece
		code       string
		content    int // events that came before
		retryAfter time.Duration
		overloaded bool
	}{
		{effect: fakes.Refuse{Delay: 30 * ms, RetryAfter: 1500 * ms}, class: providers.Throttled, unary: providers.Throttled, code: "rate_limit_error", retryAfter: 2 * time.Second},
		{effect: fakes.Refuse{}, class: providers.Throttled, unary: providers.Throttled, code: "rate_limit_error"},
		{effect: fakes.Refuse{Exception: fakes.ServiceUnavailable}, class: providers.Throttled, unary: providers.Throttled, code: "overloaded_error", overloaded: true},
		{effect: fakes.Refuse{Exception: fakes.InternalServer}, class: providers.HTTP5xx, unary: providers.HTTP5xx, code: "api_error"},
		{effect: fakes.Refuse{Exception: fakes.ModelTimeout}, class: providers.HTTP5xx, unary: providers.HTTP5xx, code: "timeout_error"},
		{effect: fakes.Refuse{Exception: fakes.ModelNotReady}, class: providers.HTTP5xx, unary: providers.HTTP5xx, code: "api_error"},
		{effect: fakes.Refuse{Exception: fakes.Validation}, class: providers.HTTP4xx, unary: providers.HTTP4xx, code: "invalid_request_error"},
		{effect: fakes.Refuse{Exception: fakes.UnrecognizedClient}, class: providers.HTTP4xx, unary: providers.HTTP4xx, code: "authentication_error"},
		{effect: fakes.Refuse{Exception: fakes.AccessDenied}, class: providers.HTTP4xx, unary: providers.HTTP4xx, code: "permission_error"},
		{effect: fakes.Refuse{Exception: fakes.ResourceNotFound}, class: providers.HTTP4xx, unary: providers.HTTP4xx, code: "not_found_error"},
		{effect: fakes.Refuse{Exception: fakes.ServiceQuotaExceeded}, class: providers.HTTP4xx, unary: providers.HTTP4xx, code: "billing_error"},
		{effect: fakes.Refuse{Exception: "weather_error"}, class: providers.HTTP5xx, unary: providers.HTTP5xx, code: "weather_error"},
		{effect: fakes.Throw{Exception: fakes.ServiceUnavailable, After: 3}, class: providers.Throttled, unary: providers.Throttled, code: "overloaded_error", content: 3, overloaded: true},
		{effect: fakes.Throw{}, class: providers.Throttled, unary: providers.Throttled, code: "rate_limit_error"},
		{effect: fakes.Throw{Exception: fakes.InternalServer, After: 2}, class: providers.StreamError, unary: providers.HTTP5xx, code: "api_error", content: 2},
		{effect: fakes.ThrowUnmodelled{Message: "m", After: 1}, class: providers.StreamError, unary: providers.HTTP5xx, code: "InternalFailure", content: 1},
		{effect: fakes.ThrowUnmodelled{Code: "weather_error", After: 1}, class: providers.StreamError, unary: providers.HTTP5xx, code: "weather_error", content: 1},
		{effect: fakes.Cut{After: 2}, class: providers.Truncated, unary: providers.Truncated, content: 2},
		{effect: fakes.Cut{At: fakes.InPrelude}, class: providers.Truncated, unary: providers.Truncated},
		{effect: fakes.Cut{At: fakes.InHeaders, After: 2}, class: providers.Truncated, unary: providers.Truncated, content: 2},
		{effect: fakes.Cut{At: fakes.InPayload, After: 2}, class: providers.Truncated, unary: providers.Truncated, content: 2},
		{effect: fakes.Cut{At: fakes.BeforeCRC, After: 2}, class: providers.Truncated, unary: providers.Truncated, content: 2},
		{effect: fakes.Cut{At: fakes.BadCRC, After: 2}, class: providers.Parse, unary: providers.Truncated, content: 2},
		{effect: fakes.Cut{At: fakes.Abort, After: 2}, class: providers.Truncated, unary: providers.Truncated, content: 2},
		{effect: fakes.Empty{}, class: providers.Empty, unary: providers.Empty},
		{effect: fakes.NoUsage{}, class: providers.OK, unary: providers.OK, content: 6},
		{effect: fakes.Fallback{}, class: providers.OK, unary: providers.OK, content: 6},
	} {
		t.Run(fmt.Sprintf("%T%+v", c.effect, c.effect), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				script := fakes.Script{
					TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 6, Reasoning: 1,
					Faults: []fakes.Fault{{Effect: c.effect}},
				}
				n := fakes.NewNetwork(fakes.Anthropic(script))
				defer n.Close()
				r := measureClaude(t, n, 0, endpoint.Options{}, claudePrompt)
				assert.Equal(t, c.class, r.Class, r.Detail)
				assert.Equal(t, c.code, r.Code)
				assert.Len(t, r.Events, c.content)
				assert.Equal(t, c.retryAfter, timeOf(r.RetryAfter))
				assert.Equal(t, c.retryAfter > 0, r.RetryAfter.Known())
				assert.Equal(t, c.overloaded, r.Overloaded)
				assert.Equal(t, wire.At(script.Schedule(0, 0).End), r.End)
				if _, without := c.effect.(fakes.NoUsage); without {
					assert.Equal(t, providers.Usage{}, r.Usage)
				}

				r = measureClaude(t, n, 1, endpoint.Options{Unary: true}, claudePrompt)
				assert.Equal(t, c.unary, r.Class, r.Detail)
				assert.Equal(t, c.code, r.Code)
			})
		})
	}
}

func TestAnthropicHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Anthropic(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Hang{}}}}))
		defer n.Close()
		client := n.Client()
		client.Timeout = time.Minute
		target := anthropic.Messages("claude-m", endpoint.Options{Client: client, Key: "any"})
		capture := wire.NewCapture(0)
		require.Error(t, target.Send(capture.Context(t.Context()), claudePrompt))
		assert.Equal(t, providers.Timeout, target.Decode(capture.Exchanges()[0]).Class)
	})
}

// The bytes of an error are Anthropic's, before a stream and in it.
func TestAnthropicErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faulty := func(e fakes.Effect) http.Handler {
			return fakes.Anthropic(fakes.Script{OutputTokens: 2, Faults: []fakes.Fault{{Effect: e}}})
		}
		resp, body, err := post(t, faulty(fakes.Refuse{Exception: fakes.ServiceUnavailable, RetryAfter: ms}), "/v1/messages", askClaude)
		require.NoError(t, err)
		assert.Equal(t, 529, resp.StatusCode)
		assert.Equal(t, "1", resp.Header.Get("retry-after"), "whole seconds")
		assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		assert.Equal(t, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"`+resp.Header.Get("request-id")+`"}`, string(body))

		_, body, err = post(t, faulty(fakes.Throw{Exception: fakes.InternalServer, After: 1}), "/v1/messages", askClaude)
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(anthropicID.ReplaceAllString(string(body), "ID"),
			"\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"Internal server error\"},\"request_id\":\"ID\"}\n\n"), "%s", body)
	})
}

// Vertex AI has the model in the path, and the rest in the same words.
func TestAnthropicAtVertex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Anthropic(fakes.Script{TTFT: fakes.Constant(250 * ms), OutputTokens: 3}))
		defer n.Close()
		for _, unary := range []bool{false, true} {
			target := anthropic.Vertex("claude-haiku-4-5@20251001", endpoint.Options{
				BaseURL: "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5",
				Client:  n.Client(), Key: "any", Unary: unary,
			})
			capture := wire.NewCapture(0)
			require.NoError(t, target.Send(capture.Context(t.Context()), claudePrompt))
			r := target.Decode(capture.Exchanges()[0])
			assert.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, wire.At(250*ms), r.First())
			assert.Equal(t, "claude-haiku-4-5@20251001", r.Model)
		}
	})
}

func TestAnthropicPaddingIsInsideTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.Anthropic(fakes.Script{OutputTokens: 100, Padding: true}), "/v1/messages", askClaude)
		require.NoError(t, err)
		lengths := map[int]int{}
		for line := range strings.Lines(string(body)) {
			data, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data: ")
			if !ok || strings.Contains(data, "ping") {
				continue
			}
			require.True(t, json.Valid([]byte(data)), data)
			inside, ends := strings.CutSuffix(data, "}")
			require.True(t, ends, data)
			lengths[len(inside)-len(strings.TrimRight(inside, " "))]++
		}
		assert.Greater(t, len(lengths), 10, "of 16 lengths")
	})
}

func TestAnthropicSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	stream := func(seed uint64) (body []byte) {
		synctest.Test(t, func(t *testing.T) {
			h := fakes.Anthropic(fakes.Script{
				Seed: seed, TTFT: fakes.Lognormal(400*ms, 0.45), Gap: fakes.Lognormal(20*ms, 0.3),
				Reasoning: 3, ToolCalls: 1, Padding: true,
			})
			resp, b, err := post(t, h, "/v1/messages", askClaude)
			require.NoError(t, err)
			body = append([]byte(resp.Header.Get("request-id")), b...)
		})
		return body
	}
	assert.Equal(t, stream(1), stream(1))
	assert.NotEqual(t, stream(1), stream(2))
}

func TestAnthropicMaximumOfTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Anthropic(fakes.Script{OutputTokens: 10, TokensPerChunk: 4}))
		defer n.Close()
		for limit, want := range map[int]struct {
			stop   string
			events int
			tokens int64
		}{10: {"end_turn", 3, 10}, 6: {"max_tokens", 2, 6}, 4: {"max_tokens", 1, 4}} {
			for _, unary := range []bool{false, true} {
				r := measureClaude(t, n, 0, endpoint.Options{Unary: unary}, providers.Prompt{Text: "Hi", MaxTokens: limit})
				assert.Equal(t, want.stop, r.Stop)
				assert.Equal(t, providers.CountOf(want.tokens), r.Usage.Output)
				if !unary {
					assert.Len(t, r.Events, want.events)
				}
			}
		}
	})
}

// An answer calls the tool that the request offers.
func TestAnthropicToolOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Anthropic(fakes.Script{OutputTokens: 1, ToolCalls: 2})
		offer := `{"tools":[{"type":"bash_20250124"},{"name":"find_flight","input_schema":{}}],` + askClaude[1:]
		_, body, err := post(t, h, "/v1/messages", offer)
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(string(body), `"name":"find_flight"`))
		assert.Equal(t, 1, strings.Count(string(body), "event: ping"), "after the first start of a block, and a tool's is one")
		_, body, err = post(t, h, "/v1/messages", strings.Replace(offer, `"stream":true`, `"stream":false`, 1))
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(string(body), `"name":"find_flight"`))
	})
}
