package cohere_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/endpoint"
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

func send(t *testing.T, o endpoint.Options, p providers.Prompt) *network {
	t.Helper()
	n := new(network)
	o.Client = &http.Client{Transport: n}
	ctx := wire.NewCapture(0).Context(t.Context())
	require.NoError(t, cohere.Chat("command-a-03-2025", o).Send(ctx, p))
	return n
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := send(t, endpoint.Options{
		Key: "secret", Temperature: endpoint.Value(0.0), TopP: endpoint.Value(0.9), TopK: endpoint.Value(40),
	}, providers.Prompt{Text: "Hi", System: "Be short.", CachedContext: "Context.", Caching: true, MaxTokens: 7})
	assert.Equal(t, "https://api.cohere.com/v2/chat", n.request.URL.String())
	assert.Equal(t, "Bearer secret", n.request.Header.Get("Authorization"))
	assert.JSONEq(t, `{
		"model": "command-a-03-2025", "stream": true, "max_tokens": 7, "temperature": 0, "p": 0.9, "k": 40,
		"messages": [
			{"role": "system", "content": "Be short."},
			{"role": "user", "content": [{"type": "text", "text": "Context."}, {"type": "text", "text": "Hi"}]}
		]
	}`, n.body)
}

func TestSmallestRequest(t *testing.T) {
	t.Setenv("CO_API_KEY", "from-the-environment")
	n := send(t, endpoint.Options{Unary: true}, providers.Prompt{Text: "Hi"})
	assert.Equal(t, "Bearer from-the-environment", n.request.Header.Get("Authorization"))
	assert.JSONEq(t, `{"model": "command-a-03-2025", "stream": false, "max_tokens": 100,
		"messages": [{"role": "user", "content": "Hi"}]}`, n.body)
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	err := cohere.Chat("", endpoint.Options{}).Send(t.Context(), providers.Prompt{Text: "Hi"})
	require.EqualError(t, err, "cohere: no model")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	facts := cohere.Chat("command-a", endpoint.Options{Key: "secret"}).Describe(providers.Prompt{Text: "secret text"})
	assert.Equal(t, "provider=cohere api=chat model=command-a", facts.String())
}
