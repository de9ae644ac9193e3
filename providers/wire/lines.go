package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine bounds the bytes of a line, as maxSSEEvent does those of an event.
const maxLine = 32 << 20

// A Line is one line of newline-delimited JSON.
//
// Start and End are offsets into the body. A decoder times the line by End: it
// happened when the byte before End arrived.
type Line struct {
	Data       []byte // the line without its line end, LF or CRLF; valid until the next call
	Start, End int64  // first byte of the line; just past its line end

	// Unterminated says that the body ended before the LF did come: all of the line
	// may be there, since some servers leave the last LF out, or the connection
	// broke inside of it.
	Unterminated bool
}

// A LineReader splits a body of newline-delimited JSON (application/x-ndjson,
// application/jsonl) into its lines. Lines that are empty, or hold nothing but
// white space, are skipped. Whether the others are JSON it does not ask.
type LineReader struct {
	lines    *bufio.Scanner
	searched int   // bytes of the line to come that are known to hold no LF
	start    int64 // offset of the line that came last
	offset   int64 // offset just past it and its line end
	ended    bool  // by LF, that is
	err      error
}

// NewLineReader returns a reader of the lines in r.
func NewLineReader(r io.Reader) *LineReader {
	l := &LineReader{lines: bufio.NewScanner(r)}
	l.lines.Buffer(nil, len(byteOrderMark)+maxLine+len("\r\n")+1)
	l.lines.Split(l.splitLine)
	return l
}

// Next returns the next line, or [io.EOF] when there is none. A line of more than
// 32 MiB is a [*FrameError]; an error of the underlying reader ends the body as EOF
// does and is returned after what came before it. Once Next has returned an error
// it goes on returning that error.
//
// Data is valid until the next call.
func (r *LineReader) Next() (Line, error) {
	for r.err == nil && r.lines.Scan() {
		line, ok := lineAt(r.start, r.lines.Bytes())
		switch {
		case len(line.Data) > maxLine:
			return r.tooLong(line.Start)
		case ok:
			line.End, line.Unterminated = r.offset, !r.ended
			return line, nil
		}
	}
	if r.err != nil {
		return Line{}, r.err
	}
	if r.err = r.lines.Err(); r.err == nil {
		r.err = io.EOF
	}
	if errors.Is(r.err, bufio.ErrTooLong) {
		return r.tooLong(r.offset)
	}
	return Line{}, r.err
}

// tooLong ends the lines at the one that begins at start.
func (r *LineReader) tooLong(start int64) (Line, error) {
	r.err = &FrameError{Offset: start, Reason: "line of more than 32 MiB"}
	return Line{}, r.err
}

// lineAt returns the line that the bytes before an LF, or before the end of the
// body, make where they are the ones at start, and whether there is anything in it.
// Its End is left to the caller.
func lineAt(start int64, data []byte) (line Line, ok bool) {
	data, start = withoutByteOrderMark(data, start)
	data = bytes.TrimSuffix(data, []byte("\r"))
	return Line{Data: data, Start: start}, len(bytes.TrimLeft(data, " \t\r")) > 0
}

// splitLine is the [bufio.SplitFunc] for lines that end in LF. The end of the body
// ends the last line too.
func (r *LineReader) splitLine(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if len(data) == 0 {
		return 0, nil, nil
	}
	end := len(data)
	i := bytes.IndexByte(data[r.searched:], '\n')
	switch {
	case i >= 0:
		end = r.searched + i
		advance = end + 1
	case !atEOF:
		r.searched = end
		return 0, nil, nil
	default:
		advance = end
	}
	r.searched = 0
	r.ended = i >= 0
	r.start = r.offset
	r.offset += int64(advance)
	return advance, data[:end], nil
}
