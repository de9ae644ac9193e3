package fakes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Cohere returns a fake of version 2 of Cohere's chat API that follows the script.
// It serves
//
//	POST /v2/chat
//
// and the same below any prefix, with the events, headers, errors and JSON of the
// real one. Requests are checked as far as the fake understands them and refused at
// once where Cohere would refuse them. Keys are not checked, and every model exists.
//
// Four bytes of text are one token of input; the template of a model, which Cohere
// counts and does not bill, is none. What came before of a prompt, up to its last
// part, is read from a cache for five minutes. What an answer that calls tools
// thinks is its tool plan, of any other it is thinking.
//
// An exception of Bedrock's stands for the status that comes nearest to it:
// [Throttling] for 429, [ServiceUnavailable] for 503, [ExpiredToken] for 498 and so
// on; Cohere's errors have no names. The hint of [Refuse] is sent in whole seconds,
// rounded up. [Throw] ends a stream with the finish reason ERROR, [ThrowUnmodelled]
// with an event that has no type but a message, which begins with the code. There is
// no padding.
//
// Cohere's Go SDK cannot read this stream, nor Cohere's own when it comes event by
// event: see [CohereForGoSDK].
//
// Cohere panics when the script makes no sense.
func Cohere(s Script) http.Handler { return newCohere(s, "\n\n") }

// CohereForGoSDK is [Cohere] for cohere-go, which (seen in version 2.15.3) takes
// what one read returned, from "data: " up to the next LF or else to the end, for the
// JSON of an event. Where nothing but the blank line is left of a read, it takes
// that for JSON too, and fails with "unexpected end of JSON input": it gets through
// a stream only while each of its reads ends with the LF of a data line.
//
// Here each does, and yet each event is complete when it is sent: the line of data
// ends in CR, the blank line in CRLF. Any client that keeps to the standard of
// server-sent events reads the same stream in it, at the same times.
//
// An event must still come in one read, so it must not be longer than 2 KiB, and
// must not come faster than it is read: give the script a Gap.
func CohereForGoSDK(s Script) http.Handler { return newCohere(s, "\r\r\n") }

func newCohere(s Script, eventEnd string) http.Handler {
	c := &cohere{endpoint: newEndpoint(s), eventEnd: eventEnd}
	serve := c.handler(func(a *attempt) dialect { return newCohereReply(a, c) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/v2/chat") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		serve(w, r)
	})
}

type cohere struct {
	*endpoint
	eventEnd string
	cache    promptCache
}

// A cohereReply is one attempt being answered.
type cohereReply struct {
	*attempt
	cohere  *cohere
	request cohereRequest
	input   inputTokens
	id      string
}

func newCohereReply(a *attempt, c *cohere) *cohereReply {
	a.w.Header().Set("X-Debug-Trace-Id", fmt.Sprintf("%016x%016x", a.names.Uint64(), a.names.Uint64()))
	return &cohereReply{attempt: a, cohere: c, id: a.uuid()}
}

// read implements [dialect].
func (c *cohereReply) read(body []byte) (maxTokens *int, refusal string) {
	c.request, refusal = readCohere(body)
	return c.request.MaxTokens, refusal
}

// cohereErrors are Cohere's errors, by the nearest of Bedrock's.
var cohereErrors = map[Exception]struct {
	status  int
	message string
}{
	Validation:           {http.StatusBadRequest, "invalid request"},
	ServiceQuotaExceeded: {http.StatusPaymentRequired, "your account has no credits left"},
	UnrecognizedClient:   {http.StatusUnauthorized, "invalid api token"},
	ExpiredToken:         {498, "invalid token"},
	AccessDenied:         {http.StatusForbidden, "you do not have access to this resource"},
	ResourceNotFound:     {http.StatusNotFound, "model not found, make sure the correct model ID was used and that you have access to the model."},
	UnknownOperation:     {http.StatusNotFound, "not found"},
	Throttling:           {http.StatusTooManyRequests, "Please wait and try again later"},
	InternalServer:       {http.StatusInternalServerError, "internal server error"},
	ModelError:           {http.StatusInternalServerError, "internal server error"},
	ModelStreamError:     {http.StatusInternalServerError, "internal server error"},
	ModelNotReady:        {http.StatusServiceUnavailable, "service unavailable"},
	ServiceUnavailable:   {http.StatusServiceUnavailable, "service unavailable"},
	ModelTimeout:         {http.StatusGatewayTimeout, "gateway timeout"},
}

// cohereError translates an exception. Its usual message is translated too.
func cohereError(e Exception, message string) (status int, text string) {
	known, ok := cohereErrors[e]
	switch {
	case !ok:
		return http.StatusInternalServerError, string(e) + ": " + message
	case message == e.Message():
		message = known.message
	}
	return known.status, message
}

// refuse implements [dialect].
func (c *cohereReply) refuse(e Exception, message string, retryAfter time.Duration) {
	status, message := cohereError(e, message)
	setRetryAfter(c.w.Header(), retryAfter)
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(ordered("id", c.id, "message", message))
}

// setRetryAfter sends a hint above 0 in whole seconds.
func setRetryAfter(h http.Header, hint time.Duration) {
	if hint > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((hint+time.Second-1)/time.Second), 10))
	}
}

// A cohereRequest is what the fake understands of a request. It lets members that
// it does not know through.
type cohereRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string        `json:"role"`
		Content cohereContent `json:"content"`
	} `json:"messages"`
	MaxTokens *int `json:"max_tokens"`
	Stream    bool `json:"stream"`
	Tools     []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
}

// cohereContent is a list of typed parts, or a string that stands for one of text.
// Only text is kept.
type cohereContent []string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *cohereContent) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*c = cohereContent{text}
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Text != "" {
			*c = append(*c, p.Text)
		}
	}
	return nil
}

// readCohere returns the request in a body, or why Cohere would refuse it.
func readCohere(body []byte) (r cohereRequest, refusal string) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, "invalid request: " + err.Error()
	}
	switch {
	case r.Model == "":
		return r, "invalid request: model is required"
	case len(r.Messages) == 0:
		return r, "invalid request: list of messages must not be empty"
	case r.MaxTokens != nil && *r.MaxTokens < 0:
		return r, "invalid request: max_tokens must not be negative"
	}
	for i, m := range r.Messages {
		switch m.Role {
		case "user", "assistant", "system", "tool":
		default:
			return r, fmt.Sprintf("invalid request: messages[%d]: role must be one of user, assistant, system, tool", i)
		}
	}
	if r.MaxTokens != nil && *r.MaxTokens == 0 {
		r.MaxTokens = nil // no limit
	}
	return r, ""
}

// prompt returns the request as the prompt cache counts it.
func (r cohereRequest) prompt() prompt {
	var blocks []block
	for _, m := range r.Messages {
		for _, text := range m.Content {
			blocks = append(blocks, textBlock(text))
		}
	}
	return implicitlyCached(blocks)
}

// tool returns the name of the tool that an answer calls: the first on offer.
func (r cohereRequest) tool() string {
	for _, t := range r.Tools {
		if t.Function.Name != "" {
			return t.Function.Name
		}
	}
	return defaultTool
}
