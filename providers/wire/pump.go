package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readSize is what each read of the network is offered: as much as one TLS
	// record or HTTP/2 frame mostly holds, and always the same, so that how a body
	// that is there at once falls into reads depends on nothing else.
	readSize = 16 << 10

	// linger is how long a server has to end the body after its terminal event.
	// The end is one round trip away at most, and mostly in the same packet.
	linger = 250 * time.Millisecond
)

// ErrBodyTooLarge is what a caller reads when a reply outgrew [Transport.MaxBody].
var ErrBodyTooLarge = errors.New("wire: the reply is larger than Transport.MaxBody; it was cut there")

// A pump drains a response body as fast as the network delivers it, marking
// the time of each read, and serves the caller from memory. Reading passively
// would time the consumer instead: SDKs hand events over unbuffered channels,
// so an application that takes 25 ms an event stretches 10 ms gaps to 25 ms.
//
// Between two reads the pump takes no lock and allocates nothing. It publishes how
// many bytes are there, and a caller that is behind copies them out; only one that
// has caught up, and says so, is woken.
type pump struct {
	source io.ReadCloser
	call   time.Time
	max    int64

	terminal  func(body []byte) bool // see Transport.Terminal; may be nil
	lingering *time.Timer            // set once the terminal event has come

	work    *workspace   // run's own
	arrived atomic.Int64 // bytes at the start of memory that have come and do not change any more
	waiting atomic.Bool  // the caller has caught up, and wants a token in wake
	wake    chan struct{}

	mu     sync.Mutex // held to replace memory, and by the caller to copy from it
	memory []byte

	ended  atomic.Bool // arrived is final, and so are these:
	ending Ending
	end    Instant
	err    error // what the caller reads after the last byte

	stopOnce sync.Once
	stopped  Ending // why stop closed the source; set before the source is closed
}

func newPump(source io.ReadCloser, call time.Time, maximum int64) *pump {
	work := newWorkspace()
	return &pump{
		source: source, call: call, max: maximum,
		work: work, memory: work.body, wake: make(chan struct{}, 1),
	}
}

// run reads to the end of the stream. Nothing is parsed here, and nothing is
// allocated except where the stream outgrows its workspace.
func (p *pump) run(ctx context.Context) {
	release := context.AfterFunc(ctx, func() { p.stop(EndContext) })
	defer release()
	var length int64
	for {
		n, err := p.source.Read(p.space(length))
		at := time.Since(p.call)
		if n > 0 {
			length += int64(n)
			p.work.marks = append(p.work.marks, Mark{End: length, At: at})
			p.arrived.Store(length)
			p.wakeCaller()
		}
		if err == nil && length > p.max {
			err = fmt.Errorf("%w (%d bytes)", ErrBodyTooLarge, p.max)
		}
		if err != nil {
			p.finish(ctx, At(at), err)
			return
		}
		if n > 0 && p.terminal != nil {
			p.awaitEnd(p.work.body[:length])
		}
	}
}

// awaitEnd looks for the terminal event, and ends a stream that has had it when
// no read follows for a while.
func (p *pump) awaitEnd(body []byte) {
	switch {
	case p.lingering != nil:
		p.lingering.Reset(linger)
	case p.terminal(body):
		p.lingering = time.AfterFunc(linger, func() { p.stop(EndTerminal) })
	}
}

// space returns where the read after the first length bytes goes.
func (p *pump) space(length int64) []byte {
	if int64(len(p.work.body))-length < readSize {
		outgrown := p.work.grow(length)
		p.serveFrom(p.work.body)
		bodies.put(outgrown)
	}
	return p.work.body[length : length+readSize]
}

// serveFrom has the caller served from memory, which holds what has arrived, and
// from nowhere else once it returns.
func (p *pump) serveFrom(memory []byte) {
	p.mu.Lock()
	p.memory = memory
	p.mu.Unlock()
}

// wakeCaller is called after there is more to see. A token that is left over from
// a caller that found it by itself makes it look once more, and no harm.
func (p *pump) wakeCaller() {
	if p.waiting.Load() && p.waiting.CompareAndSwap(true, false) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

func (p *pump) finish(ctx context.Context, at Instant, err error) {
	p.stop(EndEOF) // no-op when something else was first
	if p.lingering != nil {
		p.lingering.Stop()
	}
	p.end, p.err = at, err
	switch {
	case errors.Is(err, io.EOF):
		p.ending = EndEOF
	case errors.Is(err, ErrBodyTooLarge):
		p.ending = EndTooLarge
	case p.stopped == EndClosed:
		p.ending = EndClosed
	case p.stopped == EndTerminal:
		p.ending, p.err = EndTerminal, io.EOF
	case p.stopped == EndContext || done(ctx) != nil:
		p.ending, p.err = EndContext, done(ctx)
	default:
		p.ending = EndFailed
	}
	p.ended.Store(true)
	p.wakeCaller()
}

// done returns why ctx is done, nil where it is not. An [http.Client] with a time
// limit cancels its request in two ways at once; the other one can be first.
func done(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}

// keep returns what came, for good, and gives the workspace away. It is called
// once, after run.
func (p *pump) keep() (body []byte, marks []Mark) {
	body, marks = p.work.keep(p.arrived.Load())
	p.serveFrom(body)
	p.work.release()
	p.work = nil
	return body, marks
}

// stop closes the source, which ends run's pending read.
func (p *pump) stop(why Ending) {
	p.stopOnce.Do(func() {
		p.stopped = why
		p.source.Close()
	})
}

// Read copies what has arrived after the first from bytes, and waits for the
// network where that is nothing yet.
func (p *pump) Read(b []byte, from int64) (int, error) {
	for announced := false; ; {
		ended := p.ended.Load() // before arrived, which is final then
		if arrived := p.arrived.Load(); from < arrived {
			p.mu.Lock()
			n := copy(b, p.memory[from:arrived])
			p.mu.Unlock()
			return n, nil
		}
		switch {
		case ended:
			return 0, p.err
		case announced:
			<-p.wake
			announced = false
		default:
			p.waiting.Store(true)
			announced = true // and look again: more may have come before the pump could know
		}
	}
}

// A pumpedBody is the response body a caller gets: a plain ReadCloser, so that
// no SDK finds a shortcut around it.
type pumpedBody struct {
	pump *pump

	mu     sync.Mutex // one Read at a time, as with the bodies of net/http
	from   int64      // what was read
	ahead  []byte     // what comes next, as far as it was taken from the pump
	buffer []byte     // that ahead is a part of; nil before there was a small read
}

// A read of less than smallRead bytes takes up to aheadSize from the pump, for those that
// follow: some SDKs read a frame of a few hundred bytes in thirty reads.
const (
	smallRead = 256
	aheadSize = 2 << 10
)

func (b *pumpedBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ahead) == 0 && len(p) < smallRead {
		if b.buffer == nil {
			b.buffer = make([]byte, aheadSize)
		}
		n, err := b.pump.Read(b.buffer, b.from)
		if err != nil {
			return 0, err
		}
		b.ahead = b.buffer[:n]
	}
	var n int
	var err error
	if len(b.ahead) > 0 {
		n = copy(p, b.ahead)
		b.ahead = b.ahead[n:]
	} else {
		n, err = b.pump.Read(p, b.from)
	}
	b.from += int64(n)
	return n, err
}

func (b *pumpedBody) Close() error {
	b.pump.stop(EndClosed)
	return nil
}
