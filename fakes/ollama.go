package fakes

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Ollama returns a fake of Ollama's own API that follows the script. It serves
//
//	POST /api/chat
//	POST /api/generate
//
// and the same below any prefix, with the lines, headers and errors of the real
// one. Requests are checked as far as the fake understands them and refused at once
// where Ollama would refuse them. Every model exists and is loaded; a request
// without a prompt has nothing but that done.
//
// Four bytes of text are one token of input. The times of the last line are those of
// the script: prompt_eval_duration ends with the first content, eval_duration with
// the last line. A tool call comes in one piece, with what the script has as the last
// piece of its arguments; one that the request's maximum of tokens cuts short does
// not come at all. /api/generate knows no tools: there the arguments are text.
//
// An exception of Bedrock's stands for the status that comes nearest to it:
// [ServiceUnavailable] for the 503 of a server that has too many requests queued,
// [Throttling] for the 429 of ollama.com, [Validation] for 400 and so on; Ollama's
// errors have no names. The hint of [Refuse] is sent in whole seconds, rounded up.
// [Throw] and [ThrowUnmodelled] end a stream with a line that is an error, the
// latter's code in its message. There is no padding.
//
// Ollama panics when the script makes no sense.
func Ollama(s Script) http.Handler {
	e := newEndpoint(s)
	serve := e.handler(func(a *attempt) dialect {
		return &ollamaReply{attempt: a, generates: strings.HasSuffix(a.r.URL.Path, "/api/generate")}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := strings.HasSuffix(r.URL.Path, "/api/chat") || strings.HasSuffix(r.URL.Path, "/api/generate")
		switch {
		case !served:
			http.Error(w, "404 page not found", http.StatusNotFound)
		case r.Method != http.MethodPost:
			http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		default:
			serve(w, r)
		}
	})
}

// An ollamaReply is one attempt being answered.
type ollamaReply struct {
	*attempt
	generates bool
	request   ollamaRequest
}

// read implements [dialect].
func (o *ollamaReply) read(body []byte) (maxTokens *int, refusal string) {
	o.request, refusal = readOllama(body)
	return o.request.maxTokens(), refusal
}

// ollamaErrors are Ollama's errors, by the nearest of Bedrock's.
var ollamaErrors = map[Exception]struct {
	status  int
	message string
}{
	Validation:           {http.StatusBadRequest, "invalid request"},
	ServiceQuotaExceeded: {http.StatusPaymentRequired, "you've reached your weekly usage limit, please upgrade to continue"},
	UnrecognizedClient:   {http.StatusUnauthorized, "unauthorized"},
	ExpiredToken:         {http.StatusUnauthorized, "unauthorized"},
	AccessDenied:         {http.StatusForbidden, "forbidden"},
	ResourceNotFound:     {http.StatusNotFound, "model not found"},
	UnknownOperation:     {http.StatusNotFound, "not found"},
	Throttling:           {http.StatusTooManyRequests, "too many concurrent requests"},
	InternalServer:       {http.StatusInternalServerError, "llama runner process no longer running: 2"},
	ModelError:           {http.StatusInternalServerError, "an error was encountered while running the model: unexpected EOF"},
	ModelStreamError:     {http.StatusInternalServerError, "an error was encountered while running the model: unexpected EOF"},
	ModelNotReady:        {http.StatusInternalServerError, "llm server loading model"},
	ModelTimeout:         {http.StatusInternalServerError, "timed out waiting for llama runner to start"},
	ServiceUnavailable:   {http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded"},
}

// ollamaError translates an exception. Its usual message is translated too.
func ollamaError(e Exception, message string) (status int, body json.RawMessage) {
	known, ok := ollamaErrors[e]
	switch {
	case !ok:
		known.status, message = http.StatusInternalServerError, string(e)+": "+message
	case message == e.Message():
		message = known.message
	}
	return known.status, ordered("error", message)
}

// refuse implements [dialect].
func (o *ollamaReply) refuse(e Exception, message string, retryAfter time.Duration) {
	status, body := ollamaError(e, message)
	setRetryAfter(o.w.Header(), retryAfter)
	o.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	o.w.WriteHeader(status)
	_, _ = o.w.Write(body)
}

// An ollamaRequest is what the fake understands of a request. It lets members that
// it does not know through.
type ollamaRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Prompt  string `json:"prompt"`
	System  string `json:"system"`
	Stream  *bool  `json:"stream"`
	Options struct {
		NumPredict *int `json:"num_predict"`
	} `json:"options"`
	Tools []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
}

// readOllama returns the request in a body, or why Ollama would refuse it.
func readOllama(body []byte) (r ollamaRequest, refusal string) {
	if len(body) == 0 {
		return r, "missing request body"
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, err.Error()
	}
	if r.Model == "" {
		return r, "model is required"
	}
	for _, m := range r.Messages {
		switch m.Role {
		case "user", "assistant", "system", "tool":
		default:
			return r, `invalid role: "` + m.Role + `", role must be one of [system, user, assistant, tool]`
		}
	}
	return r, ""
}

// maxTokens returns the request's limit, which it does not have when it is negative.
func (r ollamaRequest) maxTokens() *int {
	if n := r.Options.NumPredict; n != nil && *n > 0 {
		return n
	}
	return nil
}

// input returns the tokens of the prompt.
func (r ollamaRequest) input() int {
	const bytesPerToken = 4
	bytes := len(r.Prompt) + len(r.System)
	for _, m := range r.Messages {
		bytes += len(m.Content)
	}
	return max(1, bytes/bytesPerToken)
}

// tool returns the name of the tool that an answer calls: the first on offer.
func (r ollamaRequest) tool() string {
	for _, t := range r.Tools {
		if t.Function.Name != "" {
			return t.Function.Name
		}
	}
	return defaultTool
}
