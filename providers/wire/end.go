package wire

import (
	"bytes"
	"encoding/binary"
	"mime"
	"net/http"
	"slices"
)

// Streams reports whether resp is a successful reply of one of these media types,
// for a [Transport.Terminal] function to know what it looks at.
func Streams(resp *http.Response, mediaTypes ...string) bool {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && resp.StatusCode == http.StatusOK && slices.Contains(mediaTypes, mediaType)
}

// SSEEnd returns a function that reports whether an event for which last is true
// has been completed in the bytes of one text/event-stream body so far. It is what
// [Transport.Terminal] wants. Each call must be given what the last one was given
// and any bytes after it; once true the answer stays true, and last is asked no
// more.
//
// Events are those of [SSEReader], except that a CR at the end of the bytes ends
// its line there, whether or not an LF is about to follow. Of a body, however it
// falls into reads, each byte is looked at a constant number of times. The event's
// Data is valid until last returns.
func SSEEnd(last func(SSEEvent) bool) func(body []byte) bool {
	e := &sseEnd{block: newSSEBlock(), last: last}
	return e.reached
}

type sseEnd struct {
	block sseBlock
	last  func(SSEEvent) bool

	start    int  // of the line that has not ended yet
	searched int  // up to where it is known to hold no line end
	afterCR  bool // the line before ended in CR, so that an LF still belongs to it

	reachedLast bool
	broken      bool // no event can be found any more
}

func (e *sseEnd) reached(body []byte) bool {
	for e.searched < len(body) && !e.reachedLast && !e.broken {
		if e.afterCR && body[e.start] == '\n' {
			e.start++
			e.searched = e.start
		}
		e.afterCR = false

		i := bytes.IndexAny(body[e.searched:], "\r\n")
		if i < 0 {
			e.searched = len(body)
			break
		}
		end := e.searched + i
		e.endLine(body[e.start:end], int64(end+1))
		e.afterCR = body[end] == '\r'
		e.start = end + 1
		e.searched = e.start
	}
	return e.reachedLast
}

// endLine takes the line that ends, with its line end, at the offset end.
func (e *sseEnd) endLine(line []byte, end int64) {
	if len(line) >= maxSSEEvent {
		e.broken = true
		return
	}
	line, start := withoutByteOrderMark(line, int64(e.start))
	dispatched, err := e.block.add(line, start, end)
	e.broken = err != nil
	if dispatched {
		e.reachedLast = e.last(e.block.take())
	}
}

// LinesEnd is for newline-delimited JSON what [SSEEnd] is for server-sent events: it
// reports whether a line for which last is true has been completed by its LF. The
// lines are those of [LineReader]; their Data is valid until last returns.
func LinesEnd(last func(Line) bool) func(body []byte) bool {
	e := &linesEnd{last: last}
	return e.reached
}

type linesEnd struct {
	last func(Line) bool

	start    int // of the line that has not ended yet
	searched int // up to where it is known to hold no LF

	reachedLast bool
	broken      bool // no line can be found any more
}

func (e *linesEnd) reached(body []byte) bool {
	for e.searched < len(body) && !e.reachedLast && !e.broken {
		i := bytes.IndexByte(body[e.searched:], '\n')
		if i < 0 {
			e.searched = len(body)
			break
		}
		end := e.searched + i
		line, ok := lineAt(int64(e.start), body[e.start:end])
		line.End = int64(end + 1)
		e.start = end + 1
		e.searched = e.start
		e.broken = len(line.Data) > maxLine
		e.reachedLast = ok && !e.broken && e.last(line)
	}
	return e.reachedLast
}

// EventStreamEnd is for AWS event streams what [SSEEnd] is for server-sent events:
// it reports whether a message for which last is true has come complete. The
// messages are those of [EventStreamReader]; after one that is damaged none is
// found any more. Their Payload is valid until last returns.
func EventStreamEnd(last func(Message) bool) func(body []byte) bool {
	e := &eventStreamEnd{last: last}
	e.messages = NewEventStreamReader(&e.rest)
	return e.reached
}

type eventStreamEnd struct {
	last     func(Message) bool
	rest     bytes.Reader // what messages reads from: the body after offset
	messages *EventStreamReader
	offset   int64 // of the first message that was not complete yet

	reachedLast, broken bool
}

func (e *eventStreamEnd) reached(body []byte) bool {
	e.rest.Reset(body[e.offset:])
	for !e.reachedLast && !e.broken && startsWithMessage(body[e.offset:]) {
		m, err := e.messages.Next()
		if err != nil {
			e.broken = true
			break
		}
		e.offset = m.End
		e.reachedLast = e.last(m)
	}
	return e.reachedLast
}

// startsWithMessage reports whether b holds as many bytes as the message at its
// start claims to have.
func startsWithMessage(b []byte) bool {
	return len(b) >= 4 && int64(len(b)) >= int64(binary.BigEndian.Uint32(b))
}
