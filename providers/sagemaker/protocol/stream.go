package protocol

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// The names under which responses of this package are filed.
const (
	Provider  = "sagemaker"
	StreamAPI = "invoke-endpoint-stream"
	UnaryAPI  = "invoke-endpoint"
)

const partEvent = "PayloadPart" // the :event-type of every part

// Stream decodes InvokeEndpointWithResponseStream, and InvokeEndpoint, whose reply
// is the container's without the wrapping.
type Stream struct{}

var _ providers.Sniffer = Stream{}

// Recognizes reports whether x is a request to
// /endpoints/{name}/invocations[-response-stream].
func (Stream) Recognizes(x *wire.Exchange) bool {
	_, api := route(x.Path)
	return x.Method == http.MethodPost && api != ""
}

// route splits the path; a proxy may have put a prefix before it.
func route(path string) (endpoint, api string) {
	_, rest, ok := strings.Cut(path, "/endpoints/")
	if !ok {
		return "", ""
	}
	escaped, operation, _ := strings.Cut(rest, "/")
	endpoint, err := url.PathUnescape(escaped)
	if err != nil {
		endpoint = escaped
	}
	switch operation {
	case "invocations-response-stream":
		return endpoint, StreamAPI
	case "invocations":
		return endpoint, UnaryAPI
	}
	return "", ""
}

// Sniff reports whether a reply begins as an InvokeEndpointWithResponseStream does.
func (Stream) Sniff(f providers.Frame) bool {
	return f.MediaType == eventStream && f.Type == partEvent
}

const eventStream = "application/vnd.amazon.eventstream"

// Decode implements [providers.Decoder].
func (Stream) Decode(x *wire.Exchange) *providers.Response {
	endpoint, api := route(x.Path)
	if api == "" {
		api = StreamAPI // recognized by its first frame
	}
	b := providers.NewBuilder(Provider, api, x)
	r := b.Response
	switch {
	case x.Status == 0 || b.Class != "": // no reply, or none that can be read
		b.Done()
	case b.Refused():
		b.Refuse(refusal(b.Exchange))
		b.Done()
	case api == UnaryAPI:
		r = decodeWhole(b.Exchange)
	default:
		r = decodeParts(b)
	}
	r.Provider, r.API, r.Model = Provider, api, endpoint
	return r
}

// refusal reads a reply with an error status. AWS names the error in a header, or
// in one of several members of the body; what the container answered is the
// original status code of a ModelError.
func refusal(x *wire.Exchange) providers.ServerError {
	e := providers.ErrorOf(x.Body)
	if name := providers.AWSName(x.Header.Get("x-amzn-ErrorType")); name != "" {
		e.Code = name
	}
	return e
}

// decodeParts decodes what the parts of a stream make together. What goes wrong with
// the stream of parts goes before what the container says of its own.
func decodeParts(b *providers.Builder) *providers.Response {
	var parts rewritten
	end := int64(0) // of the last whole frame
	b.EventStream(func(m wire.Message) error {
		end = m.End
		if m.Header(":event-type") == partEvent {
			parts.add(m.Payload, m.End)
		}
		return nil
	})
	failed := b.Class != ""
	if len(parts.body) == 0 {
		return b.Done()
	}
	x := b.Exchange
	r := decodeContainer(parts.exchange(x))
	parts.restore(r)
	whole := r.Class == providers.OK || r.Class == providers.Empty
	switch {
	case failed:
		r.Class, r.Code, r.Detail, r.Overloaded, r.End = b.Class, b.Code, b.Detail, b.Overloaded, b.End
	case whole && end < int64(len(x.Body)) && brokeOff(x.Ending):
		r.Class = providers.Truncated // cut in a part that the container's end does not need
	}
	return r
}

// brokeOff reports whether it was not the caller who left.
func brokeOff(e wire.Ending) bool {
	switch e {
	case wire.EndClosed, wire.EndContext, wire.EndTerminal:
		return false
	}
	return true
}
