package openai_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// counted is a chunk with text and the usage so far.
func counted(text, counts string) string {
	return `{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"` + text + `"}}],"usage":{` + counts + `}}`
}

// Servers that count along tell how many tokens the first content was.
func TestFirstCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		blocks []string
		want   providers.Count
	}{
		{"vLLM with continuous usage", []string{
			counted("", `"prompt_tokens":9,"completion_tokens":0`), counted("Hello", `"prompt_tokens":9,"completion_tokens":3`),
			counted(" there", `"prompt_tokens":9,"completion_tokens":5`), finish("stop"), usage, done,
		}, count(3)},
		{"reasoning first", []string{
			`{"choices":[{"delta":{"reasoning":"Hmm"}}],"usage":{"prompt_tokens":9,"completion_tokens":2}}`,
			counted("Hello", `"prompt_tokens":9,"completion_tokens":5`), finish("stop"), done,
		}, count(2)},
		{"tokens that made no content yet", []string{
			counted("", `"completion_tokens":1`), counted("東", `"completion_tokens":2`), finish("stop"), done,
		}, count(2)},
		{"no counting along: OpenAI", []string{role, hello, finish("stop"), usage, done}, providers.Count{}},
		{"a count of nothing", []string{counted("Hello", `"completion_tokens":0`), finish("stop"), done}, providers.Count{}},
		{"the whole answer in one chunk: Mistral", []string{counted("Hello", `"completion_tokens":5`), finish("stop"), done}, count(5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(c.blocks...))
			assert.Equal(t, c.want, r.FirstCount)
			assert.Equal(t, providers.OK, r.Class, r.Detail)
		})
	}
}

