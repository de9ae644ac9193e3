package protocol

import (
	"bytes"
	"encoding/binary"

	"github.com/latgate/latgate/providers/wire"
)

// StreamEnd returns a function that reports whether the bytes of one ConverseStream
// body so far hold its terminal event: where [Converse.Decode] stops reading, be
// that a complete metadata message after messageStop, or an error in the stream.
// It is what [wire.Transport.Terminal] wants. Each call must be given what the last
// one was given and any bytes after it; of these, each message is read once.
func StreamEnd() func(body []byte) bool {
	e := new(streamEnd)
	e.frames = wire.NewEventStreamReader(&e.rest)
	return e.reached
}

type streamEnd struct {
	rest   bytes.Reader // what frames reads from: the body after offset
	frames *wire.EventStreamReader
	offset int64 // of the first message that was not complete yet

	stopped bool // messageStop came
	ended   bool
	corrupt bool // no message can be found any more
}

func (e *streamEnd) reached(body []byte) bool {
	e.rest.Reset(body[e.offset:])
	for !e.ended && !e.corrupt && startsWithMessage(body[e.offset:]) {
		m, err := e.frames.Next()
		if err != nil {
			e.corrupt = true
			break
		}
		e.offset = m.End
		switch event := m.Header(":event-type"); {
		case m.Header(":message-type") != "event":
			e.ended = true
		case event == "messageStop":
			e.stopped = true
		case event == "metadata":
			e.ended = e.stopped
		}
	}
	return e.ended
}

// startsWithMessage reports whether b holds as many bytes as the message at its
// start claims to have.
func startsWithMessage(b []byte) bool {
	return len(b) >= 4 && int64(len(b)) >= int64(binary.BigEndian.Uint32(b))
}
