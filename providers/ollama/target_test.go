package ollama_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/ollama"
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

type constructor func(string, endpoint.Options) *endpoint.Target

func send(t *testing.T, target constructor, o endpoint.Options, p providers.Prompt) *network {
	t.Helper()
	n := new(network)
	o.Client = &http.Client{Transport: n}
	ctx := wire.NewCapture(0).Context(t.Context())
	require.NoError(t, target("llama3.2", o).Send(ctx, p))
	return n
}

func TestRequests(t *testing.T) {
	t.Setenv("OLLAMA_HOST", "elsewhere:1")
	all := endpoint.Options{
		BaseURL: "https://ollama.com", Key: "secret",
		Temperature: endpoint.Value(0.0), TopP: endpoint.Value(0.9), TopK: endpoint.Value(40),
	}
	full := providers.Prompt{Text: "Hi", System: "Be short.", CachedContext: "Context.", MaxTokens: 7}

	n := send(t, ollama.Chat, endpoint.Options{}, providers.Prompt{Text: "Hi"})
	assert.Equal(t, "http://localhost:11434/api/chat", n.request.URL.String(), "whatever OLLAMA_HOST says")
	assert.Empty(t, n.request.Header.Get("Authorization"))
	assert.JSONEq(t, `{"model": "llama3.2", "stream": true, "options": {"num_predict": 100},
		"messages": [{"role": "user", "content": "Hi"}]}`, n.body)

	n = send(t, ollama.Chat, all, full)
	assert.Equal(t, "https://ollama.com/api/chat", n.request.URL.String())
	assert.Equal(t, "Bearer secret", n.request.Header.Get("Authorization"))
	assert.JSONEq(t, `{"model": "llama3.2", "stream": true,
		"options": {"num_predict": 7, "temperature": 0, "top_p": 0.9, "top_k": 40},
		"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Context.\n\nHi"}]}`, n.body)

	n = send(t, ollama.Generate, endpoint.Options{Unary: true, Fields: map[string]any{"keep_alive": "1h"}}, providers.Prompt{Text: "Hi"})
	assert.Equal(t, "http://localhost:11434/api/generate", n.request.URL.String())
	assert.JSONEq(t, `{"model": "llama3.2", "stream": false, "options": {"num_predict": 100}, "prompt": "Hi", "keep_alive": "1h"}`, n.body)

	n = send(t, ollama.Generate, all, full)
	assert.JSONEq(t, `{"model": "llama3.2", "stream": true, "prompt": "Context.\n\nHi", "system": "Be short.",
		"options": {"num_predict": 7, "temperature": 0, "top_p": 0.9, "top_k": 40}}`, n.body)
}

// The end that a transport looks for is where decoding stops.
func TestTerminalLine(t *testing.T) {
	t.Parallel()
	terminal := ollama.Chat("llama3.2", endpoint.Options{}).Terminal
	response := func(status int, contentType string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
	}
	assert.Nil(t, terminal(response(503, ndjson)))
	assert.Nil(t, terminal(response(200, "application/json")))
	for _, last := range []string{chatEnd, `{"done" : true}`, `{"error":"boom"}`} {
		body := stream(hello, content(`\"done\":true, \"error\"`), `{"done":false,"error":null}`, last).Body
		reached := terminal(response(200, ndjson+"; charset=utf-8"))
		for n := range body {
			require.False(t, reached(body[:n]), "%q", body[:n])
		}
		assert.True(t, reached(body), last)
	}
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	err := ollama.Chat("", endpoint.Options{}).Send(t.Context(), providers.Prompt{Text: "Hi"})
	require.EqualError(t, err, "ollama: no model")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	facts := ollama.Generate("llama3.2", endpoint.Options{Key: "secret"}).Describe(providers.Prompt{Text: "secret text"})
	assert.Equal(t, "provider=ollama api=generate model=llama3.2", facts.String())
}
