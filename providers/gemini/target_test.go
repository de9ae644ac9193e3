package gemini_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

// network answers each request with an empty reply and keeps the last.
type network struct {
	request *http.Request
	body    string
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	n.request, n.body = req, string(body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}, errors.Join(err, req.Body.Close())
}

func send(t *testing.T, o endpoint.Options, model string, p providers.Prompt) *network {
	t.Helper()
	n := new(network)
	o.Client = &http.Client{Transport: n}
	ctx := wire.NewCapture(0).Context(t.Context())
	require.NoError(t, gemini.GenerateContent(model, o).Send(ctx, p))
	return n
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := send(t, endpoint.Options{
		Key: "AIza-secret", Temperature: endpoint.Value(0.0), TopP: endpoint.Value(0.9), TopK: endpoint.Value(40),
	}, "gemini-2.5-flash", providers.Prompt{Text: "Hi", System: "Be short.", CachedContext: "Context.", Caching: true, MaxTokens: 7})
	assert.Equal(t, "https://generativelanguage.googleapis.com"+studio+"?alt=sse", n.request.URL.String(), "no key in it")
	assert.Equal(t, "AIza-secret", n.request.Header.Get("X-Goog-Api-Key"))
	assert.Empty(t, n.request.Header.Get("Authorization"))
	assert.JSONEq(t, `{
		"contents": [{"role": "user", "parts": [{"text": "Context."}, {"text": "Hi"}]}],
		"systemInstruction": {"parts": [{"text": "Be short."}]},
		"generationConfig": {"maxOutputTokens": 7, "temperature": 0, "topP": 0.9, "topK": 40}
	}`, n.body)
}

func TestSmallestRequest(t *testing.T) {
	t.Setenv("GEMINI_API_KEY", "from-the-environment")
	n := send(t, endpoint.Options{Unary: true, BaseURL: "http://proxy.test/gemini/"}, "models/a b", providers.Prompt{Text: "Hi"})
	assert.Equal(t, "http://proxy.test/gemini/models/a%20b:generateContent", n.request.URL.String())
	assert.Equal(t, "from-the-environment", n.request.Header.Get("X-Goog-Api-Key"))
	assert.JSONEq(t, `{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 100}}`, n.body)
}

// What a caller says of the generation takes the place of all of it.
func TestFieldsAreMerged(t *testing.T) {
	t.Parallel()
	config := map[string]any{"thinkingConfig": map[string]any{"thinkingBudget": 0}}
	n := send(t, endpoint.Options{Key: "k", Fields: map[string]any{"generationConfig": config}}, "m", providers.Prompt{Text: "Hi"})
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(n.body), &body))
	assert.JSONEq(t, `{"maxOutputTokens": 100, "thinkingConfig": {"thinkingBudget": 0}}`, string(body["generationConfig"]))
	assert.Contains(t, body, "contents")
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	err := gemini.GenerateContent("", endpoint.Options{}).Send(t.Context(), providers.Prompt{Text: "Hi"})
	require.EqualError(t, err, "gemini: no model")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	target := gemini.GenerateContent("gemini-2.5-flash", endpoint.Options{Key: "AIza-secret", TopK: endpoint.Value(1)})
	facts := target.Describe(providers.Prompt{Text: "secret text", System: "secret system"})
	assert.Equal(t, "provider=gemini api=generate-content model=gemini-2.5-flash top-k=1", facts.String())
}
