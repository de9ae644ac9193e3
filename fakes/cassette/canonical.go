package cassette

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Matching says what requests are compared by. Always compared are the method, the
// path, the query without secrets, and the body, but for members that change from run
// to run. Bodies of JSON are compared as values: order of members, white space and
// ways to write a number do not matter.
type Matching struct {
	// Ignore are members of the body to leave out beside those of [Volatile]: paths as
	// in "messages.*.id", where * is any member or element.
	Ignore []string `json:"ignore,omitempty"`

	// Headers are request headers to compare as well, case aside. One that holds a
	// credential by its name cannot be.
	Headers []string `json:"headers,omitempty"`

	// Host has the host compared as well.
	Host bool `json:"host,omitempty"`
}

// Volatile returns the members that are never compared: who asks, and names and times
// that are made anew for each request.
func Volatile() []string {
	return slices.Clone(volatile)
}

var volatile = []string{
	"user", "safety_identifier", "metadata", "requestMetadata", "prompt_cache_key", "previous_response_id", "conversation", "conversation_id",
	"request_id", "requestId", "client_request_id", "idempotency_key", "trace_id", "session_id", "sessionId", "nonce",
	"timestamp", "created", "created_at", "stream_options.include_obfuscation",
}

func (m Matching) validate() error {
	for _, name := range m.Headers {
		if name == "" || secretName(name) {
			return fmt.Errorf("cassette: requests cannot be matched by the header %q: by its name it holds a credential, which is never kept", name)
		}
	}
	if slices.Contains(m.Ignore, "") {
		return errors.New("cassette: an empty path among the members to ignore")
	}
	return nil
}

// headers returns the names of the headers that are compared.
func (m Matching) headers() []string {
	names := make([]string, 0, len(m.Headers))
	for _, name := range m.Headers {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	return names
}

// with returns m and more.
func (m Matching) with(more Matching) Matching {
	return Matching{
		Ignore:  slices.Concat(m.Ignore, more.Ignore),
		Headers: slices.Concat(m.Headers, more.Headers),
		Host:    m.Host || more.Host,
	}
}

// canonical returns a request body in the one form that it is compared in. With shapes,
// what a model said before is but its shape: where replies are redacted, an application
// sends filler back.
func (m Matching) canonical(body []byte, shapes bool) []byte {
	value, ok := parseJSON(body)
	if !ok {
		return body
	}
	out, err := json.Marshal(m.comparable(value, shapes))
	must(err == nil, "canonical: %v", err)
	return out
}

// comparable takes the members that are not compared out of a value, in place.
func (m Matching) comparable(value any, shapes bool) any {
	for _, path := range volatile {
		remove(value, strings.Split(path, "."))
	}
	for _, path := range m.Ignore {
		remove(value, strings.Split(path, "."))
	}
	if shapes {
		value = shaped(value, false)
	}
	return value
}

// parseJSON returns the value of a body that is one of JSON. Numbers that are equal
// are the same.
func parseJSON(body []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return numbers(value), true
}

func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = numbers(member)
		}
	case []any:
		for k, element := range v {
			v[k] = numbers(element)
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(string(v), ".eE") {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
	return value
}

// remove takes the members at a path out of a value.
func remove(value any, path []string) {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			if path[0] != "*" && path[0] != key {
				continue
			}
			if len(path) == 1 {
				delete(v, key)
			} else {
				remove(member, path[1:])
			}
		}
	case []any:
		for k, element := range v {
			if path[0] == "*" || path[0] == strconv.Itoa(k) {
				if len(path) == 1 {
					v[k] = nil
				} else {
					remove(element, path[1:])
				}
			}
		}
	}
}

// shaped replaces the strings in what a model, or a tool that it called, said before
// by filler. The rest of a conversation stays.
func shaped(value any, said bool) any {
	switch v := value.(type) {
	case map[string]any:
		said = said || saidBefore(v)
		for key, member := range v {
			v[key] = shaped(member, said)
		}
	case []any:
		for k, element := range v {
			v[k] = shaped(element, said)
		}
	case string:
		if said {
			b := []byte(v)
			fillText(b, false)
			return string(b)
		}
	case json.Number:
		if said {
			b := []byte(v)
			fillText(b, false)
			return string(b)
		}
	}
	return value
}

// saidBefore reports whether a message, or a part of one, repeats what a model said,
// or answers it.
func saidBefore(v map[string]any) bool {
	switch v["role"] {
	case "assistant", "model", "tool", "function", "CHATBOT", "TOOL", "chatbot":
		return true
	}
	switch v["type"] {
	case "function_call", "function_call_output", "reasoning", "tool_use", "tool_result", "custom_tool_call", "custom_tool_call_output":
		return true
	}
	_, result := v["toolResult"]
	_, response := v["functionResponse"]
	return result || response
}
