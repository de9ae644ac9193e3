package openai_test

import (
	"context"
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
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// seen is the request that a target sent.
type seen struct {
	url    string
	header http.Header
	body   map[string]any
}

// send sends a prompt to a network that keeps the request and has no answer.
func send(t *testing.T, make func(endpoint.Options) *endpoint.Target, o endpoint.Options, p providers.Prompt) (seen, error) {
	t.Helper()
	var got seen
	o.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		got.url, got.header = r.URL.String(), r.Header
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got.body)
		}
		return &http.Response{StatusCode: 404, Header: http.Header{}, Body: http.NoBody, Request: r}, err
	})}
	target := make(o)
	capture := wire.NewCapture(0)
	err := target.Send(capture.Context(t.Context()), p)
	if err == nil {
		exchanges := capture.Exchanges()
		require.Len(t, exchanges, 1)
		assert.True(t, target.Recognizes(exchanges[0]), exchanges[0].Path)
	}
	facts := target.Describe(p).String()
	assert.NotContains(t, facts, "secret")
	assert.NotContains(t, facts, p.Text)
	return got, err
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func chatTarget(o endpoint.Options) *endpoint.Target      { return openai.Chat("m", o) }
func responsesTarget(o endpoint.Options) *endpoint.Target { return openai.Responses("m", o) }
func azureTarget(o endpoint.Options) *endpoint.Target {
	return openai.Azure("my gpt", "2024-10-21", o)
}

// fields makes JSON comparable with what was sent.
func fields(t *testing.T, text string) (members map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &members))
	return members
}

