package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Limits of one event. They keep a body that never ends an event from being
// buffered without end, and lie far above the largest event on record (100 KB).
const (
	maxSSEEvent = 32 << 20 // bytes of its lines together
	maxSSEOther = 1024     // entries of SSEEvent.Other
)

// byteOrderMark may open a stream of server-sent events and is then no part of
// its first line.
var byteOrderMark = []byte("\ufeff")

// An SSEEvent is one block of lines of a text/event-stream body.
//
// Start and End are offsets into the body. A decoder times the event by End:
// it happened when the byte before End arrived, since only the blank line makes
// it an event. Comments before its first field are outside of the range.
type SSEEvent struct {
	Event string     // value of the last "event" field; empty means "message"
	Data  []byte     // values of the "data" fields, joined by LF; nil without one
	ID    string     // last event ID: it carries over from event to event
	Other []SSEField // fields the standard has no use for, at most the first 1024

	Start int64 // first byte of the first field
	End   int64 // just past the blank line that dispatched the event

	// Unterminated says that the body ended before the blank line did come. The
	// standard discards such a block; here it may be all there is to see of an
	// error, or of what a broken connection cut off.
	Unterminated bool
}

// An SSEField is a line the standard tells a client to ignore. Some servers
// report failures in one, as in "error: {…}", or append text that is not SSE at
// all: each of its lines is a field here, cut at the first colon.
type SSEField struct {
	Name  string
	Value []byte
}

// An SSEReader splits a body into server-sent events, as the WHATWG HTML
// standard defines them (§9.2.6, "Interpreting an event stream"): lines end in
// LF, CRLF or CR, and a block without data is no event. It departs from the
// standard where a client may look away and a measurement may not:
//
//   - a block that has other fields but no data is delivered,
//   - so is a block the end of the body cuts short, see SSEEvent.Unterminated,
//   - bytes that are not UTF-8 stay as they are,
//   - "retry" is ignored, as nothing here reconnects.
//
// To tell CR from CRLF the reader looks at the byte that follows, so it suits
// captured bytes better than a live connection.
type SSEReader struct {
	lines     *bufio.Scanner
	searched  int   // bytes of the line to come that are known to hold no line end
	lineStart int64 // offset of the line that came last
	offset    int64 // offset just past it and its line end

	block sseBlock
	err   error
}

// NewSSEReader returns a reader of the events in r.
func NewSSEReader(r io.Reader) *SSEReader {
	s := &SSEReader{lines: bufio.NewScanner(r), block: newSSEBlock()}
	s.lines.Buffer(nil, maxSSEEvent)
	s.lines.Split(s.splitLine)
	return s
}

// Comments returns the number of comment lines so far. Servers send them to
// keep a connection alive; they are not events.
func (r *SSEReader) Comments() int { return r.block.comments }

// Next returns the next event, or [io.EOF] when there is none. An event of more
// than 32 MiB is a [*FrameError]; an error of the underlying reader ends the
// body as EOF does and is returned after what came before it. Once Next has
// returned an error it goes on returning that error.
//
// Data is valid until the next call.
func (r *SSEReader) Next() (SSEEvent, error) {
	if r.err != nil {
		return SSEEvent{}, r.err
	}
	for r.lines.Scan() {
		line, start := withoutByteOrderMark(r.lines.Bytes(), r.lineStart)
		dispatched, err := r.block.add(line, start, r.offset)
		if err != nil {
			return r.fail(err)
		}
		if dispatched {
			return r.block.take(), nil
		}
	}

	if r.err = r.lines.Err(); r.err == nil {
		r.err = io.EOF
	}
	if errors.Is(r.err, bufio.ErrTooLong) {
		start := r.offset
		if r.block.event.End > 0 {
			start = r.block.event.Start
		}
		return r.fail(tooLongEvent(start))
	}
	if r.block.holdsEvent() {
		e := r.block.take()
		e.End, e.Unterminated = r.offset, true
		return e, nil
	}
	return SSEEvent{}, r.err
}

// fail ends the events.
func (r *SSEReader) fail(err error) (SSEEvent, error) {
	r.err = err
	return SSEEvent{}, err
}

// splitLine is the [bufio.SplitFunc] for lines that end in LF, CRLF or CR. The
// end of the body ends the last line too.
func (r *SSEReader) splitLine(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if len(data) == 0 {
		return 0, nil, nil
	}
	end := len(data)
	if i := bytes.IndexAny(data[r.searched:], "\r\n"); i >= 0 {
		end = r.searched + i
	}
	advance = end
	switch rest := string(data[end:min(end+2, len(data))]); {
	case rest == "\r\n":
		advance += 2
	case !atEOF && (rest == "" || rest == "\r"):
		r.searched = end // the line, or a CRLF, may go on in the next read
		return 0, nil, nil
	case rest != "":
		advance++
	}
	r.searched = 0
	r.lineStart = r.offset
	r.offset += int64(advance)
	return advance, data[:end], nil
}
