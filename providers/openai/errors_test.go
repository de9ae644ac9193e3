package openai_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// 429 is not always a throttle, and a refusal comes in many forms.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		class  providers.Class
		code   string
		detail string
	}{
		{"OpenAI rate limit", 429, `{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`, providers.Throttled, "rate_limit_exceeded", "Rate limit reached"},
		{"OpenAI quota used up", 429, `{"error":{"message":"You exceeded your quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, providers.HTTP4xx, "insufficient_quota", "You exceeded your quota"},
		{"quota by type alone", 429, `{"error":{"message":"m","type":"insufficient_quota","code":null}}`, providers.HTTP4xx, "insufficient_quota", "m"},
		{"Azure by name", 429, `{"error":{"code":"RateLimitReached","message":"Please retry after 1 second."}}`, providers.Throttled, "RateLimitReached", "Please retry after 1 second."},
		{"Azure by a number in a string", 429, `{"error":{"code":"429","message":"m"}}`, providers.Throttled, "429", "m"},
		{"code is a number", 429, `{"error":{"code":429,"message":"m"}}`, providers.Throttled, "429", "m"},
		{"TGI: error is a string", 429, `{"error":"Model is overloaded","error_type":"overloaded"}`, providers.Throttled, "overloaded", "Model is overloaded"},
		{"vLLM: error is the body", 400, `{"object":"error","message":"max_tokens is too large","type":"BadRequestError","param":null,"code":400}`, providers.HTTP4xx, "BadRequestError", "max_tokens is too large"},
		{"FastAPI: detail", 404, `{"detail":"Not Found"}`, providers.HTTP4xx, "", "Not Found"},
		{"no body", 429, ``, providers.Throttled, "", ""},
		{"a page", 502, `<html>Bad Gateway</html>`, providers.HTTP5xx, "", ""},
		{"a list", 400, `[{"error":{"message":"m"}}]`, providers.HTTP4xx, "", "m"},
		{"overloaded", 529, `{"error":{"type":"overloaded_error","message":"m"}}`, providers.Throttled, "overloaded_error", "m"},
		{"key", 401, `{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}`, providers.HTTP4xx, "invalid_api_key", "Incorrect API key"},
		{"server error", 500, `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}`, providers.HTTP5xx, "server_error", "The server had an error"},
		{"unavailable", 503, `{"error":{"message":"m","type":"server_error","code":503}}`, providers.HTTP5xx, "server_error", "m"},
		{"redirect that was not followed", 307, ``, providers.Parse, "", "status 307 Temporary Redirect, which is neither a reply nor an error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, exchange(c.status, "application/json", c.body))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Empty(t, r.Events)
			assert.Equal(t, wire.Instant{}, r.First())
		})
	}
}

// Retry-After is no proof of a throttle: it comes with HTTP 200 as well.
func TestRetryAfterIsNoThrottle(t *testing.T) {
	t.Parallel()
	x := stream(role, hello, finish("stop"), done)
	x.Header.Set("Retry-After", "30")
	assert.Equal(t, providers.OK, decode(t, x).Class)
}

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		block  string
		class  providers.Class
		code   string
		detail string
	}{
		{"vLLM, then [DONE]", `{"error":{"message":"boom","type":"InternalServerError","param":null,"code":500}}`, providers.StreamError, "InternalServerError", "boom"},
		{"Groq", "event: error\ndata: {\"error\":{\"message\":\"Tool call validation failed\",\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\",\"status_code\":400}}", providers.StreamError, "tool_use_failed", "Tool call validation failed"},
		{"OpenRouter, with choices and usage", `{"error":{"code":400,"message":"Token limit reached"},"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":43,"completion_tokens":10}}`, providers.StreamError, "400", "Token limit reached"},
		{"OpenRouter throttle", `{"error":{"code":429,"message":"slow"},"choices":[]}`, providers.Throttled, "429", "slow"},
		{"with a finish reason", `{"error":{"code":502,"message":"lost"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`, providers.StreamError, "502", "lost"},
		{"OpenAI throttle", `{"error":{"message":"slow","type":"tokens","code":"rate_limit_exceeded"}}`, providers.Throttled, "rate_limit_exceeded", "slow"},
		{"overloaded by number", `{"error":{"message":"busy","code":529}}`, providers.Throttled, "529", "busy"},
		{"overloaded by type, beside a number", `{"error":{"message":"busy","type":"overloaded_error","code":500}}`, providers.Throttled, "overloaded_error", "busy"},
		{"error is a string", `{"error":"Request failed during generation"}`, providers.StreamError, "", "Request failed during generation"},
		{"by the name of the event alone", "event: error\ndata: {\"message\":\"rate limited\",\"code\":\"rate_limit_exceeded\"}", providers.Throttled, "rate_limit_exceeded", "rate limited"},
		{"OpenRouter: in a choice", `{"choices":[{"index":0,"delta":{"content":""},"error":{"code":502,"message":"lost"},"finish_reason":null}]}`, providers.StreamError, "502", "lost"},
		{"OpenRouter: throttled in a choice", `{"choices":[{"delta":{},"error":{"code":429,"message":"slow"},"finish_reason":"error"}]}`, providers.Throttled, "429", "slow"},
		{"DeepSeek has no capacity left", finish("insufficient_system_resource"), providers.StreamError, "insufficient_system_resource", `the reply has the finish reason "insufficient_system_resource"`},
		{"vLLM gave up", finish("abort"), providers.StreamError, "abort", `the reply has the finish reason "abort"`},
		{"llama-box: an error field", `error: {"detail":"failed to decode"}`, providers.StreamError, "", "failed to decode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(role, hello, c.block, done))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Equal(t, wire.At(20*ms), r.First(), "times so far stay in the record")
			assert.Equal(t, "Hello", r.Text)

			r = decode(t, stream(c.block))
			assert.Equal(t, c.class, r.Class, "as the first event")
			assert.Equal(t, wire.Instant{}, r.First())
		})
	}
	r := decode(t, stream(role, hello, `{"error":{"message":"boom"}}`, done))
	assert.Equal(t, wire.At(30*ms), r.End, "the error ended the stream")
	for _, none := range []string{"null", `""`, "{}", "[]", "false", "0"} {
		content := `{"error":` + none + `,"choices":[{"error":` + none + `,"delta":{"content":"Hi"},"finish_reason":"stop"}]}`
		r = decode(t, stream(content, done))
		assert.Equal(t, providers.OK, r.Class, "no error is no error: %s", none)
		whole := `{"error":` + none + `,"choices":[{"error":` + none + `,"message":{"content":"Hi"},"finish_reason":"stop"}]}`
		assert.Equal(t, providers.OK, decode(t, exchange(200, "application/json", whole)).Class, none)
	}
	r = decode(t, stream(hello, finish("insufficient_system_resource"), done))
	assert.True(t, r.Overloaded, "the server's capacity, not the caller's quota")
	r = decode(t, exchange(200, "application/json", `{"choices":[{"message":{"content":"Hi"},"finish_reason":"insufficient_system_resource"}]}`))
	assert.Equal(t, providers.StreamError, r.Class)
	r = decode(t, exchange(200, "application/json", `{"choices":[{"message":{"content":""},"error":{"code":502,"message":"lost"}}]}`))
	assert.Equal(t, providers.StreamError, r.Class)
	assert.Equal(t, "lost", r.Detail)
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
