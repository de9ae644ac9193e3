package anthropic_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzMessages(f *testing.F) {
	thought := delta(`"type":"thinking_delta","thinking":"Hmm"`)
	arguments := delta(`"type":"input_json_delta","partial_json":"{}"`)
	redacted := blockStart(`"type":"redacted_thinking","data":"EqkE"`)
	f.Add(200, textSSE, stream(begin, redacted, ping, thought, hello, arguments, blockStop, finish, stop).Body)
	f.Add(200, textSSE, stream(hello, `{"type":"error","error":{"type":"overloaded_error"}}`, "error: {}", "event: error\ndata: x").Body)
	f.Add(200, "application/json", []byte(`{"type":"message","content":[{"type":"text","text":"a"},{"type":"tool_use","name":"n","input":{}}],"usage":{"input_tokens":1}}`))
	f.Add(429, "application/json", []byte(`{"type":"error","error":{"type":"rate_limit_error"},"request_id":"r"}`))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Body = body
		r := hostile.Decode(t, anthropic.MessagesDecoder{}, x)
		if r.Class == providers.OK && !strings.Contains(string(body), "tool_use") {
			require.True(t, len(r.Events) > 0 || strings.Contains(string(body), "content_block_start"), "ok, without content")
		}
	})
}

// Many small things cost no more than their bytes.
func TestHostileRepliesAreCheap(t *testing.T) {
	for name, x := range map[string]*wire.Exchange{
		"blocks":      exchange(200, "application/json", `{"type":"message","content":[`+strings.Repeat(`{},`, 200_000)+`{}]}`),
		"numbers":     exchange(200, "application/json", `{"type":"message","content":[`+strings.Repeat(`1,`, 200_000)+`1]}`),
		"events":      exchange(200, textSSE, strings.Repeat("data:{}\n\n", 50_000)),
		"deltas":      exchange(200, textSSE, strings.Repeat("data:{\"type\":\"content_block_delta\",\"delta\":{}}\n\n", 20_000)),
		"nesting":     exchange(200, textSSE, "data:"+strings.Repeat("[", 500_000)+"\n\n"),
		"error names": exchange(200, textSSE, "event: error\ndata: "+strings.Repeat(`{"error":`, 50_000)+"\n\n"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := anthropic.MessagesDecoder{}.Decode(x)
		runtime.ReadMemStats(&after)
		assert.NotEqual(t, providers.OK, r.Class, name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(x.Body)), name)
	}
}

func BenchmarkDecode(b *testing.B) {
	events := []string{begin, textStart, ping}
	for i := range 4000 {
		events = append(events, delta(fmt.Sprintf(`"type":"text_delta","text":" token %d of the answer"`, i)))
	}
	x := stream(append(events, blockStop, finish, stop)...)
	require.Equal(b, 4000, strings.Count(string(x.Body), "text_delta"))
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		anthropic.MessagesDecoder{}.Decode(x)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := anthropic.MessagesDecoder{}.Decode(x)
	runtime.ReadMemStats(&after)
	require.Len(b, r.Events, 4000)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(r.Frames), "allocs/event")
}
