package wire_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

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

// streamsFile returns the path of a file among the recorded streams, which are
// not part of the module. It skips the test where they are absent.
func streamsFile(t *testing.T, name ...string) string {
	t.Helper()
	root := os.Getenv("LATGATE_STREAMS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "streams")
	}
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("LATGATE_STREAMS: %s not found, recorded streams were not checked", root)
	}
	return filepath.Join(root, filepath.Join(name...))
}

// TestRecordedStreams compares the framing of recorded bodies with what other
// decoders made of them, noted in the manifest: how many events there are, and
// where some of them end.
func TestRecordedStreams(t *testing.T) {
	manifest, err := os.Open(streamsFile(t, "MANIFEST.tsv"))
	require.NoError(t, err)
	defer manifest.Close()
	rows := csv.NewReader(manifest)
	rows.Comma, rows.LazyQuotes = '\t', true
	column := map[string]int{}
	names, err := rows.Read()
	require.NoError(t, err)
	for i, name := range names {
		column[name] = i
	}

	checked := 0
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		ends := eventEnds(t, row[column["body_file"]])
		if ends == nil {
			continue
		}
		checked++
		t.Run(filepath.Base(row[column["body_file"]]), func(t *testing.T) {
			assert.Equal(t, row[column["n_events"]], strconv.Itoa(len(ends)))
			for _, which := range []string{"first_any_token", "first_text", "last_text"} {
				event, err := strconv.Atoi(row[column[which+"_event"]])
				if err != nil {
					continue // a stream without text
				}
				end := row[column[which+"_end_off"]]
				assert.Equal(t, end, strconv.FormatInt(ends[event], 10), which)
			}
		})
	}
	assert.Greater(t, checked, 60)
}

// eventEnds frames a recorded body and returns the end offsets of its events,
// or nil when it is in neither of the two formats.
func eventEnds(t *testing.T, name string) (ends []int64) {
	t.Helper()
	body, err := os.ReadFile(streamsFile(t, filepath.FromSlash(name)))
	require.NoError(t, err)
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
	bodies := map[string][]byte{"chat": chatBody(events), "messages": messagesBody(events), "bedrock": bedrockBody(t, events)}
	for name, body := range bodies {
		allocations := testing.AllocsPerRun(3, func() {
			var n int
			if name == "bedrock" {
				n = countMessages(body)
			} else {
				n = countEvents(body)
			}
			assert.Equal(t, events, n)
		})
		assert.Less(t, allocations, 50., name)
	}
}

func TestFrameError(t *testing.T) {
	err := error(&wire.FrameError{Offset: 12, Reason: "incomplete prelude", Err: io.ErrUnexpectedEOF})
	assert.EqualError(t, err, "wire: frame at byte 12: incomplete prelude: unexpected EOF")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.EqualError(t, &wire.FrameError{Offset: 3, Reason: "bad"}, "wire: frame at byte 3: bad")
}
