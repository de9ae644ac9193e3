package wire

import "bytes"

// An sseBlock makes events of lines: it holds what the lines since the last blank
// one have said, and the few things that outlive an event.
type sseBlock struct {
	event SSEEvent // so far; End is 0 before the first field

	data     []byte // backs SSEEvent.Data
	name     string // the latest SSEEvent.Event; streams repeat a few
	id       string
	comments int
}

// newSSEBlock returns an empty block. Its data is not nil, since empty data is data.
func newSSEBlock() sseBlock { return sseBlock{data: []byte{}} }

// add takes the next line, without its line end, which runs from start to end in the
// body. It reports whether the line is the blank one that dispatches the event; the
// caller then takes it. A block of more than 32 MiB is a [*FrameError].
func (b *sseBlock) add(line []byte, start, end int64) (dispatched bool, err error) {
	switch {
	case len(line) == 0:
		if b.holdsEvent() {
			b.event.End = end
			return true, nil
		}
		b.event = SSEEvent{}
	case line[0] == ':':
		b.comments++
	default:
		if b.event.End == 0 {
			b.event.Start = start
		}
		b.event.End = end
		if end-b.event.Start > maxSSEEvent {
			return false, tooLongEvent(b.event.Start)
		}
		b.addField(line)
	}
	return false, nil
}

// holdsEvent reports whether the end of the block makes it an event.
func (b *sseBlock) holdsEvent() bool { return b.event.Data != nil || b.event.Other != nil }

// take returns the event, whose Data is valid until the next field is added, and
// begins a new one.
func (b *sseBlock) take() SSEEvent {
	e := b.event
	b.event = SSEEvent{}
	return e
}

func (b *sseBlock) addField(line []byte) {
	e := &b.event
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if e.Data == nil {
			e.Data = b.data[:0]
		} else {
			e.Data = append(e.Data, '\n')
		}
		e.Data = append(e.Data, value...)
		b.data = e.Data
	case "event":
		b.name = sameString(b.name, value)
		e.Event = b.name
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			b.id = sameString(b.id, value)
		}
	case "retry":
	default:
		if len(e.Other) < maxSSEOther {
			e.Other = append(e.Other, SSEField{Name: string(name), Value: append([]byte{}, value...)})
		}
	}
	e.ID = b.id
}

// tooLongEvent is the error for the event that begins at start.
func tooLongEvent(start int64) error {
	return &FrameError{Offset: start, Reason: "event of more than 32 MiB"}
}

// sameString returns b as a string: s itself where they are equal, which spares
// the allocation.
func sameString(s string, b []byte) string {
	if s == string(b) {
		return s
	}
	return string(b)
}

// withoutByteOrderMark returns the line that begins at start, and where it begins,
// without the mark that may open a body.
func withoutByteOrderMark(line []byte, start int64) ([]byte, int64) {
	if start == 0 && bytes.HasPrefix(line, byteOrderMark) {
		return line[len(byteOrderMark):], int64(len(byteOrderMark))
	}
	return line, start
}
