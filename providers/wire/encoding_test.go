package wire_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers/wire"
)

// A compressor is what writers of all formats can do.
type compressor interface {
	io.WriteCloser
	Flush() error
}

// compressors make what travels as these encodings.
var compressors = []struct {
	name     string
	encoding string
	open     func(io.Writer) compressor
}{
	{"gzip", "gzip", func(w io.Writer) compressor { return gzip.NewWriter(w) }},
	{"x-gzip", "X-GZip", func(w io.Writer) compressor { return gzip.NewWriter(w) }},
	{"zlib", "deflate", func(w io.Writer) compressor { return zlib.NewWriter(w) }},
	{"bare deflate", "deflate", func(w io.Writer) compressor {
		bare, err := flate.NewWriter(w, flate.DefaultCompression)
		if err != nil {
			panic(err)
		}
		return bare
	}},
	{"stored", "gzip", func(w io.Writer) compressor {
		stored, err := gzip.NewWriterLevel(w, gzip.NoCompression)
		if err != nil {
			panic(err)
		}
		return stored
	}},
}

// compressed is an exchange whose body holds the pieces, one a read, 10 ms apart: the
// first at 10 ms.
func compressed(encoding string, pieces ...[]byte) *wire.Exchange {
	x := &wire.Exchange{
		Status: 200, Ending: wire.EndEOF,
		Header: http.Header{"Content-Encoding": {encoding}, "Content-Length": {"1"}, "Content-Type": {"text/event-stream"}},
	}
	for i, piece := range pieces {
		x.Body = append(x.Body, piece...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * time.Millisecond})
	}
	return x
}

// compressEach returns what open's compressor has written after each text, flushed
// where flush says so. What ends the stream is in the last piece.
func compressEach(t testing.TB, open func(io.Writer) compressor, flush bool, texts ...string) (pieces [][]byte) {
	t.Helper()
	var out bytes.Buffer
	w := open(&out)
	for i, text := range texts {
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
		if flush {
			require.NoError(t, w.Flush())
		}
		if i == len(texts)-1 {
			require.NoError(t, w.Close())
		}
		pieces = append(pieces, bytes.Clone(out.Bytes()))
		out.Reset()
	}
	return pieces
}

// requireMarks checks what holds for the marks of any exchange.
func requireMarks(t *testing.T, x *wire.Exchange) {
	t.Helper()
	end, at := int64(0), time.Duration(0)
	for _, m := range x.Marks {
		require.Less(t, end, m.End, "marks grow")
		require.LessOrEqual(t, at, m.At)
		end, at = m.End, m.At
	}
	require.EqualValues(t, len(x.Body), end, "the last mark covers the body")
}

func events(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("event: delta\ndata: {\"index\":0,\"text\":\" token%d\"}\n\n", i))
	}
	return texts
}

func TestFlushedEventsKeepTheirReads(t *testing.T) {
	t.Parallel()
	texts := events(20)
	for _, c := range compressors {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := compressed(c.encoding, compressEach(t, c.open, true, texts...)...)
			before := x.Header.Clone()
			plain, err := x.Identity()
			require.NoError(t, err)

			want := compressed("identity")
			for i, text := range texts {
				want.Body = append(want.Body, text...)
				want.Marks = append(want.Marks, wire.Mark{End: int64(len(want.Body)), At: x.Marks[i].At})
			}
			assert.Equal(t, string(want.Body), string(plain.Body))
			assert.Equal(t, want.Marks, plain.Marks)
			assert.Equal(t, http.Header{"Content-Type": {"text/event-stream"}}, plain.Header)
			assert.Equal(t, before, x.Header, "the exchange stays as it was")
			assert.Equal(t, wire.EndEOF, plain.Ending)
			assert.Equal(t, 200, plain.Status)

			again, err := plain.Identity()
			require.NoError(t, err)
			assert.Same(t, plain, again)
		})
	}
}

func TestEventsThatAreNotFlushedComeWithTheLastRead(t *testing.T) {
	t.Parallel()
	for _, c := range compressors[:4] {
		x := compressed(c.encoding, compressEach(t, c.open, false, events(20)...)...)
		plain, err := x.Identity()
		require.NoError(t, err)
		assert.Equal(t, strings.Join(events(20), ""), string(plain.Body))
		assert.Equal(t, []wire.Mark{{End: int64(len(plain.Body)), At: 200 * time.Millisecond}}, plain.Marks)
	}
}

