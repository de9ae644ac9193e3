package providers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// requestID returns the name that the server gave the request, "" where the
// response head holds none.
func requestID(h http.Header) string {
	for _, name := range []string{
		"x-amzn-requestid", "request-id", "x-request-id", "apim-request-id",
		"x-generation-id", "mistral-correlation-id", "x-debug-trace-id", "x-ds-trace-id", "inference-id",
	} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// A ServerTime is a duration that the server reports, under the name it reports
// it by. Where such a time starts and ends is the provider's own affair: it is to
// be compared with, never gated.
type ServerTime struct {
	Name string        `json:"name"`
	Time time.Duration `json:"time"`
}

// timeHeaders are the response headers that tell a time, in milliseconds.
var timeHeaders = []string{
	"openai-processing-ms", "x-envoy-upstream-service-time", "x-kong-upstream-latency",
	"cmp-upstream-response-duration", "x-amzn-bedrock-invocation-latency",
	"x-litellm-response-duration-ms", "x-litellm-overhead-duration-ms",
	"x-total-time", "x-validation-time", "x-queue-time", "x-inference-time", "x-time-per-token", // TGI
}

// serverTimes reads the times in a response head.
func serverTimes(h http.Header) []ServerTime {
	var times []ServerTime
	add := func(name, ms string) {
		if d, ok := milliseconds(ms); ok {
			times = append(times, ServerTime{name, d})
		}
	}
	for _, name := range timeHeaders {
		add(name, h.Get(name))
	}
	// Server-Timing: x-originResponse;dur=375, gfet4t7; dur=458
	for _, line := range h.Values("Server-Timing") {
		for _, metric := range strings.Split(line, ",") {
			name, parameters, _ := strings.Cut(metric, ";")
			for _, parameter := range strings.Split(parameters, ";") {
				if key, value, _ := strings.Cut(strings.TrimSpace(parameter), "="); strings.EqualFold(key, "dur") {
					add("server-timing "+strings.TrimSpace(name), strings.Trim(value, `"`))
				}
			}
		}
	}
	return times
}

func milliseconds(text string) (time.Duration, bool) {
	ms, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(ms >= 0 && ms <= float64(24*time.Hour/time.Millisecond)) { // nor is NaN a time
		return 0, false
	}
	return time.Duration(ms * float64(time.Millisecond)), true
}

// AddTime notes a time that the server reports, where it is one.
func (b *Builder) AddTime(name string, value *float64, unit time.Duration) {
	if value != nil && *value >= 0 && *value*float64(unit) < float64(24*time.Hour) {
		b.ServerTimes = append(b.ServerTimes, ServerTime{name, time.Duration(*value * float64(unit))})
	}
}

// ServerTime returns the time reported under the first of names that is there.
func (r *Response) ServerTime(names ...string) wire.Instant {
	for _, name := range names {
		for _, t := range r.ServerTimes {
			if t.Name == name {
				return wire.At(t.Time)
			}
		}
	}
	return wire.Instant{}
}

// Attempt returns which attempt at a call x is, from 0, and whether its request
// head tells: where an SDK retries by itself, it does.
func Attempt(x *wire.Exchange) (n int, known bool) {
	// Amz-Sdk-Request: attempt=2; max=3
	for _, parameter := range strings.Split(x.RequestHeader.Get("Amz-Sdk-Request"), ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "attempt="); ok {
			n, err := strconv.Atoi(value)
			return max(0, n-1), err == nil
		}
	}
	n, err := strconv.Atoi(x.RequestHeader.Get("X-Stainless-Retry-Count"))
	return max(0, n), err == nil
}
