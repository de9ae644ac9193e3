package cassette

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What can be wrong with a file, for [errors.Is].
var (
	ErrTruncated  = errors.New("the cassette is cut short")
	ErrEdited     = errors.New("the cassette was edited")
	ErrReordered  = errors.New("lines of the cassette were moved, lost or added")
	ErrVersion    = errors.New("the cassette is of another version")
	ErrNoCassette = errors.New("not a cassette")
)

// longestLine bounds what is read of one line, in bytes.
const longestLine = 512 << 20

// Read reads a cassette, compressed or not, whatever its name. It is strict: a file
// that was cut, edited or reordered, or that another version wrote, is an error that
// says which line, and what to do; see the Err values.
//
// Of a recording that was cut short Read returns the interactions up to there as well,
// together with an error that is [ErrTruncated].
func Read(path string) (*Cassette, error) {
	disk, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	return decodeFile(disk, filepath.ToSlash(path), false)
}

// Decode reads a cassette from r, as [Read] does; name stands for it in errors.
func Decode(r io.Reader, name string) (*Cassette, error) { return decodeFile(r, name, false) }

// Reseal accepts what somebody has changed in a file by hand: lines taken out, moved
// or edited. It reads the file as [Read] does but for sums and numbers, and writes it
// again. What remains must be a cassette; the end may be missing.
func Reseal(path string) error {
	disk, err := os.Open(path)
	if err != nil {
		return err
	}
	c, err := decodeFile(disk, filepath.ToSlash(path), true)
	disk.Close()
	if err != nil && !errors.Is(err, ErrTruncated) {
		return err
	}
	if c == nil || c.Len() == 0 {
		return fmt.Errorf("%s: %w", path, errEmpty)
	}
	return Write(path, c)
}

func decodeFile(r io.Reader, name string, lenient bool) (*Cassette, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: its gzip header is cut or damaged: record it again", name, ErrNoCassette)
		}
		buffered = bufio.NewReaderSize(z, 64<<10)
	}
	f := &fileReader{name: name, lenient: lenient}
	err := f.read(buffered)
	if f.cassette != nil {
		f.cassette.sort()
	}
	if err != nil && !errors.Is(err, ErrTruncated) {
		return nil, err
	}
	return f.cassette, err
}

type fileReader struct {
	name    string
	lenient bool // take any sum and number

	cassette *Cassette
	number   int // of the current line, from 1
	sum      string
	ended    bool
}

func (f *fileReader) fail(kind error, format string, a ...any) error {
	return fmt.Errorf("%s:%d: %w: %s", f.name, f.number, kind, fmt.Sprintf(format, a...))
}

func (f *fileReader) read(r *bufio.Reader) error {
	var line []byte
	for {
		f.number++
		var err error
		line, err = readLine(r, line[:0])
		switch {
		case errors.Is(err, bufio.ErrTooLong):
			return f.fail(ErrNoCassette, "a line of more than %d MiB", longestLine>>20)
		case err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%s:%d: %w", f.name, f.number, err)
		case err != nil:
			return f.end(line)
		}
		if err := f.line(line); err != nil {
			return err
		}
	}
}