// What servers do beside the protocol does not change what they said.
func TestQuirksOfServers(t *testing.T) {
	t.Parallel()
	hi := delta(`"content":"Hi"`)
	for _, c := range []struct {
		name   string
		blocks []string
		text   string
		class  providers.Class
		output providers.Count
	}{
		{"TGI: its messages have a space nowhere", []string{"data:" + hi, "data:" + finish("stop"), "data:[DONE]"}, "Hi", providers.OK, providers.Count{}},
		{"Ollama: the role in every chunk", []string{
			delta(`"role":"assistant","content":"","reasoning":"Hmm"`), delta(`"role":"assistant","content":"Hi"`),
			delta(`"role":"assistant","content":""`), finish("stop"), usage, done,
		}, "Hi", providers.OK, count(5)},
		{"LiteLLM: usage beside an empty choice, last but one", []string{
			delta(`"content":"Hi","role":"assistant"`), finish("stop"), `{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":9,"completion_tokens":5}}`,
			`{"choices":[{"index":0,"delta":{}}],"stream_options":{"include_usage":true}}`, done,
		}, "Hi", providers.OK, count(5)},
		{"Groq: two records, the first under its own name as well", []string{
			`{"choices":[{"delta":{"role":"assistant","content":""}}],"x_groq":{"id":"req_g"}}`, hi,
			`{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_g","usage":{"prompt_tokens":9,"completion_tokens":5,"total_time":0.02}},"usage":{"prompt_tokens":9,"completion_tokens":5,"total_time":0.02}}`,
			`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_time":0.02}}`, done,
		}, "Hi", providers.OK, count(5)},
		{"Mistral: everything in the last chunk", []string{
			role, `{"choices":[{"delta":{"content":[{"type":"text","text":"Hi"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5},"p":"abc"}`, done,
		}, "Hi", providers.OK, count(5)},
		{"OpenRouter: comments, and two finishes", []string{
			": OPENROUTER PROCESSING", ": OPENROUTER PROCESSING", delta(`"role":"assistant","content":"Hi"`), finish("stop"),
			`{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5}}`, done,
		}, "Hi", providers.OK, count(5)},
		{"OpenRouter: more reasoning than completion", []string{
			hi, `{"choices":[{"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":10,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":11}}}`, done,
		}, "Hi", providers.OK, count(10)},
		{"xAI: reasoning left out of the output", []string{
			hi, finish("stop"), withUsage(`{"prompt_tokens":165,"completion_tokens":2,"total_tokens":296,"completion_tokens_details":{"reasoning_tokens":129}}`), done,
		}, "Hi", providers.OK, count(131)},
		{"DeepSeek: empty reasoning, null content", []string{
			delta(`"role":"assistant","content":null,"reasoning_content":""`), hi,
			`{"choices":[{"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":8}}`, done,
		}, "Hi", providers.OK, count(5)},
		{"Perplexity: cumulative usage and message, an object of its own at the end, no [DONE]", []string{
			`{"object":"chat.completion.chunk","choices":[{"delta":{"role":"assistant","content":"H"},"message":{"content":"H"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}`,
			`{"object":"chat.completion.chunk","choices":[{"delta":{"content":"i"},"message":{"content":"Hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":2}}`,
			`{"object":"chat.completion.done","choices":[{"delta":{"content":""},"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}`,
		}, "Hi", providers.OK, count(2)},
		{"llama.cpp: timings", []string{hi, finish("stop"), `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5},"timings":{"prompt_ms":9,"predicted_ms":484}}`, done}, "Hi", providers.OK, count(5)},
		{"llama-box: an error field, no [DONE]", []string{hi, `error: {"detail":"failed to decode","error":{"message":"failed to decode"}}`}, "Hi", providers.StreamError, providers.Count{}},
		{"vLLM: an error, then [DONE]", []string{hi, `{"error":{"message":"boom","type":"InternalServerError","code":500}}`, done}, "Hi", providers.StreamError, providers.Count{}},
		{"older vLLM: the chunk is the error, then [DONE]", []string{hi, `{"object":"error","message":"boom","type":"InternalServerError","param":null,"code":500}`, done}, "Hi", providers.StreamError, providers.Count{}},
		{"TGI: overloaded, at status 200", []string{`{"error":"Model is overloaded","error_type":"overloaded"}`}, "", providers.Throttled, providers.Count{}},
		{"the finish reason is an error", []string{hi, finish("error"), done}, "Hi", providers.StreamError, providers.Count{}},
		{"Vercel: the role by itself", []string{delta(`"role":"assistant"`), hi, finish("stop"), done}, "Hi", providers.OK, providers.Count{}},
		{"Snowflake: an empty refusal, no finish reason", []string{delta(`"content":"Hi","refusal":""`), usage, done}, "Hi", providers.OK, count(5)},
		{"Writer: null wherever it can be, no [DONE]", []string{
			`{"choices":[{"index":0,"finish_reason":null,"message":null,"delta":{"content":"Hi","role":"assistant","tool_calls":null,"graph_data":null,"refusal":null,"function_call":null},"logprobs":null}],"usage":null,"service_tier":null}`,
			`{"choices":[{"index":0,"finish_reason":"stop","delta":{"content":"","tool_calls":null}}],"usage":null}`, usage,
		}, "Hi", providers.OK, count(5)},
		{"arguments that are JSON, not text", []string{delta(`"tool_calls":[{"function":{"name":"now","arguments":{"a":1}}}]`), finish("tool_calls"), done}, "", providers.OK, providers.Count{}},
		{"a tool of one's own", []string{delta(`"tool_calls":[{"type":"custom","custom":{"name":"now","input":"x"}}]`), finish("tool_calls"), done}, "", providers.OK, providers.Count{}},
		{"Azure: what the filter thinks, before and after", []string{
			`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`, role, hi, finish("stop"),
			`{"choices":[{"index":0,"delta":{},"finish_reason":null,"content_filter_results":{},"content_filter_offsets":{"end_offset":2}}]}`, done,
		}, "Hi", providers.OK, providers.Count{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, newline := range []string{"\n", "\r\n"} {
				x := stream(c.blocks...)
				x.Body = []byte(strings.ReplaceAll(string(x.Body), "\n", newline))
				x.Marks = []wire.Mark{{End: int64(len(x.Body)), At: 10 * ms}}
				r := decode(t, x)
				assert.Equal(t, c.text, r.Text)
				assert.Equal(t, c.class, r.Class, r.Detail)
				assert.Equal(t, c.output, r.Usage.Output)
			}
		})
	}
}

