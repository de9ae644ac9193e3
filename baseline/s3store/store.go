package s3store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/latgate/latgate/baseline"
)

// objects are what a store is made of: the objects below its prefix, by name.
type objects interface {
	// get returns a whole object of at most so many bytes, and its entity tag.
	// errMissing means that there is none, transientError that asking again may help.
	get(ctx context.Context, name string, limit int64) (data []byte, etag string, err error)

	// put writes an object if it still has this entity tag, or, where that is
	// empty, if there is none. A *lostError means that this was not so.
	put(ctx context.Context, name string, data []byte, etag string) error

	// address says where an object is, for people.
	address(name string) string
}

// errMissing says that there is no object of that name.
var errMissing = errors.New("there is no such object")

const (
	maxDocument = 4 << 20   // bytes of a pointer, or of a list of keys
	maxRun      = 256 << 20 // bytes of a run
)

type store struct {
	objects
	ctx     context.Context // of Open: the methods of baseline.Store take none
	timeout time.Duration

	probing   sync.Mutex
	probed    bool          // the server honors conditions
	agreement time.Duration // see settled

	listed sync.Map // pointers whose key is known to be in its list
}

func newStore(ctx context.Context, o objects, options Options) *store {
	s := &store{objects: o, ctx: ctx, timeout: options.Timeout}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	return s
}

// call returns the context of one call of the store.
func (s *store) call() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, s.timeout)
}

func (s *store) Location(k baseline.Key) string { return s.address(layoutOf(k).pointer()) }

// Runs reads the newest runs that the pointer of the key names, and compares them
// with their digests.
func (s *store) Runs(k baseline.Key) ([]*baseline.Run, error) {
	ctx, cancel := s.call()
	defer cancel()
	l := layoutOf(k)
	data, _, err := s.fetch(ctx, l.pointer(), maxDocument)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := parsePointer(data, l)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.address(l.pointer()), err)
	}
	entries := p.Runs[max(0, len(p.Runs)-baseline.Keep):]
	read, errs := make([]*baseline.Run, len(entries)), make([]error, len(entries))
	var reading sync.WaitGroup
	for i, e := range entries {
		reading.Go(func() { read[i], errs[i] = s.run(ctx, e, k) })
	}
	reading.Wait()
	var runs []*baseline.Run
	for _, run := range read {
		if run != nil {
			runs = append(runs, run)
		}
	}
	return runs, errors.Join(errs...)
}

// run reads one run of a key.
func (s *store) run(ctx context.Context, e entry, k baseline.Key) (*baseline.Run, error) {
	data, _, err := s.fetch(ctx, e.Object, maxRun)
	if errors.Is(err, errMissing) {
		return nil, &DigestError{Object: s.address(e.Object), Want: e.SHA256}
	}
	if err != nil {
		return nil, err
	}
	if got := digest(data); got != e.SHA256 {
		return nil, &DigestError{Object: s.address(e.Object), Want: e.SHA256, Got: got}
	}
	run, err := baseline.Parse(data, s.address(e.Object))
	if err != nil {
		return nil, err
	}
	if run.Key.Hash() != k.Hash() {
		return nil, fmt.Errorf("%s: its key is not that of the pointer %s, which somebody edited: restore the pointer's version of before", s.address(e.Object), s.Location(k))
	}
	return run, nil
}

// Keys reads the list of the scenario's keys.
func (s *store) Keys(k baseline.Key) ([]baseline.Key, error) {
	ctx, cancel := s.call()
	defer cancel()
	name := layoutOf(k).keys()
	data, _, err := s.fetch(ctx, name, maxDocument)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.address(name), err)
	}
	var keys []baseline.Key
	for _, stored := range list.Keys {
		if other := baseline.NewKey(stored.Facts); sameScenario(other, k) {
			keys = append(keys, other)
		}
	}
	return keys, nil
}

// fetch gets an object, again where the connection broke.
func (s *store) fetch(ctx context.Context, name string, limit int64) (data []byte, etag string, err error) {
	for attempt := range 4 {
		if err := pause(ctx, attempt); err != nil {
			return nil, "", s.ended(err)
		}
		data, etag, err = s.get(ctx, name, limit)
		if transient := new(transientError); !errors.As(err, &transient) {
			break
		}
	}
	return data, etag, err
}

// pause waits before an attempt other than the first: up to 25 ms, doubled each
// time up to 2 s, and at random, so that those who collided do not meet again.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	timer := time.NewTimer(rand.N(min(25*time.Millisecond<<min(attempt, 10), 2*time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *store) ended(err error) error {
	return fmt.Errorf("%s: no end within %v: %w", s.address(""), s.timeout, err)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
