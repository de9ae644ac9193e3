package openai_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// continued is a chunk of vLLM's.
func continued(text, finish string) string {
	return `{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"` + text + `","logprobs":null,"finish_reason":` + finish + `,"stop_reason":null}],"usage":null}`
}

func TestCompletionsAreRecognizedByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/v1/completions":                      true,
		"/openai/deployments/d/completions":    true,
		"/v1/chat/completions":                 false,
		"/v1/completions/cmpl-1":               false,
		"/v1/fim":                              false,
		"/openai/deployments/chat/completions": false,
	} {
		assert.Equal(t, want, openai.CompletionsDecoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, openai.CompletionsDecoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/v1/completions"}))
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	x := stream(continued("Hello", "null"), continued(" there", "null"), continued("", `"length"`), usage, done)
	x.Path = "/v1/completions"
	r := decoders.Decode(x)
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "openai", r.Provider)
	assert.Equal(t, "completions", r.API)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, "length", r.Stop)
	assert.Equal(t, "cmpl-1", r.RequestID)
	assert.Equal(t, wire.At(10*ms), r.First())
	assert.Equal(t, wire.At(50*ms), r.End)
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5)}, r.Usage)

	for _, c := range []struct {
		name   string
		blocks []string
		class  providers.Class
	}{
		{"cut", []string{continued("Hello", "null")}, providers.Truncated},
		{"nothing", []string{continued("", `"stop"`), done}, providers.Empty},
		{"an error", []string{continued("Hello", "null"), `{"error":{"message":"boom","code":500}}`, done}, providers.StreamError},
	} {
		x := stream(c.blocks...)
		x.Path = "/v1/completions"
		assert.Equal(t, c.class, decoders.Decode(x).Class, c.name)
	}

	whole := exchange(200, "application/json", `{"object":"text_completion","model":"m","choices":[{"index":0,"text":"Hi","finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`)
	whole.Path = "/elsewhere"
	r = decoders.Decode(whole)
	assert.Equal(t, "completions", r.API)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi", r.Text)
}

// Some chat completions have the text a second time, beside the delta.
func TestTextBesideADelta(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(`{"object":"chat.completion.chunk","choices":[{"index":0,"text":"Hi","delta":{"role":"assistant","content":"Hi"}}]}`, finish("stop"), done))
	assert.Equal(t, "Hi", r.Text)
}
