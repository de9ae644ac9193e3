package fakes_test

import (
	"context"
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
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

type makeTarget func(endpoint.Options) *endpoint.Target

// openAITargets are the ways to the fake, by name.
var openAITargets = map[string]makeTarget{
	"chat":      func(o endpoint.Options) *endpoint.Target { return openai.Chat("m", o) },
	"responses": func(o endpoint.Options) *endpoint.Target { return openai.Responses("m", o) },
	"azure": func(o endpoint.Options) *endpoint.Target {
		o.BaseURL = "https://r.openai.azure.com"
		return openai.Azure("d", "2024-10-21", o)
	},
}

// askThrough sends one prompt as the sample of a number, in virtual time, and
// decodes what came. It gives up after an hour.
func askThrough(t *testing.T, h http.Handler, target makeTarget, o endpoint.Options, p providers.Prompt, number int) *providers.Response {
	t.Helper()
	n := fakes.NewNetwork(h)
	defer n.Close()
	o.Client = n.Client()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	capture := wire.NewCapture(number)
	to := target(o)
	_ = to.Send(capture.Context(ctx), p) // judged by what was captured
	exchanges := capture.Exchanges()
	require.Len(t, exchanges, 1)
	require.True(t, to.Recognizes(exchanges[0]))
	return to.Decode(exchanges[0])
}

var askHello = providers.Prompt{Text: "Say hello to everybody in the room.", MaxTokens: 1000}

// openAIEvent is a content event without its place in the body.
type openAIEvent struct {
	Channel providers.Channel
	At      time.Duration
	Bytes   int
}

// openAIEvents are the content events that follow from a schedule. In a chat, the
// name of a tool is one more, at the time of its first argument.
func openAIEvents(s fakes.Schedule, namesTools bool) (events []openAIEvent) {
	call := -1
	for _, c := range s.Content {
		channel := map[fakes.Channel]providers.Channel{fakes.Text: providers.Text, fakes.Reasoning: providers.Reasoning, fakes.ToolInput: providers.Tool}[c.Channel]
		if channel == providers.Tool && c.Call != call && namesTools {
			events = append(events, openAIEvent{channel, c.At, len("get_weather")})
			call = c.Call
		}
		events = append(events, openAIEvent{channel, c.At, len(c.Text)})
	}
	return events
}

func openAIEventsOf(r *providers.Response) (events []openAIEvent) {
	for _, e := range r.Events {
		events = append(events, openAIEvent{e.Channel, e.At, e.Bytes})
	}
	return events
}

func TestOpenAIKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	for name, target := range openAITargets {
		for i, script := range []fakes.Script{
			{},
			{Seed: 1, TTFT: fakes.Lognormal(400*ms, 0.45), Head: fakes.Constant(90 * ms), Gap: fakes.Lognormal(20*ms, 0.3), OutputTokens: 40, TokensPerChunk: 3, Padding: true},
			{Seed: 2, TTFT: fakes.Uniform(0, time.Second), Gap: fakes.Constant(10 * ms), Reasoning: 4, EmptyDelta: true},
			{Seed: 3, TTFT: fakes.Constant(time.Second), Gap: fakes.Constant(10 * ms), Reasoning: 2, ToolCalls: 2, OutputTokens: 12},
			{Seed: 4, TTFT: fakes.Constant(time.Second), ToolCalls: 1, OutputTokens: 3},
			{Seed: 5, Gap: fakes.Constant(ms), Faults: []fakes.Fault{{Effect: fakes.Stall{At: 5, For: time.Minute}}}},
		} {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					want := script.Schedule(3, 0)
					r := askThrough(t, fakes.OpenAI(script), target, endpoint.Options{}, askHello, 3)
					require.Equal(t, providers.OK, r.Class, r.Detail)
					assert.Equal(t, openAIEvents(want, name != "responses"), openAIEventsOf(r))
					assert.Equal(t, wire.At(want.Head), r.FirstFrame)
					assert.Equal(t, wire.At(want.End), r.End)
					reasoning := 0
					for _, c := range want.Content {
						if c.Channel == fakes.Reasoning {
							reasoning += c.Tokens
						}
					}
					assert.Equal(t, providers.Usage{
						Input: providers.CountOf(8), Output: providers.CountOf(int64(want.Tokens())),
						CachedRead: providers.CountOf(0), Reasoning: providers.CountOf(int64(reasoning)),
					}, r.Usage)
					stop := map[bool]string{false: "stop", true: "tool_calls"}[script.ToolCalls > 0]
					if name == "responses" {
						stop = "completed"
					}
					assert.Equal(t, stop, r.Stop)
					assert.NotEmpty(t, r.RequestID)
					if name != "azure" {
						assert.Equal(t, wire.At(want.Head.Truncate(ms)), r.ServerLatency)
					}

					whole := askThrough(t, fakes.OpenAI(script), target, endpoint.Options{Unary: true}, askHello, 3)
					require.Equal(t, providers.OK, whole.Class, whole.Detail)
					assert.Equal(t, r.Text, whole.Text)
					assert.Equal(t, r.Reasoning, whole.Reasoning)
					assert.Equal(t, r.Usage, whole.Usage)
					assert.Equal(t, r.Stop, whole.Stop)
					assert.Equal(t, wire.At(want.End), whole.First(), "in one piece")
					assert.Equal(t, 1, whole.Frames)
				})
			})
		}
	}
}

