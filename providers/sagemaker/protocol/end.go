package protocol

import (
	"bytes"
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
	return wire.EventStreamEnd(func(m wire.Message) bool {
		if m.Header(":event-type") == partEvent {
			e.parts = append(e.parts, m.Payload...)
		}
		return m.Header(":message-type") != "event" || e.lastSaid()
	})
}

type streamEnd struct {
	parts []byte                    // together
	said  []func(parts []byte) bool // whether they hold the container's end, in one of its tongues
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
