package openai_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzChat(f *testing.F) {
	f.Add(200, "text/event-stream", stream(role, hello, delta(`"reasoning":"Hmm","content":"Hi"`), finish("stop"), usage, done).Body)
	f.Add(200, "text/event-stream", stream(hello, `{"error":"boom"}`, "error: {}", "event: error\ndata: {}").Body)
	f.Add(200, "text/event-stream", stream(delta(`"content":[{"thinking":[{"text":"a"}]}],"tool_calls":[{"function":{"arguments":{}}}]`), `{"timings":{"prompt_ms":1,"predicted_ms":2}}`).Body)
	f.Add(200, "application/json", []byte(`{"choices":[{"message":{"content":[{"text":"a"}]}}],"usage":{"prompt_tokens":1}}`))
	f.Add(429, "application/json", []byte(`{"error":{"code":429}}`))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		checkAny(t, openai.ChatDecoder{}, "/v1/chat/completions", status, contentType, body)
	})
}

func FuzzResponses(f *testing.F) {
	f.Add(200, "text/event-stream", responseStream(created, progress, added, of("reasoning_summary_text.delta", "Hmm"), helloText, textDone, itemDone, completed).Body)
	f.Add(200, "text/event-stream", responseStream(created, helloText, terminated("failed", `"error":{"code":"server_error"},`)).Body)
	f.Add(200, "text/event-stream", responseStream(helloText, `{"type":"error","message":"boom"}`).Body)
	f.Add(200, "application/json", []byte(`{"object":"response","status":"completed","output":[{"type":"message","content":[{"text":"a"}]},{"type":"shell_call","action":{"commands":["ls"]}}]}`))
	f.Add(503, "application/json", []byte(`{"error":{"code":429}}`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		checkAny(t, openai.ResponsesDecoder{}, "/v1/responses", status, contentType, body)
	})
}

// checkAny checks what holds of any reply.
func checkAny(t *testing.T, d providers.Sniffer, path string, status int, contentType string, body []byte) {
	x := exchange(status, contentType, "")
	x.Path, x.Body = path, body
	for end := 5; end < len(body); end += 5 {
		x.Marks = append(x.Marks, wire.Mark{End: int64(end), At: ms})
	}
	if len(body) > 0 {
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(body)), At: 2 * ms})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := d.Decode(x)
	runtime.ReadMemStats(&after)
	// Lists of many empty elements cost most.
	assert.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(body)), "allocated bytes")

	require.True(t, slices.Contains(providers.Classes, r.Class), "class %q", r.Class)
	last := providers.Event{}
	for _, e := range r.Events {
		assert.Positive(t, e.Bytes)
		assert.GreaterOrEqual(t, e.Frame, last.Frame)
		assert.GreaterOrEqual(t, e.End, last.End)
		assert.GreaterOrEqual(t, e.At, last.At)
		assert.LessOrEqual(t, e.End, int64(len(body)))
		assert.Less(t, e.Frame, r.Frames)
		assert.GreaterOrEqual(t, e.Read, 0)
		last = e
	}
	for _, c := range []providers.Count{r.Usage.Input, r.Usage.Output} {
		n, known := c.Get()
		assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
	}
	d.Sniff(providers.Frame{MediaType: contentType, Data: body})
}
