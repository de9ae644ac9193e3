package cohere_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
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
		r := hostile.Decode(t, cohere.Decoder{}, x)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		n, known := r.FirstCount.Get()
		assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
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