// The clocks of servers, wherever they tell the time.
func TestServerTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		header map[string]string
		last   string
		want   []providers.ServerTime
		total  wire.Instant
	}{
		{"OpenAI", map[string]string{"Openai-Processing-Ms": "176", "X-Envoy-Upstream-Service-Time": "370"}, usage, []providers.ServerTime{
			{Name: "openai-processing-ms", Time: 176 * ms}, {Name: "x-envoy-upstream-service-time", Time: 370 * ms},
		}, wire.At(176 * ms)},
		{"Groq", nil, withUsage(`{"prompt_tokens":9,"completion_tokens":5,"queue_time":0.5,"prompt_time":0.25,"completion_time":0.125,"total_time":0.375}`), []providers.ServerTime{
			{Name: "queue_time", Time: 500 * ms}, {Name: "prompt_time", Time: 250 * ms}, {Name: "completion_time", Time: 125 * ms}, {Name: "total_time", Time: 375 * ms},
		}, wire.At(375 * ms)},
		{"llama.cpp", nil, `{"choices":[],"timings":{"prompt_ms":9,"predicted_ms":484,"predicted_per_token_ms":8.5}}`, []providers.ServerTime{
			{Name: "prompt_ms", Time: 9 * ms}, {Name: "predicted_ms", Time: 484 * ms}, {Name: "total_time", Time: 493 * ms},
		}, wire.At(493 * ms)},
		{"vLLM", nil, `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5},"metrics":{"time_to_first_token_ms":500,"generation_time_ms":1000,"queue_time_ms":250,"mean_itl_ms":null,"tokens_per_second":6.6}}`, []providers.ServerTime{
			{Name: "time_to_first_token_ms", Time: 500 * ms}, {Name: "generation_time_ms", Time: 1000 * ms}, {Name: "queue_time_ms", Time: 250 * ms},
		}, wire.Instant{}},
		{"LiteLLM, which retried, and that was no retry of ours", map[string]string{"X-Litellm-Response-Duration-Ms": "12.5", "X-Litellm-Attempted-Retries": "2"}, usage, []providers.ServerTime{
			{Name: "x-litellm-response-duration-ms", Time: 12500 * time.Microsecond},
		}, wire.Instant{}},
		{"Hugging Face's router hints at a retry of what went well", map[string]string{"Retry-After": "30", "Inference-Id": "i"}, usage, nil, wire.Instant{}},
		{"none, and words where numbers should be", nil, `{"choices":[],"timings":"fast","metrics":[1],"usage":{"total_time":"soon"}}`, nil, wire.Instant{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(hello, finish("stop"), c.last, done)
			for name, value := range c.header {
				x.Header.Set(name, value)
			}
			r := decode(t, x)
			assert.Equal(t, c.want, r.ServerTimes)
			assert.Equal(t, c.total, r.ServerLatency)
			assert.Equal(t, wire.Instant{}, r.RetryAfter)
			_, told := providers.Attempt(x)
			assert.False(t, told)
		})
	}
}

// A server that tells its clocks with every chunk counts along: the last ones stay.
func TestClocksWithEveryChunk(t *testing.T) {
	t.Parallel()
	blocks := make([]string, 0, 102)
	for range 100 {
		blocks = append(blocks, `{"choices":[{"delta":{"content":"a"}}],"timings":{"prompt_ms":1,"predicted_ms":2}}`)
	}
	blocks = append(blocks, `{"choices":[{"delta":{},"finish_reason":"stop"}],"timings":{"prompt_ms":1,"predicted_ms":300}}`, done)
	r := decode(t, stream(blocks...))
	assert.Len(t, r.ServerTimes, 3)
	assert.Equal(t, wire.At(301*ms), r.ServerLatency)
}

// The first frame, or the whole reply, tells the APIs from each other and from all else.
func TestSniff(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		role[:len(role)-1] + `,"object":"chat.completion.chunk"}`: "chat",
		role: "chat", // not every server names the object
		`{"object":"chat.completion","choices":[{"message":{"content":"Hi"}}]}`:                                  "chat",
		`{"object":"chat.completion","choices":[]}`:                                                              "chat",
		`{"id":1,"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}]}`:                         "chat",
		`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`: "chat", // Azure
		`{"object":"chat.completion.chunk","choices":[{"text":"Hi","delta":{"content":"Hi"}}]}`:                  "chat", // Together
		`{"choices":[],"object":"","prompt_filter_results":null}`:                                                "",
		`{"object":"text_completion","choices":[{"text":"Hi"}]}`:                                                 "completions",
		`{"choices":[{"text":"Hi"}]}`:                                                                            "completions",
		`{"choices":["a","b"],"question":"c"}`:                                                                   "",
		`{"choices":[{"label":"a"}]}`:                                                                            "",
		`{"choices":7}`:                                                                                          "",
		`{"error":{"message":"boom"}}`:                                                                           "",
		created:                                                                                                  "responses",
		`{"type":"response.queued","response":{"status":"queued"}}`:                                              "responses",
		`{"id":1,"object":"response","output":[]}`:                                                               "responses",
		`{"type":"response.created"}`:                                                                            "",
		`{"type":"message_start","message":{}}`:                                                                  "", // Anthropic
		`{"id":7,"responses":[],"object":"form"}`:                                                                "",
		`[]`:   "",
		`Sure`: "",
		``:     "",
	} {
		f := providers.Frame{MediaType: "text/event-stream", Data: []byte(data)}
		for api, d := range map[string]providers.Sniffer{"chat": openai.ChatDecoder{}, "completions": openai.CompletionsDecoder{}, "responses": openai.ResponsesDecoder{}} {
			assert.Equal(t, api == want, d.Sniff(f), "%s: %s", api, data)
		}
	}
	x := stream(": comment", role[:len(role)-1]+`,"object":"chat.completion.chunk"}`, hello, finish("stop"), usage, done)
	x.Path = "/serve/answer"
	r := decoders.Decode(x)
	assert.Equal(t, "chat-completions", r.API)
	assert.Equal(t, providers.OK, r.Class)
}

