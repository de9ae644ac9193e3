package ollama_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzDecode(f *testing.F) {
	f.Add("/api/chat", 200, ndjson, stream(thought, hello, toolCall, chatEnd).Body)
	f.Add("/api/generate", 200, ndjson, stream(`{"response":"a"}`, `{"thinking":"b"}`, chatEnd).Body)
	f.Add("/api/chat", 200, ndjson, stream(hello, `{"error":"boom"}`, `{"error":{}}`).Body)
	f.Add("/api/chat", 200, "application/json", []byte(whole))
	f.Add("/api/chat", 503, "application/json", []byte(`{"error":"server busy"}`))
	f.Add("", 0, "", []byte{})
	f.Fuzz(func(t *testing.T, path string, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Path, x.Body = path, body
		r := hostile.Decode(t, ollama.Decoder{}, x)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		n, known := r.FirstCount.Get()
		assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
	})
}

// Many small things cost no more than their bytes.
func TestHostileRepliesAreCheap(t *testing.T) {
	for name, x := range map[string]*wire.Exchange{
		"calls":   exchange(200, ndjson, message(`"tool_calls":[`+strings.Repeat(`{},`, 200_000)+`{}]`)),
		"lines":   exchange(200, ndjson, strings.Repeat("{}\n", 100_000)),
		"nesting": exchange(200, ndjson, strings.Repeat(`{"message":`, 50_000)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := ollama.Decoder{}.Decode(x)
		runtime.ReadMemStats(&after)
		assert.NotEqual(t, providers.OK, r.Class, name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(x.Body)), "%s: %d bytes", name, len(x.Body))
	}
}

func BenchmarkDecode(b *testing.B) {
	var lines []string
	for i := range 4000 {
		lines = append(lines, content(fmt.Sprintf(" token %d of the answer", i)))
	}
	x := stream(append(lines, chatEnd)...)
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		ollama.Decoder{}.Decode(x)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := ollama.Decoder{}.Decode(x)
	runtime.ReadMemStats(&after)
	require.Len(b, r.Events, 4000)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(r.Frames), "allocs/event")
}
