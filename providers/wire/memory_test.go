package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers/wire"
)

// What a reader may allocate: so many bytes for each byte of the body, and a fixed
// amount beside that. The largest factor, 16, is that of events of one field that the
// standard does not know: three bytes become an SSEField of 40. Identity is measured
// against what it takes and what it returns together, since a compressed body may be
// a thousandth of the other. Not covered are the code tables of compress/flate: a
// stream made for it, of a block of long codes every 32 bytes, has it allocate 210
// bytes a byte, 7 KB at a time, which are garbage at the next block.
const (
	memoryPerByte = 20
	fixedMemory   = 192 << 10
)

// Not parallel, as it measures what the process allocates.
func TestReadersAllocateForBytesPresent(t *testing.T) {
	const size = 256 << 10
	openGzip := compressors[0].open
	repeat := func(text string) []byte { return []byte(strings.Repeat(text, size/len(text))) }
	random := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	bodies := map[string][]byte{
		"nothing":              {},
		"random":               random,
		"zeros":                make([]byte, size),
		"one line":             repeat("x"),
		"one data line":        append([]byte("data: "), repeat("x")...),
		"LF":                   repeat("\n"),
		"CR":                   repeat("\r"),
		"colons":               repeat(":"),
		"comments":             repeat(":\n"),
		"fields in one event":  repeat("x\n"),
		"an event a field":     repeat("x\n\n"),
		"an event of CR":       repeat("x\r\r"),
		"empty events":         repeat("data\n\n"),
		"empty data lines":     repeat("data\n"),
		"names that alternate": repeat("event:a\ndata\n\nevent:b\ndata\n\n"),
		"IDs that alternate":   repeat("id:a\ndata\n\nid:b\ndata\n\n"),
		"byte order marks":     repeat("\ufeff"),
		"a line a byte":        repeat("1\n"),
		"messages announced":   frame(16+24<<20, 0, "abc"),
		"empty messages":       bytes.Repeat(frame(16, 0, ""), size/16),
		"empty headers":        bytes.Repeat(frameWithHeaders("\x00\x00"), size/18),
		"names in turn":        bytes.Repeat(append(frameWithHeaders("\x01a\x00"), frameWithHeaders("\x01b\x00")...), size/38),
		"numbers":              bytes.Repeat(frameWithHeaders("\x01a\x0512345678"), size/27),
		"many headers":         bytes.Repeat(headersOf("\x00"), 4),
		"many numbers":         bytes.Repeat(headersOf("\x0212345678"[:2]), 4),
		"gzip of zeros":        compressEach(t, openGzip, false, string(make([]byte, size)))[0],
		"gzip of random bytes": compressEach(t, openGzip, false, string(random))[0],
		"gzip members":         bytes.Repeat(compressEach(t, openGzip, false, "")[0], size/23),
		"gzip of a long name":  append([]byte("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"), repeat("x")...),
		"gzip extra announced": []byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff"),
		"deflate flushes":      repeat("\x00\x00\x00\xff\xff"),
		"gzip tables":          bytes.Join(compressEach(t, openGzip, true, skewed(2000)...), nil),
	}
	readers := map[string]func(body []byte) (returned int){
		"SSE":          func(body []byte) int { return drain(wire.NewSSEReader(inReads(body)).Next) },
		"event stream": func(body []byte) int { return drain(wire.NewEventStreamReader(inReads(body)).Next) },
		"lines":        func(body []byte) int { return drain(wire.NewLineReader(inReads(body)).Next) },
		"SSE end":      func(body []byte) int { return ask(wire.SSEEnd(func(wire.SSEEvent) bool { return false }), body) },
		"lines end":    func(body []byte) int { return ask(wire.LinesEnd(func(wire.Line) bool { return false }), body) },
		"gzip":         func(body []byte) int { return inflated("gzip", body) },
		"deflate":      func(body []byte) int { return inflated("deflate", body) },
	}
	for what, body := range bodies {
		for name, read := range readers {
			var returned int
			allocated := allocatedBy(func() { returned = read(body) })
			perByte := (float64(allocated) - fixedMemory) / float64(len(body)+returned+1)
			assert.LessOrEqual(t, perByte, float64(memoryPerByte), "%s as %s: %d bytes allocated", what, name, allocated)
			if testing.Verbose() && perByte > 8 {
				t.Logf("%s as %s: %.1f bytes allocated a byte", what, name, perByte)
			}
		}
	}
}

func inReads(body []byte) io.Reader { return piecewise{bytes.NewReader(body), 4096} }

// drain reads to the first error and returns 0, as the frames keep nothing.
func drain[Frame any](next func() (Frame, error)) int {
	for {
		if _, err := next(); err != nil {
			return 0
		}
	}
}

// ask asks after each 4 KiB whether the stream has ended.
func ask(reached func([]byte) bool, body []byte) int {
	for n := 0; n < len(body); {
		n = min(n+4096, len(body))
		reached(body[:n])
	}
	return 0
}

// inflated returns the size of the decompressed body.
func inflated(encoding string, body []byte) int {
	x := &wire.Exchange{Header: http.Header{"Content-Encoding": {encoding}}, Body: body}
	plain, err := x.Identity()
	if err != nil {
		return 0
	}
	return len(plain.Body)
}

// headersOf returns as many headers as one message may have.
func headersOf(kind string) []byte {
	var headers strings.Builder
	for i := 0; headers.Len() < 128<<10-16; i++ {
		fmt.Fprintf(&headers, "\x04%04x%s", i, kind)
	}
	return frameWithHeaders(headers.String())
}

// skewed returns n texts each of which is compressed with long codes of its own.
func skewed(n int) (texts []string) {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		var text strings.Builder
		for range 400 {
			text.WriteByte(byte(random.ExpFloat64() * 12))
		}
		texts = append(texts, text.String())
	}
	return texts
}
