package providers

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers/wire"
)

// A Decoder turns captured bytes into a [Response]. Decode never fails and never
// panics: what cannot be read is a Class of the response. A Decoder is safe for
// concurrent use.
type Decoder interface {
	// Recognizes reports whether the exchange is addressed to an endpoint of the
	// decoder's protocol, from its method, host and path alone.
	Recognizes(*wire.Exchange) bool
	Decode(*wire.Exchange) *Response
}

// A Sniffer is a [Decoder] that knows its protocol by the first frame of a reply
// as well, for endpoints that serve it under a path of their own.
type Sniffer interface {
	Decoder
	Sniff(Frame) bool
}

// A Frame is one frame of a reply: a server-sent event, a message of an AWS event
// stream, a line of NDJSON, or a whole JSON body.
type Frame struct {
	MediaType string // of the reply
	Type      string // the SSE event's name, or the message's :event-type or :exception-type
	Data      []byte // the event's data, the message's payload, the line or the body
}

// Decoders decode with the first of them that recognizes the exchange by its
// address or, where none does, by the first frame of its reply.
type Decoders []Decoder

// Decode returns the decoded response. A stream that nobody recognizes is
// reported as such: its bytes have times, but which of them are content would
// be a guess. Nor does a path decide alone: where a decoder finds nothing in a
// successful reply that does not begin as its protocol does, it was for another.
func (ds Decoders) Decode(x *wire.Exchange) *Response {
	if plain, err := x.Identity(); err == nil {
		x = plain
	}
	frame := firstFrame(x)
	for _, d := range ds {
		if !d.Recognizes(x) {
			continue
		}
		r := d.Decode(x)
		s, sniffs := d.(Sniffer)
		if sniffs && len(frame.Data) > 0 && (r.Class == Parse || r.Class == Empty) && !s.Sniff(frame) {
			continue
		}
		return r
	}
	if len(frame.Data) > 0 && x.Method != http.MethodGet {
		for _, d := range ds {
			if s, ok := d.(Sniffer); ok && s.Sniff(frame) {
				return d.Decode(x)
			}
		}
	}
	b := NewBuilder(Unknown, Unknown, x)
	switch {
	case b.over:
	case b.Refused():
		b.Refuse(ErrorOf(b.Exchange.Body))
	default:
		b.Fail(Parse, "", fmt.Sprintf("no decoder recognizes %s %s%s with content type %s: "+
			"its bytes are timed, but which of them are content is not known", x.Method, x.Host, maskedPath(x.Path), b.MediaType()))
	}
	return b.Done()
}

// maskedPath hides the segments of a path that may be somebody's: long ones, and
// those with digits in them. Some services take a secret there.
func maskedPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if len(segment) > 24 || len(segment) > 3 && strings.ContainsAny(segment, "0123456789%") {
			segments[i] = "…"
		}
	}
	return strings.Join(segments, "/")
}

// Unknown is the provider and the API of a response in a protocol that no decoder
// recognizes.
const Unknown = "unknown"

// firstFrame returns the first frame of a successful reply, the zero Frame where
// there is none.
func firstFrame(x *wire.Exchange) Frame {
	b := NewBuilder(Unknown, Unknown, x)
	if b.over || b.Refused() {
		return Frame{}
	}
	f := Frame{MediaType: b.MediaType()}
	body := b.Exchange.Body
	switch {
	case f.MediaType == "application/vnd.amazon.eventstream":
		if m, err := wire.NewEventStreamReader(bytes.NewReader(body)).Next(); err == nil {
			f.Type, f.Data = m.Header(":event-type")+m.Header(":exception-type"), m.Payload
		}
	case f.MediaType == "text/event-stream":
		events := wire.NewSSEReader(bytes.NewReader(body))
		for {
			e, err := events.Next()
			alive := e.Event == "ping" || len(bytes.TrimSpace(e.Data)) == 0 // or it only keeps the connection so
			if err != nil || !alive {
				f.Type, f.Data = e.Event, e.Data
				break
			}
		}
	case strings.Contains(f.MediaType, "ndjson"), strings.Contains(f.MediaType, "jsonl"),
		strings.HasSuffix(f.MediaType, "stream+json"):
		if line, err := wire.NewLineReader(bytes.NewReader(body)).Next(); err == nil {
			f.Data = line.Data
		}
	case strings.HasSuffix(f.MediaType, "json"):
		f.Data = body
	}
	return f
}
