package fakes

import (
	"fmt"
	"time"
)

// A Fault is something that goes wrong: an effect, and the requests it has it on.
type Fault struct {
	// On selects requests. Nil selects all of them.
	On Selector

	// Attempts limits the fault to the first so many attempts of a request, so
	// that a client which tries again gets through. Zero means all attempts.
	Attempts int

	// Effect is what happens.
	Effect Effect
}

func (f Fault) hits(request, attempt int, luck float64) bool {
	if f.Attempts > 0 && attempt >= f.Attempts {
		return false
	}
	return f.On == nil || f.On.selects(request, luck)
}

// A Selector says which requests a [Fault] is about: [Request], [Every] or [Share].
type Selector interface {
	// selects decides about a request, where luck is uniform in (0, 1).
	selects(request int, luck float64) bool
}

// Request selects the request of that number, counted from 0.
type Request int

// Every selects one in so many requests: Every(20) numbers 19, 39 and so on.
type Every int

// Share selects each attempt with that probability, by the script's seed.
type Share float64

func (n Request) selects(request int, _ float64) bool { return request == int(n) }
func (n Every) selects(request int, _ float64) bool   { return n > 0 && request%int(n) == int(n)-1 }
func (s Share) selects(_ int, luck float64) bool      { return luck < float64(s) }
func (n Request) String() string                      { return fmt.Sprintf("request %d", int(n)) }
func (n Every) String() string                        { return fmt.Sprintf("one in %d requests", int(n)) }

func (s Share) String() string { return fmt.Sprintf("%g %% of attempts", 100*float64(s)) }

// An Effect is what a [Fault] does to an attempt. Where several hit the same one
// all of them count, up to the first that ends it: [Refuse], [Hang], [Throw],
// [ThrowUnmodelled] or [Cut].
type Effect interface {
	// apply does to the times what the effect does, and reports whether it ends
	// the attempt.
	apply(*Schedule) (ends bool)
}

// Refuse answers with an error instead of a stream.
type Refuse struct {
	Exception  Exception     // empty means [Throttling]
	Delay      time.Duration // from the request fully received to the error
	RetryAfter time.Duration // the hint x-amz-retry-after, sent if above 0; whole milliseconds
}

// Hang never answers: it waits until the client gives up.
type Hang struct{}

// Throw ends a stream with an exception event after so many content events, at
// the time of the next one. A reply that does not stream is refused instead.
type Throw struct {
	Exception Exception // empty means [Throttling]
	After     int
}

// ThrowUnmodelled ends a stream with an event of the message type "error", which
// carries a code that the API does not define, after so many content events.
type ThrowUnmodelled struct {
	Code    string // empty means InternalFailure
	Message string
	After   int
}

func (e ThrowUnmodelled) code() string {
	if e.Code == "" {
		return "InternalFailure"
	}
	return e.Code
}

// Cut breaks the connection off in the midst of the event that follows so many
// content events, at the time of that event. A reply that does not stream
// loses its second half.
type Cut struct {
	At    Place // empty means [BetweenMessages]
	After int
}

// A Place is where in an AWS event-stream message a [Cut] falls.
type Place string

// The places. The body ends as if it were complete, except after [Abort].
const (
	BetweenMessages Place = "between messages"
	InPrelude       Place = "in the prelude"
	InHeaders       Place = "in the headers"
	InPayload       Place = "in the payload"
	BeforeCRC       Place = "before the checksum"
	BadCRC          Place = "wrong checksum" // a whole message, but its checksum is wrong
	Abort           Place = "abort"          // the connection (HTTP/2: the stream) is reset between messages
)

// Stall holds back a content event and all that follow it. What was sent before
// stays on time, the response head included.
type Stall struct {
	At  int // the first event held back, from 0; beyond the last: the end
	For time.Duration
}

// Empty ends the answer properly, at the time of its first content event, but
// leaves all content out.
type Empty struct{}

// NoUsage leaves out the usage record.
type NoUsage struct{}

// Fallback serves the standard latency configuration whatever was asked for, as
// Bedrock does in silence when the quota for optimized latency is used up.
type Fallback struct{}

func (e Refuse) apply(s *Schedule) bool {
	s.Content, s.Head, s.End = nil, e.Delay, e.Delay
	return true
}

func (e Hang) apply(s *Schedule) bool {
	s.Content, s.Head, s.End = nil, Never, Never
	return true
}

func (e Throw) apply(s *Schedule) bool {
	s.breakOff(e.After)
	return true
}

func (e ThrowUnmodelled) apply(s *Schedule) bool {
	s.breakOff(e.After)
	return true
}

func (e Cut) apply(s *Schedule) bool {
	s.breakOff(e.After)
	return true
}

func (e Stall) apply(s *Schedule) bool {
	for i := max(e.At, 0); i < len(s.Content); i++ {
		s.Content[i].At += e.For
	}
	s.End += e.For
	return false
}

func (e Empty) apply(s *Schedule) bool {
	s.breakOff(0)
	return false
}

func (e NoUsage) apply(*Schedule) bool  { return false }
func (e Fallback) apply(*Schedule) bool { return false }

// breakOff leaves the first n content events and ends at the time of the next.
func (s *Schedule) breakOff(n int) {
	n = max(n, 0)
	if n < len(s.Content) {
		s.End = s.Content[n].At
		s.Content = s.Content[:n]
	}
}
