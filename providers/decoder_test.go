package providers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// words is a protocol of one-word events: {"word":"…"} and, at the end, {"end":true}.
type words struct{ name, path string }

func (d words) Recognizes(x *wire.Exchange) bool { return x.Path == d.path }

func (d words) Sniff(f providers.Frame) bool {
	return strings.HasPrefix(string(f.Data), `{"word"`)
}

func (d words) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(d.name, "words", x)
	event := func(data []byte) error {
		var e struct {
			Word string `json:"word"`
			End  bool   `json:"end"`
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		b.Add(providers.Text, e.Word)
		if e.End {
			b.Finish()
		}
		return nil
	}
	if b.MediaType() == "application/x-ndjson" {
		b.Lines(func(l wire.Line) error { return event(l.Data) })
	} else {
		b.SSE(func(e wire.SSEEvent) error { return event(e.Data) })
	}
	return b.Done()
}

const (
	wordsSSE   = ": comment\n\ndata: {\"word\":\"Hi\"}\n\ndata: {\"end\":true}\n\n"
	wordsLines = "{\"word\":\"Hi\"}\n{\"end\":true}\n"
)

func TestProtocolIsRecognizedByAddressThenByFirstFrame(t *testing.T) {
	t.Parallel()
	decoders := providers.Decoders{words{"first", "/words"}, words{"second", "/generate"}}
	for _, c := range []struct{ name, contentType, body, path, want string }{
		{"address", "text/event-stream", wordsSSE, "/generate", "second"},
		{"first event", "text/event-stream; charset=utf-8", wordsSSE, "/elsewhere", "first"},
		{"first line", "application/x-ndjson", wordsLines, "/elsewhere", "first"},
		{"an address goes first", "application/x-ndjson", wordsLines, "/generate", "second"},
		{"another first event", "text/event-stream", "data: hello\n\n", "/elsewhere", providers.Unknown},
		{"another content type", "text/plain", wordsSSE, "/elsewhere", providers.Unknown},
		{"only comments", "text/event-stream", ": hi\n\n", "/elsewhere", providers.Unknown},
		{"nothing", "text/event-stream", "", "/elsewhere", providers.Unknown},
	} {
		x := reply(200, c.body, "Content-Type", c.contentType)
		x.Path = c.path
		r := decoders.Decode(x)
		assert.Equal(t, c.want, r.Provider, c.name)
		if c.want != providers.Unknown {
			assert.Equal(t, providers.OK, r.Class, c.name)
			assert.Equal(t, "Hi", r.Text, c.name)
		} else {
			assert.Equal(t, providers.Parse, r.Class, c.name)
			assert.Empty(t, r.Events, c.name)
		}
	}
	failed := reply(500, wordsSSE, "Content-Type", "text/event-stream")
	failed.Path = "/elsewhere"
	assert.Equal(t, providers.Unknown, decoders.Decode(failed).Provider, "an error is no first frame")
}

// A path does not decide alone: other services have paths of the same names.
func TestReplyOfAnotherServiceIsNotOurs(t *testing.T) {
	t.Parallel()
	decoders := providers.Decoders{words{"first", "/words"}}
	x := reply(200, `data: {"id":7}`+"\n\n"+`data: {"end":true}`+"\n\n", "Content-Type", "text/event-stream")
	x.Path = "/words"
	r := decoders.Decode(x)
	assert.Equal(t, providers.Unknown, r.Provider)
	assert.Equal(t, providers.Parse, r.Class)
	x = reply(200, wordsSSE[:40], "Content-Type", "text/event-stream")
	x.Path = "/words"
	assert.Equal(t, "first", decoders.Decode(x).Provider, "a stream that was cut stays ours")

	x = reply(200, "hello", "Content-Type", "text/plain")
	x.Path = "/v1/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/T0ABC/send-message"
	assert.Contains(t, decoders.Decode(x).Detail, "POST model.test/v1/…/…/send-message with", "a path may hold a secret")

	x = reply(200, wordsSSE, "Content-Type", "text/event-stream")
	x.Method, x.Path = http.MethodGet, "/elsewhere"
	assert.Equal(t, providers.Unknown, decoders.Decode(x).Provider, "nobody asks a model with GET")
}

