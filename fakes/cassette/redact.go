package cassette

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// body cleans a body in place. Its length, its framing and the structure of its JSON
// stay as they are.
func (r *redactor) body(b []byte, mediaType string) {
	switch mediaType {
	case typeEventStream:
		r.eventStream(b)
		return
	case typeSSE:
		r.sse(b)
		return
	}
	switch start := bytes.TrimLeft(b, " \t\r\n\ufeff"); {
	case bytes.HasPrefix(start, []byte("data:")) || bytes.HasPrefix(start, []byte("event:")) || bytes.HasPrefix(start, []byte(":")):
		r.sse(b)
	default:
		r.value(b)
	}
}

// value cleans what is JSON, several values of it or pieces, or else text.
func (r *redactor) value(b []byte) {
	start := bytes.TrimLeft(b, " \t\r\n\ufeff")
	if len(start) > 0 && strings.IndexByte(`{["`, start[0]) >= 0 {
		r.json(b, false)
		return
	}
	r.text(b, false)
}

// text cleans a text that is no JSON, or a string of JSON.
func (r *redactor) text(b []byte, words bool) {
	r.secrets(b)
	if r.fill {
		fillText(b, words)
	}
}

// A jsonCleaner goes through the tokens of JSON without minding its grammar: a stream
// that broke off, or text that only begins as JSON does, is cleaned as well.
type jsonCleaner struct {
	*redactor
	b       []byte
	chunk   bool   // of a model on Bedrock: a string of base64 may hold JSON
	key     string // of the member whose value comes
	parents []container
}

type container struct {
	key   string // of the member it is the value of
	array bool
	free  bool // what is in it is a model's or a user's own
}

const deepest = 256

func (r *redactor) json(b []byte, chunk bool) {
	c := &jsonCleaner{redactor: r, b: b, chunk: chunk}
	c.clean()
}

func (c *jsonCleaner) clean() {
	for at := 0; at < len(c.b); {
		switch char := c.b[at]; char {
		case '"':
			at = c.str(at + 1)
		case '{', '[':
			if len(c.parents) < deepest {
				parent := c.parent()
				c.parents = append(c.parents, container{
					key: c.memberKey(), array: char == '[',
					free: parent.free || freeForm(c.memberKey(), char == '{'),
				})
			}
			c.key = ""
			at++
		case '}', ']':
			if n := len(c.parents); n > 0 {
				c.parents = c.parents[:n-1]
			}
			c.key = ""
			at++
		case ',':
			c.key = ""
			at++
		case ' ', '\t', '\r', '\n', ':':
			at++
		default:
			at = c.bare(at)
		}
	}
}

func (c *jsonCleaner) parent() container {
	if n := len(c.parents); n > 0 {
		return c.parents[n-1]
	}
	return container{}
}

// memberKey is the key of the value that comes: in an array, that of the array.
func (c *jsonCleaner) memberKey() string {
	if p := c.parent(); p.array && c.key == "" {
		return p.key
	}
	return c.key
}

// str cleans the string whose content begins at at, and returns what is behind it. A
// line end ends a string that has none: there is another value on the next line.
func (c *jsonCleaner) str(at int) int {
	end := at
	for end < len(c.b) && c.b[end] != '"' && c.b[end] != '\n' {
		if c.b[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(c.b))
	content, next := c.b[at:end], end
	if end < len(c.b) && c.b[end] == '"' {
		next++
	}
	after := next
	for after < len(c.b) && (c.b[after] == ' ' || c.b[after] == '\t' || c.b[after] == '\r' || c.b[after] == '\n') {
		after++
	}
	if after < len(c.b) && c.b[after] == ':' && !c.parent().array {
		c.secrets(content) // a key
		c.key = string(content)
		return after + 1
	}
	c.leaf(content)
	return next
}

// leaf cleans a string that is a value.
func (c *jsonCleaner) leaf(b []byte) {
	key, parent := c.memberKey(), c.parent()
	if c.chunk && key == "bytes" && len(c.parents) <= 1 && c.base64(b) {
		return
	}
	c.secrets(b)
	switch {
	case secretWord([]byte(key)) && !countWord(key) && (len(key) > 5 || opaque(b)):
		fillText(b, false)
	case !c.fill:
	case parent.free:
		fillText(b, true)
	case kept(key, parent) && vocabulary(b):
	case named(key) && vocabulary(b):
		c.pseudonym(b)
	default:
		fillText(b, arguments(key))
	}
}

// base64 cleans the JSON that a string holds in base64, and reports whether it does.
func (c *jsonCleaner) base64(b []byte) bool {
	whole := b[:len(b)/4*4]
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(whole)))
	n, err := base64.StdEncoding.Decode(plain, whole)
	if err != nil {
		return false
	}
	c.body(plain[:n], "")
	base64.StdEncoding.Encode(whole, plain[:n])
	fillText(b[len(whole):], false)
	return true
}

