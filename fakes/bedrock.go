package fakes

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// Bedrock returns a fake of Amazon Bedrock's runtime that follows the script. It
// serves
//
//	POST /model/{id}/converse-stream
//	POST /model/{id}/converse
//
// with the events, headers, errors and JSON of the real one. Requests are
// checked as far as the fake understands them and refused at once where Bedrock
// would refuse them. Signatures are not checked, and every model exists.
//
// Tokens are counted as follows: four bytes of text are one of input; what
// precedes a cache point is written to the prompt cache by the first request that
// arrives with it, and read by others until it was not used for its time to
// live; the output is the script's.
//
// Bedrock panics when the script makes no sense.
func Bedrock(s Script) http.Handler {
	s.check()
	b := &bedrock{script: s, attempts: make(map[int]int)}
	mux := http.NewServeMux()
	mux.Handle("POST /model/{id}/converse-stream", b.answering((*converse).stream))
	mux.Handle("POST /model/{id}/converse", b.answering((*converse).reply))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, UnknownOperation, UnknownOperation.Message())
	})
	return mux
}

type bedrock struct {
	script Script
	cache  promptCache

	mu       sync.Mutex
	arrivals int
	attempts map[int]int // so far, by request number
}

// number returns which request r is, and which attempt at it.
func (b *bedrock) number(r *http.Request) (request, attempt int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	request, err := strconv.Atoi(r.Header.Get(wire.SampleHeader))
	if err != nil {
		request = b.arrivals
		b.arrivals++
	}
	attempt = b.attempts[request]
	b.attempts[request]++
	return request, attempt
}

func (b *bedrock) answering(answer func(*converse)) http.HandlerFunc {
	const maxBody = 25_000_000 // bytes, Bedrock's own limit
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		start := time.Now()
		c := &converse{script: b.script, w: w, ctx: r.Context(), start: start}
		request, attempt := b.number(r)
		c.names = b.script.random(drawNames, request, attempt)
		c.padding = b.script.random(drawPadding, request, attempt)
		w.Header().Set("X-Amzn-Requestid", c.requestID())
		if err != nil {
			refuse(w, Validation, err.Error())
			return
		}
		var refusal string
		if c.prompt, refusal = readPrompt(body); refusal != "" {
			refuse(w, Validation, refusal)
			return
		}
		c.Schedule = b.script.Schedule(request, attempt)
		if n := c.prompt.InferenceConfig.MaxTokens; n != nil {
			c.Schedule = c.Limit(*n)
		}
		switch e := c.ending.(type) {
		case Hang:
			<-c.ctx.Done()
		case Refuse:
			if !c.wait(c.End) {
				return
			}
			if e.RetryAfter > 0 {
				w.Header().Set("X-Amz-Retry-After", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
			}
			exception := e.Exception.orThrottling()
			refuse(w, exception, exception.Message())
		default:
			c.input = b.cache.count(r.PathValue("id"), c.prompt)
			answer(c)
		}
	}
}
