package anthropic_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

const textSSE = "text/event-stream; charset=utf-8"

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "api.example.com", Path: "/v1/messages",
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

// stream is a reply of events, each read by itself: the first arrives after 10 ms
// and so on. An event is its JSON, or lines without the blank one after them.
func stream(events ...string) *wire.Exchange {
	x := exchange(200, textSSE, "")
	for i, event := range events {
		x.Body = append(x.Body, block(event)...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

// block is an event as Anthropic sends it: named for its type, and padded.
func block(event string) string {
	if !strings.HasPrefix(event, "{") {
		return event + "\n\n"
	}
	name := ""
	if _, after, ok := strings.Cut(event, `"type":"`); ok {
		name, _, _ = strings.Cut(after, `"`)
	}
	return "event: " + name + "\ndata: " + event + "   \n\n"
}

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, anthropic.MessagesDecoder{}.Recognizes(x))
	return anthropic.MessagesDecoder{}.Decode(x)
}

// delta is a content_block_delta with these members in its delta.
func delta(members string) string {
	return `{"type":"content_block_delta","index":0,"delta":{` + members + `}  }`
}

// blockStart is a content_block_start of a block with these members.
func blockStart(members string) string {
	return `{"type":"content_block_start","index":0,"content_block":{` + members + `}   }`
}

// messageStart is a message_start with this usage record.
func messageStart(usage string) string {
	return `{"type":"message_start","message":{"model":"claude-m","id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":` + usage + `}}`
}

// messageDelta is a message_delta with this usage record.
func messageDelta(usage string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":` + usage + `}`
}

var (
	begin     = messageStart(`{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}`)
	textStart = blockStart(`"type":"text","text":""`)
	hello     = delta(`"type":"text_delta","text":"Hello"`)
	finish    = messageDelta(`{"output_tokens":5}`)
)

const (
	ping      = "event: ping\ndata: {\"type\": \"ping\"}"
	blockStop = `{"type":"content_block_stop","index":0 }`
	stop      = `{"type":"message_stop"        }`
)

func count(n int64) providers.Count { return providers.CountOf(n) }
