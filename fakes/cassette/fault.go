package cassette

import (
	"sort"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A Fault is something that goes wrong on top of a recording: an effect, and the
// requests it has it on. Where several hit a request all of them count, in order, up
// to a [Throttle].
type Fault struct {
	// On selects requests, by how many the replay had answered before, from 0, and by
	// the recording that would answer. Nil selects all.
	On func(request int, i *Interaction) bool

	// Times limits the fault to the first so many requests that it would hit, so that
	// a client which tries again gets through. Zero means all.
	Times int

	Effect Effect
}

// An Effect is what a [Fault] does: [Delay], [Stall], [Cut] or [Throttle].
type Effect interface {
	apply(timeline, *Response) timeline
}

// Delay holds everything back, the response head included, as a slow DNS look-up or
// connection does.
type Delay struct{ For time.Duration }

// Stall holds back what comes from a place of the body on. What was sent before stays
// on time.
type Stall struct {
	From Place // nil is the first read
	For  time.Duration
}

// Cut breaks the connection off at a place of the body, at the time at which what is
// there would have come.
type Cut struct {
	At Place // nil is the first read

	// Clean ends the body as if it were complete instead.
	Clean bool
}

// Throttle answers 429 instead of what was recorded, at once, and does not use the
// recording up.
type Throttle struct{ RetryAfter time.Duration } // the hint, in whole seconds rounded up, sent if above 0

// A Place is a place in a body: [AtRead] or [AtEvent].
type Place interface {
	// offset returns the first byte of the place, or the length of the body where it
	// has no such place.
	offset(*Response) int64
}

// AtRead is the place of a read, counted from 0.
type AtRead int

// AtEvent is the place of a frame of any kind, counted from 0: a server-sent event, a
// message of an AWS event stream, a line of NDJSON.
type AtEvent int

func (n AtRead) offset(r *Response) int64 {
	switch {
	case n <= 0:
		return 0
	case int(n) > len(r.Reads):
		return int64(len(r.Body))
	}
	return r.Reads[n-1].End
}

func (n AtEvent) offset(r *Response) int64 {
	ends := r.FrameEnds()
	switch {
	case n <= 0:
		return 0
	case int(n) > len(ends):
		return int64(len(r.Body))
	}
	return ends[n-1]
}

func offsetOf(p Place, r *Response) int64 {
	if p == nil {
		return 0
	}
	return p.offset(r)
}

// split returns a copy of the reads of which one begins at offset, and its index.
func split(reads []wire.Mark, offset int64) ([]wire.Mark, int) {
	k := sort.Search(len(reads), func(k int) bool { return reads[k].End > offset })
	out := make([]wire.Mark, 0, len(reads)+1)
	out = append(out, reads[:k]...)
	start := int64(0)
	if k > 0 {
		start = reads[k-1].End
	}
	if k < len(reads) && start < offset {
		out = append(out, wire.Mark{End: offset, At: reads[k].At})
		return append(out, reads[k:]...), k + 1
	}
	return append(out, reads[k:]...), k
}

func (e Delay) apply(t timeline, _ *Response) timeline {
	reads := make([]wire.Mark, len(t.reads))
	for k, m := range t.reads {
		reads[k] = wire.Mark{End: m.End, At: m.At + e.For}
	}
	t.head, t.reads, t.end = t.head+e.For, reads, t.end+e.For
	return t
}

func (e Stall) apply(t timeline, r *Response) timeline {
	reads, from := split(t.reads, offsetOf(e.From, r))
	for k := from; k < len(reads); k++ {
		reads[k].At += e.For
	}
	t.reads, t.end = reads, t.end+e.For
	return t
}

func (e Cut) apply(t timeline, r *Response) timeline {
	reads, from := split(t.reads, offsetOf(e.At, r))
	if from < len(reads) {
		t.end = reads[from].At
	}
	t.reads, t.cut, t.hold = reads[:from], !e.Clean, false
	return t
}

func (Throttle) apply(t timeline, _ *Response) timeline { return t }