// The trailer brings no byte, and neither does a header: their reads have no mark.
func TestReadsThatBringNoBytesHaveNoMark(t *testing.T) {
	t.Parallel()
	for _, c := range compressors {
		whole := bytes.Join(compressEach(t, c.open, true, "one\n", "two\n"), nil)
		bytewise := make([][]byte, len(whole))
		for i := range whole {
			bytewise[i] = whole[i : i+1]
		}
		plain, err := compressed(c.encoding, bytewise...).Identity()
		require.NoError(t, err)
		require.Equal(t, "one\ntwo\n", string(plain.Body))
		require.Len(t, plain.Marks, 2, c.name)
		requireMarks(t, plain)

		// The read of each mark is the first that suffices.
		for _, m := range plain.Marks {
			reads := int(m.At / (10 * time.Millisecond))
			enough, err := compressed(c.encoding, bytewise[:reads]...).Identity()
			require.NoError(t, err)
			require.EqualValues(t, m.End, len(enough.Body))
		}
	}
}

func TestCompressedStreamIsTimedLikeAPlainOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		texts := events(12)
		capture := wire.NewCapture(0)
		for _, zipped := range []bool{false, true} {
			resp := get(t, capture.Context(t.Context()), &wire.Transport{Base: streaming(func(_ context.Context, w *io.PipeWriter) {
				z := gzip.NewWriter(w)
				for _, text := range texts {
					time.Sleep(7 * time.Millisecond)
					if zipped {
						_, _ = io.WriteString(z, text)
						z.Flush()
					} else {
						_, _ = io.WriteString(w, text)
					}
				}
				if zipped {
					z.Close()
				}
				w.Close()
			})})
			_, err := io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
		}
		exchanges := capture.Exchanges()
		plain, zipped := exchanges[0], exchanges[1]
		zipped.Header = http.Header{"Content-Encoding": {"gzip"}}
		unzipped, err := zipped.Identity()
		require.NoError(t, err)
		assert.Equal(t, plain.Body, unzipped.Body)
		assert.Equal(t, plain.Marks, unzipped.Marks)
		assert.NotEqual(t, plain.Marks, zipped.Marks)
	})
}

func TestExchangeWithoutAnEncodingIsItsOwnIdentity(t *testing.T) {
	t.Parallel()
	for _, header := range []http.Header{nil, {}, {"Content-Encoding": {""}}, {"Content-Encoding": {"identity"}}, {"Content-Encoding": {" Identity", "identity"}}} {
		x := &wire.Exchange{Header: header, Body: []byte("plain")}
		plain, err := x.Identity()
		require.NoError(t, err)
		assert.Same(t, x, plain)
	}
}

func TestIdentityRefuses(t *testing.T) {
	t.Parallel()
	zipped := string(bytes.Join(compressEach(t, compressors[0].open, false, "text"), nil))
	for _, c := range []struct {
		name     string
		encoding string
		body     string
		want     string
	}{
		{"brotli", "br", "x", "wire: content-encoding br cannot be decoded: ask for Accept-Encoding: identity"},
		{"zstd", "zstd", "x", "wire: content-encoding zstd cannot be decoded: ask for Accept-Encoding: identity"},
		{"two", "gzip,  GZIP", zipped, "wire: content-encoding gzip, gzip cannot be decoded: ask for Accept-Encoding: identity"},
		{"text for gzip", "gzip", "data: x\n\n", `wire: content-encoding gzip, but the body is not: it starts with "dat"`},
		{"one byte for gzip", "gzip", "{", `wire: content-encoding gzip, but the body is not: it starts with "{"`},
		{"another method", "x-gzip", "\x1f\x8b\x07", `wire: content-encoding x-gzip, but the body is not: it starts with "\x1f\x8b\a"`},
		{"header checksum", "gzip", "\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\x00\xff\xff", "wire: content-encoding gzip, but the body is not: gzip: invalid header"},
		{"text for deflate", "deflate", "data: x\n\n", "wire: content-encoding deflate, but the body is not: flate: corrupt input before offset 5"},
		{"JSON for deflate", "deflate", `{"error":{"message":"x"}}`, "wire: content-encoding deflate, but the body is not: flate: corrupt input before offset 10"},
		{"text behind deflate", "deflate", "\x03\x00x", "wire: content-encoding deflate, but the body is not: 1 bytes after the end of the compressed data"},
		{"dictionary", "deflate", "\x78\x20\x00\x00\x00\x01", "wire: content-encoding deflate, but the body is not: it needs a dictionary"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plain, err := compressed(c.encoding, []byte(c.body)).Identity()
			require.EqualError(t, err, c.want)
			assert.Nil(t, plain)
		})
	}
}

