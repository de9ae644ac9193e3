package fakes_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

// A pointed is a target that is pointed at a network.
type pointed func(o endpoint.Options) *endpoint.Target

// measure sends a prompt of 40 words as the sample of that number, and gives up
// after a minute.
func (p pointed) measure(t *testing.T, n *fakes.Network, number int, o endpoint.Options, maxTokens int) *providers.Response {
	t.Helper()
	o.Client, o.Key = n.Client(), "any"
	target := p(o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	capture := wire.NewCapture(number)
	prompt := providers.Prompt{Text: strings.Repeat("word", 40), System: "Be short", MaxTokens: maxTokens}
	_ = target.Send(capture.Context(ctx), prompt) // judged by what was captured
	exchanges := capture.Exchanges()
	require.Len(t, exchanges, 1)
	require.True(t, target.Recognizes(exchanges[0]))
	return target.Decode(exchanges[0])
}

// once measures the first sample on a network of its own.
func (p pointed) once(t *testing.T, h http.Handler, o endpoint.Options, maxTokens int) *providers.Response {
	t.Helper()
	n := fakes.NewNetwork(h)
	defer n.Close()
	return p.measure(t, n, 0, o, maxTokens)
}

// wants are the content events of a schedule. With wholeCalls a tool call is one,
// with what would be the last of its pieces.
func wants(s fakes.Schedule, wholeCalls bool) (channels []providers.Channel, times []time.Duration) {
	for i, c := range s.Content {
		channel := map[fakes.Channel]providers.Channel{
			fakes.Text: providers.Text, fakes.Reasoning: providers.Reasoning, fakes.ToolInput: providers.Tool,
		}[c.Channel]
		last := i == len(s.Content)-1 || s.Content[i+1].Call != c.Call
		if c.Channel == fakes.ToolInput && wholeCalls && !last {
			continue
		}
		channels, times = append(channels, channel), append(times, c.At)
	}
	return channels, times
}

// checkSchedule compares a response with the schedule it should have followed.
func checkSchedule(t *testing.T, s fakes.Schedule, wholeCalls bool, r *providers.Response) {
	t.Helper()
	require.Equal(t, providers.OK, r.Class, r.Detail)
	channels, times := wants(s, wholeCalls)
	require.Len(t, r.Events, len(channels))
	for i, e := range r.Events {
		assert.Equal(t, channels[i], e.Channel, "event %d", i)
		assert.Equal(t, times[i], e.At, "event %d", i)
	}
	assert.Equal(t, wire.At(s.End), r.End)
	text := ""
	for _, c := range s.Content {
		if c.Channel == fakes.Text {
			text += c.Text
		}
	}
	assert.Equal(t, text, r.Text)
	tokens, _ := r.Usage.Output.Get()
	assert.EqualValues(t, s.Tokens(), tokens)
}

// A faultCase is what comes of an effect on a stream.
type faultCase struct {
	effect     fakes.Effect
	class      providers.Class
	code       string
	overloaded bool
	retryAfter time.Duration // 0: no hint
	detail     string        // part of it
}

// checkFaults has each fault happen to a stream, and those that can to a reply in
// one piece.
func checkFaults(t *testing.T, fake func(fakes.Script) http.Handler, target pointed, cases []faultCase) {
	for _, place := range []fakes.Place{"", fakes.InPrelude, fakes.InHeaders, fakes.InPayload, fakes.BeforeCRC, fakes.Abort} {
		cases = append(cases, faultCase{effect: fakes.Cut{At: place, After: 2}, class: providers.Truncated})
	}
	cases = append(cases,
		faultCase{effect: fakes.Cut{At: fakes.BadCRC, After: 2}, class: providers.Parse},
		faultCase{effect: fakes.Cut{At: fakes.InPayload}, class: providers.Truncated},
		faultCase{effect: fakes.Empty{}, class: providers.Empty},
		faultCase{effect: fakes.Hang{}, class: providers.Timeout},
		faultCase{effect: fakes.Stall{At: 2, For: 2 * time.Minute}, class: providers.Timeout},
	)
	script := fakes.Script{TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8}
	for _, c := range cases {
		s := script
		s.Faults = []fakes.Fault{{Effect: c.effect}}
		schedule := s.Schedule(0, 0)
		r := target.once(t, fake(s), endpoint.Options{}, 0)
		assert.Equal(t, c.class, r.Class, "%#v: %s", c.effect, r.Detail)
		assert.Equal(t, c.code, r.Code, "%#v", c.effect)
		assert.Contains(t, r.Detail, c.detail, "%#v", c.effect)
		assert.Equal(t, c.overloaded, r.Overloaded, "%#v", c.effect)
		hint := wire.Instant{}
		if c.retryAfter > 0 {
			hint = wire.At(c.retryAfter)
		}
		assert.Equal(t, hint, r.RetryAfter, "%#v", c.effect)
		want := schedule.Content
		if stall, stalls := c.effect.(fakes.Stall); stalls {
			want = want[:stall.At]
		}
		if assert.Len(t, r.Events, len(want), "%#v", c.effect) && len(want) > 0 {
			assert.Equal(t, wire.At(want[0].At), r.First(), "what had come stays")
		}
		if c.class != providers.Timeout && c.class != providers.Truncated {
			assert.Equal(t, wire.At(schedule.End), r.End, "%#v", c.effect)
		}

		unary := target.once(t, fake(s), endpoint.Options{Unary: true}, 0)
		want2 := c.class
		switch c.effect.(type) {
		case fakes.Cut:
			want2 = providers.Truncated
		case fakes.Throw, fakes.ThrowUnmodelled:
			assert.NotContains(t, []providers.Class{providers.OK, providers.Truncated, providers.StreamError}, unary.Class)
			continue
		}
		assert.Equal(t, want2, unary.Class, "in one piece: %#v: %s", c.effect, unary.Detail)
	}
}

// checkDeterminism has the same bytes come of the same seed.
func checkDeterminism(t *testing.T, fake func(fakes.Script) http.Handler, path, body string) {
	s := fakes.Script{Seed: 3, TTFT: fakes.Lognormal(250*ms, 0.3), Gap: fakes.Uniform(0, 10*ms), OutputTokens: 20, Reasoning: 2, ToolCalls: 1}
	var first []byte
	for seed := range uint64(3) {
		s.Seed = 3 + seed/2
		synctest.Test(t, func(t *testing.T) { // each at the same virtual time
			_, got, err := post(t, fake(s), path, body)
			require.NoError(t, err)
			switch seed {
			case 0:
				first = got
			case 1:
				assert.Equal(t, string(first), string(got))
			default:
				assert.NotEqual(t, string(first), string(got), "another seed")
			}
		})
	}
}

const (
	geminiPath = "/v1beta/models/gemini-m:streamGenerateContent?alt=sse"
	vertexPath = "/v1/projects/p/locations/global/publishers/google/models/gemini-m:streamGenerateContent"
	askGemini  = `{"contents":[{"role":"user","parts":[{"text":"Say hello to everybody in the room."}]}]}`
)

func geminiTarget(o endpoint.Options) *endpoint.Target { return gemini.GenerateContent("gemini-m", o) }

// lines makes line ends visible.
func lines(body []byte, id string) string {
	return strings.NewReplacer(id, "ID", "\r\n", "␍\n").Replace(string(body))
}

func responseID(t *testing.T, body []byte) string {
	t.Helper()
	_, after, found := strings.Cut(string(body), `"responseId":"`)
	require.True(t, found)
	id, _, _ := strings.Cut(after, `"`)
	assert.Regexp(t, `^[A-Za-z0-9_-]{22}$`, id)
	return id
}

func TestGeminiEvents(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), Head: fakes.Constant(40 * ms),
		OutputTokens: 7, Reasoning: 2, ToolCalls: 1, EmptyDelta: true,
	}
	synctest.Test(t, func(t *testing.T) {
		resp, body, err := post(t, fakes.Gemini(script), geminiPath, askGemini)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		assert.Equal(t, "gfet4t7; dur=40", resp.Header.Get("Server-Timing"))
		assert.Equal(t, `data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"text":"a","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"thoughtsTokenCount":1,"totalTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"text":" request","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"thoughtsTokenCount":2,"totalTokenCount":10,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1,"thoughtsTokenCount":2,"totalTokenCount":11,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"text":" request"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2,"thoughtsTokenCount":2,"totalTokenCount":12,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"get_weather","args":{"city":"Reykjavík"}}}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":15,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2VhbGVkIGJ5IGEgZmFrZQ=="}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":15,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}␍
␍
`, lines(body, responseID(t, body)))
	})
	synctest.Test(t, func(t *testing.T) {
		script.OutputTokens, script.ToolCalls, script.EmptyDelta = 3, 0, false
		request := strings.Replace(askGemini, "{", `{"generationConfig":{"thinkingConfig":{"includeThoughts":false}},`, 1)
		resp, body, err := post(t, fakes.Gemini(script), vertexPath, request)
		require.NoError(t, err)
		assert.Equal(t, "application/json; charset=UTF-8", resp.Header.Get("Content-Type"))
		assert.Empty(t, resp.Header.Get("Server-Timing"))
		assert.Equal(t, `[{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"}}],"usageMetadata":{"trafficType":"ON_DEMAND"},"modelVersion":"gemini-m","responseId":"ID"}
,␍
{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2VhbGVkIGJ5IGEgZmFrZQ=="}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"trafficType":"ON_DEMAND","promptTokenCount":8,"candidatesTokenCount":1,"thoughtsTokenCount":2,"totalTokenCount":11,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"gemini-m","responseId":"ID"}
]`, lines(body, responseID(t, body)), "an array, hidden thoughts, usage at the end")
	})
}

