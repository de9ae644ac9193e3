package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// decoder takes whatever comes for one piece of text.
type decoder struct{}

func (decoder) Recognizes(*wire.Exchange) bool { return true }

func (decoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder("acme", "chat", x)
	if b.Refused() {
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
		return b.Done()
	}
	b.Frame(int64(len(b.Exchange.Body)))
	b.Add(providers.Text, string(b.Exchange.Body))
	b.Complete()
	return b.Done()
}

var acme = endpoint.Protocol{
	Decoder: decoder{}, Provider: "acme", API: "chat", BaseURL: "https://api.acme.test/v1", KeyEnv: "LATGATE_TEST_ACME_KEY",
	Authorize: endpoint.Header("X-Key"), Header: http.Header{"X-Version": {"7"}},
	Path: func(model string, stream bool) string { return "/chat/" + model },
	Body: func(r endpoint.Request) (map[string]any, error) {
		if r.Model == "none" {
			return nil, errors.New("no such model")
		}
		return map[string]any{"prompt": r.Prompt.Text, "stream": r.Stream, "config": map[string]any{"limit": r.Prompt.Limit(), "k": 1}}, nil
	},
}

// network answers every request alike and remembers the last.
type network struct {
	status int
	header http.Header
	body   string
	last   *http.Request
	sent   map[string]any
	calls  int
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.calls++
	n.last = req
	data, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(data, &n.sent)
	}
	return &http.Response{StatusCode: n.status, Header: n.header.Clone(), Body: io.NopCloser(strings.NewReader(n.body)), Request: req}, err
}

func send(t *testing.T, n *network, o endpoint.Options, p providers.Prompt) (*providers.Response, error) {
	t.Helper()
	if n.status == 0 {
		n.status = 200
	}
	o.Client = &http.Client{Transport: n}
	target := endpoint.New(acme, "large", o)
	capture := wire.NewCapture(0)
	err := target.Send(capture.Context(t.Context()), p)
	xs := capture.Exchanges()
	if len(xs) == 0 {
		return nil, err
	}
	require.Len(t, xs, 1)
	return target.Decode(xs[0]), err
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := &network{body: "Hi"}
	r, err := send(t, n, endpoint.Options{
		Key: "secret", BaseURL: "https://elsewhere.test/", Header: http.Header{"x-version": {"8"}},
		Fields: map[string]any{"config": map[string]any{"k": nil, "budget": 5}, "stream": nil, "user": "u"},
	}, providers.Prompt{Text: "Hello", MaxTokens: 9, Region: "ignored"})
	require.NoError(t, err)
	assert.Equal(t, providers.OK, r.Class)
	assert.Equal(t, "https://elsewhere.test/chat/large", n.last.URL.String())
	assert.Equal(t, http.MethodPost, n.last.Method)
	assert.Equal(t, "secret", n.last.Header.Get("X-Key"))
	assert.Equal(t, "8", n.last.Header.Get("X-Version"))
	assert.Equal(t, "application/json", n.last.Header.Get("Content-Type"))
	assert.Equal(t, map[string]any{"prompt": "Hello", "config": map[string]any{"limit": 9., "budget": 5.}, "user": "u"}, n.sent)

	_, err = send(t, n, endpoint.Options{Unary: true}, providers.Prompt{Text: "Hello", Model: "small"})
	require.NoError(t, err)
	assert.Equal(t, "https://api.acme.test/v1/chat/small", n.last.URL.String())
	assert.Equal(t, false, n.sent["stream"])
	assert.Empty(t, n.last.Header.Get("X-Key"), "there is none")
}

func TestKeys(t *testing.T) {
	t.Setenv("LATGATE_TEST_ACME_KEY", "from the environment")
	n := &network{}
	_, err := send(t, n, endpoint.Options{}, providers.Prompt{Text: "Hello"})
	require.NoError(t, err)
	assert.Equal(t, "from the environment", n.last.Header.Get("X-Key"))
	_, err = send(t, n, endpoint.Options{Key: "given"}, providers.Prompt{Text: "Hello"})
	require.NoError(t, err)
	assert.Equal(t, "given", n.last.Header.Get("X-Key"))
	_, err = send(t, n, endpoint.Options{Key: "given", Token: func(context.Context) (string, error) { return "token", nil }}, providers.Prompt{Text: "Hello"})
	require.NoError(t, err)
	assert.Equal(t, "Bearer token", n.last.Header.Get("Authorization"))
	assert.Empty(t, n.last.Header.Get("X-Key"))
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		o endpoint.Options
		p providers.Prompt
	}{
		"acme: no such model":                           {p: providers.Prompt{Text: "x", Model: "none"}},
		"acme: Options.Token: expired":                  {o: endpoint.Options{Token: func(context.Context) (string, error) { return "", errors.New("expired") }}},
		"acme: Options.Fields: json: unsupported value": {o: endpoint.Options{Fields: map[string]any{"x": math.NaN()}}},
		"acme: Options.BaseURL: parse":                  {o: endpoint.Options{BaseURL: "http://a b"}},
	} {
		n := &network{}
		_, err := send(t, n, c.o, c.p)
		require.ErrorContains(t, err, want)
		assert.Zero(t, n.calls, "nothing is sent")
	}
	nowhere := acme
	nowhere.BaseURL = ""
	err := endpoint.New(nowhere, "m", endpoint.Options{}).Send(t.Context(), providers.Prompt{Text: "x"})
	assert.EqualError(t, err, "acme: no endpoint: set Options.BaseURL")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	n := &network{status: 307, header: http.Header{"Location": {"https://elsewhere.test/"}}}
	r, err := send(t, n, endpoint.Options{Key: "secret"}, providers.Prompt{Text: "Hello"})
	require.NoError(t, err)
	assert.Equal(t, providers.Parse, r.Class)
	assert.Equal(t, 1, n.calls, "and the key stays here")
}

// The client's own limit is a timeout, whichever way it ends the request.
func TestClientsOwnTimeout(t *testing.T) {
	t.Parallel()
	hanging := transport(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, errors.New("net/http: request canceled")
	})
	target := endpoint.New(acme, "m", endpoint.Options{Client: &http.Client{Transport: hanging, Timeout: time.Millisecond}})
	capture := wire.NewCapture(0)
	require.Error(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "x"}))
	assert.Equal(t, providers.Timeout, target.Decode(capture.Exchanges()[0]).Class)
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestDescribe(t *testing.T) {
	t.Parallel()
	p := acme
	p.Facts = providers.Facts{{Name: "version", Value: "7"}}
	facts := endpoint.New(p, "large", endpoint.Options{
		Key: "secret", BaseURL: "https://user:secret@elsewhere.test:8443/x", Unary: true,
		Temperature: endpoint.Value(0.), TopP: endpoint.Value(.5), TopK: endpoint.Value(3), Fields: map[string]any{"system": "secret"},
	}).Describe(providers.Prompt{Text: "secret", Model: "small"})
	assert.Regexp(t, `^provider=acme api=chat model=small version=7 stream=false temperature=0 top-p=0.5 top-k=3 fields=sha256:[0-9a-f]{12} endpoint=elsewhere.test$`, facts.String())
	assert.Equal(t, "provider=acme api=chat model=large", endpoint.New(acme, "large", endpoint.Options{}).Describe(providers.Prompt{}).String())
}
