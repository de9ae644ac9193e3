package openai_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// terminated is a terminal event with a usage record of zeros, as is recorded of
// one that was incomplete.
func terminated(status, rest string) string {
	return `{"type":"response.` + status + `","response":{"id":"resp_1","object":"response","status":"` + status + `",` + rest +
		`"usage":{"input_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":0}}}`
}

func TestEndsOfResponses(t *testing.T) {
	t.Parallel()
	incomplete := terminated("incomplete", `"incomplete_details":{"reason":"max_output_tokens"},`)
	for _, c := range []struct {
		name   string
		events []string
		class  providers.Class
		stop   string
		end    int // index of the event that ends the stream; −1 is the end of the body
	}{
		{"completed", []string{created, helloText, completed}, providers.OK, "completed", 2},
		{"and what follows is not looked at", []string{created, helloText, completed, "data: <html>"}, providers.OK, "completed", 2},
		{"with [DONE]", []string{created, helloText, completed, done}, providers.OK, "completed", 2},
		{"incomplete", []string{created, helloText, incomplete}, providers.OK, "incomplete:max_output_tokens", 2},
		{"incomplete without a reason", []string{created, helloText, terminated("incomplete", "")}, providers.OK, "incomplete", 2},
		{"queued first", []string{`{"type":"response.queued","response":{"status":"queued"}}`, created, helloText, completed}, providers.OK, "completed", 3},
		{"no content", []string{created, completed}, providers.Empty, "completed", 1},
		{"no terminal event", []string{created, helloText, textDone, itemDone}, providers.Truncated, "", -1},
		{"[DONE] alone ends nothing", []string{created, helloText, done}, providers.Truncated, "", -1},
		{"nothing", nil, providers.Truncated, "", -1},
		{"a terminal event without its response", []string{created, helloText, `{"type":"response.completed"}`}, providers.Parse, "", -1},
		{"not JSON", []string{created, helloText, "data: <html>"}, providers.Parse, "", -1},
		{"JSON of another kind", []string{created, "data: [1]"}, providers.Parse, "", -1},
		{"a delta that is no text", []string{created, `{"type":"response.output_text.delta","delta":{"a":1}}`, completed}, providers.Parse, "", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := responseStream(c.events...)
			r := decodeResponses(t, x)
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.stop, r.Stop)
			want := x.End
			if c.end >= 0 {
				want = wire.At(x.Marks[c.end].At)
			}
			assert.Equal(t, want, r.End)
		})
	}
	r := decodeResponses(t, responseStream(created, helloText, incomplete))
	assert.Equal(t, providers.Usage{}, r.Usage, "zeros beside content are no record")
	r = decodeResponses(t, responseStream(created, incomplete))
	assert.Equal(t, count(0), r.Usage.Output, "without content they are true")
}

func TestErrorsInsideAResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, event  string
		class        providers.Class
		code, detail string
		overloaded   bool
	}{
		{"error event", `{"type":"error","code":"server_error","message":"boom","param":null,"sequence_number":3}`, providers.StreamError, "server_error", "boom", false},
		{"error event without a code", `{"type":"error","code":null,"message":"boom","param":null}`, providers.StreamError, "", "boom", false},
		{"throttle", `{"type":"error","code":"rate_limit_exceeded","message":"slow"}`, providers.Throttled, "rate_limit_exceeded", "slow", false},
		{"error event with an error in it", `{"type":"error","sequence_number":2,"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"long","param":"input"}}`, providers.StreamError, "context_length_exceeded", "long", false},
		{"an error without a type", `{"error":{"message":"boom","type":"server_error","code":null}}`, providers.StreamError, "server_error", "boom", false},
		{"an error by name alone", "event: error\ndata: {\"message\":\"boom\"}", providers.StreamError, "", "boom", false},
		{"an error beside another type", `{"type":"response.in_progress","error":{"message":"boom"}}`, providers.StreamError, "", "boom", false},
		{"a throttle by name alone", "event: error\ndata: {\"message\":\"rate limited\",\"code\":\"rate_limit_exceeded\"}", providers.Throttled, "rate_limit_exceeded", "rate limited", false},
		{"overload", `{"type":"error","code":"service_unavailable","message":"busy"}`, providers.StreamError, "service_unavailable", "busy", true},
		{"failed", terminated("failed", `"error":{"code":"server_error","message":"boom"},`), providers.StreamError, "server_error", "boom", false},
		{"failed, throttled", terminated("failed", `"error":{"code":"rate_limit_exceeded","message":"slow"},`), providers.Throttled, "rate_limit_exceeded", "slow", false},
		{"failed and does not say why", terminated("failed", `"error":null,`), providers.StreamError, "", "the response failed, and does not say why", false},
		{"a field", `error: {"detail":"boom"}`, providers.StreamError, "", "boom", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decodeResponses(t, responseStream(created, helloText, c.event, completed))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Equal(t, c.overloaded, r.Overloaded)
			assert.Equal(t, "Hello", r.Text)
			assert.Equal(t, wire.At(20*ms), r.First(), "times so far stay in the record")
			assert.Equal(t, wire.At(30*ms), r.End, "the error ended the stream")
			assert.Equal(t, c.class, decodeResponses(t, responseStream(c.event)).Class, "as the first event")
		})
	}
}

func TestRefusedResponses(t *testing.T) {
	t.Parallel()
	x := exchange(429, "application/json", `{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`)
	x.Path = "/v1/responses"
	x.Header.Set("Retry-After-Ms", "120")
	x.Header.Set("Retry-After", "1")
	r := decodeResponses(t, x)
	assert.Equal(t, providers.Throttled, r.Class)
	assert.Equal(t, wire.At(120*ms), r.RetryAfter)
	x.Status = 503
	r = decodeResponses(t, x)
	assert.True(t, r.Overloaded)
	x = exchange(200, "text/html", "<html>Sign in</html>")
	x.Path = "/v1/responses"
	assert.Equal(t, providers.Parse, decodeResponses(t, x).Class)
	x = exchange(0, "", "")
	x.Path, x.Err = "/v1/responses", context.DeadlineExceeded
	assert.Equal(t, providers.Timeout, decodeResponses(t, x).Class)
	x = responseStream(created, helloText)
	x.Ending, x.Err = wire.EndContext, context.DeadlineExceeded
	assert.Equal(t, providers.Timeout, decodeResponses(t, x).Class)
}

// No prefix of a stream is taken for the whole one, and none makes trouble.
func TestNoPrefixOfAResponseIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	for _, newline := range []string{"\n", "\r"} {
		whole := responseStream(created, added, of("output_text.delta", "東京 🐌"), textDone, completed)
		body := strings.ReplaceAll(string(whole.Body), "\n", newline)
		payload := strings.LastIndex(body, "}}}") + len("}}}")
		for n := range len(body) + 1 {
			x := exchange(200, textSSE, body[:n])
			x.Path = "/v1/responses"
			r := decodeResponses(t, x)
			if n < payload {
				require.Equal(t, providers.Truncated, r.Class, "%q", body[:n])
				require.Equal(t, providers.Usage{}, r.Usage)
				continue
			}
			require.Equal(t, providers.OK, r.Class, "%q", body[:n])
			require.Equal(t, "東京 🐌", r.Text)
		}
	}
}
