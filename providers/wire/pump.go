package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	firstBuffer = 16 << 10
	minimumRead = 4 << 10 // net/http's own read buffer: a smaller one splits what came together

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
type pump struct {
	source io.ReadCloser
	call   time.Time
	max    int64

	terminal  func(body []byte) bool // see Transport.Terminal; may be nil
	lingering *time.Timer            // set once the terminal event has come

	mu     sync.Mutex
	more   sync.Cond // the buffer grew, or the stream ended
	buf    []byte
	marks  []Mark
	ended  bool
	ending Ending
	end    Instant
	err    error // what the caller reads after the last byte

	stopOnce sync.Once
	stopped  Ending // why stop closed the source; set before the source is closed
}

func newPump(source io.ReadCloser, call time.Time, maximum int64) *pump {
	p := &pump{source: source, call: call, max: maximum, buf: make([]byte, 0, firstBuffer), marks: make([]Mark, 0, 64)}
	p.more.L = &p.mu
	return p
}

// run reads to the end of the stream. Nothing is parsed here, and nothing is
// allocated per read except as the buffers double.
func (p *pump) run(ctx context.Context) {
	release := context.AfterFunc(ctx, func() { p.stop(EndContext) })
	defer release()
	for {
		n, err := p.source.Read(p.space())
		at := time.Since(p.call)
		if n > 0 {
			p.mu.Lock()
			p.buf = p.buf[:len(p.buf)+n]
			p.marks = append(p.marks, Mark{End: int64(len(p.buf)), At: at})
			p.more.Signal()
			p.mu.Unlock()
		}
		if err == nil && int64(len(p.buf)) > p.max {
			err = fmt.Errorf("%w (%d bytes)", ErrBodyTooLarge, p.max)
		}
		if err != nil {
			p.finish(ctx, At(at), err)
			return
		}
		if n > 0 && p.terminal != nil {
			p.awaitEnd()
		}
	}
}

// awaitEnd looks for the terminal event, and ends a stream that has had it when
// no read follows for a while.
func (p *pump) awaitEnd() {
	switch {
	case p.lingering != nil:
		p.lingering.Reset(linger)
	case p.terminal(p.buf):
		p.lingering = time.AfterFunc(linger, func() { p.stop(EndTerminal) })
	}
}

// space returns where the next read goes. Only run calls it, so the slice
// header may be read without the lock; the caller side only reads.
func (p *pump) space() []byte {
	if cap(p.buf)-len(p.buf) < minimumRead {
		grown := make([]byte, len(p.buf), 2*cap(p.buf))
		copy(grown, p.buf)
		p.mu.Lock()
		p.buf = grown
		p.mu.Unlock()
	}
	return p.buf[len(p.buf):cap(p.buf)]
}

func (p *pump) finish(ctx context.Context, at Instant, err error) {
	p.stop(EndEOF) // no-op when something else was first
	if p.lingering != nil {
		p.lingering.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.end, p.err = true, at, err
	switch {
	case errors.Is(err, io.EOF):
		p.ending = EndEOF
	case errors.Is(err, ErrBodyTooLarge):
		p.ending = EndTooLarge
	case p.stopped == EndClosed:
		p.ending = EndClosed
	case p.stopped == EndTerminal:
		p.ending, p.err = EndTerminal, io.EOF
	case p.stopped == EndContext || ctx.Err() != nil:
		p.ending, p.err = EndContext, context.Cause(ctx)
	default:
		p.ending = EndFailed
	}
	p.more.Broadcast()
}

// stop closes the source, which ends run's pending read.
func (p *pump) stop(why Ending) {
	p.stopOnce.Do(func() {
		p.stopped = why
		p.source.Close()
	})
}

// Read serves the caller from memory, waiting for the network when it is ahead.
func (p *pump) Read(b []byte, from *int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for *from == len(p.buf) && !p.ended {
		p.more.Wait()
	}
	if *from == len(p.buf) {
		return 0, p.err
	}
	n := copy(b, p.buf[*from:])
	*from += n
	return n, nil
}

// A pumpedBody is the response body a caller gets: a plain ReadCloser, so that
// no SDK finds a shortcut around it.
type pumpedBody struct {
	pump *pump
	from int
}

func (b *pumpedBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.pump.Read(p, &b.from)
}

func (b *pumpedBody) Close() error {
	b.pump.stop(EndClosed)
	return nil
}
