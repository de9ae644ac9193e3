package wire

import "sync"

const (
	firstBody  = 2 * readSize // bytes
	firstMarks = 256

	// What grew beyond this is not kept for another stream: 1 MiB of body, which is
	// ten times the longest reply on record, and as many reads as bring it at 64
	// bytes each.
	maxReusedBody  = 1 << 20
	maxReusedMarks = maxReusedBody / 64
)

// A workspace is the memory a stream is captured in. It outlives the stream, to
// be used by the next one: memory that is new to the process costs a page fault
// every 4 KiB, in the middle of the stream that is being timed. What is kept of the
// stream is copied once, at its end, when the clock has stopped and its size is
// known.
type workspace struct {
	body  []byte // all of it may be written to
	marks []Mark
}

var workspaces = sync.Pool{New: func() any {
	return &workspace{body: make([]byte, firstBody), marks: make([]Mark, 0, firstMarks)}
}}

// grow makes room after the first length bytes of the body. The memory they were
// in is left as it is.
func (w *workspace) grow(length int64) {
	grown := make([]byte, 2*len(w.body))
	copy(grown, w.body[:length])
	w.body = grown
}

// keep returns the first length bytes of the body and the marks as slices that
// share nothing with what release leaves to others.
func (w *workspace) keep(length int64) (body []byte, marks []Mark) {
	if len(w.body) > maxReusedBody {
		body = w.body[:length]
		w.body = nil
	} else {
		body = make([]byte, length)
		copy(body, w.body)
	}
	marks = make([]Mark, len(w.marks))
	copy(marks, w.marks)
	return body, marks
}

// release leaves the workspace to another stream.
func (w *workspace) release() {
	if w.body == nil || cap(w.marks) > maxReusedMarks {
		return
	}
	w.marks = w.marks[:0]
	workspaces.Put(w)
}
