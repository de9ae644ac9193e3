package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/latgate/latgate/providers/wire"
)

// SSE calls f for each server-sent event that has data, until the response has
// ended. An error of f means that the event is not what the protocol says; for an
// event that the end of the body cut off, it means no more than that. An event
// named error ends the response, and so does a field of that name, in which some
// servers report failures though no client looks at it. Events whose data is blank
// keep a connection alive.
func (b *Builder) SSE(f func(wire.SSEEvent) error) {
	if b.over {
		return
	}
	events := wire.NewSSEReader(bytes.NewReader(b.Exchange.Body))
	for !b.over {
		e, err := events.Next()
		if err != nil {
			b.framing(err)
			break
		}
		if e.Data == nil {
			b.fields(e)
			if e.Unterminated {
				b.complete = false // cut inside the event
			}
			continue
		}
		b.Frame(e.End)
		switch {
		case len(bytes.TrimSpace(e.Data)) == 0:
			if e.Unterminated {
				b.complete = false
			}
		case e.Event == "error" && !e.Unterminated:
			report := ErrorOf(e.Data)
			if report == (ServerError{}) {
				report.Message = string(e.Data)
			}
			b.FailStream(report)
		default:
			b.apply(f(e), e.Unterminated)
		}
	}
	b.wrongType("text/event-stream", "server-sent event")
}

// fields looks for an error in what is no event to the standard: a field of that
// name, or JSON that was appended to the stream as it is.
func (b *Builder) fields(e wire.SSEEvent) {
	report, found := ServerError{}, false
	for _, field := range e.Other {
		if field.Name == "error" {
			report, found = ErrorOf(field.Value), true
			if report.Message == "" {
				report.Message = string(field.Value)
			}
			break
		}
	}
	if block := b.Exchange.Body[e.Start:e.End]; !found && (block[0] == '{' || block[0] == '[') && bytes.Contains(block, []byte(`"error"`)) {
		report = ErrorOf(block)
		found = report != ServerError{}
	}
	if found {
		b.FailStream(report)
		_, b.End = b.Exchange.ReadOf(e.End)
	}
}

// Lines calls f for each line of newline-delimited JSON, as SSE does for events.
func (b *Builder) Lines(f func(wire.Line) error) {
	if b.over {
		return
	}
	lines := wire.NewLineReader(bytes.NewReader(b.Exchange.Body))
	for !b.over {
		line, err := lines.Next()
		if err != nil {
			b.framing(err)
			break
		}
		b.Frame(line.End)
		b.apply(f(line), line.Unterminated)
	}
}

// EventStream calls f for each message of an AWS event stream that is an event,
// as SSE does. Exceptions and errors of the stream end the response.
func (b *Builder) EventStream(f func(wire.Message) error) {
	if b.over {
		return
	}
	if mediaType := b.MediaType(); mediaType != "application/vnd.amazon.eventstream" {
		b.Fail(Parse, "", "want content type application/vnd.amazon.eventstream, got "+mediaType)
		return
	}
	messages := wire.NewEventStreamReader(bytes.NewReader(b.Exchange.Body))
	for !b.over {
		m, err := messages.Next()
		if err != nil {
			b.framing(err)
			break
		}
		b.Frame(m.End)
		switch kind := m.Header(":message-type"); kind {
		case "event":
			b.apply(f(m), false)
		case "exception":
			e := ErrorOf(m.Payload)
			e.Code = m.Header(":exception-type")
			b.FailStream(e)
		case "error":
			b.FailStream(ServerError{Code: m.Header(":error-code"), Message: m.Header(":error-message")})
		default:
			b.Fail(Parse, "", "frame without a known :message-type: "+kind)
		}
	}
}

// Whole decodes a reply that is one JSON value, with its content at the last read,
// into v, and reports whether that worked.
func (b *Builder) Whole(v any) bool {
	if b.over {
		return false
	}
	body := b.Exchange.Body
	value := json.NewDecoder(bytes.NewReader(body)) // tells a value that is cut from one that is wrong
	err := value.Decode(v)
	if err == nil {
		if _, more := value.Token(); more != io.EOF {
			err = errors.New("more than one JSON value in the reply")
		}
	}
	switch {
	case err == nil:
		b.Frame(int64(len(body)))
		return true
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), b.Exchange.Ending != wire.EndEOF:
		b.Detail = err.Error()
	default:
		b.Fail(Parse, "", err.Error())
	}
	return false
}

// apply judges what a decoder made of a frame.
func (b *Builder) apply(err error, unterminated bool) {
	switch {
	case err == nil:
	case unterminated:
		b.complete, b.over = false, true // cut inside the frame
	default:
		b.Fail(Parse, "", err.Error())
	}
}

// framing ends a response whose frames cannot be told apart any more.
func (b *Builder) framing(err error) {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && b.Exchange.Ending != wire.EndFailed {
		b.Fail(Parse, "", err.Error())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		b.complete = false
	}
}

// wrongType makes a stream without a single frame a reply of another kind, where
// its content type says that it is one.
func (b *Builder) wrongType(want, frame string) {
	if got := b.MediaType(); b.Class == "" && b.Frames == 0 && len(b.Exchange.Body) > 0 && got != want {
		b.Fail(Parse, "", "no "+frame+" in a reply of content type "+got)
	}
}
