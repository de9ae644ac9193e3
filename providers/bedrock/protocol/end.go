package protocol

import "github.com/latgate/latgate/providers/wire"

// StreamEnd returns a function that reports whether the bytes of one ConverseStream
// body so far hold its terminal event: where [Converse.Decode] stops reading, be
// that a complete metadata message after messageStop, or an error in the stream.
// It is what [wire.Transport.Terminal] wants. Each call must be given what the last
// one was given and any bytes after it; of these, each message is read once.
func StreamEnd() func(body []byte) bool {
	stopped := false // messageStop came
	return endAt(func(m wire.Message) bool {
		switch m.Header(":event-type") {
		case "messageStop":
			stopped = true
		case "metadata":
			return stopped
		}
		return false
	})
}

// InvokeStreamEnd is for InvokeModelWithResponseStream what [StreamEnd] is for
// ConverseStream: it looks for the invocation metrics, which Bedrock adds to the
// model's last JSON, for message_stop, and for an error.
func InvokeStreamEnd() func(body []byte) bool {
	return endAt(func(m wire.Message) bool {
		if m.Header(":event-type") != chunkEvent {
			return false
		}
		data, err := unwrap(m.Payload)
		if err != nil {
			return false
		}
		e := endingOf(data)
		return e.failed() || e.last()
	})
}

// endAt returns a function that reports whether an event for which last is true, or
// anything that is no event, came complete.
func endAt(last func(wire.Message) bool) func(body []byte) bool {
	return wire.EventStreamEnd(func(m wire.Message) bool {
		return m.Header(":message-type") != "event" || last(m)
	})
}
