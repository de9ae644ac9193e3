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

// The first frame tells a chat completion and a response from all else.
func TestSniff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, data      string
		chat, responses bool
	}{
		{"chunk", role[:len(role)-1] + `,"object":"chat.completion.chunk"}`, true, false},
		{"whole", `{"object":"chat.completion","choices":[{"message":{"content":"Hi"}}]}`, true, false},
		{"Azure's first chunk", `{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`, true, false},
		{"Azure's first chunk, with a result that is null", `{"choices":[],"object":"","prompt_filter_results":null}`, false, false},
		{"legacy completion", `{"object":"text_completion","choices":[{"text":"Hi"}]}`, false, false},
		{"choices alone", `{"choices":[{"text":"Hi"}]}`, false, false},
		{"error", `{"error":{"message":"boom"}}`, false, false},
		{"created", created, false, true},
		{"queued", `{"type":"response.queued","response":{"status":"queued"}}`, false, true},
		{"whole response", `{"object":"response","output":[]}`, false, true},
		{"a type alone", `{"type":"response.created"}`, false, false},
		{"Anthropic", `{"type":"message_start","message":{}}`, false, false},
		{"a list", `[]`, false, false},
		{"not JSON", `Sure`, false, false},
		{"nothing", ``, false, false},
	} {
		f := providers.Frame{MediaType: "text/event-stream", Data: []byte(c.data)}
		assert.Equal(t, c.chat, openai.ChatDecoder{}.Sniff(f), c.name)
		assert.Equal(t, c.responses, openai.ResponsesDecoder{}.Sniff(f), c.name)
	}
	x := stream(": comment", role[:len(role)-1]+`,"object":"chat.completion.chunk"}`, hello, finish("stop"), usage, done)
	x.Path = "/serve/answer"
	r := decoders.Decode(x)
	assert.Equal(t, "chat-completions", r.API)
	assert.Equal(t, providers.OK, r.Class)
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
