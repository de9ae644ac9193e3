package cassette_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever a body holds, what is kept of it is as long, JSON where it was JSON, framed
// as it was, and the same when it is cleaned again.
func FuzzRedact(f *testing.F) {
	types := []string{"application/json", "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream", "text/plain", ""}
	for n := range types {
		f.Add([]byte(`{"a":"Bearer abc\u00e9\ud83d\ude00 sk-proj-0123456789abcdef","n":[1,-0.5e3,true],"arn":"arn:aws:x:y:123456789012:z","k":{"input":{"id":7}}}`), n)
		f.Add([]byte("data: {\"a\":\ndata: \"b\"}\r\n\r\nevent: x\rid: 7\n: comment\n{\"error\": {\n\"message\": \"x\"}}"), n)
		f.Add([]byte("password: x\\\\ny\\u12 https://a:b@c/ -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"), n)
		f.Add([]byte("\x00\x00\x00\x20\x00\x00\x00\x05\x9c\x8d\x38\x6b\x01a\x07\x00\x01{\"bytes\":\"eyJhIjoxfQ==\"}"), n)
	}
	f.Add([]byte("data: {\"a\":\ndata: \"b\"}\r \r\nevent: x\rid: 7\n\n  data: {\n data: 1"), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		mediaType := types[uint(n)%uint(len(types))]
		clean := func(redact bool, body []byte) []byte {
			i := sample(0, string(body))
			if len(body) > 0 {
				i.Response.Reads = []wire.Mark{{End: int64(len(body)), At: 5}}
			}
			i.Response.Header = http.Header{"Content-Type": {mediaType}}
			i.Request.Body = body
			c, err := cassette.Assemble(cassette.Recording{Redact: redact}, i)
			if err != nil {
				t.Skip(err) // a body that only begins as gzip does
			}
			return c.At(0).Response.Body
		}
		ends := func(body []byte) []int64 {
			r := cassette.Response{Header: http.Header{"Content-Type": {mediaType}}, Body: body}
			return r.FrameEnds()
		}
		for _, redact := range []bool{false, true} {
			once := clean(redact, body)
			require.Len(t, once, len(body))
			if mediaType == "application/json" {
				assert.Equal(t, json.Valid(body), json.Valid(once), "%q", once)
			}
			assert.Equal(t, ends(body), ends(once))
			if !redact {
				assert.Equal(t, once, clean(false, once))
			}
		}
	})
}
