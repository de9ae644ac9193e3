package custom

import (
	"bytes"
	"net/http"

	"github.com/latgate/latgate/providers/wire"
)

// terminal is for [wire.Transport.Terminal]: the reply has ended with the event that
// the file names, or with an error.
func (e *Endpoint) terminal(resp *http.Response) func([]byte) bool {
	if resp.StatusCode != http.StatusOK || e.endsWithBody {
		return nil
	}
	switch e.framing {
	case sse:
		return wire.SSEEnd(func(event wire.SSEEvent) bool { return event.Event == "error" || e.ends(event.Data) })
	case ndjson:
		return wire.LinesEnd(func(line wire.Line) bool { return e.ends(line.Data) })
	}
	return nil
}

// ends reports whether a frame is the last. Only one that may be is parsed.
func (r reply) ends(data []byte) bool {
	if r.isDone(data) {
		return true
	}
	byFinish := r.done == "" && holds(data, r.finish)
	if !byFinish && !holds(data, r.failure.where()) {
		return false
	}
	v, err := parse(data)
	if err != nil {
		return false
	}
	_, failed := r.failure.report(v)
	return failed || byFinish && r.finishes(v) != nil
}

// holds reports whether there may be a value at p.
func holds(data []byte, p path) bool { return bytes.Contains(data, []byte(p.mark())) }