// Other services have paths that end as ours do.
func TestRepliesOfOtherServices(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"/v1/forms/7/responses":      `{"id":7,"answers":{"a":1}}`,
		"/v1/courses/7/completions":  `{"completions":[{"user":1}]}`,
		"/v1/games/chat/completions": `{"choices":["left","right"]}`,
	} {
		x := exchange(201, "application/json", body)
		x.Path = path
		r := decoders.Decode(x)
		assert.Equal(t, providers.Unknown, r.Provider, path)
		assert.Equal(t, providers.Parse, r.Class, path)
		assert.Empty(t, r.Events)
	}
	for path, body := range map[string]string{
		"/v1/responses":        `{"object":"response","status":"completed","output":[]}`,
		"/v1/chat/completions": `{"choices":[{"message":{"role":"assistant","content":""}}]}`,
		"/v1/completions":      `{"choices":[{"text":""}]}`,
	} {
		x := exchange(200, "application/json", body)
		x.Path = path
		r := decoders.Decode(x)
		assert.Equal(t, "openai", r.Provider, "an empty reply stays ours: %s", path)
		assert.Equal(t, providers.Empty, r.Class, path)
	}
}

// What matters neither to times nor to the class may be of any kind.
func TestMembersOfAnotherKind(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(
		`{"id":1,"object":{},"model":[],"x_groq":"y","choices":[{"index":{},"delta":{"content":"Hi","reasoning":{"a":1}},"finish_reason":7,"text":1}],"usage":"none"}`,
		`{"id":"c","choices":[{"delta":{"content":"!"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":7}}`, done,
	))
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi!", r.Text)
	assert.Equal(t, "c", r.RequestID)
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5)}, r.Usage)
	r = decode(t, exchange(200, "application/json", `{"id":1,"model":{},"choices":[{"message":{"content":"Hi","reasoning":{},"tool_calls":"x"},"finish_reason":{}}],"usage":[]}`))
	assert.Equal(t, providers.OK, r.Class, r.Detail)

	r = decodeResponses(t, responseStream(created, helloText,
		`{"type":"response.completed","response":{"id":1,"model":{},"status":7,"incomplete_details":"x","usage":{"input_tokens":9,"output_tokens":5,"output_tokens_details":[]}}}`))
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "completed", r.Stop)
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5)}, r.Usage)
	x := exchange(200, "application/json", `{"id":1,"object":"response","model":{},"status":7,"output":[{"type":"reasoning","id":1,"content":7,"summary":{},"encrypted_content":[]},{"type":"message","content":[{"text":"Hi","annotations":7}]}]}`)
	x.Path = "/v1/responses"
	assert.Equal(t, "Hi", decodeResponses(t, x).Text)
}

// Sound is no content, and yet more than nothing.
func TestSpeechWithoutATranscript(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(role, delta(`"audio":{"data":"aGk="}`), finish("stop"), usage, done))
	assert.Equal(t, providers.OK, r.Class)
	assert.Empty(t, r.Events)
	r = decode(t, exchange(200, "application/json", `{"choices":[{"message":{"content":null,"audio":{"id":"a","data":"aGk=","transcript":"Hi"}},"finish_reason":"stop"}]}`))
	assert.Equal(t, "Hi", r.Text)
}

// Events may be long, and bytes may be no UTF-8.
func TestLongAndBrokenText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100_000)
	for _, x := range []*wire.Exchange{
		stream(role, delta(`"content":"`+long+`"`), finish("stop"), usage, done),
		responseStream(created, of("output_text.delta", long), completed),
	} {
		r := decoders.Decode(x)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Len(t, r.Text, len(long))
	}
	for _, x := range []*wire.Exchange{
		stream(role, delta("\"content\":\"a\xff\xfe\""), finish("stop"), usage, done),
		responseStream(created, of("output_text.delta", "a\xff\xfe"), completed),
	} {
		r := decoders.Decode(x)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "a\ufffd\ufffd", r.Text)
	}
}
