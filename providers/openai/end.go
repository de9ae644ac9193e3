package openai

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/latgate/latgate/providers/wire"
)

const eventStream = "text/event-stream"

// ChatEnd is for [wire.Transport.Terminal]: it knows the events that end a stream
// of chat completions, or of completions, which are [DONE] and an error. For a
// response that is no such stream it returns nil.
func ChatEnd(resp *http.Response) func(body []byte) bool {
	if !wire.Streams(resp, eventStream) {
		return nil
	}
	return wire.SSEEnd(endsChat)
}

// ResponsesEnd is for [wire.Transport.Terminal] what [ChatEnd] is, for streams of
// the responses API: response.completed, response.incomplete, response.failed and
// errors.
func ResponsesEnd(resp *http.Response) func(body []byte) bool {
	if !wire.Streams(resp, eventStream) {
		return nil
	}
	return wire.SSEEnd(endsResponse)
}

// Both parse only events that name what ends a stream somewhere, since they are
// called while it runs.

func endsChat(e wire.SSEEvent) bool {
	if isDone(e.Data) || e.Event == "error" {
		return true
	}
	var c chunk
	if !bytes.Contains(e.Data, []byte(`"error"`)) || json.Unmarshal(e.Data, &c) != nil {
		return false
	}
	_, failed := c.failure(e.Data)
	return failed
}

var terminalTypes = []string{"response.completed", "response.incomplete", "response.failed", `"error"`}

func endsResponse(e wire.SSEEvent) bool {
	if e.Event == "error" {
		return true
	}
	for _, name := range terminalTypes {
		if !bytes.Contains(e.Data, []byte(name)) {
			continue
		}
		var v responseEvent
		if json.Unmarshal(e.Data, &v) != nil {
			return false
		}
		switch v.typed(e) {
		case "response.completed", "response.incomplete", "response.failed":
			return true
		}
		_, failed := v.failure(e.Data)
		return failed
	}
	return false
}