var openAINames = regexp.MustCompile(`(req|resp|rs|msg|fc|call|chatcmpl)([-_])[0-9a-f]{16,}`)

// openAIStream returns a stream with its names made alike.
func openAIStream(t *testing.T, h http.Handler, path, body string) string {
	t.Helper()
	resp, got, err := post(t, h, path, body)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode, "%s", got)
	assert.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
	return openAINames.ReplaceAllString(string(got), "$1$2")
}

const chatHello = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`

func TestChatEventsComeInOpenAIsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.OpenAI(fakes.Script{OutputTokens: 5, Reasoning: 1, ToolCalls: 1})
		chunk := func(delta, finish string) string {
			return `data: {"choices":[{"delta":` + delta + `,"finish_reason":` + finish + `,"index":0,"logprobs":null}],"created":946684800,"id":"chatcmpl-","model":"m","object":"chat.completion.chunk","system_fingerprint":"fp_fake","usage":null}` + "\n\n"
		}
		assert.Equal(t, chunk(`{"content":"","refusal":null,"role":"assistant"}`, "null")+
			chunk(`{"reasoning_content":"a"}`, "null")+
			chunk(`{"content":"a"}`, "null")+
			chunk(`{"tool_calls":[{"function":{"arguments":"","name":"get_weather"},"id":"call_","index":0,"type":"function"}]}`, "null")+
			chunk(`{"tool_calls":[{"function":{"arguments":"{\"city\":"},"index":0}]}`, "null")+
			chunk(`{"tool_calls":[{"function":{"arguments":"\"Reykja"},"index":0}]}`, "null")+
			chunk(`{"tool_calls":[{"function":{"arguments":"vík\"}"},"index":0}]}`, "null")+
			chunk(`{}`, `"tool_calls"`)+
			`data: {"choices":[],"created":946684800,"id":"chatcmpl-","model":"m","object":"chat.completion.chunk","system_fingerprint":"fp_fake","usage":{`+
			`"completion_tokens":5,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":1,"rejected_prediction_tokens":0},`+
			`"prompt_tokens":8,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0},"total_tokens":13}}`+"\n\n"+
			"data: [DONE]\n\n", openAIStream(t, h, "/v1/chat/completions", chatHello))

		unasked := openAIStream(t, h, "/v1/chat/completions", strings.Replace(chatHello, `"stream_options":{"include_usage":true},`, "", 1))
		assert.NotContains(t, unasked, "usage")

		azure := openAIStream(t, h, "/openai/deployments/d/chat/completions", chatHello)
		first, rest, _ := strings.Cut(azure, "\n\n")
		assert.Contains(t, first, `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{`)
		assert.Contains(t, rest, `"content_filter_results":{}`)
	})
}

var eventName = regexp.MustCompile(`(?m)^event: (.*)\ndata: (.*)$`)

func TestResponseEventsComeInOpenAIsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.OpenAI(fakes.Script{OutputTokens: 6, Reasoning: 1, ToolCalls: 1, Padding: true})
		body := openAIStream(t, h, "/v1/responses", `{"model":"m","stream":true,"input":"Hello"}`)
		var names []string
		for i, event := range eventName.FindAllStringSubmatch(body, -1) {
			names = append(names, strings.TrimPrefix(event[1], "response."))
			assert.Contains(t, event[2], fmt.Sprintf(`"sequence_number":%d`, i))
			assert.Contains(t, event[2], `"type":"`+event[1]+`"`)
			assert.Equal(t, strings.HasSuffix(event[1], ".delta"), strings.Contains(event[2], `"obfuscation"`), event[1])
		}
		assert.Equal(t, []string{
			"created", "in_progress",
			"output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done", "output_item.done",
			"output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
			"output_item.added", "function_call_arguments.delta", "function_call_arguments.delta", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
			"completed",
		}, names)
		assert.Contains(t, body, `{"content_index":0,"delta":"a","item_id":"rs_","obfuscation":`)
		assert.Contains(t, body, `"item":{"arguments":"","call_id":"call_","id":"fc_","name":"get_weather","status":"in_progress","type":"function_call"},"output_index":2`)
		assert.Contains(t, body, `"output_tokens":6,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":7`)
		assert.Equal(t, 22, strings.Count(body, "\n\n"), "and no [DONE]")
	})
}

func TestOpenAIHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.OpenAI(fakes.Script{TTFT: fakes.Constant(176 * ms)})
		resp, _, err := post(t, h, "/v1/chat/completions", chatHello)
		require.NoError(t, err)
		assert.Regexp(t, `^req_[0-9a-f]{32}$`, resp.Header.Get("x-request-id"))
		assert.Equal(t, "176", resp.Header.Get("openai-processing-ms"))
		assert.Equal(t, "9999", resp.Header.Get("x-ratelimit-remaining-requests"))
		assert.Equal(t, "6ms", resp.Header.Get("x-ratelimit-reset-requests"))
		resp, _, err = post(t, h, "/openai/deployments/d/chat/completions?api-version=v", chatHello)
		require.NoError(t, err)
		assert.NotEmpty(t, resp.Header.Get("apim-request-id"))
		assert.Empty(t, resp.Header.Get("openai-processing-ms"))

		h = fakes.OpenAI(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Refuse{RetryAfter: 120 * ms}}}})
		resp, body, err := post(t, h, "/v1/responses", `{"model":"m","input":"Hello"}`)
		require.NoError(t, err)
		assert.Equal(t, 429, resp.StatusCode)
		assert.Equal(t, "120", resp.Header.Get("retry-after-ms"))
		assert.Equal(t, "1", resp.Header.Get("retry-after"))
		assert.JSONEq(t, `{"error":{"code":"rate_limit_exceeded","message":"Rate limit reached on requests per min (RPM): Limit 500, Used 500, Requested 1.","param":null,"type":"requests"}}`, string(body))
	})
}

func TestRequestsThatOpenAIWouldRefuse(t *testing.T) {
	t.Parallel()
	const chat, responses, azure = "/v1/chat/completions", "/v1/responses", "/openai/deployments/d/chat/completions"
	const hi = `"messages":[{"role":"user","content":"Hi"}]`
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ path, body, message string }{
			{chat, `{`, "could not parse the JSON body"},
			{chat, `[]`, "could not parse the JSON body"},
			{chat, `{` + hi + `}`, "must provide a model"},
			{chat, `{"model":"m"}`, "Missing required parameter: 'messages'"},
			{azure, `{}`, "Missing required parameter: 'messages'"},
			{chat, `{"model":"m","messages":[]}`, "empty array"},
			{chat, `{"model":"m","messages":[{"role":"nobody","content":"Hi"}]}`, "Invalid value: 'nobody'"},
			{chat, `{"model":"m","messages":[{"role":"user"}]}`, "messages[0].content"},
			{chat, `{"model":"m","messages":[{"role":"user","content":null}]}`, "messages[0].content"},
			{chat, `{"model":"m","n":2,` + hi + `}`, "'n'"},
			{chat, `{"model":"m","max_tokens":1,"max_completion_tokens":1,` + hi + `}`, "at the same time"},
			{chat, `{"model":"m","max_tokens":0,` + hi + `}`, "= 1, but got 0"},
			{chat, `{"model":"m","temperature":3,` + hi + `}`, "temperature"},
			{chat, `{"model":"m","top_p":2,` + hi + `}`, "top_p"},
			{chat, `{"model":"m","top_k":2,` + hi + `}`, "top_k"},
			{chat, `{"model":"m","stream_options":{"include_usage":true},` + hi + `}`, "only allowed when 'stream' is enabled"},
			{responses, `{`, "could not parse the JSON body"},
			{responses, `{"input":"Hi"}`, "must provide a model"},
			{responses, `{"model":"m"}`, "Missing required parameter: 'input'"},
			{responses, `{"model":"m","input":5}`, "'input'"},
			{responses, `{"model":"m","input":[{"role":"user"}]}`, "input[0].content"},
			{responses, `{"model":"m","input":"Hi","max_output_tokens":15}`, "= 16, but got 15"},
			{"/v1/completions", `{}`, "Invalid URL (POST /v1/completions)"},
		} {
			resp, body, err := post(t, fakes.OpenAI(fakes.Script{TTFT: fakes.Constant(time.Hour)}), c.path, c.body)
			require.NoError(t, err)
			assert.Equal(t, map[bool]int{true: 404, false: 400}[c.path == "/v1/completions"], resp.StatusCode, c.body)
			assert.Contains(t, string(body), c.message, c.body)
			assert.Contains(t, string(body), `"type":"invalid_request_error"`)
		}
		for _, c := range []struct{ path, body string }{
			{azure, `{` + hi + `}`},
			{chat, `{"model":"m","new":1,"messages":[{"role":"developer","content":"x"},{"role":"assistant","tool_calls":[]},{"role":"tool","content":[{"type":"text","text":"x"}]}]}`},
			{responses, `{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"},{"role":"user","content":[{"type":"input_text","text":"x"}]}]}`},
			{"/proxy/openai/v1/responses", `{"model":"m","input":"x"}`},
		} {
			resp, body, err := post(t, fakes.OpenAI(fakes.Script{}), c.path, c.body)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode, "%s: %s", c.body, body)
		}
	})
}

func TestOpenAIPromptCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.OpenAI(fakes.Script{OutputTokens: 5})
		ask := func(name, context string) (in, cached int64) {
			r := askThrough(t, h, openAITargets[name], endpoint.Options{}, providers.Prompt{Text: "why, then?", CachedContext: context}, 0)
			require.Equal(t, providers.OK, r.Class, r.Detail)
			in, _ = r.Usage.Input.Get()
			cached, _ = r.Usage.CachedRead.Get()
			return in, cached
		}
		check := func(name, context string, wantIn, wantCached int64) {
			t.Helper()
			in, cached := ask(name, context)
			assert.Equal(t, wantIn, in)
			assert.Equal(t, wantCached, cached)
		}
		long := strings.Repeat("know", 1100)
		check("chat", long, 1102, 0)
		check("chat", long, 1102, 1024)
		check("responses", long, 1102, 1024)
		check("chat", long+strings.Repeat("more", 100), 1202, 1024)
		check("chat", "x"+long, 1102, 0)
		check("chat", long[:4000], 1002, 0)
		time.Sleep(4 * time.Minute)
		check("chat", long, 1102, 1024)
		time.Sleep(6 * time.Minute)
		check("chat", long, 1102, 0)
	})
}

func TestOpenAIMaximumOfTokens(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]string{"chat": "length", "azure": "length", "responses": "incomplete:max_output_tokens"} {
		for _, unary := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				p := askHello
				p.MaxTokens = 17
				r := askThrough(t, fakes.OpenAI(fakes.Script{OutputTokens: 40, TokensPerChunk: 4}), openAITargets[name], endpoint.Options{Unary: unary}, p, 0)
				assert.Equal(t, providers.OK, r.Class, r.Detail)
				assert.Equal(t, stop, r.Stop)
				assert.Equal(t, providers.CountOf(17), r.Usage.Output)
			})
		}
	}
}

func TestOpenAISameSeedSameBytes(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"/v1/chat/completions": chatHello,
		"/v1/responses":        `{"model":"m","stream":true,"input":"Hello"}`,
	} {
		stream := func(seed uint64) (all []byte) {
			synctest.Test(t, func(t *testing.T) {
				h := fakes.OpenAI(fakes.Script{Seed: seed, TTFT: fakes.Lognormal(400*ms, 0.45), Reasoning: 3, ToolCalls: 1, Padding: true})
				resp, b, err := post(t, h, path, body)
				require.NoError(t, err)
				all = append([]byte(resp.Header.Get("x-request-id")), b...)
			})
			return all
		}
		assert.Equal(t, stream(1), stream(1))
		assert.NotEqual(t, stream(1), stream(2))
	}
}

// Who takes no padding gets none.
func TestOpenAIObfuscationIsOptional(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.OpenAI(fakes.Script{Padding: true})
		assert.Contains(t, openAIStream(t, h, "/v1/chat/completions", chatHello), "obfuscation")
		assert.NotContains(t, openAIStream(t, h, "/v1/chat/completions", strings.Replace(chatHello, `"include_usage":true`, `"include_obfuscation":false`, 1)), "obfuscation")
	})
}