// bare cleans what is neither a string nor structure: a number, a literal, or no JSON
// at all.
func (c *jsonCleaner) bare(at int) int {
	end := at
	for end < len(c.b) && strings.IndexByte("\"{}[],: \t\r\n", c.b[end]) < 0 {
		end++
	}
	switch word := c.b[at:end]; {
	case jsonWord(c.b, at, end):
	case number(word):
		key, parent := c.memberKey(), c.parent()
		if c.fill && (parent.free || parent.array || key == "id" || key == "logprob" || strings.HasSuffix(key, "token_id")) {
			fillText(word, true)
		}
	default:
		// No JSON: what follows on the line is text.
		for end < len(c.b) && c.b[end] != '\n' && c.b[end] != '"' {
			end++
		}
		if string(c.b[at:end]) != "DONE]" {
			c.text(c.b[at:end], false)
		}
	}
	return end
}

func number(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E') {
			return false
		}
	}
	return len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9')
}

// vocabulary reports whether a string can be a word of a protocol, a name of a model
// or an id: no text of a person has such a shape for long.
func vocabulary(b []byte) bool {
	if len(b) > 96 {
		return false
	}
	for _, c := range b {
		if !wordByte(c) && c != '.' && c != ':' && c != '/' && c != '@' && c != '+' && c != '=' && c != '#' {
			return false
		}
	}
	return true
}

// keptKeys have values that are words of the protocol.
var keptKeys = []string{
	"type", "object", "model", "modelVersion", "modelId", "role", "status", "state", "event", "event_type", "code", "reason", "__type", "error_type",
	"stop_reason", "stopReason", "finish_reason", "finishReason", "done_reason", "native_finish_reason", "completionReason", "completion_reason", "stop",
	"service_tier", "serviceTier", "latency", "effort", "verbosity", "detail", "format", "encoding_format", "mime_type", "mimeType", "media_type",
	"created_at", "createTime", "created", "tool_choice", "truncation", "phase", "quantization_format", "provider", "delta_type", "response-type", "anthropic_version",
	"keep_alive", "reasoning_effort", "modality", "modalities", "action", "amazon-bedrock-guardrailAction", "responseMimeType", "trafficType", "include", "thinkingLevel", "retryDelay", "@type",
}

// namedParents hold the names of tools.
var namedParents = []string{
	"function", "tool", "tools", "toolUse", "tool_use", "functionCall", "function_call", "custom", "content_block", "item", "output", "tool_choice",
	"toolSpec", "functionDeclarations", "tool_calls", "content", "parts", "functionResponse",
}

func kept(key string, parent container) bool {
	return slices.Contains(keptKeys, key) || key == "name" && slices.Contains(namedParents, parent.key)
}

// named reports whether a member holds the id of something.
func named(key string) bool {
	return key == "id" || strings.HasSuffix(key, "_id") || strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "ID")
}

// arguments reports whether a string holds JSON, or a piece of it.
func arguments(key string) bool {
	switch key {
	case "arguments", "partial_json", "input", "args", "delta":
		return true
	}
	return false
}

// freeForm reports whether an object holds what a user or a model made up.
func freeForm(key string, object bool) bool {
	switch key {
	case "input", "args", "arguments", "requestMetadata":
		return object
	}
	return false
}

// countWord reports whether a member that has token in its name counts them.
func countWord(key string) bool {
	return strings.HasSuffix(key, "tokens") || strings.HasSuffix(key, "Tokens") || strings.HasSuffix(key, "TokenCount")
}
