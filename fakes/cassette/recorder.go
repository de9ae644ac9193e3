package cassette

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A Recorder writes exchanges to a file as they end. Until [Recorder.Close] the file
// is a .partial beside its place, to which each exchange is added as one whole line: a
// recording that is killed leaves what it had, and what was recorded before it is left
// alone. A Recorder is safe for concurrent use.
type Recorder struct {
	redactor *redactor
	started  time.Time // with the monotonic clock
	requests requestLog

	mu     sync.Mutex
	file   *file
	count  int
	closed bool
}

var errClosed = errors.New("cassette: the recorder is closed")

// Create begins a recording. Calls are timed from now.
func Create(path string, rec Recording) (*Recorder, error) {
	r, err := rec.redactor(nil)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	f, err := createFile(path, rec.header(r), true)
	if err != nil {
		return nil, err
	}
	return &Recorder{redactor: r, started: started, file: f}, nil
}

// Add writes an exchange that has ended. Where the request went through
// [Recorder.Transport] its body and query are written as well; those of another cannot
// be told apart when they are replayed. An error concerns this exchange, or all that
// follow as well: the disk is full.
func (r *Recorder) Add(x *wire.Exchange) error {
	i := FromExchange(x)
	i.Call = x.Call.Sub(r.started)
	i.Order = r.requests.complete(i, x)
	clean, err := r.redactor.interaction(i)
	if err != nil {
		return fmt.Errorf("cassette: %s %s was not recorded: %w", i.Request.Method, r.redactor.line(i.Request.Host), err)
	}
	if err := clean.validate(); err != nil {
		return fmt.Errorf("cassette: %s %s was not recorded: %w", i.Request.Method, r.redactor.line(i.Request.Host), err)
	}
	value, err := encode(exchangeOf(clean))
	if err != nil {
		return fmt.Errorf("cassette: %w", err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed
	}
	if err := r.file.encoded(kindExchange, value); err != nil {
		return fmt.Errorf("cassette: %w", err)
	}
	r.count++
	return nil
}

// Forget lets go of what is kept of the request of an exchange that is not to be added,
// one of the warm-up say.
func (r *Recorder) Forget(x *wire.Exchange) { r.requests.take(x) }

// Close ends the recording and moves the file to its place. A recording without an
// exchange is an error, and leaves the place as it was. Only the first call of Close
// or [Recorder.Abandon] does anything.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil
	case r.count == 0:
		r.closed = true
		return errors.Join(fmt.Errorf("%s: %w", r.file.target, errEmpty), r.file.discard())
	}
	r.closed = true
	return r.file.commit()
}

// Abandon leaves what was recorded in the .partial file, and the place as it was.
func (r *Recorder) Abandon() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return r.file.release(func() error { return nil })
}
