package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// decodeError reads a reply with an error status. AWS names the error in a
// header, or in one of several members of the body, with more around it than
// the name: "ThrottlingException:http://internal.amazon.com/coral/...".
func decodeError(r *providers.Response, x *wire.Exchange) {
	var body struct {
		Message string `json:"message"`
		Type    string `json:"__type"`
		Code    string `json:"code"`
	}
	if json.Unmarshal(x.Body, &body) == nil { // encoding/json takes "Message" for message too
		r.Detail = body.Message
	}
	r.Code = errorName(x.Header.Get("x-amzn-ErrorType"))
	if r.Code == "" {
		r.Code = errorName(body.Type)
	}
	if r.Code == "" {
		r.Code = errorName(body.Code)
	}
	r.Class = providers.ClassOfStatus(x.Status, r.Code)
	if r.Class == providers.Parse && r.Detail == "" {
		r.Detail = fmt.Sprintf("status %d %s, which is neither a reply nor an error", x.Status, http.StatusText(x.Status))
	}
}

// errorName strips a URL behind a colon and a namespace before a hash.
func errorName(raw string) string {
	name, _, _ := strings.Cut(raw, ":")
	if _, after, ok := strings.Cut(name, "#"); ok {
		name = after
	}
	return strings.TrimSpace(name)
}

// streamError reads a frame that reports an error at HTTP 200: an exception of
// the service's model (with a lowerCamel name) or an unmodelled error.
func streamError(r *providers.Response, kind string, m wire.Message) {
	r.Class = providers.StreamError
	switch kind {
	case "exception":
		r.Code = m.Header(":exception-type")
		var body struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(m.Payload, &body) == nil {
			r.Detail = body.Message
		}
	case "error":
		r.Code, r.Detail = m.Header(":error-code"), m.Header(":error-message")
	default:
		r.Class, r.Detail = providers.Parse, "frame without a known :message-type: "+kind
		return
	}
	if providers.IsThrottle(r.Code) {
		r.Class = providers.Throttled
	}
}

// corrupt reports a framing error that is not merely the end of the input.
func corrupt(err error) bool {
	return err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}
