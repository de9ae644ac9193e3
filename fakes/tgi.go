package fakes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// TGI returns a fake of Hugging Face's text-generation-inference that follows the
// script. It serves, with any prefix,
//
//	POST .../generate_stream
//	POST .../generate
//
// and POST /, where the body says which of the two it is. All content is text to
// this API: reasoning and the arguments of tools come as the model writes them. An
// answer that ends by itself ends in a special token; one that the request's maximum
// of tokens cuts short has its last token in the last event, as the real one does.
//
// Errors of the server itself come inside of a stream, at status 200. Those with a
// time to wait are of a gateway before it, which has a status and Retry-After.
//
// Four bytes of text are one token of input; the output is the script's. TGI panics
// when the script makes no sense.
func TGI(s Script) http.Handler {
	e := newEndpoint(s)
	generate := e.handler(func(a *attempt) dialect { return newTGI(a) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := r.URL.Path == "/" || strings.HasSuffix(r.URL.Path, "/generate_stream") || strings.HasSuffix(r.URL.Path, "/generate")
		switch {
		case !served:
			w.WriteHeader(http.StatusNotFound)
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			generate(w, r)
		}
	})
}

// A tgi is one attempt being answered.
type tgi struct {
	*attempt
	request tgiRequest
	index   int // of the token sent last, from 1
	text    strings.Builder
}

func newTGI(a *attempt) *tgi {
	t := &tgi{attempt: a}
	t.request.Stream = strings.HasSuffix(a.r.URL.Path, "/generate_stream")
	return t
}

type tgiRequest struct {
	Inputs     *string `json:"inputs"`
	Stream     bool    `json:"stream"` // at the path / alone
	Parameters struct {
		MaxNewTokens *int     `json:"max_new_tokens"`
		Details      bool     `json:"details"`
		Temperature  *float64 `json:"temperature"`
		TopP         *float64 `json:"top_p"`
		TopK         *int     `json:"top_k"`
	} `json:"parameters"`
}

// read implements [dialect].
func (t *tgi) read(body []byte) (maxTokens *int, refusal string) {
	stream := t.request.Stream
	if err := json.Unmarshal(body, &t.request); err != nil {
		return nil, "Failed to parse the request body as JSON: " + err.Error()
	}
	if t.r.URL.Path != "/" {
		t.request.Stream = stream
	}
	p := t.request.Parameters
	const invalid = "Input validation error: "
	switch {
	case t.request.Inputs == nil:
		return nil, "Failed to deserialize the JSON body into the target type: missing field `inputs`"
	case *t.request.Inputs == "":
		return nil, invalid + "`inputs` cannot be empty"
	case p.MaxNewTokens != nil && *p.MaxNewTokens <= 0:
		return nil, invalid + "`max_new_tokens` must be strictly positive"
	case p.Temperature != nil && *p.Temperature <= 0:
		return nil, invalid + "`temperature` must be strictly positive"
	case p.TopP != nil && (*p.TopP <= 0 || *p.TopP >= 1):
		return nil, invalid + "`top_p` must be > 0.0 and < 1.0"
	case p.TopK != nil && *p.TopK <= 0:
		return nil, invalid + "`top_k` must be strictly positive"
	}
	return p.MaxNewTokens, ""
}

func (t *tgi) inputTokens() int {
	const bytesPerToken = 4
	return max(1, len(*t.request.Inputs)/bytesPerToken)
}

// answer implements [dialect].
func (t *tgi) answer() {
	t.w.Header().Set("X-Compute-Type", "1-fake")
	t.w.Header().Set("X-Compute-Characters", strconv.Itoa(len([]rune(*t.request.Inputs))))
	if t.request.Stream {
		t.stream()
	} else {
		t.whole()
	}
}

func (t *tgi) stream() {
	t.begin(t.Head)
	for i, content := range t.Content {
		t.index += content.Tokens
		t.text.WriteString(content.Text)
		last := t.Limited && i == len(t.Content)-1 && t.ending == nil
		t.send(content.At, t.token(content.Text, false, last))
	}
	switch e := t.ending.(type) {
	case Throw:
		t.send(t.End, tgiErrorOf(e.Exception.orThrottling(), "").fields())
	case ThrowUnmodelled:
		t.send(t.End, tgiErrorOf(Exception(e.code()), e.Message).fields())
	case Cut:
		t.index++
		t.writeCut(t.End, e.At, t.event(t.token(words(0, 8), false, false)))
	default:
		if t.Limited && len(t.Content) > 0 {
			t.wait(t.End)
			return
		}
		t.index++
		t.send(t.End, t.token("</s>", true, true))
	}
}

// begin sends the head of a stream at its time.
func (t *tgi) begin(at time.Duration) {
	t.w.Header().Set("Content-Type", "text/event-stream")
	t.w.Header().Set("X-Accel-Buffering", "no")
	t.w.Header().Set("Cache-Control", "no-cache")
	t.write(at, nil)
}

// event returns the bytes of an event, which has no space before its data.
func (t *tgi) event(fields object) []byte {
	return append(append([]byte("data:"), mustJSON(fields)...), "\n\n"...)
}

