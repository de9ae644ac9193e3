package providers

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// retryAfter returns how long the server asks to wait before the next attempt,
// from the response head of a refusal or, with Google, from the error. The most
// exact hint goes first; AWS's own header counts milliseconds. When a limit is
// reset says nothing about an attempt that was not throttled.
func retryAfter(x *wire.Exchange, e ServerError, throttled bool) wire.Instant {
	for _, name := range []string{"retry-after-ms", "x-amz-retry-after"} {
		if d, ok := milliseconds(x.Header.Get(name)); ok {
			return wire.At(d)
		}
	}
	head, _ := x.Phases.Header.Get()
	now := x.Call.Add(head)
	if hint := x.Header.Get("retry-after"); hint != "" {
		if d, ok := milliseconds(hint + "e3"); ok {
			return wire.At(d)
		}
		if until, err := http.ParseTime(hint); err == nil {
			return wire.At(max(0, until.Sub(now)))
		}
	}
	if e.RetryAfter.Known() || !throttled {
		return e.RetryAfter
	}
	for _, name := range []string{
		"x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset",
		"anthropic-ratelimit-requests-reset", "anthropic-ratelimit-tokens-reset",
	} {
		hint := x.Header.Get(name)
		if d, err := time.ParseDuration(hint); err == nil && d >= 0 {
			return wire.At(d)
		}
		if until, err := time.Parse(time.RFC3339, hint); err == nil {
			return wire.At(max(0, until.Sub(now)))
		}
	}
	return wire.Instant{}
}

// retryDelay reads the RetryInfo in the details of a Google error.
func retryDelay(details json.RawMessage) wire.Instant {
	var list []struct {
		RetryDelay string `json:"retryDelay"` // "48s"
	}
	_ = json.Unmarshal(details, &list) // other providers' details are of any kind
	for _, detail := range list {
		if d, err := time.ParseDuration(strings.TrimSpace(detail.RetryDelay)); err == nil && d >= 0 {
			return wire.At(d)
		}
	}
	return wire.Instant{}
}
