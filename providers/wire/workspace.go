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
	return &workspace{marks: make([]Mark, 0, firstMarks)}
}}

func newWorkspace() *workspace {
	w := workspaces.Get().(*workspace)
	w.body = bodies.get(firstBody)
	return w
}

// grow makes room after the first length bytes of the body, by half of what there
// is, and returns the memory that they were in, which is left as it is.
func (w *workspace) grow(length int64) (outgrown []byte) {
	outgrown = w.body
	steps := len(outgrown) / firstBody
	w.body = bodies.get((steps + max(1, steps/2)) * firstBody)
	copy(w.body, outgrown[:length])
	return outgrown
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

// release leaves the workspace to other streams.
func (w *workspace) release() {
	bodies.put(w.body)
	w.body = nil
	if cap(w.marks) <= maxReusedMarks {
		w.marks = w.marks[:0]
		workspaces.Put(w)
	}
}

// bodies are the bodies that nobody uses, by size: a stream that has outgrown one
// leaves it to those that begin.
var bodies bodyPools

// bodyPools has a pool for each multiple of firstBody up to maxReusedBody.
type bodyPools [maxReusedBody / firstBody]sync.Pool

// get returns a body of that size, a multiple of firstBody.
func (p *bodyPools) get(size int) []byte {
	if i := size/firstBody - 1; i < len(p) {
		if body, ok := p[i].Get().(*[]byte); ok {
			return *body
		}
	}
	return make([]byte, size)
}

func (p *bodyPools) put(body []byte) {
	if i := len(body)/firstBody - 1; i >= 0 && i < len(p) {
		p[i].Put(&body)
	}
}
