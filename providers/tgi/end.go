package tgi

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// End is for [wire.Transport.Terminal]: it knows the events that end a stream, which
// are the one with the generated text and an error. For a response that is no such
// stream it returns nil.
func End(resp *http.Response) func(body []byte) bool {
	switch {
	case wire.Streams(resp, "text/event-stream"):
		return wire.SSEEnd(func(e wire.SSEEvent) bool { return e.Event == "error" || isLast(e.Data) })
	case wire.Streams(resp, lineTypes...):
		return wire.LinesEnd(func(l wire.Line) bool { return isLast(l.Data) })
	}
	return nil
}

// isLast parses only events that may be the last, since it is called while the
// stream runs.
func isLast(data []byte) bool {
	if !bytes.Contains(data, []byte(`"generated_text"`)) && !bytes.Contains(data, []byte(`"error"`)) ||
		bytes.Contains(data, []byte(`"generated_text":null`)) && !bytes.Contains(data, []byte(`"error"`)) {
		return false
	}
	var e event
	return json.Unmarshal(data, &e) == nil && (e.Generated != nil || providers.Reports(e.Error))
}
