package openai_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
)

// withUsage is a chunk without choices that carries a usage record.
func withUsage(record string) string {
	return `{"id":"c","model":"m","choices":[],"usage":` + record + `}`
}

func TestUsageRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		blocks []string
		want   providers.Usage
	}{
		{"none", []string{hello, finish("stop"), done}, providers.Usage{}},
		{"null on every chunk but the last", []string{role, hello, finish("stop"), usage, done}, providers.Usage{Input: count(9), Output: count(5)}},
		{"null only", []string{role, hello, withUsage("null"), done}, providers.Usage{}},
		{"empty", []string{hello, withUsage("{}"), done}, providers.Usage{}},
		{"an empty one does not undo an earlier one", []string{hello, usage, withUsage("{}"), done}, providers.Usage{Input: count(9), Output: count(5)}},
		{"null does not undo an earlier one", []string{hello, usage, withUsage("null"), done}, providers.Usage{Input: count(9), Output: count(5)}},
		{"zeros do not undo an earlier one", []string{hello, `{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}`, withUsage(`{"prompt_tokens":0,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}`), done}, providers.Usage{Input: count(9), Output: count(5), CachedRead: count(4)}},
		{"in the choice: Moonshot", []string{hello, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":5,"cached_tokens":4}}]}`, done}, providers.Usage{Input: count(9), Output: count(5), CachedRead: count(4)}},
		{"llama.cpp's cache_n is no count of its usage record", []string{hello, finish("stop"), `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5},"timings":{"cache_n":4,"prompt_n":5,"prompt_ms":1,"predicted_ms":2}}`, done}, providers.Usage{Input: count(9), Output: count(5)}},
		{"with the finish reason", []string{hello, `{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, done}, providers.Usage{Input: count(1), Output: count(2)}},
		{"on the last content: Mistral", []string{`{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, done}, providers.Usage{Input: count(1), Output: count(2)}},
		{"twice: Groq", []string{hello, `{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"completion_tokens":99}},"usage":{"prompt_tokens":1,"completion_tokens":2}}`, withUsage(`{"prompt_tokens":1,"completion_tokens":2}`), done}, providers.Usage{Input: count(1), Output: count(2)}},
		{"last but one: LiteLLM", []string{hello, finish("stop"), `{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, `{"choices":[{"delta":{}}]}`, done}, providers.Usage{Input: count(1), Output: count(2)}},
		{
			"cumulative on every chunk: Perplexity, DeepSeek",
			[]string{
				`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":12,"completion_tokens":0}}`,
				`{"choices":[{"delta":{"content":"b"}}],"usage":{"prompt_tokens":12,"completion_tokens":1}}`,
				`{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":2}}`, done,
			},
			providers.Usage{Input: count(12), Output: count(2)},
		},
		{
			"cached tokens are part of the input, reasoning is part of the output",
			[]string{hello, withUsage(`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":40}}`), done},
			providers.Usage{Input: count(100), Output: count(50), CachedRead: count(80), Reasoning: count(40)},
		},
		{
			"xAI leaves reasoning out of completion_tokens: the total tells",
			[]string{hello, withUsage(`{"prompt_tokens":165,"completion_tokens":2,"total_tokens":296,"completion_tokens_details":{"reasoning_tokens":129}}`), done},
			providers.Usage{Input: count(165), Output: count(131), Reasoning: count(129)},
		},
		{"details null", []string{hello, withUsage(`{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":null}`), done}, providers.Usage{Input: count(1), Output: count(2)}},
		{"more cached than there was: xAI on Azure", []string{hello, withUsage(`{"prompt_tokens":7,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":161}}`), done}, providers.Usage{Input: count(7), Output: count(8), CachedRead: count(161)}},
		{"floats", []string{hello, withUsage(`{"prompt_tokens":7.0,"completion_tokens":8.0}`), done}, providers.Usage{Input: count(7), Output: count(8)}},
		{"words", []string{hello, withUsage(`{"prompt_tokens":"many","completion_tokens":8}`), done}, providers.Usage{Output: count(8)}},
		{"zeros beside content mean unknown, never 0", []string{hello, withUsage(`{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`), done}, providers.Usage{}},
		{"a zero output beside content means unknown", []string{hello, withUsage(`{"prompt_tokens":7,"completion_tokens":0}`), done}, providers.Usage{Input: count(7)}},
		{"zeros of details are zeros", []string{hello, withUsage(`{"prompt_tokens":7,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}`), done}, providers.Usage{Input: count(7), Output: count(1), CachedRead: count(0), Reasoning: count(0)}},
		{"zero output without content is true", []string{role, finish("stop"), withUsage(`{"prompt_tokens":7,"completion_tokens":0}`), done}, providers.Usage{Input: count(7), Output: count(0)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, decode(t, stream(c.blocks...)).Usage)
		})
	}
}

func TestWholeReplyWithZeroUsage(t *testing.T) {
	t.Parallel()
	r := decode(t, exchange(200, "application/json", `{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":0,"completion_tokens":0}}`))
	assert.Equal(t, providers.OK, r.Class)
	assert.Equal(t, providers.Usage{}, r.Usage)
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	names := []string{"x-amzn-requestid", "request-id", "x-request-id", "apim-request-id", "x-generation-id", "mistral-correlation-id", "x-ds-trace-id"}
	for i, name := range names {
		x := stream(hello, finish("stop"), done)
		for _, other := range names[i:] {
			x.Header.Set(other, other)
		}
		assert.Equal(t, name, decode(t, x).RequestID)
	}
	assert.Equal(t, "chatcmpl-1", decode(t, stream(`{"id":"","choices":[]}`, hello, finish("stop"), done)).RequestID, "vLLM has no such header")
	assert.Equal(t, "c2", decode(t, exchange(200, "application/json", `{"id":"c2","choices":[{"message":{"content":"Hi"}}]}`)).RequestID)
	assert.Empty(t, decode(t, exchange(500, "application/json", `{"id":"c2"}`)).RequestID)
}
