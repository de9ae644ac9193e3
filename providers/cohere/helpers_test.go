package cohere_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/wire"
)

const (
	ms  = time.Millisecond
	sse = "text/event-stream"
)

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "api.cohere.com", Path: "/v2/chat",
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
// and so on. An event is named for the type in its data, as Cohere has it.
func stream(data ...string) *wire.Exchange {
	x := exchange(200, sse, "")
	for i, d := range data {
		x.Body = append(x.Body, block(d)...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

func block(data string) string {
	name := ""
	if _, after, found := strings.Cut(data, `"type":"`); found {
		name, _, _ = strings.Cut(after, `"`)
		name = "event: " + name + "\n"
	}
	return name + "data: " + data + "\n\n"
}

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, cohere.Decoder{}.Recognizes(x))
	return cohere.Decoder{}.Decode(x)
}

// delta is an event with a message in its delta.
func delta(kind, message string) string {
	return `{"type":"` + kind + `","index":0,"delta":{"message":{` + message + `}}}`
}

func text(s string) string {
	return delta("content-delta", `"content":{"text":"`+s+`"}`)
}

// end is the event message-end with these members.
func end(members string) string { return `{"type":"message-end","delta":{` + members + `}}` }

const (
	start    = `{"id":"m-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`
	blockOn  = `{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}`
	blockOff = `{"type":"content-end","index":0}`
	usage    = `"usage":{"billed_units":{"input_tokens":7,"output_tokens":3},"tokens":{"input_tokens":502,"output_tokens":5},"cached_tokens":448}`
	complete = `{"type":"message-end","delta":{"finish_reason":"COMPLETE",` + usage + `}}`
	done     = "[DONE]"
)

func count(n int64) providers.Count { return providers.CountOf(n) }
