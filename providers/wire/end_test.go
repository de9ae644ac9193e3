package wire_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/wire"
)

func isDone(e wire.SSEEvent) bool { return string(e.Data) == "[DONE]" }

func isDoneLine(line wire.Line) bool { return bytes.Contains(line.Data, []byte(`"done":true`)) }

// reachedAt feeds body to reached in reads of that many bytes, and returns the length
// at which it first said yes, or -1.
func reachedAt(t *testing.T, reached func([]byte) bool, body []byte, read int) int {
	t.Helper()
	at := -1
	for n := 0; n < len(body); {
		n = min(n+read, len(body))
		yes := reached(body[:n:n])
		if at < 0 && yes {
			at = n
		}
		require.Equal(t, at >= 0, yes, "once true, it stays true")
		require.Equal(t, yes, reached(body[:n:n]), "asked again")
	}
	return at
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	const sse, lines = true, false
	long := strings.Repeat("x", 70<<10)
	for _, c := range []struct {
		name string
		sse  bool
		body string
		rest string // comes after the end, "-" where there is no end
	}{
		{"LF", sse, "data: a\n\ndata: [DONE]\n\n", "data: b\n\n"},
		{"CRLF", sse, "data: a\r\n\r\ndata: [DONE]\r\n\r", "\n"},
		{"CR", sse, "data: a\r\rdata: [DONE]\r\r", "data: b"},
		{"mixed", sse, "data: a\r\n\ndata: [DONE]\n\r", "\n"},
		{"byte order mark", sse, "\ufeffdata: [DONE]\n\n", ""},
		{"comments and fields", sse, ": hi\n\nevent: end\nid: 7\ndata: [DONE]\nretry: 5\n\n", ""},
		{"lines joined", sse, "data: [DONE]\ndata:\n\n", "-"},
		{"not dispatched", sse, "data: a\n\ndata: [DONE]\n", "-"},
		{"within another event", sse, "data: \"[DONE]\"\n\n", "-"},
		{"long event", sse, "data: " + long + "\n\ndata: [DONE]\n\n", ""},
		{"nothing", sse, "", "-"},

		{"LF", lines, "{}\n{\"done\":true}\n", "{}\n"},
		{"CRLF", lines, "{}\r\n{\"done\":true}\r\n", "{}"},
		{"byte order mark", lines, "\ufeff{\"done\":true}\n", ""},
		{"blank lines", lines, "\n \r\n{\"done\":true}\n", "\n"},
		{"no LF", lines, "{}\n{\"done\":true}", "-"},
		{"CR is none", lines, "{\"done\":true}\r", "-"},
		{"long line", lines, "{\"a\":\"" + long + "\"}\n{\"done\":true}\n", ""},
		{"nothing", lines, "", "-"},
	} {
		kind := "lines"
		if c.sse {
			kind = "SSE"
		}
		t.Run(kind+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			for _, read := range []int{1, 2, 7, 64, 4096, 1 << 20} {
				reached := wire.LinesEnd(isDoneLine)
				if c.sse {
					reached = wire.SSEEnd(isDone)
				}
				body, want := c.body, -1
				if c.rest != "-" {
					body += c.rest
					want = min((len(c.body)+read-1)/read*read, len(body)) // at the end of that read
				}
				assert.Equal(t, want, reachedAt(t, reached, []byte(body), read), "%d bytes a read", read)
			}
		})
	}
}

// The events are those of the reader, to the last field.
func TestStreamEndSeesWholeEvents(t *testing.T) {
	t.Parallel()
	body := []byte("\ufeff: hi\nevent: a\nid: 1\ndata: x\ndata: y\nerror: z\n\ndata\n\n")
	var seen []wire.SSEEvent
	end := wire.SSEEnd(func(e wire.SSEEvent) bool {
		e.Data = bytes.Clone(e.Data)
		seen = append(seen, e)
		return false
	})
	assert.Equal(t, -1, reachedAt(t, end, body, 3))
	events, _, _ := readEvents(bytes.NewReader(body))
	assert.Equal(t, events, seen)

	body = []byte("\ufeff{}\r\n\n[]\n")
	var seenLines []wire.Line
	end = wire.LinesEnd(func(line wire.Line) bool {
		seenLines = append(seenLines, line)
		return false
	})
	assert.Equal(t, -1, reachedAt(t, end, body, 3))
	lines, _ := readLines(bytes.NewReader(body))
	assert.Equal(t, lines, seenLines)
}