// Every event comes at the nanosecond of the schedule, also of a stream that is an
// array.
func TestGeminiKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{
			Seed: 7, TTFT: fakes.Lognormal(400*ms, 0.35), Gap: fakes.Lognormal(20*ms, 0.3), Head: fakes.Uniform(0, 200*ms),
			OutputTokens: 40, TokensPerChunk: 3, Reasoning: 4, ToolCalls: 2, EmptyDelta: true,
			Faults: []fakes.Fault{{On: fakes.Every(3), Effect: fakes.Stall{At: 5, For: 2 * time.Second}}},
		}
		n := fakes.NewNetwork(fakes.Gemini(script))
		defer n.Close()
		array := func(o endpoint.Options) *endpoint.Target {
			p := geminiTarget(o).Protocol
			p.Path = func(string, bool) string { return "/models/gemini-m:streamGenerateContent" }
			return endpoint.New(p, "gemini-m", o)
		}
		for request := range 10 {
			target := pointed(geminiTarget)
			if request%2 == 1 {
				target = array
			}
			r := target.measure(t, n, request, endpoint.Options{}, 1000)
			schedule := script.Schedule(request, 0)
			checkSchedule(t, schedule, true, r)
			assert.Equal(t, "STOP", r.Stop)
			assert.Equal(t, "gemini-m", r.Model)
			assert.Equal(t, providers.Summary, r.Disclosure)
			assert.Equal(t, providers.CountOf(12), r.Usage.Reasoning, "4 chunks of 3")
			assert.Equal(t, providers.CountOf(3), r.FirstCount)
			assert.Equal(t, providers.CountOf(42), r.Usage.Input, "168 bytes")
			if request > 0 {
				assert.Equal(t, providers.CountOf(2), r.Usage.CachedRead, "the system instruction, 8 bytes")
			}
			server, known := r.ServerTime("server-timing gfet4t7").Get()
			require.True(t, known)
			assert.Equal(t, schedule.Head.Truncate(time.Millisecond), server)
		}
	})
}

func TestGeminiReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8, Reasoning: 2, ToolCalls: 1}
		r := pointed(geminiTarget).once(t, fakes.Gemini(script), endpoint.Options{Unary: true}, 0)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "a request that", r.Text)
		assert.Equal(t, len("a request"), r.Reasoning)
		assert.Equal(t, wire.At(330*ms), r.First())
		assert.Equal(t, providers.Tool, r.Events[2].Channel)
		assert.Equal(t, providers.Usage{Input: providers.CountOf(42), Output: providers.CountOf(8), Reasoning: providers.CountOf(2)}, r.Usage)
		assert.Equal(t, wire.At(330*ms), r.ServerTime("server-timing gfet4t7"))

		script.Faults = []fakes.Fault{{Effect: fakes.NoUsage{}}}
		for _, unary := range []bool{false, true} {
			r := pointed(geminiTarget).once(t, fakes.Gemini(script), endpoint.Options{Unary: unary}, 4)
			assert.Equal(t, providers.OK, r.Class)
			assert.Equal(t, "MAX_TOKENS", r.Stop)
			assert.Equal(t, "a request", r.Text)
			assert.Equal(t, providers.Usage{}, r.Usage)
		}
		r = pointed(geminiTarget).once(t, fakes.Gemini(fakes.Script{OutputTokens: 3, ToolCalls: 1}), endpoint.Options{}, 2)
		assert.Equal(t, providers.Empty, r.Class, "a call that was cut short does not come")
	})
}

func TestGeminiFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checkFaults(t, fakes.Gemini, geminiTarget, []faultCase{
			{effect: fakes.Refuse{RetryAfter: 48 * time.Second}, class: providers.Throttled, code: "RESOURCE_EXHAUSTED", retryAfter: 48 * time.Second, detail: "Resource has been exhausted"},
			{effect: fakes.Refuse{Delay: 70 * ms, RetryAfter: 1500 * ms}, class: providers.Throttled, code: "RESOURCE_EXHAUSTED", retryAfter: 1500 * ms},
			{effect: fakes.Refuse{Exception: fakes.ServiceUnavailable}, class: providers.HTTP5xx, code: "UNAVAILABLE", overloaded: true, detail: "overloaded"},
			{effect: fakes.Refuse{Exception: fakes.Validation}, class: providers.HTTP4xx, code: "INVALID_ARGUMENT"},
			{effect: fakes.Refuse{Exception: fakes.ResourceNotFound}, class: providers.HTTP4xx, code: "NOT_FOUND"},
			{effect: fakes.Refuse{Exception: fakes.AccessDenied}, class: providers.HTTP4xx, code: "PERMISSION_DENIED"},
			{effect: fakes.Refuse{Exception: fakes.ModelTimeout}, class: providers.HTTP5xx, code: "DEADLINE_EXCEEDED"},
			{effect: fakes.Refuse{Exception: "SURPRISE"}, class: providers.HTTP5xx, code: "SURPRISE"},
			{effect: fakes.Throw{After: 2}, class: providers.Throttled, code: "RESOURCE_EXHAUSTED", detail: "Resource has been exhausted"},
			{effect: fakes.Throw{Exception: fakes.ServiceUnavailable}, class: providers.StreamError, code: "UNAVAILABLE", overloaded: true},
			{effect: fakes.Throw{Exception: fakes.InternalServer, After: 8}, class: providers.StreamError, code: "INTERNAL"},
			{effect: fakes.ThrowUnmodelled{Code: "DATA_LOSS", Message: "lost", After: 2}, class: providers.StreamError, code: "DATA_LOSS", detail: "lost"},
		})
	})
}

// What a real stream appends when it fails is neither an event nor on one line.
func TestGeminiErrorsInTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.ServiceUnavailable}}}}
		const bare = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded. Please try again later.\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n"
		_, body, err := post(t, fakes.Gemini(script), geminiPath, askGemini)
		require.NoError(t, err)
		assert.Equal(t, bare, string(body))
		_, body, err = post(t, fakes.Gemini(script), vertexPath, askGemini)
		require.NoError(t, err)
		assert.JSONEq(t, "["+bare+"]", string(body), "an element of the array")

		script.Faults[0].Effect = fakes.Refuse{RetryAfter: 48 * time.Second}
		resp, body, err := post(t, fakes.Gemini(script), vertexPath, askGemini)
		require.NoError(t, err)
		assert.Equal(t, 429, resp.StatusCode)
		assert.Empty(t, resp.Header.Get("Retry-After"))
		assert.JSONEq(t, `[{"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED",
			"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"}]}}]`, string(body))
	})
}

func TestGeminiSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	checkDeterminism(t, fakes.Gemini, geminiPath, askGemini)
}

func TestRequestsThatGoogleWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Gemini(fakes.Script{})
		for body, message := range map[string]string{
			``:                               "Invalid JSON payload received.",
			`{"contents":"x"}`:               "Invalid JSON payload received.",
			`{}`:                             "contents is not specified",
			`{"contents":[{"role":"user"}]}`: "contents.parts must not be empty",
			`{"contents":[{"role":"user","parts":[{}]}]}`:                                                 "must have one initialized field",
			`{"contents":[{"role":"system","parts":[{"text":"x"}]}]}`:                                     "Please use a valid role",
			`{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":0}}`:            "must be positive",
			`{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":1.5},"x":true}`: "Invalid JSON payload received.",
		} {
			resp, got, err := post(t, h, geminiPath, body)
			require.NoError(t, err)
			assert.Equal(t, 400, resp.StatusCode, body)
			var e struct {
				Error struct {
					Code            int
					Status, Message string
				}
			}
			require.NoError(t, json.Unmarshal(got, &e))
			assert.Equal(t, "INVALID_ARGUMENT", e.Error.Status, body)
			assert.Equal(t, 400, e.Error.Code, body)
			assert.Contains(t, e.Error.Message, message, body)
		}
		for _, path := range []string{"/v1beta/models/m:countTokens", "/v1beta/models/m", "/models/m:generateContent", "/v1beta/projects/p/models/m:generateContentx"} {
			resp, _, err := post(t, h, path, askGemini)
			require.NoError(t, err)
			assert.Equal(t, 404, resp.StatusCode, path)
		}
		for _, path := range []string{"/proxy/v1beta/models/m:generateContent", "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent"} {
			resp, _, err := post(t, h, path, askGemini)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode, path)
		}
		n := fakes.NewNetwork(h)
		defer n.Close()
		resp, err := n.Client().Get("http://gemini.test" + geminiPath)
		require.NoError(t, err)
		assert.Equal(t, 404, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	})
}

func TestGeminiToolOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request := strings.Replace(askGemini, "{", `{"tools":[{"functionDeclarations":[{"name":"look"}]}],`, 1)
		_, body, err := post(t, fakes.Gemini(fakes.Script{ToolCalls: 1}), geminiPath, request)
		require.NoError(t, err)
		assert.Contains(t, string(body), `"functionCall":{"name":"look","args":{"city":"Reykjavík"}}`)
	})
}
