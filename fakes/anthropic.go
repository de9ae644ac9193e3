package fakes

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Anthropic returns a fake of Anthropic's Messages API that follows the script. It
// serves
//
//	POST /v1/messages
//	POST /publishers/anthropic/models/{model}:streamRawPredict, :rawPredict
//
// and the same below any prefix, as Vertex AI, Amazon Bedrock and proxies have it,
// with the events, headers, errors and JSON of the real one. Requests are checked
// as far as the fake understands them and refused at once where Anthropic would
// refuse them. Keys are not checked, and every model exists.
//
// Tokens are counted as [Bedrock] counts them, with cache_control in place of a
// cache point. An exception of Bedrock's stands for the error that comes nearest to
// it: [Throttling] for rate_limit_error (429), [ServiceUnavailable] for
// overloaded_error (529), [InternalServer] for api_error (500) and so on. The hint
// of [Refuse] is sent in whole seconds, rounded up. [Script.Padding] is spaces at
// the end of a line, inside the JSON.
//
// Anthropic panics when the script makes no sense.
func Anthropic(s Script) http.Handler {
	f := &anthropic{endpoint: newEndpoint(s)}
	serve := f.handler(func(a *attempt) dialect {
		return newAnthropicMessage(a, f)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, vertex := anthropicModel(r)
		switch served := vertex || strings.HasSuffix(r.URL.Path, "/v1/messages"); {
		case !served:
			writeAnthropicError(w, http.StatusNotFound, "not_found_error", "Not Found")
		case r.Method != http.MethodPost:
			writeAnthropicError(w, http.StatusMethodNotAllowed, "invalid_request_error", "Method Not Allowed")
		default:
			serve(w, r)
		}
	})
}

type anthropic struct {
	*endpoint
	cache promptCache
}

// anthropicModel returns the model that the path names, which it does at Vertex AI.
func anthropicModel(r *http.Request) (model string, ok bool) {
	_, last, ok := strings.Cut(r.URL.Path, "/publishers/anthropic/models/")
	if !ok {
		return "", false
	}
	if model, ok = strings.CutSuffix(last, ":streamRawPredict"); !ok {
		model, ok = strings.CutSuffix(last, ":rawPredict")
	}
	return model, ok && model != ""
}

// An anthropicMessage is one attempt being answered, as a stream or as one reply.
type anthropicMessage struct {
	eventWriter
	fake    *anthropic
	request anthropicRequest
	input   inputTokens
	index   int  // of the block that is open
	pinged  bool // a ping follows the first start of a block
}

func newAnthropicMessage(a *attempt, f *anthropic) *anthropicMessage {
	m := &anthropicMessage{eventWriter: eventWriter{attempt: a}, fake: f}
	m.w.Header().Set("Request-Id", m.id("req_011C"))
	m.w.Header().Set("Anthropic-Organization-Id", "00000000-0000-4000-a000-000000000000")
	return m
}

// read implements [dialect].
func (m *anthropicMessage) read(body []byte) (maxTokens *int, refusal string) {
	model, vertex := anthropicModel(m.r)
	m.request, refusal = readAnthropic(body, vertex)
	if vertex {
		m.request.Model = model
	}
	return m.request.MaxTokens, refusal
}

