package latencytest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
)

// Each recorded response is recognized by the path it came from and, behind a path
// that says nothing, by its first frame alone; what is in no known protocol is
// recognized by neither.
func TestRecordedResponsesAreRecognized(t *testing.T) {
	t.Parallel()
	paths := map[string]struct{ provider, path string }{
		"bedrock.converse-stream":   {"bedrock", "/model/m/converse-stream"},
		"nonstream:converse-stream": {"bedrock", "/model/m/converse-stream"}, // an error
		"nonstream:converse":        {"bedrock", "/model/m/converse"},
		"bedrock.invoke-stream":     {"bedrock", "/model/m/invoke-with-response-stream"},
		"nonstream:invoke":          {"bedrock", "/model/m/invoke"},
		"nonstream:invocations":     {"sagemaker", "/endpoints/e/invocations"},
		"openai.chat":               {"openai", "/v1/chat/completions"},
		"openai.responses":          {"openai", "/v1/responses"},
		"anthropic.messages":        {"anthropic", "/v1/messages"},
		"gemini":                    {"gemini", "/v1beta/models/m:streamGenerateContent"},
		"cohere":                    {"cohere", "/v2/chat"},
		"ollama":                    {"ollama", "/api/chat"},
		"nonstream:predictions":     {providers.Unknown, "/v1/predictions"},
		"unknown-sse":               {providers.Unknown, "/stream"},
	}
	responses := recorded.Responses(t)
	require.Len(t, responses, 78)
	for _, r := range responses {
		api, _, _ := strings.Cut(r["api"], "/")
		want, known := paths[api]
		require.True(t, known, "%s", r["api"])
		name := r["file"] + "#" + r["interaction"]

		x := r.Capture(t, "https://model.test"+want.path, 64)
		got := builtin.Decode(x)
		assert.Equal(t, want.provider, got.Provider, name)
		if want.provider == providers.Unknown {
			assert.Equal(t, providers.Parse, got.Class, name)
		}

		if got.Class == providers.HTTP4xx || api == "nonstream:invocations" || api == "nonstream:invoke" || api == "nonstream:converse" {
			continue // nothing in a whole reply says whose it is
		}
		x.Host, x.Path = "proxy.test", "/ask"
		blind := builtin.Decode(x)
		assert.Equal(t, want.provider, blind.Provider, "%s, by its first frame", name)
		if want.provider != providers.Unknown {
			assert.Equal(t, got.Class, blind.Class, name)
			assert.True(t, slices.Equal(got.Events, blind.Events), name)
			assert.Equal(t, got.Usage, blind.Usage, name)
		}
	}
}

// Other services have paths like ours, and JSON like ours.
func TestOtherServicesAreNotRecognized(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, contentType, body string }{
		{"POST", "/v1/forms/7/responses", "application/json", `{"id":"7","answers":[]}`},
		{"GET", "/maps/api/place/findplacefromtext/json", "application/json", `{"candidates":[{"name":"x"}],"status":"OK"}`},
		{"POST", "/api/v1/reports/generate", "application/json", `{"report":"x"}`},
		{"POST", "/generate", "application/json", `{"text":"x","meta_info":{"id":"1"}}`},
		{"POST", "/generate", "application/json", `{"text":["x"]}`},
		{"POST", "/x/v1/messages", "application/json", `{"sid":"1","status":"queued"}`},
		{"POST", "/api/chat", "text/plain; charset=utf-8", "0:\"Hello\"\n"},
		{"POST", "/api/chat", "application/json", `{"reply":"hi"}`},
		{"POST", "/api/chat", "text/event-stream", "data: {\"type\":\"start\"}\n\ndata: {\"type\":\"text-delta\",\"delta\":\"Hi\"}\n\ndata: [DONE]\n\n"},
		{"POST", "/v2/chat", "application/json", `{"ok":true}`},
	} {
		x := attempt(0, c.path, 200, c.body)
		x.Method = c.method
		x.Header.Set("Content-Type", c.contentType)
		r := builtin.Decode(x)
		assert.Equal(t, providers.Unknown, r.Provider, "%s %s %s: %s", c.method, c.path, c.body, r.Detail)
		assert.Equal(t, providers.Parse, r.Class)
		assert.Empty(t, r.Events)
	}
}
