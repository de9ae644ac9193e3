package providers

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/latgate/latgate/providers/wire"
)

// A ServerError is an error in a provider's own words.
type ServerError struct {
	Code    string // its name, such as "rate_limit_exceeded"; a number where it has no other
	Message string
	Status  int // the status code it gives itself, 0 without one

	RetryAfter wire.Instant // Google's RetryInfo: how long to wait, where it tells
}

// errorBody is the union of what providers write errors in. encoding/json takes
// "Message" for message too.
type errorBody struct {
	Message  string          `json:"message"`
	Type     string          `json:"type"`
	AWSType  string          `json:"__type"`
	TGIType  string          `json:"error_type"`
	Code     json.RawMessage `json:"code"`
	Status   json.RawMessage `json:"status"` // Google's name of the error
	Original Count           `json:"originalStatusCode"`
	Number   Count           `json:"status_code"`
	Detail   json.RawMessage `json:"detail"` // FastAPI's message; may be a list
	Details  json.RawMessage `json:"details"`
	Error    json.RawMessage `json:"error"` // the error itself, one level down
}

// Errors are read to this depth and up to this size: an endpoint may send anything,
// and a real error is an object in an object.
const (
	deepestError = 4
	largestError = 256 << 10
)

// ErrorOf reads the JSON that reports an error: {"error":{…}}, {"error":"…"},
// {"message":…}, [{"error":…}], "…" and the like. It returns the zero ServerError
// for anything else, a page of HTML say.
func ErrorOf(body []byte) ServerError { return errorOf(body, deepestError) }

func errorOf(body []byte, depth int) ServerError {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || len(body) > largestError || depth == 0 {
		return ServerError{}
	}
	switch body[0] {
	case '"':
		var message string
		_ = json.Unmarshal(body, &message)
		return ServerError{Message: message}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return ServerError{}
		}
		body = list[0]
	}
	var e errorBody
	if err := json.Unmarshal(body, &e); err != nil && !isTypeError(err) {
		return ServerError{}
	}
	if inner := bytes.TrimSpace(e.Error); len(inner) > 0 && (inner[0] == '{' || inner[0] == '"') {
		nested := errorOf(inner, depth-1)
		if nested.Code == "" {
			nested.Code = e.name()
		}
		if nested.Status == 0 {
			nested.Status = e.status()
		}
		return nested
	}
	if e.Message == "" {
		_ = json.Unmarshal(e.Detail, &e.Message)
	}
	return ServerError{Code: e.name(), Message: e.Message, Status: e.status(), RetryAfter: retryDelay(e.Details)}
}

// Reports tells an error member of a reply from one that is there and says nothing:
// some servers send an empty one beside each piece of content.
func Reports(failure json.RawMessage) bool {
	switch string(failure) {
	case "", "null", `""`, "{}", "[]", "false", "0":
		return false
	}
	return true
}

func isTypeError(err error) bool {
	_, is := err.(*json.UnmarshalTypeError)
	return is
}

// name prefers words to numbers, and the specific to the general: "type" is a
// class of errors with some providers, and "error" with others.
func (e errorBody) name() string {
	code, status := scalar(e.Code), scalar(e.Status)
	for _, name := range []string{code, status, AWSName(e.AWSType), e.TGIType, e.Type} {
		if name != "" && name != "error" && !isNumber(name) {
			return name
		}
	}
	if code != "" {
		return code
	}
	return status
}

func (e errorBody) status() int {
	for _, n := range []Count{e.Original, e.Number} {
		if n, known := n.Get(); known {
			return int(n)
		}
	}
	for _, raw := range []json.RawMessage{e.Code, e.Status} {
		if n, err := strconv.Atoi(scalar(raw)); err == nil {
			return n
		}
	}
	return 0
}

// AWSName strips what AWS wraps around the name of an error: a namespace before a
// hash, a URL behind a colon ("ThrottlingException:http://internal.amazon.com/coral/…").
func AWSName(raw string) string {
	name, _, _ := strings.Cut(raw, ":")
	if _, after, ok := strings.Cut(name, "#"); ok {
		name = after
	}
	return strings.TrimSpace(name)
}

// scalar returns a JSON string or number as text, "" for anything else.
func scalar(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
