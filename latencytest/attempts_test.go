package latencytest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// SDKs say in the request head which attempt it is, so that two calls of which the
// first failed are not taken for one that was repeated.
func TestAttemptsAreToldBySDKs(t *testing.T) {
	t.Parallel()
	with := func(x *wire.Exchange, name, value string) *wire.Exchange {
		x.RequestHeader = map[string][]string{name: {value}}
		return x
	}
	failed := func() *wire.Exchange { return attempt(0, chat, 500, ``) }
	good := func() *wire.Exchange { return attempt(time.Second, chat, 200, reply) }

	s := observed(nil, with(failed(), "Amz-Sdk-Request", "attempt=1; max=3"), with(good(), "Amz-Sdk-Request", "attempt=2; max=3"))
	assert.Equal(t, 1, s.Retries)
	another := with(good(), "Amz-Sdk-Request", "attempt=1; max=3")
	s = observed(nil, with(failed(), "Amz-Sdk-Request", "attempt=1; max=3"), another)
	assert.Equal(t, 1, s.Retries, "the same request again: the application's own retry")
	another.RequestBytes++
	s = observed(nil, with(failed(), "Amz-Sdk-Request", "attempt=1; max=3"), another)
	assert.Zero(t, s.Retries, "another call")
	s = observed(nil, with(failed(), "X-Stainless-Retry-Count", "0"), with(good(), "X-Stainless-Retry-Count", "1"))
	assert.Equal(t, 1, s.Retries)
	s = observed(nil, with(failed(), "X-Stainless-Retry-Count", "none"), with(good(), "Amz-Sdk-Request", "attempt=x"))
	assert.Equal(t, 1, s.Retries, "a head that tells nothing")
}

// Asking how far a reply in the background has come is no retry, nor is another
// call after one that failed; a refusal in no known words belongs to the calls
// with the same address.
func TestWhatIsARetry(t *testing.T) {
	t.Parallel()
	poll := attempt(time.Second, chat, 200, reply)
	poll.Method = "GET"
	s := observed(nil, attempt(0, chat, 200, `{"id":"r","status":"queued"}`), poll, poll)
	assert.Zero(t, s.Retries)

	s = observed(nil, attempt(0, chat, 500, ``), attempt(time.Second, "/other/chat/completions", 200, reply))
	assert.Zero(t, s.Retries)

	own := "/answer" // known by the first frame of a reply only
	sniffed := `{"object":"chat.completion",` + reply[1:]
	refused := attempt(0, own, 429, `{"error":{"code":"rate_limit_exceeded"}}`)
	s = observed(nil, refused, attempt(time.Second, own, 200, sniffed))
	assert.Equal(t, 1, s.Retries)
	assert.Equal(t, 1, s.Throttles)
	assert.Equal(t, providers.OK, s.Class)
	s = observed(nil, attempt(0, own, 200, sniffed), refused)
	assert.Equal(t, providers.Throttled, s.Class, "the second call is what the user waited for")
	assert.Equal(t, 1, s.Throttles)
}

func TestThrottlesAreCountedByAttempt(t *testing.T) {
	t.Parallel()
	throttled := attempt(0, chat, 429, `{"error":{"code":"rate_limit_exceeded"}}`)
	throttled.Header.Set("Retry-After-Ms", "1500")
	busy := attempt(0, chat, 529, `{"error":{"type":"overloaded_error"}}`)
	s := observed(nil, throttled, busy, attempt(time.Second, chat, 200, reply))
	assert.Equal(t, providers.OK, s.Class)
	assert.Equal(t, 2, s.Throttles)
	assert.Equal(t, 1, s.Overloads)
	assert.Equal(t, wire.Instant{}, s.RetryAfter, "the reply that counts asked for no wait")

	s = observed(nil, throttled)
	assert.Equal(t, wire.At(1500*time.Millisecond), s.RetryAfter)
}

func TestReadsOfAnUnknownProtocolAreTimed(t *testing.T) {
	t.Parallel()
	x := attempt(0, "/generate", 200, "one\n\ntwo\n\nthree\n\n")
	x.Header.Set("Content-Type", "text/event-stream")
	x.Marks = []wire.Mark{{End: 5, At: 100 * time.Millisecond}, {End: 10, At: 120 * time.Millisecond}, {End: 17, At: 180 * time.Millisecond}}
	s := observed(nil, x)
	assert.Equal(t, providers.Parse, s.Class)
	assert.Equal(t, providers.Unknown, s.Provider)
	assert.Equal(t, wire.At(90*time.Millisecond), s.Header)
	assert.Equal(t, wire.Instant{}, s.First, "no byte of it is known to be content")
	assert.Equal(t, 2, s.Gaps.N)
	assert.Equal(t, wire.At(60*time.Millisecond), s.Gaps.Longest)
}

func TestDisturbancesAreReported(t *testing.T) {
	t.Parallel()
	s := Scenario{Name: "all", Samples: []Sample{
		{Class: providers.OK, Buffered: true},
		{Class: providers.OK, Retries: 2, Throttles: 1, Overloads: 1},
	}}
	var b strings.Builder
	s.tally().remarks(&b, "")
	assert.Equal(t, "buffered: 1 of 2 replies came in a few bursts at their end; something on the way holds them back\n"+
		"attempts: 2 repeated, 1 throttled, 1 refused by a server at its limit\n", b.String())
	b.Reset()
	(&Scenario{Samples: []Sample{{Class: providers.OK}}}).tally().remarks(&b, "")
	assert.Empty(t, b.String())
}
