package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// A message of application/vnd.amazon.eventstream is, all numbers big-endian:
//
//	 0  total length    uint32, of the whole message
//	 4  headers length  uint32
//	 8  prelude CRC     uint32, CRC-32 of the bytes before it
//	12  headers
//	    payload
//	-4  message CRC     uint32, CRC-32 of all bytes before it
const (
	preludeSize     = 12
	checksumSize    = 4
	messageOverhead = preludeSize + checksumSize

	maxHeadersSize = 128 << 10
	maxPayloadSize = 24 << 20
)

// The types of a header value, and how many bytes each takes. Those of variable
// size are preceded by a uint16 length.
const (
	headerTrue = iota
	headerFalse
	headerInt8
	headerInt16
	headerInt32
	headerInt64
	headerBytes
	headerString
	headerTimestamp
	headerUUID

	variableSize = -1
)

var headerValueSize = [...]int{
	headerTrue: 0, headerFalse: 0,
	headerInt8: 1, headerInt16: 2, headerInt32: 4, headerInt64: 8,
	headerBytes: variableSize, headerString: variableSize,
	headerTimestamp: 8, headerUUID: 16,
}

// A Message is one message of an AWS event stream. Start and End are offsets
// into the body: the message happened when the byte before End arrived.
type Message struct {
	Headers []Header
	Payload []byte
	Start   int64
	End     int64
}

// A Header is a typed name-value pair of a [Message]. Value is a bool, int8,
// int16, int32, int64, []byte, string, [time.Time] in UTC, or a [16]byte that
// holds a UUID.
type Header struct {
	Name  string
	Value any
}

// Header returns the value of the header of that name where it is a string, as
// all headers of Amazon Bedrock are, and otherwise "".
func (m Message) Header(name string) string {
	for _, h := range m.Headers {
		if h.Name == name {
			s, _ := h.Value.(string)
			return s
		}
	}
	return ""
}

// An EventStreamReader splits a body into the messages of an AWS event stream
// and checks their checksums.
//
// Amazon's own SDKs take a stream that was cut short for one that ended; here
// the two differ. Lengths are believed only after their checksum, and memory
// grows with the bytes that are there, not with those a length announces.
type EventStreamReader struct {
	src     io.LimitedReader // limited to what is wanted of the current message
	buf     bytes.Buffer     // its bytes so far
	headers []Header
	names   map[string]bool // of the current message's headers
	offset  int64
	err     error
}

// NewEventStreamReader returns a reader of the messages in r.
func NewEventStreamReader(r io.Reader) *EventStreamReader {
	return &EventStreamReader{src: io.LimitedReader{R: r}, names: make(map[string]bool)}
}

// Next returns the next message, or [io.EOF] where the body ends between two
// messages. Anything wrong with a message is a [*FrameError]; it wraps
// [io.ErrUnexpectedEOF] where the body ends inside of the message. Headers of
// more than 128 KiB, a payload of more than 24 MiB and a header that occurs
// twice are wrong too. Once Next has returned an error it goes on returning
// that error.
//
// Headers, Payload and header values of type []byte are valid until the next
// call.
func (r *EventStreamReader) Next() (Message, error) {
	if r.err != nil {
		return Message{}, r.err
	}
	m, err := r.next()
	r.err = err
	return m, err
}

