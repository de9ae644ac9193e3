package cassette

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// Recorded is the timing of an interaction whose times were all measured.
const Recorded = "recorded"

// An Interaction is one exchange as a cassette keeps it: what was asked, what came
// back, and when.
type Interaction struct {
	Call  time.Duration // when the request was made, since the start of the recording
	Order int64         // its place among the requests, by when they began, from 0

	// Sample is the number of the sample that the request belonged to, −1 where that is
	// not known.
	Sample int

	// Timing is [Recorded], or says which times are not measured but made up, and
	// from what: "synthesised (profile TTFT 400ms, gap 20ms)".
	Timing string

	Request  Request
	Response Response
}

// A Request is what an interaction asks. Credentials are no part of it.
type Request struct {
	Method string
	Host   string // with the port where one was given
	Path   string // escaped
	Query  string // as it was sent, without secrets
	Header http.Header

	// Body are the bytes sent, decompressed. It is nil where they are not known: the
	// request then matches any body.
	Body []byte

	// key is the salted hash of the body as it was, of a redacted one.
	key string
}

// A Response is what came back. Times count from the request's call.
type Response struct {
	Proto  string
	Status int // 0 without a response
	Header http.Header
	Body   []byte
	Reads  []wire.Mark // one per read that brought bytes, in order
	Phases wire.Phases
	End    wire.Instant
	Ending wire.Ending
	Err    string // why no response came or reading failed, fit to be printed
}

// FromExchange returns the exchange as an interaction that was called when the
// recording began. An exchange does not hold the request's body and query; who knows
// them sets them. A [Recorder] knows those that went through its [Recorder.Transport].
// Body and marks of x are shared, not copied.
func FromExchange(x *wire.Exchange) *Interaction {
	i := &Interaction{
		Timing:  Recorded,
		Sample:  -1,
		Request: Request{Method: x.Method, Host: x.Host, Path: x.Path, Header: x.RequestHeader},
		Response: Response{
			Proto: x.Proto, Status: x.Status, Header: x.Header, Body: x.Body, Reads: x.Marks,
			Phases: x.Phases, End: x.End, Ending: x.Ending,
		},
	}
	if x.RequestBytes == 0 {
		i.Request.Body = []byte{}
	}
	if x.Err != nil {
		i.Response.Err = x.Err.Error()
	}
	return i
}

// Exchange returns the interaction as the transport would have captured it, called
// at start + [Interaction.Call], for decoders. Header, body and marks are shared.
func (i *Interaction) Exchange(start time.Time) *wire.Exchange {
	x := &wire.Exchange{
		Call: start.Add(i.Call), Method: i.Request.Method, Host: i.Request.Host, Path: i.Request.Path,
		RequestHeader: i.Request.Header, RequestBytes: int64(len(i.Request.Body)),
		Proto: i.Response.Proto, Status: i.Response.Status, Header: i.Response.Header,
		Phases: i.Response.Phases, Body: i.Response.Body, Marks: i.Response.Reads,
		End: i.Response.End, Ending: i.Response.Ending,
	}
	if i.Response.Err != "" {
		x.Err = errors.New(i.Response.Err)
	}
	return x
}

// Synthesised reports whether some of the times are made up, see Timing.
func (i *Interaction) Synthesised() bool { return i.Timing != Recorded }

// Ended returns when the response was over: at its end, and not before its last read.
func (r *Response) Ended() time.Duration {
	end, _ := r.End.Get()
	if n := len(r.Reads); n > 0 {
		end = max(end, r.Reads[n-1].At)
	}
	return end
}

// headAt returns when the response head came: not after the first read.
func (r *Response) headAt() time.Duration {
	at, known := r.Phases.Header.Get()
	if !known {
		at = r.Ended()
	}
	if len(r.Reads) > 0 {
		at = min(at, r.Reads[0].At)
	}
	return max(at, 0)
}

// mediaType returns the content type without its parameters, in lower case.
func (r *Response) mediaType() string {
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// validate reports times and offsets that no exchange can have: whoever replays it
// relies on their order.
func (i *Interaction) validate() error {
	r := &i.Response
	switch {
	case i.Request.Method == "" || !validToken(i.Request.Method):
		return errors.New("request: the method is missing or not one")
	case i.Timing == "":
		return errors.New("timing: it is not said whether the times were recorded")
	case r.Status != 0 && (r.Status < 200 || r.Status > 999):
		return errors.New("response: the status is none of a final response")
	case r.Status == 0 && len(r.Body) > 0:
		return errors.New("response: a body without a status")
	}
	end, at := int64(0), time.Duration(0)
	for _, m := range r.Reads {
		if m.End <= end || m.At < at {
			return errors.New("response: the reads are not in order")
		}
		end, at = m.End, m.At
	}
	switch last, known := r.End.Get(); {
	case end != int64(len(r.Body)):
		return errors.New("response: the reads do not add up to the body")
	case !known:
		return errors.New("response: its end is not known")
	case last < at:
		return errors.New("response: it ends before its last read")
	}
	switch r.Ending {
	case wire.EndEOF, wire.EndClosed, wire.EndContext, wire.EndTerminal, wire.EndFailed, wire.EndNoReply, wire.EndTooLarge:
		return nil
	}
	return errors.New("response: the ending is none that there is")
}

// validToken reports whether a method is one of HTTP.
func validToken(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_')
	}) < 0
}
