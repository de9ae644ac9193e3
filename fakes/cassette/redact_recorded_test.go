package cassette_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	bedrock "github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/openai"
	sagemaker "github.com/latgate/latgate/providers/sagemaker/protocol"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// builtin are the decoders of all protocols.
var builtin = providers.Decoders{
	bedrock.Converse{},
	bedrock.Invoke{},
	sagemaker.Stream{},
	openai.ChatDecoder{},
	openai.CompletionsDecoder{},
	openai.ResponsesDecoder{},
	anthropic.MessagesDecoder{},
	gemini.Decoder{},
	cohere.Decoder{},
	ollama.Decoder{},
	tgi.Decoder{},
}

// paths are where the APIs of the recorded responses live.
var paths = map[string]string{
	"bedrock.converse-stream":   "/model/m/converse-stream",
	"nonstream:converse-stream": "/model/m/converse-stream",
	"nonstream:converse":        "/model/m/converse",
	"bedrock.invoke-stream":     "/model/m/invoke-with-response-stream",
	"nonstream:invoke":          "/model/m/invoke",
	"nonstream:invocations":     "/endpoints/e/invocations",
	"openai.chat":               "/v1/chat/completions",
	"openai.responses":          "/v1/responses",
	"anthropic.messages":        "/v1/messages",
	"gemini":                    "/v1beta/models/m:streamGenerateContent",
	"cohere":                    "/v2/chat",
	"ollama":                    "/api/chat",
	"nonstream:predictions":     "/v1/predictions",
	"unknown-sse":               "/stream",
}

// assembled returns x as a cassette holds it.
func assembled(t *testing.T, rec cassette.Recording, x *wire.Exchange) *wire.Exchange {
	t.Helper()
	c, err := cassette.Assemble(rec, cassette.FromExchange(x))
	require.NoError(t, err)
	return c.At(0).Exchange(time.Time{})
}

// sameEvents checks that two responses tell the same, but for their text.
func sameEvents(t *testing.T, name string, want, got *providers.Response) {
	t.Helper()
	assert.Equal(t, want.Class, got.Class, name)
	assert.Equal(t, want.Code, got.Code, name)
	assert.Equal(t, want.Provider+want.API, got.Provider+got.API, name)
	assert.Equal(t, want.Model, got.Model, name)
	assert.Equal(t, want.Frames, got.Frames, name)
	assert.True(t, slices.Equal(want.Events, got.Events), "%s: events", name)
	assert.Equal(t, want.FirstFrame, got.FirstFrame, name)
	assert.Equal(t, want.End, got.End, name)
	assert.Equal(t, want.Usage, got.Usage, name)
	assert.Equal(t, want.FirstCount, got.FirstCount, name)
	assert.Equal(t, want.Stop, got.Stop, name)
	assert.Equal(t, want.Reasoning, got.Reasoning, name)
	assert.Equal(t, want.Disclosure, got.Disclosure, name)
	assert.Equal(t, want.RetryAfter, got.RetryAfter, name)
	assert.Equal(t, want.ServerTimes, got.ServerTimes, name)
	assert.Equal(t, want.Served, got.Served, name)
	assert.Equal(t, len(want.Text), len(got.Text), name)
}

// words returns the words of a text that are long enough to tell something.
func words(text string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f)
	}), func(w string) bool { return len(w) < 5 })
}

