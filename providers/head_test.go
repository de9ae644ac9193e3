package providers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// reply is an exchange with a head of these names and values.
func reply(status int, body string, head ...string) *wire.Exchange {
	x := &wire.Exchange{
		Call: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Method: http.MethodPost, Host: "model.test", Path: "/generate",
		Status: status, Header: http.Header{}, Body: []byte(body), Ending: wire.EndEOF, End: wire.At(time.Second),
	}
	for i := 0; i < len(head); i += 2 {
		x.Header.Add(head[i], head[i+1])
	}
	if body != "" {
		x.Marks = []wire.Mark{{End: int64(len(body)), At: time.Second}}
	}
	return x
}

func refused(x *wire.Exchange) *providers.Response { return providers.Decoders{}.Decode(x) }

func TestRetryHints(t *testing.T) {
	t.Parallel()
	google := `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}`
	for _, c := range []struct {
		name string
		x    *wire.Exchange
		want wire.Instant
	}{
		{"milliseconds go first", reply(429, "", "retry-after", "2", "retry-after-ms", "0"), wire.At(0)},
		{"AWS counts milliseconds", reply(429, "", "x-amz-retry-after", "1500"), wire.At(1500 * time.Millisecond)},
		{"seconds", reply(429, "", "Retry-After", "2"), wire.At(2 * time.Second)},
		{"a fraction of a second", reply(429, "", "Retry-After", "0.5"), wire.At(500 * time.Millisecond)},
		{"a date", reply(503, "", "Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT"), wire.At(30 * time.Second)},
		{"a date that has passed", reply(503, "", "Retry-After", "Sat, 21 Nov 2026 11:00:30 GMT"), wire.At(0)},
		{"Google's details", reply(429, google, "Content-Type", "application/json"), wire.At(48 * time.Second)},
		{"in a list", reply(429, "["+google+"]"), wire.At(48 * time.Second)},
		{"when the limit is reset", reply(429, "", "x-ratelimit-reset-requests", "1m13s"), wire.At(73 * time.Second)},
		{"at what time it is reset", reply(429, "", "anthropic-ratelimit-requests-reset", "2026-11-21T12:01:00Z"), wire.At(time.Minute)},
		{"nothing", reply(429, ""), wire.Instant{}},
		{"no reset of a limit where it was not hit", reply(400, "", "x-ratelimit-reset-requests", "6ms"), wire.Instant{}},
		{"though it asks for it", reply(503, "", "Retry-After", "6"), wire.At(6 * time.Second)},
		{"not a number", reply(429, "", "retry-after-ms", "NaN", "Retry-After", "nan"), wire.Instant{}},
		{"a body that cannot be read", reply(429, "x", "Retry-After", "7", "Content-Encoding", "br"), wire.At(7 * time.Second)},
		{"nonsense", reply(429, "", "Retry-After", "soon", "retry-after-ms", "-5", "x-ratelimit-reset-requests", "later"), wire.Instant{}},
		{"with a success it is no hint", reply(200, "hello", "Retry-After", "30"), wire.Instant{}},
	} {
		assert.Equal(t, c.want, refused(c.x).RetryAfter, c.name)
	}
}

func TestOverloadIsToldFromThrottle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status   int
		body     string
		class    providers.Class
		overload bool
	}{
		{429, `{"error":{"code":"rate_limit_exceeded"}}`, providers.Throttled, false},
		{529, `{"type":"error","error":{"type":"overloaded_error"}}`, providers.Throttled, true},
		{503, `{"error":{"status":"UNAVAILABLE","code":503}}`, providers.HTTP5xx, true},
		{503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, providers.HTTP5xx, true},
		{429, `{"error":"Model is overloaded","error_type":"overloaded"}`, providers.Throttled, true},
		{500, ``, providers.HTTP5xx, false},
		{429, `{"error":{"code":"insufficient_quota"}}`, providers.HTTP4xx, false},
		{424, `{"Message":"m","OriginalStatusCode":429}`, providers.Throttled, false},
		{424, `{"Message":"m","OriginalStatusCode":503}`, providers.HTTP4xx, true},
		{400, `{"error":{"code":"too_many_requests"}}`, providers.Throttled, false},
		{400, `{"error":{"code":"slow_down"}}`, providers.Throttled, false},
		{429, `{"error":{"code":"billing_not_active"}}`, providers.HTTP4xx, false},
	} {
		r := refused(reply(c.status, c.body))
		assert.Equal(t, c.class, r.Class, c.body)
		assert.Equal(t, c.overload, r.Overloaded, c.body)
	}
}

func TestHeadTellsRequestAndTimes(t *testing.T) {
	t.Parallel()
	r := refused(
		reply(200, "x", "x-request-id", "second", "x-amzn-requestid", "first",
			"openai-processing-ms", "176", "x-envoy-upstream-service-time", "468.5", "x-queue-time", "-1", "x-total-time", "soon",
			"Server-Timing", `x-originResponse;dur=375, cdn;desc="a";dur="2"`, "Server-Timing", "gfet4t7; dur=458"))
	assert.Equal(t, "first", r.RequestID)
	ms := time.Millisecond
	assert.Equal(t, []providers.ServerTime{
		{Name: "openai-processing-ms", Time: 176 * ms},
		{Name: "x-envoy-upstream-service-time", Time: 468*ms + 500*time.Microsecond},
		{Name: "server-timing x-originResponse", Time: 375 * ms},
		{Name: "server-timing cdn", Time: 2 * ms},
		{Name: "server-timing gfet4t7", Time: 458 * ms},
	}, r.ServerTimes)
	assert.Equal(t, wire.At(176*ms), r.ServerTime("total_time", "openai-processing-ms"))
	assert.Equal(t, wire.Instant{}, r.ServerTime("none"))
}
