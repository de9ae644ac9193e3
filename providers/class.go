package providers

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/latgate/latgate/providers/wire"
)

// A Class says how an attempt ended. Every attempt has exactly one.
type Class string

// The classes. Only OK enters a latency distribution; each of them is counted
// over the same denominator, all attempts.
const (
	OK          Class = "ok"
	Throttled   Class = "throttled"    // 429, 529, Throttling in any casing, overloaded, rate_limit
	HTTP4xx     Class = "http_4xx"     // any other client error status
	HTTP5xx     Class = "http_5xx"     // any other server error status
	Timeout     Class = "timeout"      // the deadline passed first
	Canceled    Class = "cancelled"    // the caller gave up first
	Connect     Class = "connect"      // no response: resolving, dialling or handshaking failed, or no credentials
	StreamError Class = "stream_error" // the stream itself reported an error
	Truncated   Class = "truncated"    // the stream ended without its terminal event
	Empty       Class = "empty"        // a terminal event, but no content
	Parse       Class = "parse"        // the reply is not what its protocol says
	NotRecorded Class = "not_recorded" // a replay was asked for what its cassette does not hold
)

// Classes lists every class, OK first.
var Classes = []Class{OK, Throttled, HTTP4xx, HTTP5xx, Timeout, Canceled, Connect, StreamError, Truncated, Empty, Parse, NotRecorded}

// ClassOfError classifies an attempt that never got a response.
func ClassOfError(err error) Class {
	var timeout net.Error
	switch {
	case err == nil:
		return Connect
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Connect
}

// ClassOfStatus classifies a status that is no success; code is the provider's
// name for the error, which decides where it names a throttle. A status below 400,
// such as a redirect that the client did not follow, reports no error of anybody's:
// it is a reply that the protocol does not know, hence Parse.
func ClassOfStatus(status int, code string) Class {
	switch {
	case IsThrottle(code), status == 529, status == 429 && !isNotReady(code):
		return Throttled
	case status >= 500:
		return HTTP5xx
	case status >= 400:
		return HTTP4xx
	}
	return Parse
}

// isNotReady reports the codes that travel under 429 and are no throttle: a cold
// model and an exhausted quota do not pass by waiting a little.
func isNotReady(code string) bool {
	c := letters(code)
	return strings.HasPrefix(c, "modelnotready") || c == "insufficientquota" || c == "billingnotactive"
}

// letters returns an error code in lower case, without what providers put between
// its words.
func letters(code string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(code))
}

// IsThrottle reports whether an error code of any provider, in any casing,
// means "slow down".
func IsThrottle(code string) bool {
	c := letters(code)
	for _, word := range []string{
		"throttl", "toomanyrequests", "ratelimit", "overloaded", "slowdown",
		"resourceexhausted", "requestlimitexceeded", "bandwidthlimitexceeded",
		"provisionedthroughputexceeded", "priorrequestnotcomplete", "transactioninprogress",
	} {
		if strings.Contains(c, word) {
			return true
		}
	}
	return c == "limitexceededexception"
}

// isOverload reports whether a refusal says that the server has no capacity left,
// as opposed to the caller no quota. status is 0 for an error inside a stream.
func isOverload(status int, code string) bool {
	c := letters(code)
	return strings.Contains(c, "overloaded") || strings.Contains(c, "serviceunavailable") || c == "unavailable" || status == 529 || status == 503
}

// ClassOfEnding classifies a response whose bytes ended as x says: complete
// tells whether the protocol's terminal event arrived, content whether any
// content did. Errors reported by the stream come before this.
func ClassOfEnding(x *wire.Exchange, complete, content bool) Class {
	switch {
	case complete && content:
		return OK
	case complete:
		return Empty
	case x.Ending == wire.EndContext && errors.Is(x.Err, context.DeadlineExceeded):
		return Timeout
	case x.Ending == wire.EndContext, x.Ending == wire.EndClosed:
		return Canceled
	}
	return Truncated
}
