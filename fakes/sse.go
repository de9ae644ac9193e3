package fakes

import (
	"bytes"
	"time"
)

// An eventWriter sends server-sent events, each by itself. The zero value sends
// plain "data: {…}" blocks with LF.
type eventWriter struct {
	*attempt
	newline string // "" is LF
}

// event returns the bytes of one event. An empty name is left out; data is JSON,
// or a string that is sent as it is.
func (w eventWriter) event(name string, data any) []byte {
	newline := w.newline
	if newline == "" {
		newline = "\n"
	}
	var b bytes.Buffer
	if name != "" {
		b.WriteString("event: " + name + newline)
	}
	b.WriteString("data: ")
	if text, plain := data.(string); plain {
		b.WriteString(text)
	} else {
		b.Write(mustJSON(data))
	}
	b.WriteString(newline + newline)
	return b.Bytes()
}

// send sends an event at its time.
func (w eventWriter) send(at time.Duration, name string, data any) {
	w.write(at, w.event(name, data))
}
