package gemini_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		status     int
		body       string
		class      providers.Class
		code       string
		overloaded bool
		retryAfter wire.Instant
	}{
		{"quota, with RetryInfo", 429, throttled, providers.Throttled, "RESOURCE_EXHAUSTED", false, wire.At(48 * time.Second)},
		{"quota, of a stream that is an array", 429, "[" + throttled + "]", providers.Throttled, "RESOURCE_EXHAUSTED", false, wire.At(48 * time.Second)},
		{"quota, a fraction", 429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"},{"retryDelay":"1.5s"}]}}`, providers.Throttled, "RESOURCE_EXHAUSTED", false, wire.At(1500 * ms)},
		{"overloaded", 503, `{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}`, providers.HTTP5xx, "UNAVAILABLE", true, wire.Instant{}},
		{"invalid", 400, `{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}`, providers.HTTP4xx, "INVALID_ARGUMENT", false, wire.Instant{}},
		{"key", 403, `{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}`, providers.HTTP4xx, "PERMISSION_DENIED", false, wire.Instant{}},
		{"internal", 500, `{"error":{"code":500,"message":"m","status":"INTERNAL"}}`, providers.HTTP5xx, "INTERNAL", false, wire.Instant{}},
		{"a page", 502, `<html>Bad Gateway</html>`, providers.HTTP5xx, "", false, wire.Instant{}},
		{"no body", 429, ``, providers.Throttled, "", false, wire.Instant{}},
		{"redirect", 307, ``, providers.Parse, "", false, wire.Instant{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, exchange(c.status, jsonType, c.body))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.overloaded, r.Overloaded)
			assert.Equal(t, c.retryAfter, r.RetryAfter)
			assert.Empty(t, r.Events)
		})
	}
}

const barePretty = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded.\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n"

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		block      string
		class      providers.Class
		code       string
		detail     string
		overloaded bool
	}{
		{"as data", `{"error": {"code": 500,"message": "boom","status": "INTERNAL"}}`, providers.StreamError, "INTERNAL", "boom", false},
		{"quota as data", throttled, providers.Throttled, "RESOURCE_EXHAUSTED", "slow", false},
		{"quota by number", `{"error": {"code": 429,"message": "slow"}}`, providers.Throttled, "429", "slow", false},
		{"beside a candidate", `{"candidates": [],"error": {"code": 503,"message": "busy","status": "UNAVAILABLE"}}`, providers.StreamError, "UNAVAILABLE", "busy", true},
		{"bare JSON", barePretty, providers.StreamError, "UNAVAILABLE", "The model is overloaded.", true},
		{"bare JSON in a list", "[" + barePretty + "]", providers.StreamError, "UNAVAILABLE", "The model is overloaded.", true},
		{"a string", `{"error": "boom"}`, providers.StreamError, "", "boom", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			exchanges := []*wire.Exchange{stream(chunk(hello, ""), c.block), stream(last(hello, "STOP", ""), c.block)}
			if c.block[0] == '{' {
				exchanges = append(exchanges, array(chunk(hello, ""), c.block), array(last(hello, "STOP", ""), c.block))
			}
			for _, x := range exchanges {
				r := decode(t, x)
				assert.Equal(t, c.class, r.Class)
				assert.Equal(t, c.code, r.Code)
				assert.Equal(t, c.detail, r.Detail)
				assert.Equal(t, c.overloaded, r.Overloaded)
				assert.Equal(t, wire.At(20*ms), r.End, "the error ended the stream")
				assert.Equal(t, wire.At(10*ms), r.First(), "times so far stay in the record")
				assert.Equal(t, "Hello", r.Text)
			}
			r := decode(t, stream(c.block))
			assert.Equal(t, c.class, r.Class, "as the first event")
			assert.Equal(t, wire.Instant{}, r.First())
		})
	}
	x := stream(chunk(hello, ""), barePretty[:40])
	assert.Equal(t, providers.Truncated, decode(t, x).Class, "an error that is cut says nothing")
	assert.Equal(t, providers.OK, decode(t, stream(`{"error": null,`+last(hello, "STOP", "")[1:])).Class, "no error is no error")
	assert.Equal(t, providers.OK, decode(t, stream("", last(hello, "STOP", ""), "")).Class, "data that is blank keeps alive")
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
		assert.Equal(t, c.class, decode(t, x).Class)
	}
}