func TestEventsThatAreNoContent(t *testing.T) {
	t.Parallel()
	decode := func(body string) *providers.Response {
		return words{"first", "/words"}.Decode(reply(200, body, "Content-Type", "text/event-stream"))
	}
	r := decode("data:\n\n" + wordsSSE)
	assert.Equal(t, providers.OK, r.Class, "a heartbeat: %s", r.Detail)
	r = decode("event: ping\ndata:\n\n" + wordsSSE)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	for body, class := range map[string]providers.Class{
		"event: error\ndata: {\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}\n\n": providers.Throttled,
		"event: error\ndata: lost\n\n":                                      providers.StreamError,
		"error: {\"detail\":\"m\"}\n\n":                                     providers.StreamError,
		"\n{\"error\": {\"code\": 503,\n \"status\": \"UNAVAILABLE\"}}\n\n": providers.StreamError,
	} {
		r = decode(body + wordsSSE)
		assert.Equal(t, class, r.Class, body)
		r = decode("data: {\"word\":\"Hi\"}\n\n" + body)
		assert.Equal(t, class, r.Class, body)
		assert.Equal(t, "Hi", r.Text)
	}
	google := `data: {"word":"Hi"}` + "\n\n" + `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"48s"}]}}`
	assert.Equal(t, wire.At(48*time.Second), decode(google).RetryAfter, "a hint inside the stream")
}

func TestLenientAndCapped(t *testing.T) {
	t.Parallel()
	var v struct {
		ID   providers.Lenient[string]
		List providers.Capped[struct{ N int }]
	}
	require.NoError(t, json.Unmarshal([]byte(`{"ID":7,"List":[{"N":1},{"N":2}]}`), &v))
	assert.Empty(t, v.ID.Value)
	assert.Len(t, v.List, 2)
	assert.Equal(t, 2, v.List[1].N)
	require.NoError(t, json.Unmarshal([]byte(`{"ID":"x","List":null}`), &v))
	assert.Equal(t, "x", v.ID.Value)
	assert.Empty(t, v.List)
	require.NoError(t, json.Unmarshal([]byte(`{"List":[`+strings.Repeat("{},", 5000)+`{}]}`), &v))
	assert.Len(t, v.List, 1000)
	assert.Error(t, json.Unmarshal([]byte(`{"List":{}}`), &v))
	assert.True(t, providers.Present(json.RawMessage(`{}`)))
	assert.False(t, providers.Present(json.RawMessage(` null`)))
	assert.False(t, providers.Present(nil))
}

func TestLaterCounts(t *testing.T) {
	t.Parallel()
	none, zero, five, six := providers.Count{}, providers.CountOf(0), providers.CountOf(5), providers.CountOf(6)
	for _, c := range [][3]providers.Count{
		{five, six, six}, {five, zero, five}, {five, none, five}, {none, zero, zero}, {zero, five, five}, {none, none, none},
	} {
		assert.Equal(t, c[2], c[0].Update(c[1]), "%v", c)
	}
}

// A hop that compresses and does not flush delivers everything at its end.
func TestBufferedByCompression(t *testing.T) {
	t.Parallel()
	var plain strings.Builder
	for range 40 {
		plain.WriteString("data: {\"word\":\"word\"}\n\n")
	}
	plain.WriteString("data: {\"end\":true}\n\n")
	compress := func(flush bool) *wire.Exchange {
		x := reply(200, "", "Content-Type", "text/event-stream", "Content-Encoding", "gzip")
		x.Path = "/words"
		var body bytes.Buffer
		z := gzip.NewWriter(&body)
		for i, event := range strings.SplitAfter(plain.String(), "\n\n") {
			_, err := z.Write([]byte(event))
			require.NoError(t, err)
			if flush {
				require.NoError(t, z.Flush())
				x.Marks = append(x.Marks, wire.Mark{End: int64(body.Len()), At: time.Duration(i+1) * 100 * time.Millisecond})
			}
		}
		require.NoError(t, z.Close())
		x.Marks = append(x.Marks, wire.Mark{End: int64(body.Len()), At: 5 * time.Second})
		x.Body = body.Bytes()
		return x
	}
	decoders := providers.Decoders{words{"first", "/words"}}
	flushed := decoders.Decode(compress(true))
	require.Equal(t, providers.OK, flushed.Class, flushed.Detail)
	assert.False(t, flushed.Buffered)
	assert.Equal(t, wire.At(100*time.Millisecond), flushed.First(), "each event keeps its own read")
	assert.Equal(t, wire.At(4*time.Second), flushed.Last())

	held := decoders.Decode(compress(false))
	require.Equal(t, providers.OK, held.Class, held.Detail)
	assert.True(t, held.Buffered)
	assert.Equal(t, wire.At(5*time.Second), held.First())
	assert.Equal(t, flushed.Text, held.Text)

	other := reply(200, "x", "Content-Type", "text/event-stream", "Content-Encoding", "br")
	other.Path = "/words"
	r := decoders.Decode(other)
	assert.Equal(t, providers.Parse, r.Class)
	assert.Contains(t, r.Detail, "br")
}
