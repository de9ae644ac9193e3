package gemini_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

const (
	ms        = time.Millisecond
	sse       = "text/event-stream"
	jsonType  = "application/json; charset=UTF-8"
	studio    = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
	unaryPath = "/v1beta/models/gemini-2.5-flash:generateContent"
)

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "generativelanguage.googleapis.com", Path: studio,
		Status: status, Header: http.Header{}, Body: []byte(body),
		Ending: wire.EndEOF, End: wire.At(time.Second),
	}
	if contentType != "" {
		x.Header.Set("Content-Type", contentType)
	}
	if body != "" {
		x.Marks = []wire.Mark{{End: int64(len(body)), At: 500 * ms}}
	}
	return x
}

// pieces is a reply whose pieces arrive each by itself: the first after 10 ms and
// so on.
func pieces(contentType string, pieces ...string) *wire.Exchange {
	x := exchange(200, contentType, "")
	for i, piece := range pieces {
		x.Body = append(x.Body, piece...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

// stream is a reply of server-sent events with that data; what begins with a bare
// brace in a line of its own is appended as it is.
func stream(data ...string) *wire.Exchange {
	blocks := make([]string, len(data))
	for i, d := range data {
		blocks[i] = "data: " + d + "\r\n\r\n"
		if strings.HasPrefix(d, "{\n") || strings.HasPrefix(d, "[{\n") {
			blocks[i] = d
		}
	}
	return pieces(sse, blocks...)
}

// array is a reply that is a JSON array, as Google sends it.
func array(elements ...string) *wire.Exchange {
	blocks := make([]string, 0, len(elements)+1)
	for i, e := range elements {
		before := ",\r\n"
		if i == 0 {
			before = "["
		}
		blocks = append(blocks, before+e+"\n")
	}
	return pieces(jsonType, append(blocks, "]")...)
}

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, gemini.Decoder{}.Recognizes(x))
	return gemini.Decoder{}.Decode(x)
}

// chunk has one candidate with these parts; more is what else is in the chunk.
func chunk(parts, more string) string {
	return `{"candidates": [{"content": {"parts": [` + parts + `],"role": "model"},"index": 0}]` + more + `,"modelVersion": "gemini-2.5-flash","responseId": "r-1"}`
}

// last is a chunk with a finish reason.
func last(parts, reason, more string) string {
	return strings.Replace(chunk(parts, more), `,"index"`, `,"finishReason": "`+reason+`","index"`, 1)
}

const (
	hello     = `{"text": "Hello"}`
	there     = `{"text": " there"}`
	thought   = `{"text": "Hmm","thought": true}`
	usage1    = `,"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": 2,"totalTokenCount": 51,"thoughtsTokenCount": 40}`
	usage2    = `,"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": 5,"totalTokenCount": 54,"thoughtsTokenCount": 40}`
	throttled = `{"error": {"code": 429,"message": "slow","status": "RESOURCE_EXHAUSTED","details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo","retryDelay": "48s"}]}}`
)

func count(n int64) providers.Count { return providers.CountOf(n) }