// anthropicErrors are Anthropic's errors, by the nearest of Bedrock's.
var anthropicErrors = map[Exception]struct {
	status        int
	name, message string
}{
	Validation:           {http.StatusBadRequest, "invalid_request_error", "Invalid request data"},
	ServiceQuotaExceeded: {http.StatusPaymentRequired, "billing_error", "Your credit balance is too low to access the Anthropic API."},
	UnrecognizedClient:   {http.StatusUnauthorized, "authentication_error", "invalid x-api-key"},
	ExpiredToken:         {http.StatusUnauthorized, "authentication_error", "OAuth token has expired."},
	AccessDenied:         {http.StatusForbidden, "permission_error", "Your API key does not have permission to use the specified resource."},
	ResourceNotFound:     {http.StatusNotFound, "not_found_error", "model: not found"},
	UnknownOperation:     {http.StatusNotFound, "not_found_error", "Not Found"},
	Throttling:           {http.StatusTooManyRequests, "rate_limit_error", "This request would exceed your organization's rate limit."},
	InternalServer:       {http.StatusInternalServerError, "api_error", "Internal server error"},
	ModelError:           {http.StatusInternalServerError, "api_error", "Internal server error"},
	ModelStreamError:     {http.StatusInternalServerError, "api_error", "Internal server error"},
	ModelNotReady:        {http.StatusInternalServerError, "api_error", "Internal server error"},
	ModelTimeout:         {http.StatusGatewayTimeout, "timeout_error", "Request timed out"},
	ServiceUnavailable:   {statusOverloaded, "overloaded_error", "Overloaded"},
}

const statusOverloaded = 529

// refuse implements [dialect].
func (m *anthropicMessage) refuse(e Exception, message string, retryAfter time.Duration) {
	if retryAfter > 0 {
		seconds := (retryAfter + time.Second - 1) / time.Second
		m.w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	m.serviceTime(time.Since(m.start))
	status, name, message := anthropicError(e, message)
	writeAnthropicError(m.w, status, name, message)
}

// anthropicError translates an exception. Its usual message is translated too.
func anthropicError(e Exception, message string) (status int, name, text string) {
	known, ok := anthropicErrors[e]
	switch {
	case !ok:
		return http.StatusInternalServerError, string(e), message
	case message == e.Message():
		message = known.message
	}
	return known.status, known.name, message
}

// writeAnthropicError sends an error as the whole response.
func writeAnthropicError(w http.ResponseWriter, status int, name, message string) {
	body := anthropicErrorJSON(w.Header().Get("Request-Id"), name, message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// anthropicErrorJSON is the JSON of an error, the same before and in a stream.
func anthropicErrorJSON(requestID, name, message string) json.RawMessage {
	report := ordered("type", name, "message", message)
	if requestID == "" {
		return ordered("type", "error", "error", report)
	}
	return ordered("type", "error", "error", report, "request_id", requestID)
}

// serviceTime sets the header that tells how long the server took until the head.
func (m *anthropicMessage) serviceTime(d time.Duration) {
	m.w.Header().Set("X-Envoy-Upstream-Service-Time", strconv.FormatInt(d.Milliseconds(), 10))
}

// limits sets the headers that tell what is left of the caller's rate limits. An
// answer to a script uses nothing up.
func (m *anthropicMessage) limits() {
	reset := m.start.UTC().Truncate(time.Second).Format(time.RFC3339)
	for _, limit := range []struct {
		name string
		n    int
	}{{"Requests", 4_000}, {"Input-Tokens", 2_000_000}, {"Output-Tokens", 400_000}, {"Tokens", 2_400_000}} {
		prefix := "Anthropic-Ratelimit-" + limit.name
		m.w.Header().Set(prefix+"-Limit", strconv.Itoa(limit.n))
		m.w.Header().Set(prefix+"-Remaining", strconv.Itoa(limit.n))
		m.w.Header().Set(prefix+"-Reset", reset)
	}
}

// id returns a name that no other attempt has.
func (m *anthropicMessage) id(prefix string) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	random := make([]byte, 20)
	for i := range random {
		random[i] = alphabet[m.names.IntN(len(alphabet))]
	}
	return prefix + string(random)
}

// ordered returns the JSON of an object whose members, a name and a value each, are
// in this order.
func ordered(members ...any) json.RawMessage {
	var b bytes.Buffer
	for i := 0; i < len(members); i += 2 {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b.WriteByte(separator)
		b.Write(mustJSON(members[i]))
		b.WriteByte(':')
		b.Write(mustJSON(members[i+1]))
	}
	b.WriteByte('}')
	return b.Bytes()
}
