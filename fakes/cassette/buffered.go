package cassette

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A pace says how the events of a response came.
type pace uint8

const (
	unpaced  pace = iota // no stream of several events
	paced                // spread over time
	heldBack             // nearly all at once
)

const (
	// nearZero is a span that no model takes to say several things.
	nearZero = time.Millisecond

	// fewEvents are too few to judge a pace by.
	fewEvents = 4
)

// pace judges the times of a response. The cheap question comes first: most streams
// are spread, and their events need not be counted.
func (r *Response) pace() pace {
	if len(r.Reads) == 0 || r.Status < 200 || r.Status > 299 {
		return unpaced
	}
	first, last := r.Reads[0].At, r.Reads[len(r.Reads)-1].At
	if span := last - first; span > nearZero && 20*span >= last {
		return paced
	}
	if len(r.FrameEnds()) < fewEvents {
		return unpaced
	}
	return heldBack
}

// heldBack tells of a response that came at once.
func (r *Response) heldBack() string {
	first, last := r.Reads[0].At, r.Reads[len(r.Reads)-1].At
	return fmt.Sprintf("%d events in %d reads within %v, after %v of waiting",
		len(r.FrameEnds()), len(r.Reads), last-first, first)
}

// FrameEnds returns the offsets just past the frames of the body: server-sent events,
// messages of an AWS event stream, lines of NDJSON. What follows the last whole frame
// is a frame of its own; a body of another type is one frame.
func (r *Response) FrameEnds() []int64 {
	var ends []int64
	collect := func(next func() (int64, error)) {
		for {
			end, err := next()
			if err != nil {
				var broken *wire.FrameError
				if errors.As(err, &broken) && broken.Offset > 0 && len(ends) == 0 {
					ends = append(ends, broken.Offset)
				}
				return
			}
			ends = append(ends, end)
		}
	}
	switch r.mediaType() {
	case typeEventStream:
		frames := wire.NewEventStreamReader(bytes.NewReader(r.Body))
		collect(func() (int64, error) { m, err := frames.Next(); return m.End, err })
	case typeSSE:
		frames := wire.NewSSEReader(bytes.NewReader(r.Body))
		collect(func() (int64, error) { e, err := frames.Next(); return e.End, err })
	case "application/x-ndjson", "application/jsonl", "application/json-lines", "application/jsonlines":
		frames := wire.NewLineReader(bytes.NewReader(r.Body))
		collect(func() (int64, error) { l, err := frames.Next(); return l.End, err })
	}
	if n := int64(len(r.Body)); n > 0 && (len(ends) == 0 || ends[len(ends)-1] < n) {
		ends = append(ends, n)
	}
	return ends
}

// The media types of streams.
const (
	typeEventStream = "application/vnd.amazon.eventstream"
	typeSSE         = "text/event-stream"
)
