package anthropic_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// A sent request, as the network saw it.
type sent struct {
	url    string
	header http.Header
	body   string
}

// RoundTrip answers with a whole stream.
func (s *sent) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.url, s.header, s.body = req.URL.String(), req.Header, string(body)
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {textSSE}}, Request: req,
		Body: io.NopCloser(strings.NewReader(string(stream(begin, hello, finish, stop).Body))),
	}, nil
}

// send returns what a target sends, and what it makes of the reply.
func send(t *testing.T, target func(string, endpoint.Options) *endpoint.Target, o endpoint.Options, p providers.Prompt) (*sent, *providers.Response) {
	t.Helper()
	s := &sent{}
	o.Client = &http.Client{Transport: s}
	capture := wire.NewCapture(0)
	made := target("claude-m", o)
	require.NoError(t, made.Send(capture.Context(t.Context()), p))
	return s, made.Decode(capture.Exchanges()[0])
}

func TestRequestOfAPlainPrompt(t *testing.T) {
	t.Parallel()
	s, r := send(t, anthropic.Messages, endpoint.Options{Key: "secret"}, providers.Prompt{Text: "Hi"})
	assert.Equal(t, "https://api.anthropic.com/v1/messages", s.url)
	assert.Equal(t, "secret", s.header.Get("x-api-key"))
	assert.Equal(t, "2023-06-01", s.header.Get("anthropic-version"))
	assert.Equal(t, "application/json", s.header.Get("Content-Type"))
	assert.Empty(t, s.header.Get("Authorization"))
	assert.JSONEq(t, `{"model":"claude-m","max_tokens":100,"stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`, s.body)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
}

func TestRequestOfEverything(t *testing.T) {
	t.Parallel()
	p := providers.Prompt{
		Text: "Hi", System: "Be brief.", MaxTokens: 2000, Model: "claude-other",
		Caching: true, CacheTTL: "1h", CachedContext: "Know this.",
	}
	o := endpoint.Options{
		BaseURL: "https://bedrock-mantle.us-east-1.api.aws/anthropic/", Unary: true,
		Token:       func(context.Context) (string, error) { return "bearer", nil },
		Temperature: endpoint.Value(0.0), TopP: endpoint.Value(0.9), TopK: endpoint.Value(5),
		Header: http.Header{"anthropic-beta": {"fast"}},
		Fields: map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024}, "temperature": nil},
	}
	s, _ := send(t, anthropic.Messages, o, p)
	assert.Equal(t, "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages", s.url)
	assert.Equal(t, "Bearer bearer", s.header.Get("Authorization"))
	assert.Empty(t, s.header.Get("x-api-key"))
	assert.Equal(t, "fast", s.header.Get("anthropic-beta"))
	assert.JSONEq(t, `{"model":"claude-other","max_tokens":2000,"stream":false,"system":"Be brief.","top_p":0.9,"top_k":5,
		"thinking":{"type":"enabled","budget_tokens":1024},
		"messages":[{"role":"user","content":[
			{"type":"text","text":"Know this.","cache_control":{"type":"ephemeral","ttl":"1h"}},
			{"type":"text","text":"Hi"}]}]}`, s.body)

	p.CacheTTL = ""
	s, _ = send(t, anthropic.Messages, o, p)
	assert.Contains(t, s.body, `"cache_control":{"type":"ephemeral"}`, "the provider's default")
	p.Caching = false
	s, _ = send(t, anthropic.Messages, o, p)
	assert.Contains(t, s.body, "Know this.")
	assert.NotContains(t, s.body, "cache_control")
}

func TestVertexRequest(t *testing.T) {
	t.Parallel()
	o := endpoint.Options{
		BaseURL: "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5",
		Token:   func(context.Context) (string, error) { return "oauth", nil },
	}
	p := providers.Prompt{Text: "Hi", Model: "claude-haiku-4-5@20251001"}
	s, r := send(t, anthropic.Vertex, o, p)
	assert.Equal(t, o.BaseURL+"/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict", s.url)
	assert.Equal(t, "Bearer oauth", s.header.Get("Authorization"))
	assert.JSONEq(t, `{"anthropic_version":"vertex-2023-10-16","max_tokens":100,"stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`, s.body)
	assert.Equal(t, providers.OK, r.Class, r.Detail)

	o.Unary = true
	s, _ = send(t, anthropic.Vertex, o, p)
	assert.True(t, strings.HasSuffix(s.url, ":rawPredict"), s.url)
	assert.Contains(t, s.body, `"stream":false`)
	assert.ErrorContains(t, anthropic.Vertex("claude-m", endpoint.Options{}).Send(t.Context(), p), "no endpoint")
}

// What is said of a target holds neither keys nor words.
func TestDescribe(t *testing.T) {
	t.Parallel()
	target := anthropic.Messages("claude-m", endpoint.Options{
		Key: "secret", Temperature: endpoint.Value(0.5), Fields: map[string]any{"system": "private"},
		Header: http.Header{"X-Proxy-Key": {"secret"}},
	})
	facts := target.Describe(providers.Prompt{Text: "private", System: "private", CachedContext: "private"})
	assert.Equal(t, "anthropic", facts.Get("provider"))
	assert.Equal(t, "messages", facts.Get("api"))
	assert.Equal(t, "claude-m", facts.Get("model"))
	assert.Equal(t, "0.5", facts.Get("temperature"))
	said, err := json.Marshal(facts)
	require.NoError(t, err)
	assert.NotContains(t, string(said), "secret")
	assert.NotContains(t, string(said), "private")
}

// The end that a transport looks for is where decoding stops.
func TestTerminalEvent(t *testing.T) {
	t.Parallel()
	terminal := anthropic.Messages("claude-m", endpoint.Options{}).Terminal
	response := func(status int, contentType string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
	}
	assert.Nil(t, terminal(response(529, textSSE)))
	assert.Nil(t, terminal(response(200, "application/json")))
	assert.Nil(t, terminal(response(200, "")))
	for _, last := range []string{
		stop,
		`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
		`data: {"error":"boom"}`,
		"event: error\ndata: boom",
	} {
		body := stream(begin, textStart, ping, hello, delta(`"type":"text_delta","text":"\"type\":\"message_stop\""`), "event: error\ndata:  ", finish, last).Body
		reached := terminal(response(200, textSSE))
		require.NotNil(t, reached)
		for n := range len(body) - 1 {
			require.False(t, reached(body[:n]), "%q", body[:n])
		}
		assert.True(t, reached(body), last)
	}
}
