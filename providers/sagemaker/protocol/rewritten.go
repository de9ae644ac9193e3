package protocol

import (
	"bytes"
	"sort"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A rewritten body is made of pieces of another, and knows where they are from: so
// that a decoder can read it in place of the other and still time what it reads.
type rewritten struct {
	body   []byte
	pieces []piece
}

// A piece of a rewritten body ends at an offset of it. It was there when the first
// so many bytes of the original were.
type piece struct{ end, original int64 }

// add appends a piece that is there when the first original bytes are.
func (w *rewritten) add(content []byte, original int64) {
	if len(content) > 0 {
		w.body = append(w.body, content...)
		w.pieces = append(w.pieces, piece{int64(len(w.body)), original})
	}
}

// exchange returns x with the rewritten body. Its marks are as many as before, so
// that the reads are the same.
func (w *rewritten) exchange(x *wire.Exchange) *wire.Exchange {
	y := *x
	y.Body = w.body
	y.Header = x.Header.Clone()
	y.Marks = make([]wire.Mark, len(x.Marks))
	next, end := 0, int64(0)
	for i, mark := range x.Marks {
		for next < len(w.pieces) && w.pieces[next].original <= mark.End {
			end = w.pieces[next].end
			next++
		}
		y.Marks[i] = wire.Mark{End: end, At: mark.At}
	}
	return &y
}

// restore makes the offsets in a response those of the original.
func (w *rewritten) restore(r *providers.Response) {
	for i := range r.Events {
		e := &r.Events[i]
		at := sort.Search(len(w.pieces), func(i int) bool { return w.pieces[i].end >= e.End })
		if at < len(w.pieces) { // always: events end within the body
			e.End = w.pieces[at].original
		}
	}
}

// linesAsEvents rewrites lines of JSON as server-sent events, which the decoders of
// what containers say can read. A last line that has no end becomes an event
// without one.
func linesAsEvents(body []byte) *rewritten {
	w := new(rewritten)
	lines := wire.NewLineReader(bytes.NewReader(body))
	for {
		line, err := lines.Next()
		if err != nil {
			return w // a line that is too long is no line, and the stream is incomplete
		}
		event := append([]byte("data: "), line.Data...)
		if !line.Unterminated {
			event = append(event, "\n\n"...)
		}
		w.add(event, line.End)
	}
}