func TestRequests(t *testing.T) {
	prompt := providers.Prompt{Text: "What is up?", MaxTokens: 50}
	full := providers.Prompt{Text: "What is up?", System: "Be brief.", CachedContext: "Long ago.", Caching: true, Model: "other"}
	sampling := endpoint.Options{Temperature: endpoint.Value(0.0), TopP: endpoint.Value(0.5)}
	const own = "https://api.openai.com/v1"
	for _, c := range []struct {
		name   string
		target func(endpoint.Options) *endpoint.Target
		o      endpoint.Options
		p      providers.Prompt
		url    string
		body   string
	}{
		{
			"chat", chatTarget,
			endpoint.Options{},
			prompt, own + "/chat/completions",
			`{"model":"m","messages":[{"role":"user","content":"What is up?"}],"max_completion_tokens":50,"stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"chat, all there is", chatTarget, sampling, full, own + "/chat/completions",
			`{"model":"other","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Long ago."},{"type":"text","text":"What is up?"}]}],
			"max_completion_tokens":100,"temperature":0,"top_p":0.5,"stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"chat, whole", chatTarget,
			endpoint.Options{Unary: true},
			prompt, own + "/chat/completions",
			`{"model":"m","messages":[{"role":"user","content":"What is up?"}],"max_completion_tokens":50}`,
		},
		{
			"a compatible server", chatTarget,
			endpoint.Options{BaseURL: "http://localhost:8000/v1/", TopK: endpoint.Value(5)},
			prompt, "http://localhost:8000/v1/chat/completions",
			`{"model":"m","messages":[{"role":"user","content":"What is up?"}],"max_tokens":50,"top_k":5,"stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"one that knows no stream_options, with a reasoning model", chatTarget,
			endpoint.Options{BaseURL: "http://localhost/v1", Fields: map[string]any{"stream_options": nil, "max_tokens": nil, "max_completion_tokens": 2000, "seed": 1}},
			prompt,
			"http://localhost/v1/chat/completions",
			`{"model":"m","messages":[{"role":"user","content":"What is up?"}],"max_completion_tokens":2000,"seed":1,"stream":true}`,
		},
		{
			"responses", responsesTarget,
			endpoint.Options{},
			prompt, own + "/responses",
			`{"model":"m","input":[{"role":"user","content":"What is up?"}],"max_output_tokens":50,"stream":true}`,
		},
		{
			"responses, all there is", responsesTarget, sampling, full, own + "/responses",
			`{"model":"other","instructions":"Be brief.","input":[{"role":"user","content":[{"type":"input_text","text":"Long ago."},{"type":"input_text","text":"What is up?"}]}],
			"max_output_tokens":100,"temperature":0,"top_p":0.5,"stream":true}`,
		},
		{
			"responses, whole and not kept", responsesTarget,
			endpoint.Options{Unary: true, Fields: map[string]any{"store": false}},
			prompt, own + "/responses",
			`{"model":"m","input":[{"role":"user","content":"What is up?"}],"max_output_tokens":50,"store":false}`,
		},
		{
			"Azure", azureTarget,
			endpoint.Options{BaseURL: "https://r.openai.azure.com"},
			prompt,
			"https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
			`{"messages":[{"role":"user","content":"What is up?"}],"max_completion_tokens":50,"stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"Bedrock", chatTarget,
			endpoint.Options{BaseURL: "https://bedrock-mantle.us-east-1.api.aws/v1"},
			prompt, "https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions",
			`{"model":"m","messages":[{"role":"user","content":"What is up?"}],"max_tokens":50,"stream":true,"stream_options":{"include_usage":true}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := send(t, c.target, c.o, c.p)
			require.NoError(t, err)
			assert.Equal(t, c.url, got.url)
			assert.Equal(t, fields(t, c.body), got.body)
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		})
	}
}

// Reasoning models of OpenAI refuse max_tokens, many other servers know only that.
func TestNameOfTheLimit(t *testing.T) {
	t.Parallel()
	for base, own := range map[string]bool{
		"":                                                         true,
		"https://api.openai.com/v1":                                true,
		"https://eu.api.openai.com/v1":                             true,
		"https://r.openai.azure.com/openai/v1":                     true,
		"https://r.openai.azure.us/openai/v1":                      true,
		"https://r.services.ai.azure.com/openai/v1":                true,
		"https://r.services.ai.azure.com/models":                   false,
		"https://r.cognitiveservices.azure.com/openai/v1":          true,
		"https://r.services.ai.azure.com/api/projects/p/openai/v1": true,
		"https://m.eastus.models.ai.azure.com/v1":                  false,
		"https://api.groq.com/openai/v1":                           false,
		"https://openai.example.com/v1":                            false,
		"http://api.openai.com.example.com/v1":                     false,
		"http://127.0.0.1:11434/v1":                                false,
		"https://bedrock-mantle.eu-west-1.api.aws/v1":              false,
	} {
		got, err := send(t, chatTarget, endpoint.Options{BaseURL: base}, providers.Prompt{Text: "Hi"})
		require.NoError(t, err)
		assert.Equal(t, own, got.body["max_completion_tokens"] != nil, base)
		assert.Equal(t, !own, got.body["max_tokens"] != nil, base)

		_, err = send(t, chatTarget, endpoint.Options{BaseURL: base, TopK: endpoint.Value(5)}, providers.Prompt{Text: "Hi"})
		assert.Equal(t, own, err != nil, "top-k: %s", base)
	}
}

func TestKeys(t *testing.T) { // not parallel: it sets the environment
	t.Setenv("OPENAI_API_KEY", "secret-openai")
	t.Setenv("AZURE_OPENAI_API_KEY", "secret-azure")
	hi := providers.Prompt{Text: "Hi"}
	base := endpoint.Options{BaseURL: "https://r.openai.azure.com"}

	got, err := send(t, chatTarget, endpoint.Options{}, hi)
	require.NoError(t, err)
	assert.Equal(t, "Bearer secret-openai", got.header.Get("Authorization"))
	got, err = send(t, responsesTarget, endpoint.Options{Key: "secret-own"}, hi)
	require.NoError(t, err)
	assert.Equal(t, "Bearer secret-own", got.header.Get("Authorization"))

	got, err = send(t, azureTarget, base, hi)
	require.NoError(t, err)
	assert.Equal(t, "secret-azure", got.header.Get("Api-Key"))
	assert.Empty(t, got.header.Get("Authorization"))

	base.Token = func(context.Context) (string, error) { return "secret-entra", nil }
	got, err = send(t, azureTarget, base, hi)
	require.NoError(t, err)
	assert.Equal(t, "Bearer secret-entra", got.header.Get("Authorization"))
	assert.Empty(t, got.header.Get("Api-Key"))

	got, err = send(t, chatTarget, endpoint.Options{
		BaseURL: "https://r.openai.azure.com/openai/v1", Header: http.Header{"api-key": {"secret-azure"}, "Authorization": nil},
	}, hi)
	require.NoError(t, err)
	assert.Equal(t, "https://r.openai.azure.com/openai/v1/chat/completions", got.url)
	assert.Equal(t, "secret-azure", got.header.Get("Api-Key"))
	assert.Empty(t, got.header.Values("Authorization"), "the key of OpenAI stays at home")
}

func TestRequestsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	hi := providers.Prompt{Text: "Hi"}
	_, err := send(t, azureTarget, endpoint.Options{}, hi)
	assert.ErrorContains(t, err, "BaseURL")
	_, err = send(t, func(o endpoint.Options) *endpoint.Target { return openai.Azure("d", "", o) }, endpoint.Options{BaseURL: "https://r.openai.azure.com"}, hi)
	assert.ErrorContains(t, err, "apiVersion is empty")
	_, err = send(t, chatTarget, endpoint.Options{Token: func(context.Context) (string, error) { return "", errors.New("expired") }}, hi)
	assert.ErrorContains(t, err, "expired")
	_, err = send(t, responsesTarget, endpoint.Options{TopK: endpoint.Value(1)}, hi)
	assert.ErrorContains(t, err, "TopK")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	o := endpoint.Options{BaseURL: "http://localhost:8000/v1", Key: "secret", Temperature: endpoint.Value(0.0), Fields: map[string]any{"user": "private"}}
	facts := openai.Chat("m", o).Describe(providers.Prompt{Text: "private", System: "private"})
	assert.Equal(t, "provider=openai api=chat-completions model=m temperature=0", strings.Join(strings.Fields(facts.String())[:4], " "))
	assert.Equal(t, "localhost", facts.Get("endpoint"))
	assert.NotContains(t, facts.String(), "private")
	assert.Equal(t, "responses", openai.Responses("m", o).Describe(providers.Prompt{}).Get("api"))
	assert.Equal(t, "d", openai.Azure("d", "v", o).Describe(providers.Prompt{}).Get("model"))
}
