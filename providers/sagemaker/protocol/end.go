package protocol

import (
	"bytes"
	"encoding/binary"
	"net/http"

	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// StreamEnd returns a function that reports whether the bytes of one
// InvokeEndpointWithResponseStream body so far hold its end: an error of SageMaker's,
// or the last event of the container. It is what [wire.Transport.Terminal] wants.
// Each call must be given what the last one was given and any bytes after it; of
// these, each message is read once.
func StreamEnd() func(body []byte) bool {
	e := new(streamEnd)
	e.frames = wire.NewEventStreamReader(&e.rest)
	return e.reached
}

type streamEnd struct {
	rest   bytes.Reader // what frames reads from: the body after offset
	frames *wire.EventStreamReader
	offset int64 // of the first message that was not complete yet

	parts []byte                    // together
	said  []func(parts []byte) bool // whether they hold the container's end, in one of its tongues

	ended   bool
	corrupt bool // no message can be found any more
}

func (e *streamEnd) reached(body []byte) bool {
	e.rest.Reset(body[e.offset:])
	before := len(e.parts)
	for !e.ended && !e.corrupt && startsWithMessage(body[e.offset:]) {
		m, err := e.frames.Next()
		if err != nil {
			e.corrupt = true
			break
		}
		e.offset = m.End
		e.ended = m.Header(":message-type") != "event"
		if m.Header(":event-type") == partEvent {
			e.parts = append(e.parts, m.Payload...)
		}
	}
	if len(e.parts) > before && !e.ended {
		e.ended = e.lastSaid()
	}
	return e.ended
}

// lastSaid reports whether the container's last event is in the parts.
func (e *streamEnd) lastSaid() bool {
	if e.said == nil {
		start := bytes.TrimLeft(e.parts, " \t\r\n")
		if len(start) == 0 {
			return false
		}
		e.said = endings(start[0] == '{')
	}
	ended := false
	for _, said := range e.said {
		ended = said(e.parts) || ended // each has to see all
	}
	return ended
}

// endings returns what tells the end of server-sent events, or of lines, in the
// words of each kind of container that marks it.
func endings(lines bool) []func([]byte) bool {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}}
	if lines {
		resp.Header.Set("Content-Type", "application/jsonlines")
		return []func([]byte) bool{tgi.End(resp)}
	}
	return []func([]byte) bool{openai.ChatEnd(resp), tgi.End(resp)}
}

// startsWithMessage reports whether b holds as many bytes as the message at its
// start claims to have.
func startsWithMessage(b []byte) bool {
	return len(b) >= 4 && int64(len(b)) >= int64(binary.BigEndian.Uint32(b))
}
