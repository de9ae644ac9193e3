package cohere_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzChat(f *testing.F) {
	call := delta("tool-call-delta", `"tool_calls":{"function":{"arguments":"{}"}}`)
	plan := delta("tool-plan-delta", `"tool_plan":"I will"`)
	f.Add(200, sse, stream(start, blockOn, text("Hello"), blockOff, plan, call, complete, done).Body)
	f.Add(200, sse, stream(start, text("Hello"), `{"type":"message-end","delta":{"finish_reason":"ERROR","error":"e"}}`).Body)
	f.Add(200, sse, stream(start, text("Hello"), `{"message":"boom"}`, "error: {}").Body)
	f.Add(200, "application/json", []byte(reply))
	f.Add(429, "application/json", []byte(`{"id":"e","message":"slow"}`))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Body = body
		for end := 5; end < len(body); end += 5 {
			x.Marks = append(x.Marks, wire.Mark{End: int64(end), At: ms})
		}
		if len(body) > 0 {
			x.Marks = append(x.Marks, wire.Mark{End: int64(len(body)), At: 2 * ms})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := cohere.Decoder{}.Decode(x)
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(body)), "bytes allocated for %d bytes", len(body))

		require.True(t, slices.Contains(providers.Classes, r.Class), "class %q", r.Class)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		last := providers.Event{}
		for _, e := range r.Events {
			assert.Positive(t, e.Bytes)
			assert.GreaterOrEqual(t, e.Frame, last.Frame)
			assert.GreaterOrEqual(t, e.End, last.End)
			assert.GreaterOrEqual(t, e.At, last.At)
			assert.LessOrEqual(t, e.End, int64(len(body)))
			assert.GreaterOrEqual(t, e.Read, 0)
			assert.Less(t, e.Frame, r.Frames)
			last = e
		}
		for _, c := range []providers.Count{r.Usage.Input, r.Usage.Output, r.FirstCount} {
			n, known := c.Get()
			assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	events := []string{start, blockOn}
	for i := range 4000 {
		events = append(events, text(fmt.Sprintf(" token %d of the answer", i)))
	}
	x := stream(append(events, blockOff, complete, done)...)
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		cohere.Decoder{}.Decode(x)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := cohere.Decoder{}.Decode(x)
	runtime.ReadMemStats(&after)
	require.Len(b, r.Events, 4000)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(r.Frames), "allocs/event")
}
