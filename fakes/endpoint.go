package fakes

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/latgate/latgate/fakes/clock"
	"github.com/latgate/latgate/providers/wire"
)

// An endpoint is what the fakes of all protocols have in common: it numbers the
// requests and plays the script for each attempt.
type endpoint struct {
	script Script

	mu       sync.Mutex
	arrivals int
	attempts map[int]int // so far, by request number
}

// newEndpoint panics when the script makes no sense.
func newEndpoint(s Script) *endpoint {
	s.check()
	return &endpoint{script: s, attempts: make(map[int]int)}
}

// number returns which request r is, and which attempt at it.
func (e *endpoint) number(r *http.Request) (request, attempt int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	request, err := strconv.Atoi(r.Header.Get(wire.SampleHeader))
	if err != nil {
		request = e.arrivals
		e.arrivals++
	}
	attempt = e.attempts[request]
	e.attempts[request]++
	return request, attempt
}

// A dialect answers one attempt in the words of its protocol. All that is said of
// times, lengths and faults is in the attempt.
type dialect interface {
	// read understands the request's body. A refusal is why the real endpoint
	// would not take it, maxTokens the request's own limit of tokens, if it has one.
	read(body []byte) (maxTokens *int, refusal string)

	// refuse sends an error as the whole response, now. retryAfter is a hint to
	// send along where it is above 0.
	refuse(e Exception, message string, retryAfter time.Duration)

	// answer sends the reply, streamed or whole, with what ends it early.
	answer()
}

// handler serves a protocol: speak makes the dialect of an attempt, and may set
// response headers.
func (e *endpoint) handler(speak func(*attempt) dialect) http.HandlerFunc {
	const maxBody = 25_000_000 // bytes, Bedrock's own limit
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		a := &attempt{script: e.script, w: w, r: r, ctx: r.Context(), start: time.Now(), alarm: clock.NewAlarm(r.Context())}
		defer a.alarm.Stop()
		request, number := e.number(r)
		a.names = e.script.random(drawNames, request, number)
		a.padding = e.script.random(drawPadding, request, number)
		d := speak(a)
		if err != nil {
			d.refuse(Validation, err.Error(), 0)
			return
		}
		maxTokens, refusal := d.read(body)
		if refusal != "" {
			d.refuse(Validation, refusal, 0)
			return
		}
		a.Schedule = e.script.Schedule(request, number)
		if maxTokens != nil {
			a.Schedule = a.Limit(*maxTokens)
		}
		switch e := a.ending.(type) {
		case Hang:
			<-a.ctx.Done()
		case Refuse:
			if a.wait(a.End) {
				exception := e.Exception.orThrottling()
				d.refuse(exception, exception.Message(), e.RetryAfter)
			}
		default:
			d.answer()
		}
	}
}