// Of each recorded response, redacted or only freed of secrets, the decoders read the
// same events at the same offsets and times. What text there is says nothing.
func TestRecordedResponsesStayTheSame(t *testing.T) {
	t.Parallel()
	responses := recorded.Responses(t)
	require.Len(t, responses, 78)
	for _, r := range responses {
		name := r["file"] + "#" + r["interaction"]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, _, _ := strings.Cut(r["api"], "/")
			x := r.Capture(t, "https://model.test"+paths[api], 61)
			plain, err := x.Identity()
			require.NoError(t, err)
			want := builtin.Decode(plain)
			for _, redact := range []bool{false, true} {
				stored := assembled(t, cassette.Recording{Redact: redact}, x)
				require.Len(t, stored.Body, len(plain.Body))
				assert.Equal(t, plain.Marks, stored.Marks)
				got := builtin.Decode(stored)
				sameEvents(t, fmt.Sprintf("redacted %t", redact), want, got)
				if !redact {
					continue
				}
				for _, word := range words(want.Text) {
					assert.NotContains(t, got.Text, word)
				}
				again := assembled(t, cassette.Recording{Redact: true}, stored)
				assert.Equal(t, len(stored.Body), len(again.Body))
				sameEvents(t, "redacted twice", got, builtin.Decode(again))
			}
		})
	}
}

// So it is with what the fakes send: every protocol, reasoning, tools and faults.
func TestFakesStayTheSame(t *testing.T) {
	t.Parallel()
	message := `"messages":[{"role":"user","content":"Hello"}]`
	for name, fake := range map[string]struct {
		handler   func(fakes.Script) http.Handler
		url, body string
	}{
		"chat":      {fakes.OpenAI, chatURL, `{"model":"m","stream":true,"stream_options":{"include_usage":true},` + message + `}`},
		"whole":     {fakes.OpenAI, chatURL, `{"model":"m",` + message + `}`},
		"responses": {fakes.OpenAI, "https://api.openai.com/v1/responses", `{"model":"m","stream":true,"input":"Hello"}`},
		"anthropic": {fakes.Anthropic, "https://api.anthropic.com/v1/messages", `{"model":"m","max_tokens":1000,"stream":true,` + message + `}`},
		"bedrock":   {fakes.Bedrock, "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream", `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`},
		"invoke":    {fakes.Bedrock, "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude/invoke-with-response-stream", `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,` + message + `}`},
		"cohere":    {fakes.Cohere, "https://api.cohere.com/v2/chat", `{"model":"m","stream":true,` + message + `}`},
		"gemini":    {fakes.Gemini, "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}`},
		"ollama":    {fakes.Ollama, "http://localhost:11434/api/chat", `{"model":"m",` + message + `}`},
		"tgi":       {fakes.TGI, "http://tgi.test/generate_stream", `{"inputs":"Hello"}`},
		"sagemaker": {
			func(s fakes.Script) http.Handler { return fakes.SageMaker(s, fakes.Container{}) },
			"https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations-response-stream", `{"inputs":"Hello","stream":true,` + message + `}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				places := []fakes.Place{fakes.BetweenMessages, fakes.InPrelude, fakes.InHeaders, fakes.InPayload, fakes.BeforeCRC, fakes.BadCRC, fakes.Abort}
				scripts := []fakes.Script{
					{Seed: 1, TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(9 * ms), OutputTokens: 24, Padding: true},
					{Seed: 2, TTFT: fakes.Constant(300 * ms), Faults: []fakes.Fault{{Effect: fakes.Refuse{}}}},
					{Seed: 3, TTFT: fakes.Constant(300 * ms), Faults: []fakes.Fault{{Effect: fakes.Throw{After: 3}}}},
				}
				for _, p := range places {
					scripts = append(scripts, fakes.Script{Seed: 4, TTFT: fakes.Constant(ms), Gap: fakes.Constant(ms), Faults: []fakes.Fault{{Effect: fakes.Cut{At: p, After: 5}}}})
				}
				for n, s := range scripts {
					network := fakes.NewNetwork(fake.handler(s))
					x := ask(t, network.Transport(), call{url: fake.url, body: fake.body})[0]
					network.Close()
					want := builtin.Decode(x)
					for _, redact := range []bool{false, true} {
						got := builtin.Decode(assembled(t, cassette.Recording{Redact: redact}, x))
						sameEvents(t, fmt.Sprintf("script %d, redacted %t", n, redact), want, got)
						for _, word := range words(want.Text) {
							assert.False(t, redact && strings.Contains(got.Text, word), "%s", word)
						}
					}
				}
			})
		})
	}
}
