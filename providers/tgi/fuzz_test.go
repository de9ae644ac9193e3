package tgi_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents.
func FuzzDecode(f *testing.F) {
	f.Add(200, textSSE, stream(token("Hello"), token(" there"), last("Hello there")).Body)
	f.Add(200, lines, framed(lines, token("Hello"), last("Hello")).Body)
	f.Add(200, textSSE, stream(token("a"), `{"error":"Model is overloaded","error_type":"overloaded"}`).Body)
	f.Add(200, jsonText, []byte(`[{"generated_text":"Hello","details":{"finish_reason":"length","generated_tokens":2}}]`))
	f.Add(429, jsonText, []byte(`{"error":"Model is overloaded","error_type":"overloaded"}`))
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
		r := tgi.Decoder{}.Decode(x)
		runtime.ReadMemStats(&after)
		assert.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(body)), "allocated bytes")

		require.True(t, slices.Contains(providers.Classes, r.Class), "class %q", r.Class)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		previous := providers.Event{}
		for _, e := range r.Events {
			assert.Positive(t, e.Bytes)
			assert.GreaterOrEqual(t, e.Frame, previous.Frame)
			assert.GreaterOrEqual(t, e.End, previous.End)
			assert.GreaterOrEqual(t, e.At, previous.At)
			assert.LessOrEqual(t, e.End, int64(len(body)))
			previous = e
		}
		tgi.Decoder{}.Sniff(providers.Frame{MediaType: contentType, Data: body})
	})
}

func BenchmarkDecode(b *testing.B) {
	const events = 4000
	tokens := make([]string, events)
	for i := range tokens {
		tokens[i] = token(" token")
	}
	for _, contentType := range []string{textSSE, lines} {
		x := framed(contentType, append(tokens, last("all"))...)
		b.Run(contentType, func(b *testing.B) {
			b.SetBytes(int64(len(x.Body)))
			b.ReportAllocs()
			for b.Loop() {
				require.Len(b, tgi.Decoder{}.Decode(x).Events, events)
			}
		})
	}
}
