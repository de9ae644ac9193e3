package wire_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// piecewise reads at most n bytes at a time.
type piecewise struct {
	r io.Reader
	n int
}

func (p piecewise) Read(b []byte) (int, error) { return p.r.Read(b[:min(p.n, len(b))]) }

// feeds are the ways a body may come in: the framing must not depend on them.
var feeds = map[string]func(body []byte) io.Reader{
	"all bytes":         func(body []byte) io.Reader { return bytes.NewReader(body) },
	"all bytes and EOF": func(body []byte) io.Reader { return iotest.DataErrReader(bytes.NewReader(body)) },
	"1 byte":            func(body []byte) io.Reader { return piecewise{bytes.NewReader(body), 1} },
	"7 bytes":           func(body []byte) io.Reader { return piecewise{bytes.NewReader(body), 7} },
	"64 bytes":          func(body []byte) io.Reader { return piecewise{bytes.NewReader(body), 64} },
}

// allocatedBy returns the bytes f allocates, freed or not.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestRecordedStreams compares the framing of recorded bodies with what other
// decoders made of them, noted in the manifest: how many events there are, and
// where some of them end.
func TestRecordedStreams(t *testing.T) {
	checked := 0
	for _, r := range recorded.Responses(t) {
		ends := eventEnds(t, r)
		if ends == nil {
			continue
		}
		checked++
		t.Run(r["body_file"], func(t *testing.T) {
			assert.Equal(t, r.Int(t, "n_events"), len(ends))
			for _, which := range []string{"first_any_token", "first_text", "last_text"} {
				if r[which+"_event"] == "" {
					continue // a stream without text
				}
				assert.EqualValues(t, r.Int(t, which+"_end_off"), ends[r.Int(t, which+"_event")], which)
			}
		})
	}
	assert.Greater(t, checked, 60)
}

// eventEnds frames a recorded body and returns the end offsets of its events,
// or nil when it is in none of the formats.
func eventEnds(t *testing.T, r recorded.Response) (ends []int64) {
	t.Helper()
	name, body := r["body_file"], r.Body(t)
	if strings.HasSuffix(name, ".gz") {
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		require.NoError(t, err)
		body, err = io.ReadAll(unzipped)
		require.NoError(t, err)
	}

	for feed, open := range feeds {
		var got []int64
		switch {
		case strings.HasSuffix(name, ".eventstream"):
			messages, err := readMessages(open(body))
			require.Equal(t, io.EOF, err, feed)
			for _, m := range messages {
				got = append(got, m.End)
			}
		case strings.Contains(name, ".sse"):
			events, _, err := readEvents(open(body))
			require.Equal(t, io.EOF, err, feed)
			for _, e := range events {
				if e.Data != nil { // an event by the standard
					got = append(got, e.End)
				}
			}
		case strings.HasSuffix(name, ".ndjson"):
			lines, err := readLines(open(body))
			require.Equal(t, io.EOF, err, feed)
			for _, line := range lines {
				got = append(got, line.End)
			}
		}
		if ends != nil {
			require.Equal(t, ends, got, feed)
		}
		ends = got
	}
	return ends
}

// TestFramingAllocatesLittle keeps the readers from allocating per event.
func TestFramingAllocatesLittle(t *testing.T) {
	const events = 1000
	for name, c := range map[string]struct {
		body  []byte
		count func([]byte) int
	}{
		"chat":     {chatBody(events), countEvents},
		"messages": {messagesBody(events), countEvents},
		"bedrock":  {bedrockBody(t, events), countMessages},
		"ollama":   {chatLines(events), countLines},
	} {
		allocations := testing.AllocsPerRun(3, func() { assert.Equal(t, events, c.count(c.body)) })
		assert.Less(t, allocations, 50., name)
	}
}

func TestFrameError(t *testing.T) {
	err := error(&wire.FrameError{Offset: 12, Reason: "incomplete prelude", Err: io.ErrUnexpectedEOF})
	assert.EqualError(t, err, "wire: frame at byte 12: incomplete prelude: unexpected EOF")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.EqualError(t, &wire.FrameError{Offset: 3, Reason: "bad"}, "wire: frame at byte 3: bad")
}
