package cassette

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// sse cleans a body of server-sent events in place. The data of an event may lie on
// several lines; its JSON is cleaned as a whole.
func (r *redactor) sse(b []byte) {
	var data [][]byte // of the event so far
	var loose []byte  // lines that are no fields, JSON perhaps, which lie side by side
	endEvent := func() {
		r.data(data)
		r.value(loose)
		data, loose = data[:0], nil
	}
	rest := bytes.TrimPrefix(b, []byte("\ufeff"))
	for len(rest) > 0 {
		end := bytes.IndexAny(rest, "\r\n")
		next := end + 1
		switch {
		case end < 0:
			end, next = len(rest), len(rest)
		case bytes.HasPrefix(rest[end:], []byte("\r\n")):
			next++
		}
		line := rest[:end]
		name, value, field := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch kind := string(name); {
		case len(line) == 0:
			endEvent()
		case loose != nil || !vocabulary(name):
			if loose == nil {
				loose = rest[:0]
			}
			loose = loose[:len(loose)+next]
		case kind == "data" && field:
			data = append(data, value)
		case kind == "data", kind == "retry", kind == "event" && vocabulary(value):
		case field: // a comment, an id, llama-box's error
			r.value(value)
		default:
			r.text(line, false)
		}
		rest = rest[next:]
	}
	endEvent()
}

// data cleans the lines of data of one event, which are one text.
func (r *redactor) data(lines [][]byte) {
	switch len(lines) {
	case 0:
	case 1:
		r.eventData(lines[0])
	default:
		whole := bytes.Join(lines, []byte{'\n'})
		r.eventData(whole)
		for _, line := range lines {
			n := copy(line, whole)
			whole = whole[min(n+1, len(whole)):]
		}
	}
}

func (r *redactor) eventData(b []byte) {
	if string(bytes.TrimSpace(b)) != "[DONE]" {
		r.value(b)
	}
}

// A message of an AWS event stream, see [wire.EventStreamReader]; slices of the body.
type message struct {
	whole   []byte
	payload []byte
	wrong   uint32 // what its checksum is off by
}

const (
	preludeSize  = 12
	checksumSize = 4
)

// eventStream cleans the messages of an AWS event stream in place. Checksums that
// were right are right afterwards; one that was wrong stays wrong, so that a stream
// breaks where it broke.
func (r *redactor) eventStream(b []byte) {
	var messages []message
	var parts [][]byte // payloads that are pieces of one stream, as SageMaker sends them
	for len(b) > 0 {
		headers, size := lengths(b)
		if size == 0 || size > len(b) {
			parts = append(parts, r.brokenMessage(b, headers))
			break
		}
		m := message{whole: b[:size], payload: b[preludeSize+headers : size-checksumSize]}
		m.wrong = m.checksum() ^ binary.BigEndian.Uint32(m.whole[size-checksumSize:])
		messages = append(messages, m)
		if r.messageHeaders(b[preludeSize:preludeSize+headers]) == "PayloadPart" {
			parts = append(parts, m.payload)
		} else {
			r.payload(m.payload)
		}
		b = b[size:]
	}
	stream := bytes.Join(parts, nil)
	r.body(stream, "")
	for _, part := range parts {
		stream = stream[copy(part, stream):]
	}
	for _, m := range messages {
		binary.BigEndian.PutUint32(m.whole[len(m.whole)-checksumSize:], m.checksum()^m.wrong)
	}
}

func (m message) checksum() uint32 { return crc32.ChecksumIEEE(m.whole[:len(m.whole)-checksumSize]) }

func (r *redactor) payload(b []byte) {
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte{'{'}) {
		r.json(b, true)
		return
	}
	r.body(b, "")
}

// lengths returns the length of the headers of the message that b begins with, and of
// the message; 0 where b begins with none. The message may be longer than b.
func lengths(b []byte) (headers, size int) {
	if len(b) < preludeSize || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0, 0
	}
	total, head := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	if head > total-preludeSize-checksumSize {
		return 0, 0
	}
	return int(head), int(total)
}

// brokenMessage cleans what is there of a message that is cut or damaged, and returns
// the part of it that belongs to a stream of parts.
func (r *redactor) brokenMessage(b []byte, headers int) []byte {
	at := min(preludeSize, len(b))
	if headers == 0 || at+headers > len(b) {
		r.text(b[at:], false)
		return nil
	}
	payload := b[at+headers:]
	if r.messageHeaders(b[at:at+headers]) == "PayloadPart" {
		return payload
	}
	r.payload(payload)
	return nil
}

// messageHeaders cleans the headers of a message, but for those that say what it is,
// and returns its :event-type.
func (r *redactor) messageHeaders(b []byte) (eventType string) {
	for len(b) > 0 {
		at := 1 + int(b[0])
		if at >= len(b) {
			break
		}
		name, kind := string(b[1:at]), b[at]
		b = b[at+1:]
		size, variable := headerSize(kind)
		if variable {
			if len(b) < 2 {
				break
			}
			size = int(binary.BigEndian.Uint16(b))
			b = b[2:]
		}
		if size > len(b) {
			break
		}
		value := b[:size]
		b = b[size:]
		switch name {
		case ":event-type":
			eventType = string(value)
		case ":message-type", ":exception-type", ":content-type", ":error-code":
		default:
			r.text(value, false)
		}
	}
	r.text(b, false)
	return eventType
}

// headerSize returns how many bytes a header value of a type takes.
func headerSize(kind byte) (size int, variable bool) {
	switch kind {
	case 2:
		return 1, false
	case 3:
		return 2, false
	case 4:
		return 4, false
	case 5, 8:
		return 8, false
	case 9:
		return 16, false
	case 6, 7:
		return 0, true
	}
	return 0, false
}
