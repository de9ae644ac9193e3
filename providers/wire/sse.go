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

	data     []byte // backs SSEEvent.Data
	event    string // the latest name; streams repeat a few
	id       string
	comments int
	err      error
}

// NewSSEReader returns a reader of the events in r.
func NewSSEReader(r io.Reader) *SSEReader {
	s := &SSEReader{lines: bufio.NewScanner(r), data: []byte{}}
	s.lines.Buffer(nil, maxSSEEvent)
	s.lines.Split(s.splitLine)
	return s
}

// Comments returns the number of comment lines so far. Servers send them to
// keep a connection alive; they are not events.
func (r *SSEReader) Comments() int { return r.comments }

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
	var e SSEEvent
	for r.lines.Scan() {
		line, start := r.line()
		switch {
		case len(line) == 0:
			if e.dispatches() {
				e.End = r.offset
				return e, nil
			}
			e = SSEEvent{}
		case line[0] == ':':
			r.comments++
		default:
			if e.End == 0 {
				e.Start = start
			}
			e.End = r.offset
			if e.End-e.Start > maxSSEEvent {
				return SSEEvent{}, r.tooLong(e.Start)
			}
			r.addField(&e, line)
		}
	}

	if r.err = r.lines.Err(); r.err == nil {
		r.err = io.EOF
	}
	if errors.Is(r.err, bufio.ErrTooLong) {
		if e.End == 0 {
			e.Start = r.offset
		}
		return SSEEvent{}, r.tooLong(e.Start)
	}
	if e.dispatches() {
		e.End = r.offset
		e.Unterminated = true
		return e, nil
	}
	return SSEEvent{}, r.err
}

// tooLong ends the stream of events at the one that begins at start.
func (r *SSEReader) tooLong(start int64) error {
	r.err = &FrameError{Offset: start, Reason: "event of more than 32 MiB"}
	return r.err
}

// dispatches reports whether the end of the block makes it an event.
func (e *SSEEvent) dispatches() bool { return e.Data != nil || e.Other != nil }

// addField adds the field on line to e.
func (r *SSEReader) addField(e *SSEEvent, line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if e.Data == nil {
			e.Data = r.data[:0]
		} else {
			e.Data = append(e.Data, '\n')
		}
		e.Data = append(e.Data, value...)
		r.data = e.Data
	case "event":
		r.event = sameString(r.event, value)
		e.Event = r.event
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = sameString(r.id, value)
		}
	case "retry":
	default:
		if len(e.Other) < maxSSEOther {
			e.Other = append(e.Other, SSEField{Name: string(name), Value: append([]byte{}, value...)})
		}
	}
	e.ID = r.id
}

// sameString returns b as a string: s itself where they are equal, which spares
// the allocation.
func sameString(s string, b []byte) string {
	if s == string(b) {
		return s
	}
	return string(b)
}

// line returns the line just scanned, and where it starts.
func (r *SSEReader) line() ([]byte, int64) {
	line, start := r.lines.Bytes(), r.lineStart
	if start == 0 && bytes.HasPrefix(line, byteOrderMark) {
		return line[len(byteOrderMark):], int64(len(byteOrderMark))
	}
	return line, start
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
