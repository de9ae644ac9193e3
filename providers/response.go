package providers

import (
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A Channel is the kind of content an event carries.
type Channel string

// The channels. Text, Refusal and Tool are visible to a user; Reasoning is not.
const (
	Text      Channel = "text"
	Reasoning Channel = "reasoning"
	Refusal   Channel = "refusal"
	Tool      Channel = "tool" // a tool call's name or arguments
)

// Disclosure says how a model's reasoning is shown on the wire.
type Disclosure string

// The ways reasoning is disclosed; the empty Disclosure is none at all.
const (
	Verbatim Disclosure = "verbatim"
	Summary  Disclosure = "summary"
	Redacted Disclosure = "redacted" // encrypted, so there are bytes but no content
)

// An Event is one piece of generated content: at least one byte of it. Events
// without content (a role, an empty delta, a ping, usage) are not listed.
type Event struct {
	Channel Channel
	Bytes   int           // of content, after JSON decoding
	Frame   int           // index of the frame among all frames of the body, from 0
	End     int64         // offset of the byte after the frame
	At      time.Duration // since t_call: when the read that completed the frame returned
	Read    int           // index of that read; events of one read share their time
}

// A Response is what an [wire.Exchange] says once it is decoded.
type Response struct {
	Provider  string // "bedrock"
	API       string // "converse-stream"
	Model     string // as the reply names it, else as requested
	RequestID string

	Class      Class
	Code       string       // the provider's name of the error, where there is one
	Detail     string       // the error's message; it may hold text of a model or a user
	Overloaded bool         // the error says that the server, not the caller's quota, was at its limit
	RetryAfter wire.Instant // how long the server asked to wait before the next attempt

	Events     []Event
	Frames     int          // frames of any kind
	FirstFrame wire.Instant // t_first_event
	End        wire.Instant // t_end: the terminal event, or what ended the stream instead

	Text       string // visible text, concatenated; never stored
	Reasoning  int    // reasoning content, in bytes
	Disclosure Disclosure
	Usage      Usage
	FirstCount Count  // tokens of the first content event, where the server tells
	Stop       string // the provider's stop reason

	// Buffered says that something held the stream back and delivered it in a few
	// bursts at its end, so that its times are not the model's: a proxy, or a
	// compressing hop that does not flush.
	Buffered bool

	ServerLatency wire.Instant // the whole request, as the server reports it
	ServerTimes   []ServerTime // whatever times the server reports, that one included
	Served        string       // the performance configuration that really served it, where told
}

// First returns t_first, the first content of any channel.
func (r *Response) First() wire.Instant {
	if len(r.Events) == 0 {
		return wire.Instant{}
	}
	return wire.At(r.Events[0].At)
}

// FirstVisible returns t_first_visible, the first content that is not reasoning.
func (r *Response) FirstVisible() wire.Instant {
	for _, e := range r.Events {
		if e.Channel != Reasoning {
			return wire.At(e.At)
		}
	}
	return wire.Instant{}
}

// Last returns t_last, the last content of any channel.
func (r *Response) Last() wire.Instant {
	if len(r.Events) == 0 {
		return wire.Instant{}
	}
	return wire.At(r.Events[len(r.Events)-1].At)
}
