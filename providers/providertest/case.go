package providertest

import (
	"net/http"

	"github.com/latgate/latgate/providers"
)

// A Case is one API of a provider, and what its endpoint answers.
type Case struct {
	// New returns a target whose endpoint is at url, which has no slash at its end,
	// and which makes its requests through client, or client.Transport. Each check
	// makes new ones. If the API needs a key, any will do.
	New func(url string, client *http.Client) providers.Target

	// Stream is a whole reply with content, and Want is what it says.
	Stream Reply
	Want   Want

	// Empty is a whole reply without content. Without pieces it is not checked.
	Empty Reply

	// Errors are replies that report an error, those of status 200 included.
	// Refusals of status 429 and 5xx with bodies that nobody can read are checked
	// without being listed.
	Errors []ErrorReply

	// NewUnary is New for a target that asks for the reply in one piece, Unary is
	// such a reply, and UnaryWant what it says. Nil means that there is none.
	NewUnary  func(url string, client *http.Client) providers.Target
	Unary     Reply
	UnaryWant Want

	// NoSystem says that the API does not take a system prompt.
	NoSystem bool
}

// A Reply is what an endpoint answers.
type Reply struct {
	Status      int // zero: 200
	ContentType string
	Header      http.Header // beside Content-Type

	// Pieces are what the body consists of, as the server flushes it. A piece ends
	// where a frame (an event, a line, a message) does.
	Pieces []string
}

// SSE is a reply of one server-sent event a piece, without a name.
func SSE(data ...string) Reply {
	r := Reply{ContentType: "text/event-stream"}
	for _, d := range data {
		r.Pieces = append(r.Pieces, "data: "+d+"\n\n")
	}
	return r
}

// Events is a reply of one server-sent event a piece, each with its name and data:
// name, data, name, data. An event without a name is just data.
func Events(nameAndData ...string) Reply {
	r := Reply{ContentType: "text/event-stream"}
	for i := 0; i+1 < len(nameAndData); i += 2 {
		piece := "data: " + nameAndData[i+1] + "\n\n"
		if name := nameAndData[i]; name != "" {
			piece = "event: " + name + "\n" + piece
		}
		r.Pieces = append(r.Pieces, piece)
	}
	return r
}

// Lines is a reply of one line of JSON a piece.
func Lines(lines ...string) Reply {
	r := Reply{ContentType: "application/x-ndjson"}
	for _, line := range lines {
		r.Pieces = append(r.Pieces, line+"\n")
	}
	return r
}

// JSON is a reply that is one piece of JSON.
func JSON(body string) Reply {
	return Reply{ContentType: "application/json", Pieces: []string{body}}
}

// With returns the reply with another status.
func (r Reply) With(status int) Reply {
	r.Status = status
	return r
}

func (r Reply) status() int {
	if r.Status == 0 {
		return http.StatusOK
	}
	return r.Status
}

func (r Reply) header() http.Header {
	h := r.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	if r.ContentType != "" {
		h.Set("Content-Type", r.ContentType)
	}
	return h
}

// Want is what a reply says. All of it is compared, except Model and RequestID
// where they are empty.
type Want struct {
	Text      string // visible text, concatenated
	Reasoning int    // reasoning content, in bytes

	// First and Last are the indexes of the pieces that complete the first and the
	// last content, of any channel.
	First, Last int

	// Terminal is the index of the piece that makes the reply whole: one that is cut
	// before it must not be ok. Zero means the last.
	Terminal int

	// EndsWithBody says that no event of the protocol ends a reply, so that it takes
	// the server to end the body.
	EndsWithBody bool

	Usage     providers.Usage
	Stop      string
	Model     string
	RequestID string
}

// An ErrorReply is a reply that reports an error, and how it is to be understood.
type ErrorReply struct {
	Name  string // of the subtest
	Reply Reply
	Class providers.Class
	Code  string
}
