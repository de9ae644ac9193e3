package tgi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequests(t *testing.T) {
	t.Parallel()
	full := providers.Prompt{Text: "What is up?", System: "Be brief.", CachedContext: "Long ago.", Caching: true, MaxTokens: 7}
	for _, c := range []struct {
		name      string
		o         endpoint.Options
		p         providers.Prompt
		url, body string
	}{
		{"plain", endpoint.Options{}, providers.Prompt{Text: "Hi"}, "/generate_stream", `{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true}}`},
		{"whole", endpoint.Options{Unary: true}, providers.Prompt{Text: "Hi"}, "/generate", `{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true}}`},
		{
			"all there is",
			endpoint.Options{Temperature: endpoint.Value(0.5), TopP: endpoint.Value(0.9), TopK: endpoint.Value(5)},
			full, "/generate_stream",
			`{"inputs":"Be brief.\n\nLong ago.\n\nWhat is up?","parameters":{"max_new_tokens":7,"details":true,"do_sample":true,"temperature":0.5,"top_p":0.9,"top_k":5}}`,
		},
		{
			"numbers that the server refuses",
			endpoint.Options{Temperature: endpoint.Value(0.0), TopP: endpoint.Value(1.0)},
			providers.Prompt{Text: "Hi"},
			"/generate_stream",
			`{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true,"do_sample":false}}`,
		},
		{"other parameters", endpoint.Options{Fields: map[string]any{"parameters": map[string]any{"seed": 1}}}, providers.Prompt{Text: "Hi"}, "/generate_stream", `{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true,"seed":1}}`},
		{"fewer parameters", endpoint.Options{Fields: map[string]any{"parameters": map[string]any{"max_new_tokens": 5, "details": nil}}}, providers.Prompt{Text: "Hi"}, "/generate_stream", `{"inputs":"Hi","parameters":{"max_new_tokens":5}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.o.BaseURL, c.o.Key = "http://tgi.test:8080/", "secret"
			c.o.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				assert.Equal(t, "http://tgi.test:8080"+c.url, r.URL.String())
				assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
				body, err := io.ReadAll(r.Body)
				assert.JSONEq(t, c.body, string(body))
				return &http.Response{StatusCode: 500, Header: http.Header{}, Body: http.NoBody, Request: r}, err
			})}
			target := tgi.Generate(c.o)
			require.NoError(t, target.Send(wire.NewCapture(0).Context(t.Context()), c.p))
			assert.NotContains(t, target.Describe(c.p).String(), "secret")
			assert.NotContains(t, target.Describe(full).String(), "brief")
			assert.Equal(t, "tgi.test", target.Describe(c.p).Get("endpoint"))
			assert.Equal(t, "generate", target.Describe(c.p).Get("api"))
		})
	}
	assert.ErrorContains(t, tgi.Generate(endpoint.Options{}).Send(t.Context(), full), "BaseURL")
}

func TestEnd(t *testing.T) {
	t.Parallel()
	reply := func(status int, contentType string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
	}
	assert.Nil(t, tgi.End(reply(429, textSSE)))
	assert.Nil(t, tgi.End(reply(200, jsonText)))
	for _, contentType := range []string{textSSE, lines} {
		for _, c := range []struct {
			events []string
			want   int // the event that ends the stream; −1 is none
		}{
			{[]string{token("a"), last("a")}, 1},
			{[]string{token("a"), `{"token": {"id": 2}, "generated_text": "a"}`}, 1},
			{[]string{token("a"), `{"error":"boom","error_type":"generation"}`}, 1},
			{[]string{token("a"), `{"generated_text":null,"error": {"message":"boom"}}`}, 1},
			{[]string{token("a"), `{"token":{"text":"a"},"error":""}`, `{"token":{"text":"a"},"error":{}}`}, -1},
			{[]string{token(`\"generated_text\":\"a\"`), token("a")}, -1},
			{[]string{`{"token":{"text":"a"},"error":null,"generated_text": null}`}, -1},
		} {
			x := framed(contentType, c.events...)
			reached := tgi.End(reply(200, contentType))
			for n := range len(x.Body) + 1 {
				want := c.want >= 0 && int64(n) >= x.Marks[max(c.want, 0)].End
				require.Equal(t, want, reached(x.Body[:n]), "%q", x.Body[:n])
			}
		}
	}
}

func TestEndByTheNameOfAnEvent(t *testing.T) {
	t.Parallel()
	reached := tgi.End(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {textSSE}}})
	assert.True(t, reached([]byte("event: error\ndata: {\"message\":\"slow\"}\n\n")))
}

func ExampleGenerate() {
	network := fakes.NewNetwork(fakes.TGI(fakes.Script{TTFT: fakes.Constant(20 * time.Millisecond), OutputTokens: 4}))
	defer network.Close()
	target := tgi.Generate(endpoint.Options{BaseURL: "http://localhost:8080", Client: network.Client()})

	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), providers.Prompt{Text: "Who waits?"}); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		first, _ := r.FirstCount.Get()
		fmt.Println(r.Class, r.Stop, len(r.Events), first)
		fmt.Println(r.Text)
	}
	// Output:
	// ok eos_token 4 1
	// a request that waits
}