func (t *tgi) send(at time.Duration, fields object) { t.write(at, t.event(fields)) }

// token returns an event, the last of which has all that was generated.
func (t *tgi) token(text string, special, last bool) object {
	fields := object{
		"index":          t.index,
		"token":          object{"id": t.index, "text": text, "logprob": -0.5, "special": special},
		"generated_text": nil,
		"details":        nil,
	}
	if last {
		fields["generated_text"] = t.text.String()
		if details := t.details(); details != nil {
			details["input_length"] = t.inputTokens()
			fields["details"] = details
		}
	}
	return fields
}

// details returns the usage record where it is asked for, nil otherwise.
func (t *tgi) details() object {
	if !t.request.Parameters.Details || has[NoUsage](t.Schedule) {
		return nil
	}
	reason := "eos_token"
	if t.Limited {
		reason = "length"
	}
	return object{"finish_reason": reason, "generated_tokens": t.Tokens(), "seed": nil}
}

func (t *tgi) whole() {
	if !t.wait(t.End) {
		return
	}
	switch e := t.ending.(type) {
	case Throw:
		t.refuse(e.Exception.orThrottling(), e.Exception.orThrottling().Message(), 0)
		return
	case ThrowUnmodelled:
		t.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	for _, content := range t.Content {
		t.text.WriteString(content.Text)
	}
	reply := object{"generated_text": t.text.String()}
	if details := t.details(); details != nil {
		details["prefill"], details["tokens"] = []object{}, []object{}
		reply["details"] = details
	}
	t.times()
	if _, cut := t.ending.(Cut); t.r.URL.Path == "/" && !cut {
		t.w.Header().Set("Content-Type", "application/json")
		t.write(t.End, mustJSON([]object{reply})) // a list, there
		return
	}
	t.writeWhole(reply)
}

// times sets the clocks and counts of a whole reply.
func (t *tgi) times() {
	ms := func(name string, d time.Duration) { t.w.Header().Set(name, strconv.FormatInt(d.Milliseconds(), 10)) }
	ms("X-Total-Time", t.End)
	ms("X-Validation-Time", 0)
	ms("X-Queue-Time", 0)
	ms("X-Inference-Time", t.End)
	ms("X-Time-Per-Token", t.End/time.Duration(max(1, t.Tokens())))
	t.w.Header().Set("X-Compute-Time", fmt.Sprint(t.End.Seconds()))
	if !has[NoUsage](t.Schedule) {
		t.w.Header().Set("X-Prompt-Tokens", strconv.Itoa(t.inputTokens()))
		t.w.Header().Set("X-Generated-Tokens", strconv.Itoa(t.Tokens()))
	}
}

// refuse implements [dialect].
func (t *tgi) refuse(e Exception, message string, retryAfter time.Duration) {
	if message == e.Message() {
		message = ""
	}
	report := tgiErrorOf(e, message)
	switch {
	case retryAfter > 0:
		t.w.Header().Set("Retry-After", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10))
	case t.request.Stream && report.ofServer && t.request.Inputs != nil:
		t.begin(0)
		t.send(0, report.fields())
		return
	}
	t.writeError(report.status, report.fields())
}

// A tgiError is an error in the server's words, or those of the gateway before it.
type tgiError struct {
	status        int
	kind, message string
	ofServer      bool
}

var tgiErrors = map[Exception]tgiError{
	Validation:           {http.StatusUnprocessableEntity, "validation", "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096", true},
	ServiceQuotaExceeded: {http.StatusBadRequest, "quota", "You have exceeded your quota", false},
	AccessDenied:         {http.StatusForbidden, "forbidden", "You do not have access to this endpoint", false},
	UnrecognizedClient:   {http.StatusUnauthorized, "unauthorized", "Invalid token", false},
	ExpiredToken:         {http.StatusUnauthorized, "unauthorized", "Expired token", false},
	ResourceNotFound:     {http.StatusNotFound, "not_found", "No such endpoint", false},
	UnknownOperation:     {http.StatusNotFound, "not_found", "Not Found", false},
	ModelTimeout:         {http.StatusGatewayTimeout, "timeout", "The endpoint did not answer in time", false},
	ModelError:           {http.StatusFailedDependency, "generation", "Request failed during generation: Server error: CUDA out of memory", true},
	ModelStreamError:     {http.StatusInternalServerError, "incomplete_generation", "Incomplete generation", true},
	Throttling:           {http.StatusTooManyRequests, "overloaded", "Model is overloaded", true},
	ModelNotReady:        {http.StatusServiceUnavailable, "loading", "The endpoint is starting", false},
	InternalServer:       {http.StatusFailedDependency, "generation", "Request failed during generation: Server error", true},
	ServiceUnavailable:   {http.StatusTooManyRequests, "overloaded", "Model is overloaded", true},
}

// tgiErrorOf returns the error for an exception. An empty message is the error's own.
func tgiErrorOf(e Exception, message string) tgiError {
	report, known := tgiErrors[e]
	if !known {
		report = tgiError{http.StatusInternalServerError, string(e), string(e), false}
	}
	if message != "" {
		report.message = message
	}
	return report
}

func (e tgiError) fields() object { return object{"error": e.message, "error_type": e.kind} }