// readLine appends the next line to buffer, without its LF. A line without one comes
// with the error that ended it.
func readLine(r *bufio.Reader, buffer []byte) ([]byte, error) {
	for {
		piece, err := r.ReadSlice('\n')
		buffer = append(buffer, piece...)
		switch {
		case len(buffer) > longestLine:
			return nil, bufio.ErrTooLong
		case err == nil:
			return buffer[:len(buffer)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return buffer, err
		}
	}
}

// end judges what the file ended with.
func (f *fileReader) end(rest []byte) error {
	switch {
	case f.cassette == nil && f.number == 1 && len(rest) > 0 && !bytes.HasPrefix(rest, []byte(`{"n":0`)):
		return f.fail(ErrNoCassette, "its first line is no header of %s", Schema)
	case f.cassette == nil:
		return f.fail(ErrNoCassette, "no header of %s: the file is empty, or was cut before its first line ended: record it again", Schema)
	case f.ended && len(rest) == 0:
		return nil
	case f.ended:
		return f.fail(ErrReordered, "there is more after the end: record it again, or accept the change with cassette.Reseal")
	}
	return f.fail(ErrTruncated, "it has no end after %d interactions: the recording was killed, or the file was not copied whole: "+
		"record it again, or keep what is there with cassette.Reseal", f.cassette.Len())
}

func (f *fileReader) line(line []byte) error {
	l, ok := splitLine(line)
	if !ok {
		switch {
		case f.cassette == nil && bytes.Contains(line, []byte("latgate.cassette/")):
			return f.fail(ErrVersion, "its first line is laid out in another way, that of a newer version perhaps: update latgate, or record it again with this one")
		case f.cassette == nil:
			return f.fail(ErrNoCassette, "its first line is no header of %s", Schema)
		default:
			return f.fail(ErrEdited, "the line does not begin as latgate writes it: record it again")
		}
	}
	if f.cassette == nil && l.kind == kindHeader {
		if err := f.version(l.value); err != nil {
			return err
		}
	}
	switch {
	case f.cassette == nil && l.kind != kindHeader:
		return f.fail(ErrReordered, "the first line holds no header but %q: record it again", l.kind)
	case f.ended:
		return f.fail(ErrReordered, "a line after the end: record it again, or accept the change with cassette.Reseal")
	case f.cassette != nil && l.kind == kindHeader:
		return f.fail(ErrReordered, "a second header: two recordings are not joined by joining their files")
	case l.n != f.number-1 && !f.lenient:
		return f.fail(ErrReordered, "line %d is expected here, and this is line %d: record it again, or accept the change with cassette.Reseal", f.number-1, l.n)
	case l.sum != sumOf(f.sum, l.value) && !f.lenient:
		return f.fail(ErrEdited, "the line does not match its sum %s: record it again, or accept the change with cassette.Reseal", l.sum)
	}
	f.sum = l.sum
	switch l.kind {
	case kindHeader:
		var h Header
		if err := decode(l.value, &h); err != nil {
			return f.fail(ErrNoCassette, "header: %v", err)
		}
		if err := h.Matching.validate(); err != nil {
			return f.fail(ErrNoCassette, "header: %v", err)
		}
		f.cassette = &Cassette{Header: h}
	case kindExchange:
		i, err := decodeExchange(l.value)
		if err == nil {
			if i.Response.Body == nil {
				i.Response.Body = []byte{}
			}
			err = f.cassette.add(i)
		}
		if err != nil {
			return f.fail(ErrEdited, "%v: record it again", err)
		}
	case kindEnd:
		var e endRecord
		if err := decode(l.value, &e); err != nil {
			return f.fail(ErrEdited, "end: %v", err)
		}
		if e.Exchanges != f.cassette.Len() && !f.lenient {
			return f.fail(ErrReordered, "the end counts %d interactions, the file holds %d: record it again", e.Exchanges, f.cassette.Len())
		}
		f.ended = true
	default:
		return f.fail(ErrEdited, "a line of kind %q, which %s does not have", l.kind, Schema)
	}
	return nil
}

// version judges the schema before anything else: another version may have other
// lines, and other sums.
func (f *fileReader) version(header []byte) error {
	var h struct {
		Schema string `json:"schema"`
	}
	_ = json.Unmarshal(header, &h) // an empty schema tells
	if h.Schema == Schema {
		return nil
	}
	if version, ours := strings.CutPrefix(h.Schema, "latgate.cassette/"); ours {
		if n, err := strconv.Atoi(version); err == nil && n > 1 {
			return f.fail(ErrVersion, "schema %q is newer than %q, the one this latgate reads: update latgate, or record it again with this one", h.Schema, Schema)
		}
	}
	return f.fail(ErrVersion, "schema %q is not %q: record it again", h.Schema, Schema)
}

type splitted struct {
	n         int
	sum, kind string
	value     []byte
}

// splitLine takes a line apart without reading its value.
func splitLine(line []byte) (l splitted, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"n":`))
	number, rest, cut := bytes.Cut(rest, []byte(`,"sum":"`))
	if !ok || !cut {
		return l, false
	}
	sum, rest, cut := bytes.Cut(rest, []byte(`","`))
	if !cut {
		return l, false
	}
	kind, value, cut := bytes.Cut(rest, []byte(`":`))
	value, closed := bytes.CutSuffix(bytes.TrimSuffix(value, []byte{'\r'}), []byte{'}'})
	if !cut || !closed {
		return l, false
	}
	n, err := strconv.Atoi(string(number))
	return splitted{n: n, sum: string(sum), kind: string(kind), value: value}, err == nil
}
