package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// maxDecompressed is what a body may be decompressed to: as much as an uncompressed
// reply may have. Deflate can hold a thousand times as much, with nothing to say.
const maxDecompressed = DefaultMaxBody

// A foreignBodyError says that a body is in another format than it should be.
type foreignBodyError struct{ why string }

func (e *foreignBodyError) Error() string { return e.why }

// errInflatesTooFar says that a body outgrew its limit.
var errInflatesTooFar = errors.New("decompress to more than")

// A compressedSource serves a body byte by byte, so that a decompressor takes no more
// of it than it needs.
type compressedSource struct {
	body []byte
	read int // bytes taken
}

func (s *compressedSource) Read(b []byte) (int, error) {
	if s.read == len(s.body) {
		return 0, io.EOF
	}
	n := copy(b, s.body[s.read:])
	s.read += n
	return n, nil
}

func (s *compressedSource) ReadByte() (byte, error) {
	if s.read == len(s.body) {
		return 0, io.EOF
	}
	s.read++
	return s.body[s.read-1], nil
}

// rest returns what has not been taken.
func (s *compressedSource) rest() []byte { return s.body[s.read:] }

// An inflation is the decompression of one body. Its steps return
// [io.ErrUnexpectedEOF] where the body is cut.
type inflation struct {
	source compressedSource
	marks  []Mark // of the compressed body
	limit  int    // bytes that body may have

	inflater io.ReadCloser // a flate reader of source
	body     []byte
	mapped   []Mark // of body
	mark     int    // index into marks of the last of mapped
}

func newInflation(body []byte, marks []Mark) *inflation {
	return &inflation{
		source: compressedSource{body: body}, marks: marks,
		limit: maxDecompressed,
	}
}

// gunzip decompresses the members of a gzip file.
func (in *inflation) gunzip() error {
	magic := []byte("\x1f\x8b\x08") // the last byte stands for deflate, the only method
	if start := in.source.body[:min(len(in.source.body), len(magic))]; !bytes.HasPrefix(magic, start) {
		return &foreignBodyError{fmt.Sprintf("it starts with %q", start)}
	}
	var header gzip.Reader
	for len(in.source.rest()) > 0 {
		err := header.Reset(&in.source) // takes the header, and no more
		switch {
		case errors.Is(err, gzip.ErrHeader) && in.inflater == nil:
			return &foreignBodyError{err.Error()}
		case err != nil:
			return unexpected(err)
		}
		member := len(in.body)
		if err := in.inflate(); err != nil {
			return err
		}
		var trailer [8]byte
		if _, err := io.ReadFull(&in.source, trailer[:]); err != nil {
			return unexpected(err)
		}
		if binary.LittleEndian.Uint32(trailer[:]) != crc32.ChecksumIEEE(in.body[member:]) ||
			binary.LittleEndian.Uint32(trailer[4:]) != uint32(len(in.body)-member) {
			return gzip.ErrChecksum
		}
	}
	return nil
}

// undeflate decompresses what goes by the name of deflate: the zlib format by the
// standard, and a bare deflate stream by some servers.
func (in *inflation) undeflate() error {
	switch start := in.source.body; {
	case len(start) == 0:
		return nil
	case len(start) == 1 && start[0] == zlibMethod:
		return io.ErrUnexpectedEOF
	case len(start) == 1 || !isZlib(start):
		return in.undeflateBare()
	}
	in.source.read = 2
	if in.source.body[1]&zlibDictionary != 0 {
		return &foreignBodyError{"it needs a dictionary"}
	}
	if err := in.inflate(); err != nil {
		return err
	}
	var trailer [4]byte
	if _, err := io.ReadFull(&in.source, trailer[:]); err != nil {
		return unexpected(err)
	}
	if binary.BigEndian.Uint32(trailer[:]) != adler32.Checksum(in.body) {
		return errors.New("invalid checksum")
	}
	return in.trailing()
}

const (
	zlibMethod     = 0x78 // deflate with a window of 32 KiB
	zlibDictionary = 0x20 // in the second byte
)

// isZlib reports whether b starts with the two bytes of a zlib header.
func isZlib(b []byte) bool {
	return b[0]&0x0f == 8 && b[0]>>4 <= 7 && binary.BigEndian.Uint16(b)%31 == 0
}

// undeflateBare decompresses a deflate stream without a header. There is nothing to
// know it by but that it decodes, and any text may look like one for a while: unless
// it does so to its end, or to where it is cut, it is none.
func (in *inflation) undeflateBare() error {
	err := in.inflate()
	if err == nil {
		err = in.trailing()
	}
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errInflatesTooFar) {
		return err
	}
	return &foreignBodyError{err.Error()}
}

// trailing returns an error for bytes after the end of the compressed data.
func (in *inflation) trailing() error {
	if n := len(in.source.rest()); n > 0 {
		return fmt.Errorf("%d bytes after the end of the compressed data", n)
	}
	return nil
}

// inflate decompresses one deflate stream, to its last byte and no further.
func (in *inflation) inflate() error {
	if in.inflater == nil {
		in.inflater = flate.NewReader(&in.source)
		in.body = make([]byte, 0, len(in.source.body)+bytes.MinRead)
	} else if err := in.inflater.(flate.Resetter).Reset(&in.source, nil); err != nil {
		return err
	}
	for {
		if len(in.body) == cap(in.body) {
			in.body = append(in.body, 0)[:len(in.body)]
		}
		n, err := in.inflater.Read(in.body[len(in.body):cap(in.body)])
		in.body = in.body[:len(in.body)+n]
		if len(in.body) > in.limit {
			return errInflatesTooFar
		}
		if n > 0 {
			in.note()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// note gives the bytes just decompressed the time of the read that brought what was
// taken from the source last.
func (in *inflation) note() {
	before := in.mark
	for in.mark < len(in.marks) && in.marks[in.mark].End < int64(in.source.read) {
		in.mark++
	}
	switch end := int64(len(in.body)); {
	case in.mark == len(in.marks): // nothing is known of these bytes
	case len(in.mapped) > 0 && in.mark == before:
		in.mapped[len(in.mapped)-1].End = end
	default:
		in.mapped = append(in.mapped, Mark{End: end, At: in.marks[in.mark].At})
	}
}
