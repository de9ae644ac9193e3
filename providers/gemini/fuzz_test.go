package gemini_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzGenerateContent(f *testing.F) {
	call := chunk(`{"functionCall": {"name": "now","args": {}}},{"executableCode": {"code": "1"}}`, usage1)
	f.Add(200, sse, stream(chunk(thought, usage1), chunk(hello, usage1), call, last(there, "STOP", usage2)).Body)
	f.Add(200, jsonType, array(chunk(thought, usage1), second(chunk(hello, "")), last(there, "STOP", usage2)).Body)
	f.Add(200, sse, stream(chunk(hello, ""), throttled, barePretty).Body)
	f.Add(200, jsonType, array(chunk(hello, ""), throttled).Body)
	f.Add(200, jsonType, []byte(last(hello, "STOP", usage2)))
	f.Add(429, jsonType, []byte("["+throttled+"]"))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Body = body
		r := hostile.Decode(t, gemini.Decoder{}, x)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		n, known := r.FirstCount.Get()
		assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
	})
}

// Many candidates, parts or elements cost no more than their bytes.
func TestHostileRepliesAreCheap(t *testing.T) {
	for name, x := range map[string]*wire.Exchange{
		"candidates": stream(`{"candidates": [` + candidates(50_000) + `]}`),
		"parts":      stream(chunk(strings.Repeat(`{},`, 200_000)+`{}`, "")),
		"elements":   pieces(jsonType, "["+strings.Repeat(`{},`, 200_000)+`{}]`),
		"events":     stream(repeat(`{"candidates": [{}]}`, 50_000)...),
		"nesting":    pieces(jsonType, strings.Repeat("[", 500_000)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := gemini.Decoder{}.Decode(x)
		runtime.ReadMemStats(&after)
		assert.NotEqual(t, providers.OK, r.Class, name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(x.Body)), name)
	}
}

func repeat(chunk string, n int) []string {
	chunks := make([]string, n)
	for i := range chunks {
		chunks[i] = chunk
	}
	return chunks
}

func candidates(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"index":%d}`, i)
	}
	return strings.Join(list, ",")
}

func BenchmarkDecode(b *testing.B) {
	var chunks []string
	for i := range 4000 {
		chunks = append(chunks, chunk(fmt.Sprintf(`{"text": " token %d of the answer"}`, i), usage1))
	}
	chunks = append(chunks, last("", "STOP", usage2))
	for name, x := range map[string]*wire.Exchange{"events": stream(chunks...), "array": array(chunks...)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(x.Body)))
			b.ReportAllocs()
			for b.Loop() {
				gemini.Decoder{}.Decode(x)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := gemini.Decoder{}.Decode(x)
			runtime.ReadMemStats(&after)
			require.Len(b, r.Events, 4000)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(r.Frames), "allocs/event")
		})
	}
}
