package custom_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/custom"
	"github.com/latgate/latgate/providers/wire"
)

// A recorder is a network that keeps the last request, and answers every one with a line.
type recorder struct {
	request *http.Request
	body    string
	err     error
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.request, r.body = req, string(data)
	if r.err != nil {
		return nil, r.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("END\n")), Request: req}, nil
}

// sent returns what a file sends for a prompt.
func sent(t *testing.T, yaml string, p providers.Prompt) (*recorder, *wire.Exchange) {
	t.Helper()
	e, err := custom.Read(strings.NewReader(yaml), "e.yaml")
	require.NoError(t, err)
	r := &recorder{}
	capture := wire.NewCapture(0)
	require.NoError(t, e.Through(&http.Client{Transport: r}).Send(capture.Context(t.Context()), p))
	exchanges := capture.Exchanges()
	require.Len(t, exchanges, 1)
	assert.True(t, e.Recognizes(exchanges[0]))
	return r, exchanges[0]
}

func withBody(body string) string {
	return "model: m-1\n" + strings.Replace(least, `{text: "{prompt}"}`, body, 1)
}

func TestSendFillsTheBody(t *testing.T) {
	t.Parallel()
	full := providers.Prompt{Text: "Say \"hi\"\n<ü>.", System: "Be \\ brief", MaxTokens: 7}
	bare := providers.Prompt{Text: "Hi"}
	cached := providers.Prompt{Text: "Hi", CachedContext: "A book.", Caching: true}
	for _, c := range []struct {
		name, body string
		prompt     providers.Prompt
		want       string
	}{
		{"typed where alone", `{p: "{prompt}", n: "{max_tokens}", m: "{model}"}`, bare, `{"p":"Hi","n":100,"m":"m-1"}`},
		{"text among text", `{p: "<{system}> {prompt} ({max_tokens})"}`, full, `{"p":"<Be \\ brief> Say \"hi\"\n<ü>. (7)"}`},
		{
			"values that are none of texts", `{p: "{prompt}", a: 1, b: 1.5, c: true, d: null, e: "1", f: [], g: {}, h: 2024-01-01, i: 0x10}`, bare,
			`{"p":"Hi","a":1,"b":1.5,"c":true,"d":null,"e":"1","f":[],"g":{},"h":"2024-01-01","i":16}`,
		},
		{"JSON as it is", `{"p": "{prompt}", "a": [1, {"b": null}]}`, bare, `{"p":"Hi","a":[1,{"b":null}]}`},
		{"a list", `["{prompt}", 1]`, bare, `["Hi",1]`},
		{"braces", `{p: "{prompt}", t: "{{prompt}} {a: 1} {}"}`, bare, `{"p":"Hi","t":"{prompt} {a: 1} {}"}`},
		{"aliases", `{a: &x [1, "{prompt}"], b: *x}`, bare, `{"a":[1,"Hi"],"b":[1,"Hi"]}`},

		{
			"system", `{system: "{system}", m: [{role: system, c: "{system}"}, {role: user, c: "{prompt}"}]}`, full,
			`{"system":"Be \\ brief","m":[{"role":"system","c":"Be \\ brief"},{"role":"user","c":"Say \"hi\"\n<ü>."}]}`,
		},
		{
			"no system", `{system: "{system}", m: [{role: system, c: "{system}"}, {role: user, c: "{prompt}"}]}`, bare,
			`{"m":[{"role":"user","c":"Hi"}]}`,
		},
		{
			"no system deep in a message", `{m: [{role: system, c: [{type: text, text: "{system}"}]}, {role: user, c: "{prompt}"}]}`, bare,
			`{"m":[{"role":"user","c":"Hi"}]}`,
		},
		{"no system in an object of a message", `{m: [{role: system, c: {type: text, text: "{system}"}}, "{prompt}"]}`, bare, `{"m":["Hi"]}`},
		{"no system in an object of its own", `{options: {system: "{system}"}, more: {system: "{system}", a: 1}, p: "{prompt}"}`, bare, `{"more":{"a":1},"p":"Hi"}`},
		{"no system among text", `{p: "{system}{prompt}"}`, bare, `{"p":"Hi"}`},

		{"context in its place", `{c: "{context}", p: "{prompt}"}`, cached, `{"c":"A book.","p":"Hi"}`},
		{"context without one", `{p: "{prompt}"}`, cached, `{"p":"A book.\n\nHi"}`},
		{"no context", `{c: "{context}", p: "{prompt}"}`, bare, `{"p":"Hi"}`},
		{"another model", `{p: "{prompt}", m: "{model}"}`, providers.Prompt{Text: "Hi", Model: "m-2"}, `{"p":"Hi","m":"m-2"}`},
		{"placeholders in a prompt", `{p: "{prompt}"}`, providers.Prompt{Text: "{model} ${HOME}"}, `{"p":"{model} ${HOME}"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := sent(t, withBody(c.body), c.prompt)
			assert.JSONEq(t, c.want, r.body)
		})
	}
}

func TestSendFillsTheHead(t *testing.T) {
	t.Parallel()
	yaml := strings.Replace(least, "done: END", `done: END
method: PUT
model: org/m 1
headers: {Authorization: "Bearer ${ACME_API_KEY}", content-type: application/vnd.acme+json, Host: front.test}`, 1)
	yaml = strings.Replace(yaml, "https://least.test/chat", "https://least.test/v1/{model}/chat?m={model}&key=${ACME_API_KEY}", 1)
	r, x := sent(t, yaml, providers.Prompt{Text: "Hi"})
	assert.Equal(t, http.MethodPut, r.request.Method)
	assert.Equal(t, "https://least.test/v1/org%2Fm%201/chat?m=org%2Fm+1&key="+apiKey, r.request.URL.String())
	assert.Equal(t, "Bearer "+apiKey, r.request.Header.Get("Authorization"))
	assert.Equal(t, "application/vnd.acme+json", r.request.Header.Get("Content-Type"))
	assert.Equal(t, "front.test", x.Host)
}

func TestSendRefusesWhatItHasNoPlaceFor(t *testing.T) {
	t.Parallel()
	e, err := custom.Read(strings.NewReader(least), "e.yaml")
	require.NoError(t, err)
	for want, p := range map[string]providers.Prompt{
		"least: the prompt has a system prompt, and the body no {system}":               {Text: "Hi", System: "Be brief."},
		"least: the prompt names a model, and neither the body nor the url has {model}": {Text: "Hi", Model: "m-2"},
	} {
		r := &recorder{}
		capture := wire.NewCapture(0)
		assert.EqualError(t, e.Through(&http.Client{Transport: r}).Send(capture.Context(t.Context()), p), want)
		assert.Nil(t, r.request)
		assert.Empty(t, capture.Exchanges())
	}
}

func TestSendsErrorDoesNotShowTheURL(t *testing.T) {
	t.Parallel()
	yaml := strings.Replace(least, "https://least.test/chat", "https://user:pa55@least.test/chat?key=${ACME_API_KEY}", 1)
	e, err := custom.Read(strings.NewReader(yaml), "e.yaml")
	require.NoError(t, err)
	for _, failure := range []error{
		context.DeadlineExceeded,
		&url.Error{Op: "Get", URL: "https://user:pa55@least.test/chat?key=" + apiKey, Err: context.DeadlineExceeded}, // of a client below
	} {
		capture := wire.NewCapture(0)
		e = e.Through(&http.Client{Transport: &recorder{err: failure}})
		err = e.Send(capture.Context(t.Context()), providers.Prompt{Text: "Hi"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, "least: context deadline exceeded", err.Error())
		assert.Equal(t, providers.Timeout, e.Decode(capture.Exchanges()[0]).Class)
	}
	facts := e.Describe(providers.Prompt{Text: "Hi"})
	assert.Equal(t, "least.test", facts.Get("endpoint"))
	for _, secret := range []string{"user", "pa55", apiKey} {
		assert.NotContains(t, facts.String(), secret)
	}
}

// An error ends the stream of a server that then leaves it open.
func TestErrorByNameEndsAnOpenStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "event: error\ndata: {\"message\":\"slow\",\"code\":\"rate_limit_exceeded\"}\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}))
		defer network.Close()
		e := read(t, strings.Replace(least, "ndjson", "sse", 1)).Through(network.Client())
		capture := wire.NewCapture(0)
		require.NoError(t, e.Send(capture.Context(t.Context()), providers.Prompt{Text: "Hi"}))
		x := capture.Exchanges()[0]
		assert.Equal(t, wire.EndTerminal, x.Ending)
		assert.Equal(t, providers.Throttled, e.Decode(x).Class)
	})
}

// A pool is a network that keeps connections.
type pool struct {
	recorder
	closed int
}

func (p *pool) CloseIdleConnections() { p.closed++ }

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	p := &pool{}
	read(t, least).Through(&http.Client{Transport: p}).CloseIdleConnections()
	assert.Equal(t, 1, p.closed)
}

func TestRecognizesItsAddress(t *testing.T) {
	t.Parallel()
	read := func(url string) *custom.Endpoint {
		e, err := custom.Read(strings.NewReader("model: m\n"+strings.Replace(least, "https://least.test/chat", url, 1)), "e.yaml")
		require.NoError(t, err)
		return e
	}
	for _, c := range []struct {
		url, method, host, path string
		want                    bool
	}{
		{"https://a.test/chat", "POST", "a.test", "/chat", true},
		{"https://a.test/chat", "POST", "A.TEST", "/chat", true},
		{"https://a.test/chat", "PUT", "a.test", "/chat", false},
		{"https://a.test/chat", "POST", "b.test", "/chat", false},
		{"https://a.test/chat", "POST", "a.test", "/v1/chat", false},
		{"https://a.test/chat", "POST", "a.test:80", "/chat", false},
		{"https://a.test:80/chat", "POST", "a.test:80", "/chat", true},
		{"https://a.test/chat?x=1", "POST", "a.test", "/chat", true},
		{"https://a.test", "POST", "a.test", "/", true},
		{"https://a.test", "POST", "a.test", "", true},
		{"https://a.test/{model}/chat", "POST", "a.test", "/org%2Fm/chat", true},
		{"https://a.test/{model}/chat", "POST", "a.test", "//chat", false},
		{"https://a.test/{model}/chat", "POST", "a.test", "/a/b/chat", false},
		{"https://a.test/{model}/chat", "POST", "a.test", "/m/talk", false},
		{"https://a.test/{model}:stream", "POST", "a.test", "/m:stream", true},
		{"https://a.test/{model}/of/{model}", "POST", "a.test", "/m/of/m", true},
		{"https://a.test/{model}/of/{model}", "POST", "a.test", "/m/of/", false},
		{"https://a.test/{model}/of/{model}", "POST", "a.test", "/of/m", false},
		{"https://a.test/a%20b/{model}", "POST", "a.test", "/a%20b/m", true},
	} {
		x := &wire.Exchange{Method: c.method, Host: c.host, Path: c.path}
		assert.Equal(t, c.want, read(c.url).Recognizes(x), "%s: %s %s%s", c.url, c.method, c.host, c.path)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	e, err := custom.Load("testdata/acme.yaml")
	require.NoError(t, err)
	facts := e.Describe(providers.Prompt{Text: "Hi"})
	assert.Regexp(t, `^provider=acme api=custom model=acme-large framing=sse body=sha256:[0-9a-f]{12} endpoint=api.acme.test$`, facts.String())
	assert.Equal(t, "other", e.Describe(providers.Prompt{Text: "Hi", Model: "other"}).Get("model"))

	warmer, err := custom.Read(strings.NewReader(strings.Replace(example(t, "acme.yaml"), "stream: true", "stream: true\n  temperature: 1", 1)), "e.yaml")
	require.NoError(t, err)
	assert.NotEqual(t, facts.Get("body"), warmer.Describe(providers.Prompt{}).Get("body"), "another body is another measurement")

	bare, err := custom.Read(strings.NewReader(least), "e.yaml")
	require.NoError(t, err)
	assert.Equal(t, "least", bare.Describe(providers.Prompt{}).Get("model"), "of an endpoint with one model")
}
