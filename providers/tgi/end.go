package tgi

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"

	"github.com/latgate/latgate/providers/wire"
)

// End is for [wire.Transport.Terminal]: it knows the events that end a stream, which
// are the one with the generated text and an error. For a response that is no such
// stream it returns nil.
func End(resp *http.Response) func(body []byte) bool {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil
	case mediaType == "text/event-stream":
		return wire.SSEEnd(func(e wire.SSEEvent) bool { return isLast(e.Data) })
	case isLines(mediaType):
		return wire.LinesEnd(func(l wire.Line) bool { return isLast(l.Data) })
	}
	return nil
}

// isLast parses only events that may be the last, since it is called while the
// stream runs.
func isLast(data []byte) bool {
	if !bytes.Contains(data, []byte(`"generated_text"`)) && !bytes.Contains(data, []byte(`"error"`)) ||
		bytes.Contains(data, []byte(`"generated_text":null`)) {
		return false
	}
	var e struct {
		Generated *string         `json:"generated_text"`
		Error     json.RawMessage `json:"error"`
	}
	return json.Unmarshal(data, &e) == nil && (e.Generated != nil || len(e.Error) > 0 && string(e.Error) != "null")
}