func (r *EventStreamReader) next() (Message, error) {
	start := r.offset
	fail := func(err error, reason string, a ...any) (Message, error) {
		return Message{}, &FrameError{Offset: start, Reason: fmt.Sprintf(reason, a...), Err: err}
	}

	r.buf.Reset()
	if err := r.readTo(preludeSize); err != nil {
		if r.buf.Len() == 0 {
			return Message{}, err
		}
		return fail(unexpected(err), "incomplete prelude")
	}
	prelude := r.buf.Bytes()
	total := int64(binary.BigEndian.Uint32(prelude))
	headers := int64(binary.BigEndian.Uint32(prelude[4:]))
	payload := total - headers - messageOverhead
	switch {
	case !endsInChecksum(prelude):
		return fail(nil, "prelude checksum mismatch")
	case total < messageOverhead:
		return fail(nil, "total length %d is below the minimum of %d", total, messageOverhead)
	case payload < 0:
		return fail(nil, "headers length %d does not fit a total length of %d", headers, total)
	case headers > maxHeadersSize:
		return fail(nil, "headers length %d is above the maximum of %d", headers, maxHeadersSize)
	case payload > maxPayloadSize:
		return fail(nil, "payload length %d is above the maximum of %d", payload, maxPayloadSize)
	}

	if err := r.readTo(total); err != nil {
		return fail(unexpected(err), "incomplete message, %d of %d bytes", r.buf.Len(), total)
	}
	message := r.buf.Bytes()
	if !endsInChecksum(message) {
		return fail(nil, "message checksum mismatch")
	}
	body := message[preludeSize : total-checksumSize]
	if err := r.parseHeaders(body[:headers:headers]); err != nil {
		return fail(err, "malformed headers")
	}
	return Message{Headers: r.headers, Payload: body[headers:len(body):len(body)], Start: start, End: r.offset}, nil
}

// readTo reads on until the current message has size bytes in buf.
func (r *EventStreamReader) readTo(size int64) error {
	r.src.N = size - int64(r.buf.Len())
	n, err := r.buf.ReadFrom(&r.src)
	r.offset += n
	if err == nil && r.src.N > 0 {
		return io.EOF
	}
	return err
}

// unexpected is for an end of input that comes inside of a message.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// endsInChecksum reports whether the last four bytes of b are the CRC-32 of
// those before.
func endsInChecksum(b []byte) bool {
	n := len(b) - checksumSize
	return crc32.ChecksumIEEE(b[:n]) == binary.BigEndian.Uint32(b[n:])
}

// parseHeaders sets headers to those in b. Messages of a stream mostly have the
// same headers in the same order, so strings that equal their counterpart in
// the message before are shared with it instead of being allocated anew.
func (r *EventStreamReader) parseHeaders(b []byte) error {
	previous := r.headers
	r.headers = r.headers[:0]
	clear(r.names)
	for len(b) > 0 {
		var like Header
		if i := len(r.headers); i < len(previous) {
			like = previous[i]
		}
		h, rest, err := parseHeader(b, like)
		if err != nil {
			return err
		}
		if r.names[h.Name] {
			return fmt.Errorf("header %q occurs twice", h.Name)
		}
		r.names[h.Name] = true
		r.headers = append(r.headers, h)
		b = rest
	}
	return nil
}

var errHeaderCutShort = errors.New("the last header is incomplete")

// parseHeader returns the first header in b and what follows it. It shares
// strings with like.
func parseHeader(b []byte, like Header) (h Header, rest []byte, err error) {
	typeAt := 1 + int(b[0])
	if len(b) <= typeAt {
		return Header{}, nil, errHeaderCutShort
	}
	h.Name = sameString(like.Name, b[1:typeAt])
	valueType := int(b[typeAt])
	b = b[typeAt+1:]

	if valueType >= len(headerValueSize) {
		return Header{}, nil, fmt.Errorf("header %q has a value of unknown type %d", h.Name, valueType)
	}
	size := headerValueSize[valueType]
	if size == variableSize {
		if len(b) < 2 {
			return Header{}, nil, errHeaderCutShort
		}
		size = int(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) < size {
		return Header{}, nil, errHeaderCutShort
	}
	value, rest := b[:size:size], b[size:]

	if s, ok := like.Value.(string); ok && valueType == headerString && s == string(value) {
		h.Value = like.Value
	} else {
		h.Value = headerValue(valueType, value)
	}
	return h, rest, nil
}

// headerValue decodes the value b of a header, which has the size of its type.
func headerValue(valueType int, b []byte) any {
	switch valueType {
	case headerTrue, headerFalse:
		return valueType == headerTrue
	case headerInt8:
		return int8(b[0])
	case headerInt16:
		return int16(binary.BigEndian.Uint16(b))
	case headerInt32:
		return int32(binary.BigEndian.Uint32(b))
	case headerInt64:
		return int64(binary.BigEndian.Uint64(b))
	case headerTimestamp:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(b))).UTC()
	case headerUUID:
		return [16]byte(b)
	case headerString:
		return string(b)
	default:
		return b
	}
}
