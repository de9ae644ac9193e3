package wire

import (
	"context"
	"sync"
	"time"
)

// SampleHeader carries the number of the sample a request belongs to, on
// in-memory networks only: it ties a fake's random draws to the sample, so that
// a seed gives the same times whatever order goroutines run in.
const SampleHeader = "X-Latgate-Sample"

// A Capture collects the exchanges of one operation: every HTTP attempt made
// under its context through a [Transport]. It is safe for concurrent use.
type Capture struct {
	number int

	mu        sync.Mutex
	exchanges []*Exchange
	open      sync.WaitGroup
}

type captureKey struct{}

// NewCapture returns an empty capture for the sample of this number, counted
// from 0 over a whole run.
func NewCapture(number int) *Capture { return &Capture{number: number} }

// Context returns a context that ties requests made with it to c.
func (c *Capture) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, captureKey{}, c)
}

// Exchanges waits until every exchange begun so far has ended and returns them
// in the order in which they began.
func (c *Capture) Exchanges() []*Exchange {
	c.open.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*Exchange(nil), c.exchanges...)
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

// begin starts the clock of a new exchange. Its end must be reported to c.open.
func (c *Capture) begin() *Exchange {
	x := &Exchange{}
	c.mu.Lock()
	c.exchanges = append(c.exchanges, x)
	c.open.Add(1)
	c.mu.Unlock()
	x.Call = time.Now()
	return x
}
