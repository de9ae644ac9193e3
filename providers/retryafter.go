package providers

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// retryAfter returns how long the server asks to wait before the next attempt,
// from the response head of a refusal or, with Google, from its body. The most
// exact hint goes first; AWS's own header counts milliseconds.
func retryAfter(x *wire.Exchange) wire.Instant {
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
	if d, ok := retryDelay(x.Body); ok {
		return wire.At(d)
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
func retryDelay(body []byte) (time.Duration, bool) {
	type googleError struct {
		Error struct {
			Details []struct {
				RetryDelay string `json:"retryDelay"` // "48s"
			} `json:"details"`
		} `json:"error"`
	}
	var one googleError
	if list := []googleError(nil); json.Unmarshal(body, &list) == nil && len(list) > 0 {
		one = list[0] // a stream that was not asked for as SSE
	} else if json.Unmarshal(body, &one) != nil {
		return 0, false
	}
	for _, detail := range one.Error.Details {
		if d, err := time.ParseDuration(strings.TrimSpace(detail.RetryDelay)); err == nil && d >= 0 {
			return d, true
		}
	}
	return 0, false
}
