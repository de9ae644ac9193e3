package cohere

import (
	"bytes"
	"net/http"

	"github.com/latgate/latgate/providers/wire"
)

// End is for [wire.Transport.Terminal]: it knows the events that end a stream, which
// are [DONE] and an error. For a response that is no such stream it returns nil.
func End(resp *http.Response) func(body []byte) bool {
	if !wire.Streams(resp, "text/event-stream") {
		return nil
	}
	return wire.SSEEnd(isLast)
}

// isLast parses only events that may be errors, since it is called while the stream
// runs.
func isLast(e wire.SSEEvent) bool {
	if isDone(e.Data) || e.Event == "error" {
		return true
	}
	if !bytes.Contains(e.Data, []byte(`"error"`)) && bytes.Contains(e.Data, []byte(`"type"`)) {
		return false
	}
	_, failed := errorIn(e.Data)
	return failed
}
