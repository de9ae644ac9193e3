package anthropic_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	report := func(name, message string) string {
		return `{"type":"error","error":{"type":"` + name + `","message":"` + message + `"},"request_id":"req_body"}`
	}
	for _, c := range []struct {
		name       string
		status     int
		body       string
		class      providers.Class
		code       string
		detail     string
		overloaded bool
	}{
		{"rate limit", 429, report("rate_limit_error", "This request would exceed your limit"), providers.Throttled, "rate_limit_error", "This request would exceed your limit", false},
		{"overloaded", 529, report("overloaded_error", "Overloaded"), providers.Throttled, "overloaded_error", "Overloaded", true},
		{"overloaded, at another status", 503, report("overloaded_error", "Overloaded"), providers.Throttled, "overloaded_error", "Overloaded", true},
		{"our fault", 400, report("invalid_request_error", "max_tokens: Field required"), providers.HTTP4xx, "invalid_request_error", "max_tokens: Field required", false},
		{"key", 401, report("authentication_error", "invalid x-api-key"), providers.HTTP4xx, "authentication_error", "invalid x-api-key", false},
		{"nothing left to pay with", 402, report("billing_error", "m"), providers.HTTP4xx, "billing_error", "m", false},
		{"permission", 403, report("permission_error", "m"), providers.HTTP4xx, "permission_error", "m", false},
		{"model", 404, report("not_found_error", "model: claude-x"), providers.HTTP4xx, "not_found_error", "model: claude-x", false},
		{"too large", 413, report("request_too_large", "m"), providers.HTTP4xx, "request_too_large", "m", false},
		{"their fault", 500, report("api_error", "Internal server error"), providers.HTTP5xx, "api_error", "Internal server error", false},
		{"timeout", 504, report("timeout_error", "m"), providers.HTTP5xx, "timeout_error", "m", false},
		{"Vertex AI", 429, `{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, providers.Throttled, "RESOURCE_EXHAUSTED", "Quota exceeded", false},
		{"Vertex AI, unavailable", 503, `[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]`, providers.HTTP5xx, "UNAVAILABLE", "m", true},
		{"Bedrock's", 400, `{"message":"The provided model identifier is invalid."}`, providers.HTTP4xx, "", "The provided model identifier is invalid.", false},
		{"no body", 429, ``, providers.Throttled, "", "", false},
		{"a page", 502, `<html>Bad Gateway</html>`, providers.HTTP5xx, "", "", false},
		{"redirect that was not followed", 307, ``, providers.Parse, "", "status 307 Temporary Redirect, which is neither a reply nor an error", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := exchange(c.status, "application/json", c.body)
			r := decode(t, x)
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Equal(t, c.overloaded, r.Overloaded)
			assert.Empty(t, r.Events)
			assert.Equal(t, wire.Instant{}, r.First())
			assert.Equal(t, x.End, r.End)
			if strings.Contains(c.body, "req_body") {
				assert.Equal(t, "req_body", r.RequestID, "where no header names it")
				x.Header.Set("Request-Id", "req_header")
				assert.Equal(t, "req_header", decode(t, x).RequestID)
			}
		})
	}
}

func TestRetryHints(t *testing.T) {
	t.Parallel()
	limited := `{"type":"error","error":{"type":"rate_limit_error","message":"m"}}`
	for _, c := range []struct {
		name   string
		header map[string]string
		want   wire.Instant
	}{
		{"seconds", map[string]string{"Retry-After": "17"}, wire.At(17 * time.Second)},
		{"before the limits", map[string]string{"Retry-After": "17", "Anthropic-Ratelimit-Requests-Reset": "2026-08-19T14:34:11Z"}, wire.At(17 * time.Second)},
		{"the limits alone", map[string]string{"Anthropic-Ratelimit-Tokens-Reset": "2026-08-19T14:34:11Z"}, wire.At(11 * time.Second)},
		{"a limit that has passed", map[string]string{"Anthropic-Ratelimit-Tokens-Reset": "2026-08-19T14:00:00Z"}, wire.At(0)},
		{"none", nil, wire.Instant{}},
		{"no number", map[string]string{"Retry-After": "soon"}, wire.Instant{}},
	} {
		x := exchange(429, "application/json", limited)
		x.Call = time.Date(2026, 8, 19, 14, 34, 0, 0, time.UTC)
		for name, value := range c.header {
			x.Header.Set(name, value)
		}
		assert.Equal(t, c.want, decode(t, x).RetryAfter, c.name)
	}

	x := stream(begin, hello, finish, stop)
	x.Header.Set("Retry-After", "31")
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, "Retry-After comes with replies as well, and is no proof of a throttle")
	assert.False(t, r.RetryAfter.Known())
}

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		event      string
		class      providers.Class
		code       string
		detail     string
		overloaded bool
	}{
		{"overloaded", `{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_body"}`, providers.Throttled, "overloaded_error", "Overloaded", true},
		{"rate limit", `{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`, providers.Throttled, "rate_limit_error", "slow", false},
		{"server", `{"type":"error","error":{"type":"api_error","message":"boom"}}`, providers.StreamError, "api_error", "boom", false},
		{"a name of a later time", `{"type":"error","error":{"type":"weather_error","message":"rain"}}`, providers.StreamError, "weather_error", "rain", false},
		{"without the event's name", `data: {"type":"error","error":{"type":"api_error","message":"boom"}}`, providers.StreamError, "api_error", "boom", false},
		{"without a type", `data: {"error":{"type":"api_error","message":"boom"}}`, providers.StreamError, "api_error", "boom", false},
		{"a string", `data: {"error":"boom"}`, providers.StreamError, "", "boom", false},
		{"by the event's name alone", "event: error\ndata: {\"message\":\"boom\"}", providers.StreamError, "", "boom", false},
		{"in nobody's words", "event: error\ndata: upstream is down", providers.StreamError, "", "upstream is down", false},
		{"with nothing to say", `{"type":"error"}`, providers.StreamError, "", `{"type":"error"}   `, false},
		{"Vertex AI", `data: {"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, providers.Throttled, "RESOURCE_EXHAUSTED", "Quota exceeded", false},
		{"JSON that is no event", `error: {"error":{"type":"api_error","message":"boom"}}`, providers.StreamError, "api_error", "boom", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(begin, hello, c.event, hello, stop))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Equal(t, c.overloaded, r.Overloaded)
			assert.Equal(t, wire.At(20*ms), r.First(), "times so far stay in the record")
			assert.Equal(t, wire.At(30*ms), r.End, "the error ended the stream")
			assert.Equal(t, "Hello", r.Text)

			r = decode(t, stream(c.event))
			assert.Equal(t, c.class, r.Class, "as the first event")
			assert.Equal(t, wire.Instant{}, r.First())
			if strings.Contains(c.event, "req_body") {
				assert.Equal(t, "req_body", r.RequestID)
			}
		})
	}
	r := decode(t, stream(begin, hello, finish, stop, `{"type":"error","error":{"type":"api_error","message":"boom"}}`))
	assert.Equal(t, providers.OK, r.Class, "the reply was whole")
}

func TestNoResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		class providers.Class
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, providers.Connect},
		{context.DeadlineExceeded, providers.Timeout},
		{context.Canceled, providers.Canceled},
		{nil, providers.Connect},
	} {
		x := exchange(0, "", "")
		x.Err = c.err
		r := decode(t, x)
		assert.Equal(t, c.class, r.Class)
		if c.err != nil {
			assert.Equal(t, c.err.Error(), r.Detail)
		}
	}
}
