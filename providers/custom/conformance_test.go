package custom_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/custom"
	"github.com/latgate/latgate/providers/providertest"
)

const apiKey = "test-key-of-acme"

func TestMain(m *testing.M) {
	os.Setenv("ACME_API_KEY", apiKey+"\n")
	os.Exit(m.Run())
}

// described returns what makes targets of a file whose url begins with base.
func described(t *testing.T, yaml, base string) func(string, *http.Client) providers.Target {
	t.Helper()
	require.Contains(t, yaml, base)
	_, err := custom.Read(strings.NewReader(yaml), "endpoint.yaml")
	require.NoError(t, err)
	return func(url string, client *http.Client) providers.Target {
		e, err := custom.Read(strings.NewReader(strings.Replace(yaml, base, url, 1)), "endpoint.yaml")
		if err != nil {
			panic(err)
		}
		return e.Through(client)
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(data)
}

func known(input, output, cached, written, reasoning int64) providers.Usage {
	count := func(n int64) providers.Count {
		if n < 0 {
			return providers.Count{}
		}
		return providers.CountOf(n)
	}
	return providers.Usage{
		Input: count(input), Output: count(output),
		CachedRead: count(cached), CachedWrite: count(written), Reasoning: count(reasoning),
	}
}

func TestOpenAILikeEndpoint(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Case{
		New: described(t, example(t, "acme.yaml"), "https://api.acme.test"),
		Stream: providertest.SSE(
			`{"id":"c-1","model":"acme-large-2","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}`,
			`{"id":"c-1","choices":[{"index":0,"delta":{"reasoning_content":"Hm"}}]}`,
			`{"id":"c-1","choices":[{"index":0,"delta":{"content":"Assur, "}}]}`,
			`{"id":"c-1","choices":[{"index":0,"delta":{"content":"später Ninive \ud83c\udfdb"}}]}`,
			`{"id":"c-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"look","arguments":"{}"}}]}}]}`,
			`{"id":"c-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
			`{"id":"c-1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":16},"completion_tokens_details":{"reasoning_tokens":2}}}`,
			`[DONE]`,
		),
		Want: providertest.Want{
			Text: "Assur, später Ninive 🏛", Reasoning: 2, First: 1, Last: 4, Stop: "stop",
			Model: "acme-large-2", RequestID: "c-1", Usage: known(30, 9, 16, -1, 2),
		},
		Empty: providertest.SSE(`{"choices":[{"delta":{"content":""}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `[DONE]`),
		Errors: []providertest.ErrorReply{
			{Name: "throttled", Reply: providertest.JSON(`{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}`).With(429), Class: providers.Throttled, Code: "rate_limit_exceeded"},
			{Name: "in the stream", Reply: providertest.SSE(`{"choices":[{"delta":{"content":"As"}}]}`, `{"error":{"message":"Broken.","code":"server_error"}}`), Class: providers.StreamError, Code: "server_error"},
			{Name: "throttled in the stream", Reply: providertest.SSE(`{"error":{"message":"Slow down.","code":429}}`), Class: providers.Throttled, Code: "429"},
			{Name: "not a stream", Reply: providertest.JSON(`{"error":{"message":"Broken.","code":"server_error"}}`), Class: providers.StreamError, Code: "server_error"},
		},
	})
}

func TestEndpointOfLines(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Case{
		New: described(t, example(t, "lines.yaml"), "http://localhost:8080"),
		Stream: providertest.Lines(
			`{"model":"llama","response":"","done":false}`,
			`{"model":"llama","response":"Ass","done":false}`,
			`{"model":"llama","response":"ur","done":false}`,
			`{"model":"llama","response":"","done":true,"done_reason":"stop","prompt_eval_count":12,"eval_count":3,"total_duration":5000000}`,
		),
		Want:  providertest.Want{Text: "Assur", First: 1, Last: 2, Stop: "stop", Usage: known(12, 3, -1, -1, -1)},
		Empty: providertest.Lines(`{"response":"","done":true}`),
		Errors: []providertest.ErrorReply{
			{Name: "in a line", Reply: providertest.Lines(`{"response":"As"}`, `{"error":{"type":"oom","text":"No memory."}}`), Class: providers.StreamError, Code: "oom"},
			{Name: "refused", Reply: providertest.JSON(`{"error":{"type":"no_model","text":"No such model."}}`).With(404), Class: providers.HTTP4xx, Code: "no_model"},
			{Name: "a text", Reply: providertest.Lines(`{"error":"out of memory"}`), Class: providers.StreamError},
		},
	})
}

const whole = `
name: whole
method: PUT
url: https://whole.test/answers?key=${ACME_API_KEY}
body: [{"question": "System: {system}\nUser: {prompt}", "limit": "{max_tokens}"}]
framing: json
paths: {text: "answers[0].parts[*]", finish: 'answers[0]["why"]'}
usage: {input: in, output: out, cached: hit, cache_write: put, reasoning: thought, input_excludes_cache: true, output_excludes_reasoning: true}
server_latency: {header: X-Took, unit: s}
request_id_header: X-Trace
`

func TestEndpointThatRepliesInOnePiece(t *testing.T) {
	t.Parallel()
	newTarget := described(t, whole, "https://whole.test")
	reply := providertest.JSON(`{"answers":[{"parts":["As","","sur"],"why":"end"}],"in":10,"out":4,"hit":5,"put":1,"thought":2}`)
	want := providertest.Want{Text: "Assur", Stop: "end", EndsWithBody: true, Usage: known(16, 6, 5, 1, 2)}
	providertest.Run(t, providertest.Case{
		New: newTarget, Stream: reply, Want: want,
		NewUnary: newTarget, Unary: reply, UnaryWant: want,
		Empty: providertest.JSON(`{"answers":[{"parts":[""],"why":"end"}]}`),
	})
}

const untilTheEnd = `
name: until-the-end
url: https://end.test
body: {text: "{prompt}"}
framing: %s
paths: {text: t}
ends_with_body: true
`

func TestEndpointThatEndsWithTheBody(t *testing.T) {
	t.Parallel()
	for framing, stream := range map[string]providertest.Reply{
		"sse":    providertest.SSE(`{"t":"As"}`, ``, `{"t":"sur"}`),
		"ndjson": providertest.Lines(`{"t":"As"}`, `{}`, `{"t":"sur"}`),
	} {
		t.Run(framing, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, providertest.Case{
				New:      described(t, strings.Replace(untilTheEnd, "%s", framing, 1), "https://end.test"),
				Stream:   stream,
				Want:     providertest.Want{Text: "Assur", First: 0, Last: 2, EndsWithBody: true},
				NoSystem: true,
			})
		})
	}
}