func TestCompressedBodyCutAnywhere(t *testing.T) {
	t.Parallel()
	texts := events(6)
	whole := strings.Join(texts, "")
	for _, c := range compressors {
		for _, flushed := range []bool{true, false} {
			body := bytes.Join(compressEach(t, c.open, flushed, texts...), nil)
			got := 0
			for size := range len(body) + 1 {
				x := compressed(c.encoding, body[:size/2], body[size/2:size])
				x.Ending, x.Err = wire.EndFailed, io.ErrUnexpectedEOF
				plain, err := x.Identity()
				require.NoError(t, err, "%s, %d bytes", c.name, size)
				require.True(t, strings.HasPrefix(whole, string(plain.Body)))
				require.LessOrEqual(t, got, len(plain.Body), "more bytes tell no less")
				require.Equal(t, x.Err, plain.Err)
				requireMarks(t, plain)
				got = len(plain.Body)
			}
			require.Len(t, whole, got)

			for size := range len(body) { // on its own a cut is no failure
				plain, err := compressed(c.encoding, body[:size]).Identity()
				require.NoError(t, err)
				require.NoError(t, plain.Err)
				require.Equal(t, wire.EndEOF, plain.Ending)
			}
		}
	}
}

func TestCompressedBodyIsDamaged(t *testing.T) {
	t.Parallel()
	texts := events(6)
	whole := strings.Join(texts, "")
	for _, c := range compressors[:3] { // a bare deflate stream has no checksum
		body := bytes.Join(compressEach(t, c.open, true, texts...), nil)
		for i := 10; i < len(body); i++ {
			damaged := bytes.Clone(body)
			damaged[i] ^= 0x10
			plain, err := compressed(c.encoding, damaged).Identity()
			require.NoError(t, err)
			requireMarks(t, plain)
			if string(plain.Body) != whole || i >= len(body)-4 {
				cut := plain.Err == nil // a damaged length may reach beyond the end
				require.True(t, cut || plain.Ending == wire.EndFailed, "byte %d", i)
			}
		}
	}

	for _, c := range []struct{ name, encoding, rest, want string }{
		{"gzip", "gzip", "rest of it", "wire: content-encoding gzip: gzip: invalid header"},
		{"zlib", "deflate", "rest", "wire: content-encoding deflate: 4 bytes after the end of the compressed data"},
	} {
		for _, compressor := range compressors {
			if compressor.name != c.name {
				continue
			}
			body := append(bytes.Join(compressEach(t, compressor.open, true, texts...), nil), c.rest...)
			plain, err := compressed(c.encoding, body).Identity()
			require.NoError(t, err)
			assert.Equal(t, whole, string(plain.Body))
			assert.Equal(t, wire.EndFailed, plain.Ending)
			assert.EqualError(t, plain.Err, c.want)

			known := errors.New("known before")
			x := compressed(c.encoding, body)
			x.Ending, x.Err = wire.EndContext, known
			plain, err = x.Identity()
			require.NoError(t, err)
			assert.Equal(t, wire.EndContext, plain.Ending)
			assert.Equal(t, known, plain.Err)
		}
	}
}

func TestGzipOfSeveralMembers(t *testing.T) {
	t.Parallel()
	var pieces [][]byte
	for _, text := range events(3) {
		pieces = append(pieces, compressEach(t, compressors[0].open, false, text)...)
	}
	plain, err := compressed("gzip", pieces...).Identity()
	require.NoError(t, err)
	assert.Equal(t, strings.Join(events(3), ""), string(plain.Body))
	require.Len(t, plain.Marks, 3)
	requireMarks(t, plain)

	plain, err = compressed("gzip", pieces[0], pieces[1][:5]).Identity()
	require.NoError(t, err, "cut inside of a header")
	assert.Equal(t, events(1)[0], string(plain.Body))
	assert.NoError(t, plain.Err)
}

func TestBodyThatDecompressesWithoutEnd(t *testing.T) {
	t.Parallel()
	megabyte := string(make([]byte, 1<<20))
	pieces := compressEach(t, compressors[0].open, true, megabyte, megabyte, megabyte)
	zipped := append(pieces[0], bytes.Repeat(pieces[1], 64)...) // each as the one before
	_, err := compressed("gzip", zipped).Identity()
	var bomb *wire.FrameError
	require.ErrorAs(t, err, &bomb)
	assert.Contains(t, bomb.Reason, "content-encoding gzip: ")
	assert.Contains(t, bomb.Reason, " bytes decompress to more than 67108864")
}

func TestRecordedGzipStream(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if !strings.HasSuffix(r["body_file"], ".gz") {
			continue
		}
		checked++
		for _, read := range []int{1, 7, 64, 1 << 20} {
			x := r.Capture(t, "https://api.anthropic.com/v1/messages", read)
			x.Header.Set("Content-Encoding", "gzip")
			plain, err := x.Identity()
			require.NoError(t, err)
			require.NoError(t, plain.Err)
			requireMarks(t, plain)
			events, _, err := readEvents(bytes.NewReader(plain.Body))
			require.Equal(t, io.EOF, err)
			assert.Len(t, events, r.Int(t, "n_events"))
			assert.EqualValues(t, r.Int(t, "last_text_end_off"), events[r.Int(t, "last_text_event")].End)
		}
	}
	assert.Positive(t, checked)
}
