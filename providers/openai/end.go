package openai

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"

	"github.com/latgate/latgate/providers/wire"
)

// ChatEnd is for [wire.Transport.Terminal]: it knows the events that end a stream
// of chat completions, which are [DONE] and an error. For a response that is no
// such stream it returns nil.
func ChatEnd(resp *http.Response) func(body []byte) bool {
	if !isStream(resp) {
		return nil
	}
	return wire.SSEEnd(func(e wire.SSEEvent) bool {
		return isDone(e.Data) || bytes.HasPrefix(e.Data, []byte(`{"error":{`))
	})
}

// ResponsesEnd is for [wire.Transport.Terminal] what [ChatEnd] is, for streams of
// the responses API: response.completed, response.incomplete, response.failed and
// error.
func ResponsesEnd(resp *http.Response) func(body []byte) bool {
	if !isStream(resp) {
		return nil
	}
	return wire.SSEEnd(endsResponse)
}

func isStream(resp *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusOK && mediaType == "text/event-stream"
}

var terminalTypes = []string{"response.completed", "response.incomplete", "response.failed", "error"}

// endsResponse parses only events that name a terminal type somewhere, since it is
// called while the stream runs.
func endsResponse(e wire.SSEEvent) bool {
	for _, name := range terminalTypes {
		if !bytes.Contains(e.Data, []byte(name)) {
			continue
		}
		var v struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(e.Data, &v) == nil && v.Type == name {
			return true
		}
	}
	return false
}
