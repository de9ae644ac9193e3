package latencytest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// attempt is one exchange that began so long after noon. Its body came in one
// read, after 100 ms.
func attempt(after time.Duration, path string, status int, body string) *wire.Exchange {
	return &wire.Exchange{
		Call: noon.Add(after), Method: http.MethodPost, Host: "api.example.com:443", Path: path, Proto: "HTTP/2.0",
		Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body), RequestBytes: 42,
		Marks:  []wire.Mark{{End: int64(len(body)), At: 100 * time.Millisecond}},
		Phases: wire.Phases{GotConn: wire.At(1), Wrote: wire.At(2), Header: wire.At(90 * time.Millisecond)},
		End:    wire.At(110 * time.Millisecond), Ending: wire.EndEOF,
	}
}

const (
	chat  = "/v1/chat/completions"
	reply = `{"id":"c1","model":"m","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`
)

var chatDecoder = providers.Decoders{openai.ChatDecoder{}}

func observed(opErr error, xs ...*wire.Exchange) Sample {
	var s Sample
	s.observe(xs, chatDecoder, opErr)
	return s
}

func TestSampleOfOneExchange(t *testing.T) {
	t.Parallel()
	s := observed(nil, attempt(0, chat, 200, reply))
	assert.Equal(t, Sample{
		Time: noon, Class: providers.OK,
		Phases: wire.Phases{GotConn: wire.At(1), Wrote: wire.At(2), Header: wire.At(90 * time.Millisecond)},
		Body:   wire.At(100 * time.Millisecond), FirstEvent: wire.At(100 * time.Millisecond),
		First: wire.At(100 * time.Millisecond), FirstVisible: wire.At(100 * time.Millisecond), Last: wire.At(100 * time.Millisecond), End: wire.At(110 * time.Millisecond),
		ContentEvents: 1, Reads: 1, FirstChannel: providers.Text,
		Usage:        providers.Usage{Input: providers.CountOf(3), Output: providers.CountOf(1)},
		RequestBytes: 42, ResponseBytes: int64(len(reply)),
		Provider: "openai", API: "chat-completions", Model: "m", Host: "api.example.com:443", RequestID: "c1", Proto: "HTTP/2.0", Stop: "stop",
		Calls: 1,
	}, s)
}

// The user waited from the first attempt on, so every instant of the last one
// counts from there.
func TestSampleRunsFromTheFirstAttempt(t *testing.T) {
	t.Parallel()
	throttled := attempt(0, chat, 429, `{"error":{"code":"rate_limit_exceeded","message":"slow down"}}`)
	broken := attempt(300*time.Millisecond, chat, 500, ``)
	s := observed(nil, throttled, broken, attempt(time.Second, chat, 200, reply))
	assert.Equal(t, providers.OK, s.Class)
	assert.Equal(t, 3, s.Calls)
	assert.Equal(t, 2, s.Retries)
	assert.Equal(t, noon, s.Time)
	assert.Equal(t, wire.At(time.Second+1), s.GotConn)
	assert.Equal(t, wire.At(1090*time.Millisecond), s.Header)
	assert.Equal(t, wire.At(1100*time.Millisecond), s.First)
	assert.Equal(t, wire.At(1110*time.Millisecond), s.End)
	assert.Equal(t, wire.Instant{}, s.DNSStart, "what never happened is not shifted into being")
	assert.Empty(t, s.Error, "the attempts that failed are counted, not reported")

	s = observed(errors.New("gave up"), throttled, attempt(time.Second, chat, 429, `{"error":{"code":"rate_limit_exceeded"}}`))
	assert.Equal(t, providers.Throttled, s.Class)
	assert.Equal(t, 1, s.Retries, "the last attempt was no retry's cause")
	assert.Equal(t, "rate_limit_exceeded", s.Code)
}

// A call beside the model call (a token refresh, a search) is no attempt that
// failed, though nobody here can decode its reply.
func TestOtherCallsAreNoRetries(t *testing.T) {
	t.Parallel()
	token := attempt(0, "/oauth/token", 200, `{"access_token":"x"}`)
	after := attempt(2*time.Second, "/telemetry", 204, ``)
	s := observed(nil, token, attempt(time.Second, chat, 200, reply), after)
	assert.Equal(t, providers.OK, s.Class)
	assert.Equal(t, 3, s.Calls)
	assert.Zero(t, s.Retries)
	assert.Equal(t, wire.At(1100*time.Millisecond), s.First, "the user waited for the token as well")
	assert.Equal(t, "c1", s.RequestID)

	s = observed(nil, token, attempt(time.Second, chat, 503, ``), attempt(2*time.Second, chat, 200, reply), after)
	assert.Equal(t, 1, s.Retries)

	s = observed(nil, token)
	assert.Equal(t, providers.Parse, s.Class, "nothing here speaks a known protocol")
	assert.Contains(t, s.Error, "no decoder recognizes POST api.example.com:443/oauth/token")
}

// An operation of several model calls: what counts is what the user waited for.
func TestSeveralCallsOfOneOperation(t *testing.T) {
	t.Parallel()
	s := observed(nil, attempt(0, chat, 200, reply), attempt(5*time.Second, chat, 200, reply))
	assert.Equal(t, 2, s.Calls)
	assert.Zero(t, s.Retries)
	assert.Equal(t, wire.At(5100*time.Millisecond), s.First)
}

func TestOperationWithoutAnExchange(t *testing.T) {
	t.Parallel()
	s := observed(nil)
	assert.Equal(t, providers.Connect, s.Class)
	assert.Equal(t, "no request went through the measured client", s.Error)
	assert.Zero(t, s.Calls)
	assert.Equal(t, wire.Instant{}, s.First)

	assert.Equal(t, providers.Timeout, observed(context.DeadlineExceeded).Class)
	assert.Equal(t, providers.Canceled, observed(context.Canceled).Class)
	assert.Equal(t, "no credentials", observed(errors.New("no credentials")).Error)
}

func TestOperationThatFailsOverAWholeReply(t *testing.T) {
	t.Parallel()
	s := observed(errors.New("want JSON in the answer\n::error::x"), attempt(0, chat, 200, reply))
	assert.Equal(t, providers.Parse, s.Class)
	assert.Equal(t, "the reply was whole, the operation failed: want JSON in the answer : :error: :x", s.Error)
	assert.Equal(t, wire.At(100*time.Millisecond), s.First, "times so far stay in the record")
}

func TestErrorOfTheWireIsKept(t *testing.T) {
	t.Parallel()
	x := attempt(0, chat, 200, reply[:20])
	x.Ending, x.Err = wire.EndFailed, errors.New("read tcp: connection reset by peer")
	x.Header.Set("Content-Type", "text/event-stream")
	s := observed(nil, x)
	assert.Equal(t, providers.Truncated, s.Class)
	assert.Equal(t, "read tcp: connection reset by peer", s.Error)
}

// What a server or an SDK quotes is not for files.
func TestErrorsAreScrubbed(t *testing.T) {
	t.Parallel()
	secret := "Bearer sk-live-0123456789abcdef for arn:aws:iam::123456789012:user/me in account 123456789012"
	s := observed(nil, attempt(0, chat, 403, `{"error":{"code":"`+secret+`","message":"`+secret+`"}}`))
	for _, text := range []string{s.Code, s.Error, observed(errors.New(secret)).Error, observed(errors.New(secret), attempt(0, chat, 200, reply)).Error} {
		assert.NotEmpty(t, text)
		assert.NotContains(t, text, "0123456789abcdef")
		assert.NotContains(t, text, "123456789012")
		assert.NotContains(t, text, "user/me")
	}
}
