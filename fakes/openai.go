package fakes

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// OpenAI returns a fake of OpenAI's API, and of Azure's, that follows the script.
// It serves, with any prefix,
//
//	POST .../chat/completions
//	POST .../responses
//	POST .../openai/deployments/{deployment}/chat/completions
//
// with the events, headers, errors and JSON of the real ones, streamed or whole.
// Requests are checked as far as the fake understands them and refused at once
// where the API would refuse them. Keys are not checked, and every model exists.
//
// Reasoning is streamed, which OpenAI itself does only as a summary: as
// reasoning_content in chat completions, as the other servers do, and as
// response.reasoning_text.delta in responses. Padding adds "obfuscation". An
// exception thrown into a stream is the API's own error: in responses, one that is
// modelled comes as response.failed, one that is not as an event named error.
//
// Tokens are counted as follows: four bytes of text are one of input, of which the
// longest prefix that was sent before is cached, in blocks of 128 tokens, from 1,024
// on, for five minutes from its last use; the output is the script's.
//
// OpenAI panics when the script makes no sense.
func OpenAI(s Script) http.Handler { return newOpenAI(s, nil) }

type openAI struct {
	*endpoint
	cache  prefixCache
	quirks *Quirks // nil with OpenAI itself
}

func newOpenAI(s Script, q *Quirks) http.Handler {
	o := &openAI{endpoint: newEndpoint(s), quirks: q}
	chat := o.handler(func(a *attempt) dialect { return &openAIChat{openAIAttempt: o.attempt(a)} })
	responses := o.handler(func(a *attempt) dialect { return &openAIResponses{openAIAttempt: o.attempt(a)} })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/chat/completions"):
			chat(w, r)
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/responses") && q == nil:
			responses(w, r)
		default:
			a := &openAIAttempt{attempt: &attempt{w: w, r: r}}
			a.refuse(UnknownOperation, "Invalid URL ("+r.Method+" "+r.URL.Path+")", 0)
		}
	})
}

// An openAIAttempt is what the APIs have in common: how requests are named, how
// they are refused.
type openAIAttempt struct {
	*attempt
	server *openAI
	azure  bool // by the path of a deployment
}

func (o *openAI) attempt(a *attempt) *openAIAttempt {
	t := &openAIAttempt{attempt: a, server: o, azure: strings.Contains(a.r.URL.Path, "/openai/deployments/")}
	h := a.w.Header()
	switch {
	case t.azure:
		h.Set("Apim-Request-Id", a.uuid())
		h.Set("X-Request-Id", a.uuid())
		h.Set("X-Ms-Region", "Sweden Central")
	case o.quirks == nil:
		h.Set("X-Request-Id", "req_"+t.name(32))
		h.Set("Openai-Version", "2020-10-01")
		h.Set("Openai-Organization", "fake")
	}
	return t
}

// name returns a name of n characters that no other attempt has.
func (a *openAIAttempt) name(n int) string { return randomName(a.names, n) }

func randomName(r *rand.Rand, n int) string {
	const alphabet = "0123456789abcdef"
	name := make([]byte, n)
	for i := range name {
		name[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(name)
}

// head sets the headers of a reply that begins after so long.
func (a *openAIAttempt) head(contentType string, after time.Duration, in int) {
	h := a.w.Header()
	h.Set("Content-Type", contentType)
	if a.server.quirks != nil {
		return
	}
	const requests, tokens = 10_000, 2_000_000 // a minute
	h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(requests))
	h.Set("X-Ratelimit-Limit-Tokens", strconv.Itoa(tokens))
	h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(requests-1))
	h.Set("X-Ratelimit-Remaining-Tokens", strconv.Itoa(tokens-in))
	if !a.azure {
		h.Set("X-Ratelimit-Reset-Requests", "6ms")
		h.Set("X-Ratelimit-Reset-Tokens", (time.Duration(in) * time.Minute / tokens).Round(time.Millisecond).String())
		h.Set("Openai-Processing-Ms", strconv.FormatInt(after.Milliseconds(), 10))
	}
}

const eventStreamUTF8 = "text/event-stream; charset=utf-8"

// refuse implements [dialect].
func (a *openAIAttempt) refuse(e Exception, message string, retryAfter time.Duration) {
	if retryAfter > 0 {
		h := a.w.Header()
		h.Set("Retry-After-Ms", strconv.FormatInt(retryAfter.Milliseconds(), 10))
		h.Set("Retry-After", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10))
	}
	report := openAIErrorOf(e, message)
	fields := object{"error": report.fields()}
	if azure, known := azureCodes[e]; known && a.azure {
		fields = object{"error": object{"code": azure, "message": report.message}}
	}
	a.writeError(report.status, fields)
}

// refuseWhole answers a request for a reply in one piece that ends in an
// exception, and reports whether it does.
func (a *openAIAttempt) refuseWhole() bool {
	switch e := a.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		a.refuse(exception, exception.Message(), 0)
		return true
	case ThrowUnmodelled:
		a.refuse(Exception(e.code()), e.Message, 0)
		return true
	}
	return false
}

// reasoningTokens returns how many tokens of the answer reason.
func (a *openAIAttempt) reasoningTokens() int {
	tokens := 0
	for _, c := range a.Content {
		if c.Channel == Reasoning {
			tokens += c.Tokens
		}
	}
	return tokens
}
