package wire

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// SampleHeader carries the number of the sample a request belongs to, on
// in-memory networks only: it ties a fake's random draws to the sample, so that
// a seed gives the same times whatever order goroutines run in.
const SampleHeader = "X-Latgate-Sample"

// ErrOperationEnded refuses a request made under a [Capture] whose exchanges
// have been asked for: nobody would see it.
var ErrOperationEnded = errors.New("wire: the operation this request belongs to has ended")

// A Capture collects the exchanges of one operation: every HTTP attempt made
// under its context through a [Transport]. It is safe for concurrent use.
type Capture struct {
	// DialAnew has each request made under the capture use a connection of its own,
	// so that setting one up is part of what is measured. Set it before the first
	// request.
	DialAnew bool

	// Below, where not nil, is put between the [Transport] and what makes its requests:
	// a recorder of what is on the wire. Set it before the first request.
	Below func(base http.RoundTripper) http.RoundTripper

	number int

	mu        sync.Mutex
	exchanges []*Exchange
	open      int       // exchanges that have not ended
	idle      sync.Cond // open is 0
	sealed    bool
}

type captureKey struct{}

// NewCapture returns an empty capture for the sample of this number, counted
// from 0 over a whole run.
func NewCapture(number int) *Capture {
	c := &Capture{number: number}
	c.idle.L = &c.mu
	return c
}

// Context returns a context that ties requests made with it to c.
func (c *Capture) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, captureKey{}, c)
}

// Exchanges ends the operation: it waits until every exchange begun so far has
// ended and returns them in the order in which they began. A request made under
// c from now on, by a goroutine that was left behind, fails with
// [ErrOperationEnded].
func (c *Capture) Exchanges() []*Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	c.waitLocked()
	return append([]*Exchange(nil), c.exchanges...)
}

// waitLocked waits, releasing c.mu meanwhile, until no exchange is open.
func (c *Capture) waitLocked() {
	for c.open > 0 {
		c.idle.Wait()
	}
}

// CaptureOf returns the capture that ctx ties requests to, or nil.
func CaptureOf(ctx context.Context) *Capture {
	c, _ := ctx.Value(captureKey{}).(*Capture)
	return c
}

// SampleNumber returns the number of the sample that ctx belongs to.
func SampleNumber(ctx context.Context) (int, bool) {
	c := CaptureOf(ctx)
	if c == nil {
		return 0, false
	}
	return c.number, true
}

// begin starts the clock of a new exchange, whose end must be reported with end.
func (c *Capture) begin() (*Exchange, error) {
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return nil, ErrOperationEnded
	}
	x := &Exchange{}
	c.exchanges = append(c.exchanges, x)
	c.open++
	c.mu.Unlock()
	x.Call = time.Now()
	return x, nil
}

// end says that an exchange is complete: nobody writes to it any more.
func (c *Capture) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 {
		c.idle.Broadcast()
	}
}
