package custom

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/latgate/latgate/providers"
)

// The framings.
const (
	sse       = "sse"    // server-sent events, with JSON in them
	ndjson    = "ndjson" // lines of JSON
	wholeJSON = "json"   // one JSON value
)

// A reply says where in a reply things are.
type reply struct {
	framing string

	text, reasoning, refusal, tool []path

	finish       path
	finishEquals []string // any value that says something, where empty
	done         string
	endsWithBody bool

	stop, modelPath, requestID path
	requestIDHeader            string
	failure                    failure
	usage                      usage
	latency                    latency
}

// A failure is where an error is, and what is where in it.
type failure struct{ path, code, message path }

// A latency is where the server reports its own time.
type latency struct {
	path   path
	header string
	unit   time.Duration
}

// A usage is where the counts of tokens are.
type usage struct {
	input, output, cached, cacheWrite, reasoning path

	inputExcludesCache, outputExcludesReasoning bool
}

// defaultFailure is where errors are looked for if the file does not say.
var defaultFailure = path{text: "error", steps: []pathStep{{name: "error", index: member}}}

// where returns the path of the error.
func (f failure) where() path {
	if f.path.isSet() {
		return f.path
	}
	return defaultFailure
}

// report returns the error that a value holds. Many servers send an error code with
// everything, which is 0 where there is none.
func (f failure) report(v any) (providers.ServerError, bool) {
	var found any
	f.where().each(v, func(value any) {
		if found == nil && reports(value) {
			found = value
		}
	})
	if found == nil {
		return providers.ServerError{}, false
	}
	var e providers.ServerError
	if data, err := json.Marshal(found); err == nil {
		e = providers.ErrorOf(data)
	}
	if code := scalar(f.code.first(found)); code != "" {
		e.Code = code
	}
	if message := scalar(f.message.first(found)); message != "" {
		e.Message = message
	}
	if n := scalar(found); n != "" && e.Code == "" && e.Message == "" {
		e.Code = n
	}
	return e, true
}

// reports tells an error from a value that says there is none.
func reports(v any) bool {
	switch v := v.(type) {
	case float64:
		return v != 0
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return says(v)
}

// finishes returns the value that ends the reply.
func (r reply) finishes(v any) any {
	if len(r.finishEquals) == 0 {
		return r.finish.first(v)
	}
	var found any
	r.finish.each(v, func(value any) {
		if found == nil && slices.Contains(r.finishEquals, scalar(value)) {
			found = value
		}
	})
	return found
}

// isDone reports whether data is the word that ends the reply.
func (r reply) isDone(data []byte) bool {
	return r.done != "" && string(bytes.TrimSpace(data)) == r.done
}

// scalar returns a string, a number or a truth value as text, "" for anything else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// count returns a number of tokens, unknown where v is none.
func count(v any) providers.Count {
	n, is := v.(float64)
	if !is || n < 0 || n != math.Trunc(n) || n > 1<<53 {
		return providers.Count{}
	}
	return providers.CountOf(int64(n))
}

var errDone = errors.New(`an event is [DONE], which is not JSON: is it to end the reply, say done: "[DONE]"`)

// parse returns the JSON value in data.
func parse(data []byte) (v any, err error) {
	if err = json.Unmarshal(data, &v); err != nil && string(bytes.TrimSpace(data)) == "[DONE]" {
		return nil, errDone
	}
	return v, err
}
