package fakes

import (
	"net/http"
	"strconv"
	"time"
)

// Bedrock returns a fake of Amazon Bedrock's runtime that follows the script. It
// serves
//
//	POST /model/{id}/converse-stream
//	POST /model/{id}/converse
//	POST /model/{id}/invoke-with-response-stream
//	POST /model/{id}/invoke
//
// with the events, headers, errors and JSON of the real one. Requests are
// checked as far as the fake understands them and refused at once where Bedrock
// would refuse them. Signatures are not checked, and every model exists.
//
// The latter two speak as the model does, whose family its id tells, or where it
// does not, as an ARN, the request: Anthropic, Nova, Llama, Titan, Cohere, Mistral,
// and those that take OpenAI's chat completions. Families that know text alone send
// reasoning and tool calls as text.
//
// Tokens are counted as follows: four bytes of text are one of input; what
// precedes a cache point is written to the prompt cache by the first request that
// arrives with it, and read by others until it was not used for its time to
// live; the output is the script's.
//
// Bedrock panics when the script makes no sense.
func Bedrock(s Script) http.Handler {
	b := &bedrock{endpoint: newEndpoint(s)}
	mux := http.NewServeMux()
	mux.Handle("POST /model/{id}/converse-stream", b.converse(false))
	mux.Handle("POST /model/{id}/converse", b.converse(true))
	mux.Handle("POST /model/{id}/invoke-with-response-stream", b.invoke(false))
	mux.Handle("POST /model/{id}/invoke", b.invoke(true))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		(&aws{&attempt{w: w, r: r}}).refuse(UnknownOperation, UnknownOperation.Message(), 0)
	})
	return mux
}

type bedrock struct {
	*endpoint
	cache promptCache
}

func (b *bedrock) converse(reply bool) http.HandlerFunc {
	return b.handler(func(a *attempt) dialect {
		a.w.Header().Set("X-Amzn-Requestid", a.uuid())
		return &converse{aws: aws{a}, bedrock: b, reply: reply}
	})
}

func (b *bedrock) invoke(reply bool) http.HandlerFunc {
	return b.handler(func(a *attempt) dialect {
		a.w.Header().Set("X-Amzn-Requestid", a.uuid())
		return &invocation{aws: aws{a}, bedrock: b, reply: reply}
	})
}

// aws is what the APIs of AWS have in common: how they refuse.
type aws struct{ *attempt }

// refuse implements [dialect]. The type comes in the long form that Bedrock uses,
// of which clients must keep what precedes the colon.
func (a *aws) refuse(e Exception, message string, retryAfter time.Duration) {
	if retryAfter > 0 {
		a.w.Header().Set("X-Amz-Retry-After", strconv.FormatInt(retryAfter.Milliseconds(), 10))
	}
	a.w.Header().Set("X-Amzn-Errortype", string(e)+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	a.writeError(e.Status(), e.payload(message))
}
