package fakes

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Gemini returns a fake of Google's generateContent, as the Gemini API and Vertex
// AI serve it, that follows the script. It serves
//
//	POST /{version}/models/{model}:streamGenerateContent
//	POST /{version}/models/{model}:generateContent
//	POST /{version}/projects/{project}/locations/{location}/publishers/google/models/{model}:…
//
// and the same below any prefix, with the events, headers, errors and JSON of the
// real one: lines end in CRLF, nothing but data is sent (Google's SDK takes a
// comment for an error), and a stream without alt=sse is a JSON array. Requests are
// checked as far as the fake understands them and refused at once where Google
// would refuse them. Keys and tokens are not checked, and every model exists.
//
// Usage is cumulative and comes with each chunk; from Vertex AI with the last one
// only. Four bytes of text are one token of input. The cache is implicit: all parts
// of a prompt that came before, up to the last part, in the same order, within five
// minutes, are read from it. Thoughts are sent unless the request says
// "includeThoughts": false, and counted in any case. A function call comes in one
// piece, with what the script has as the last piece of its arguments; one that the
// request's maximum of tokens cuts short does not come at all.
//
// An exception of Bedrock's stands for the status that comes nearest to it:
// [Throttling] for RESOURCE_EXHAUSTED (429), [ServiceUnavailable] for UNAVAILABLE
// (503), [Validation] for INVALID_ARGUMENT (400) and so on. The hint of [Refuse] is
// a retryDelay among the details, and in no header. [Throw] ends a stream with bare
// JSON after the last event, [ThrowUnmodelled] with an error as data. There is no
// padding.
//
// Gemini panics when the script makes no sense.
func Gemini(s Script) http.Handler {
	g := &gemini{endpoint: newEndpoint(s)}
	serve := g.handler(func(a *attempt) dialect { return newGeminiReply(a, g) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !geminiPath.MatchString(r.URL.Path) {
			a := &geminiReply{attempt: &attempt{w: w, r: r}}
			a.refuse(UnknownOperation, UnknownOperation.Message(), 0)
			return
		}
		serve(w, r)
	})
}

// geminiPath finds what makes it Vertex AI, the model, and what tells a stream.
var geminiPath = regexp.MustCompile(`/v[0-9][a-z0-9]*(/projects/[^/]+/locations/[^/]+/publishers/google)?/models/([^/]+):(streamG|g)enerateContent$`)

type gemini struct {
	*endpoint
	cache promptCache
}

// A geminiReply is one attempt being answered.
type geminiReply struct {
	*attempt
	gemini  *gemini
	vertex  bool
	model   string
	streams bool
	sse     bool // as server-sent events, not as an array
	id      string
	request geminiRequest
	input   inputTokens
	chunks  int // sent so far
}

func newGeminiReply(a *attempt, g *gemini) *geminiReply {
	match := geminiPath.FindStringSubmatch(a.r.URL.Path)
	random := binary.BigEndian.AppendUint64(nil, a.names.Uint64())
	random = binary.BigEndian.AppendUint64(random, a.names.Uint64())
	return &geminiReply{
		attempt: a, gemini: g,
		vertex: match[1] != "", model: match[2], streams: match[3] == "streamG",
		sse: a.r.URL.Query().Get("alt") == "sse",
		id:  base64.RawURLEncoding.EncodeToString(random),
	}
}

// read implements [dialect].
func (g *geminiReply) read(body []byte) (maxTokens *int, refusal string) {
	g.request, refusal = readGemini(body)
	return g.request.Config.MaxOutputTokens, refusal
}

// geminiErrors are Google's errors, by the nearest of Bedrock's.
var geminiErrors = map[Exception]struct {
	code            int
	status, message string
}{
	Validation:           {http.StatusBadRequest, "INVALID_ARGUMENT", "Request contains an invalid argument."},
	ServiceQuotaExceeded: {http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."},
	UnrecognizedClient:   {http.StatusBadRequest, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."},
	ExpiredToken:         {http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials."},
	AccessDenied:         {http.StatusForbidden, "PERMISSION_DENIED", "The caller does not have permission"},
	ResourceNotFound:     {http.StatusNotFound, "NOT_FOUND", "The model is not found for API version v1beta, or is not supported for generateContent."},
	UnknownOperation:     {http.StatusNotFound, "NOT_FOUND", "Requested entity was not found."},
	Throttling:           {http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."},
	InternalServer:       {http.StatusInternalServerError, "INTERNAL", "An internal error has occurred. Please retry."},
	ModelError:           {http.StatusInternalServerError, "INTERNAL", "An internal error has occurred. Please retry."},
	ModelStreamError:     {http.StatusInternalServerError, "INTERNAL", "An internal error has occurred. Please retry."},
	ModelNotReady:        {http.StatusServiceUnavailable, "UNAVAILABLE", "The service is currently unavailable."},
	ServiceUnavailable:   {http.StatusServiceUnavailable, "UNAVAILABLE", "The model is overloaded. Please try again later."},
	ModelTimeout:         {http.StatusGatewayTimeout, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
}

// geminiError returns the JSON of an exception, and its code. Its usual message is
// translated too.
func geminiError(e Exception, message string, retryAfter time.Duration) (code int, body json.RawMessage) {
	known, ok := geminiErrors[e]
	switch {
	case !ok:
		known.code, known.status = http.StatusInternalServerError, string(e)
	case message == e.Message():
		message = known.message
	}
	members := []any{"code", known.code, "message", message, "status", known.status}
	if retryAfter > 0 {
		seconds := strconv.FormatFloat(retryAfter.Seconds(), 'f', -1, 64)
		members = append(members, "details", []json.RawMessage{
			ordered("@type", "type.googleapis.com/google.rpc.RetryInfo", "retryDelay", seconds+"s"),
		})
	}
	return known.code, ordered("error", ordered(members...))
}

// refuse implements [dialect]. The error of a stream that is an array is one.
func (g *geminiReply) refuse(e Exception, message string, retryAfter time.Duration) {
	code, body := geminiError(e, message, retryAfter)
	if g.streams && !g.sse {
		body = mustJSON([]json.RawMessage{body})
	}
	g.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	g.w.WriteHeader(code)
	_, _ = g.w.Write(body)
}
