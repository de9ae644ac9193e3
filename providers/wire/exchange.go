package wire

import (
	"encoding/json"
	"net/http"
	"sort"
	"time"
)

// An Instant is a moment of an exchange, as the time since its t_call. The zero
// Instant means "this never happened": a stream without content has no first
// token, and that is not the same as a first token after 0 ns.
//
// In JSON an Instant is an integer of nanoseconds, null when it never happened.
type Instant struct {
	ns    int64
	known bool
}

// At returns the instant d after t_call.
func At(d time.Duration) Instant { return Instant{ns: int64(d), known: true} }

// Get returns the time since t_call and whether the instant happened at all.
func (i Instant) Get() (time.Duration, bool) { return time.Duration(i.ns), i.known }

// Known reports whether the instant happened.
func (i Instant) Known() bool { return i.known }

// IsZero reports the opposite of Known; it lets `json:",omitzero"` leave the field out.
func (i Instant) IsZero() bool { return !i.known }

// Add shifts a known instant by d and leaves an unknown one unknown.
func (i Instant) Add(d time.Duration) Instant {
	if !i.known {
		return i
	}
	return At(time.Duration(i.ns) + d)
}

// Since returns i − from; it is known when both are.
func (i Instant) Since(from Instant) Instant {
	if !i.known || !from.known {
		return Instant{}
	}
	return At(time.Duration(i.ns - from.ns))
}

// MarshalJSON implements [json.Marshaler].
func (i Instant) MarshalJSON() ([]byte, error) {
	if !i.known {
		return []byte("null"), nil
	}
	return json.Marshal(i.ns)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (i *Instant) UnmarshalJSON(data []byte) error {
	*i = Instant{}
	if string(data) == "null" {
		return nil
	}
	i.known = true
	return json.Unmarshal(data, &i.ns)
}

// A Mark says that the first End bytes of a body had arrived At after t_call.
type Mark struct {
	End int64         `json:"end"`
	At  time.Duration `json:"at"`
}

// Phases are the moments before the body, from [net/http/httptrace]. Transports
// that are not a network (an in-memory one, a stub) know only some of them.
type Phases struct {
	GotConn      Instant       `json:"got_conn,omitzero"`      // a connection was to be had
	DNSStart     Instant       `json:"dns_start,omitzero"`     // name look-up
	DNSDone      Instant       `json:"dns_done,omitzero"`      //
	ConnectStart Instant       `json:"connect_start,omitzero"` // TCP
	ConnectDone  Instant       `json:"connect_done,omitzero"`  //
	TLSStart     Instant       `json:"tls_start,omitzero"`     // TLS handshake
	TLSDone      Instant       `json:"tls_done,omitzero"`      //
	Wrote        Instant       `json:"wrote,omitzero"`         // t_wrote: the request was fully sent
	Header       Instant       `json:"header,omitzero"`        // t_hdr: the first byte of the response
	Reused       bool          `json:"reused,omitzero"`        // the connection had served before
	Idle         time.Duration `json:"idle,omitzero"`          // how long it had been idle
}

// Ending says what ended a stream, whichever came first.
type Ending string

// The ways a stream ends.
const (
	EndEOF      Ending = "eof"       // the server ended the body
	EndClosed   Ending = "closed"    // the caller closed the body first
	EndContext  Ending = "context"   // the request's context was done first
	EndTerminal Ending = "terminal"  // the terminal event came, and then nothing: see Transport.Terminal
	EndFailed   Ending = "failed"    // reading the body failed: see Exchange.Err
	EndNoReply  Ending = "no-reply"  // no response came: see Exchange.Err
	EndTooLarge Ending = "too-large" // the reply outgrew Transport.MaxBody
)

// An Exchange is the record of one HTTP attempt: what was asked, what came
// back, and when each piece of it arrived. It is complete, and safe to read,
// once the [Capture] it belongs to hands it out.
type Exchange struct {
	Call time.Time // t_call: the attempt entered the transport

	Method        string
	Host          string      // host, with the port where one was given
	Path          string      // escaped path, without the query (which may hold a key)
	RequestHeader http.Header // without credentials, see [Transport]
	RequestBytes  int64       // body bytes handed to the network

	Proto        string // "HTTP/1.1", "HTTP/2.0"; empty without a response
	Status       int    // 0 without a response
	Header       http.Header
	Uncompressed bool // net/http removed a gzip layer: times are those of the decompressor

	Phases Phases
	Body   []byte
	Marks  []Mark // one per read that brought bytes, in order
	End    Instant
	Ending Ending
	Err    error // why no response came or reading failed
}

// BodyStart returns t_body, the moment of the first body byte.
func (x *Exchange) BodyStart() Instant {
	if len(x.Marks) == 0 {
		return Instant{}
	}
	return At(x.Marks[0].At)
}

// ReadOf returns the index into Marks of the read that delivered the last of
// the first end bytes, and when that was: an event whose last byte is at
// offset end−1 happened then. The index is −1 when so many bytes never came.
func (x *Exchange) ReadOf(end int64) (int, Instant) {
	i := sort.Search(len(x.Marks), func(i int) bool { return x.Marks[i].End >= end })
	if i == len(x.Marks) {
		return -1, Instant{}
	}
	return i, At(x.Marks[i].At)
}