// What the readers take for broken is no end.
func TestStreamEndsBehindBrokenFrames(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", 17<<20)
	assert.False(t, wire.SSEEnd(isDone)([]byte("data: "+half+"\ndata: "+half+"\n\ndata: [DONE]\n\n")))
	assert.False(t, wire.SSEEnd(isDone)([]byte("data: [DONE]\n:"+half+half+"\n\n")), "a comment")
	assert.False(t, wire.LinesEnd(isDoneLine)([]byte(half+half+"\n{\"done\":true}\n")))
}

func TestStreamLeftOpenAfterDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(0)
		const ms = time.Millisecond
		get(t, capture.Context(t.Context()), &wire.Transport{
			Base:   openEnded(write{10 * ms, "data: a\n\nda"}, write{10 * ms, "ta: [DONE]\r\n\r"}, write{10 * ms, "\n"}),
			Detach: func(*http.Response) bool { return true },
			Terminal: func(*http.Response) func([]byte) bool {
				return wire.SSEEnd(isDone)
			},
		})
		x := capture.Exchanges()[0]
		assert.Equal(t, wire.EndTerminal, x.Ending)
		assert.Equal(t, wire.At(280*ms), x.End)
	})
}

func FuzzSSEEnd(f *testing.F) {
	f.Add([]byte("data: a\n\ndata: [DONE]\n\n"), byte(1))
	f.Add([]byte("\ufeff: hi\r\n\r\ndata: [DONE]\r\r\ndata: b\r\n\r\n"), byte(3))
	f.Add([]byte("event: a\rid: 1\rdata:b\r\rretry: 5\r\rdata\r\n\r"), byte(2))
	f.Add([]byte("\ndata:x\n\r\n:\r\r\r\n\n"), byte(1))
	f.Fuzz(func(t *testing.T, body []byte, read byte) {
		body = body[:min(len(body), 512)]
		for name, last := range map[string]func(wire.SSEEvent) bool{
			"x in data": func(e wire.SSEEvent) bool { return bytes.IndexByte(e.Data, 'x') >= 0 },
			"any":       func(wire.SSEEvent) bool { return true },
			"named":     func(e wire.SSEEvent) bool { return e.Event != "" && e.ID != "" || e.Other != nil },
		} {
			reached := wire.SSEEnd(last)
			for n := 0; n < len(body); {
				n = min(n+1+int(read)%16, len(body))
				reader := wire.NewSSEReader(bytes.NewReader(body[:n]))
				want := false
				for {
					e, err := reader.Next()
					if err != nil {
						break
					}
					want = want || !e.Unterminated && last(e)
				}
				require.Equal(t, want, reached(body[:n]), "%s in the first %d bytes", name, n)
			}
		}
	})
}

func FuzzLinesEnd(f *testing.F) {
	f.Add([]byte("{}\n{x}\n"), byte(1))
	f.Add([]byte("\ufeff\r\n {x\r\r\n\n"), byte(3))
	f.Fuzz(func(t *testing.T, body []byte, read byte) {
		body = body[:min(len(body), 512)]
		last := func(line wire.Line) bool { return bytes.IndexByte(line.Data, 'x') >= 0 }
		reached := wire.LinesEnd(last)
		for n := 0; n < len(body); {
			n = min(n+1+int(read)%16, len(body))
			want := false
			lines, _ := readLines(bytes.NewReader(body[:n]))
			for _, line := range lines {
				want = want || !line.Unterminated && last(line)
			}
			require.Equal(t, want, reached(body[:n]), "in the first %d bytes", n)
		}
	})
}

// BenchmarkStreamEnd asks after each 256 bytes whether a stream has ended: ns/read is
// what Transport.Terminal adds between two reads. The long line shows that it is
// searched once, however many reads it takes.
func BenchmarkStreamEnd(b *testing.B) {
	never := func(wire.SSEEvent) bool { return false }
	for _, c := range []struct {
		name string
		body []byte
		end  func() func([]byte) bool
	}{
		{"SSE", chatBody(1000), func() func([]byte) bool { return wire.SSEEnd(never) }},
		{"SSE long line", []byte("data: " + strings.Repeat("x", 1<<20) + "\n\n"), func() func([]byte) bool { return wire.SSEEnd(never) }},
		{"lines", chatLines(1000), func() func([]byte) bool { return wire.LinesEnd(isDoneLine) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			reads := 0
			for b.Loop() {
				reached := c.end()
				for n := 0; n < len(c.body); reads++ {
					n = min(n+256, len(c.body))
					if reached(c.body[:n]) {
						b.Fatal("no end was to be found")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(reads), "ns/read")
		})
	}
}
