package s3store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

	// names lists the objects whose names begin so.
	names(ctx context.Context, prefix string) ([]string, error)

	// address says where an object is, for people.
	address(name string) string

	// String is the address of all of them, with what it takes to open it again.
	String() string
}

// errMissing says that there is no object of that name.
var errMissing = errors.New("there is no such object")

const (
	maxDocument = 4 << 20   // bytes of a pointer, or of a list of keys
	maxRun      = 256 << 20 // bytes of a run
)

// A Store is a [baseline.Store] and a [baseline.Pinner] in a bucket, or in the mirror
// of one. Several goroutines may use it.
type Store struct {
	objects
	ctx     context.Context // of Open: the methods of baseline.Store take none
	timeout time.Duration

	probing   sync.Mutex
	probed    bool          // the server honors conditions
	agreement time.Duration // see settled

	listed sync.Map // pointers whose key is known to be in its list
}

func newStore(ctx context.Context, o objects, options Options) *Store {
	s := &Store{objects: o, ctx: ctx, timeout: options.Timeout}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	return s
}

// call returns the context of one call of the store.
func (s *Store) call() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, s.timeout)
}

// String returns the address of the store, with the settings of its server that are no
// matter of the environment: what [Open] takes. The records of checks name it so.
func (s *Store) String() string { return s.objects.String() }

// Location returns the address of the pointer of a key.
func (s *Store) Location(k baseline.Key) string { return s.address(layoutOf(k).pointer()) }

// Runs reads the newest runs that the pointer of the key names, and compares them
// with their digests.
func (s *Store) Runs(k baseline.Key) ([]*baseline.Run, error) {
	ctx, cancel := s.call()
	defer cancel()
	p, err := s.pointer(ctx, layoutOf(k))
	if err != nil || p == nil {
		return nil, err
	}
	entries := p.newest()
	read := make([]*baseline.Run, len(entries))
	err = together(len(entries), func(i int) (err error) {
		read[i], err = s.run(ctx, entries[i], k)
		return err
	})
	return slices.DeleteFunc(read, func(r *baseline.Run) bool { return r == nil }), err
}

// pointer reads a pointer; nil is none.
func (s *Store) pointer(ctx context.Context, l layout) (*pointer, error) {
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
	return p, nil
}

// together calls a function for each number below n, a few at once.
func together(n int, do func(i int) error) error {
	errs := make([]error, n)
	places := make(chan struct{}, 2*baseline.Keep)
	var doing sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		doing.Go(func() {
			errs[i] = do(i)
			<-places
		})
	}
	doing.Wait()
	return errors.Join(errs...)
}

// run reads one run of a key.
func (s *Store) run(ctx context.Context, e entry, k baseline.Key) (*baseline.Run, error) {
	run, err := s.named(ctx, e)
	if err == nil && run.Key.Hash() != k.Hash() {
		return nil, fmt.Errorf("%s: its key is not that of the pointer %s, which somebody edited: restore the pointer's version of before", s.address(e.Object), s.Location(k))
	}
	return run, err
}

// named reads the run that an entry names.
func (s *Store) named(ctx context.Context, e entry) (*baseline.Run, error) {
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
	return baseline.Parse(data, s.address(e.Object))
}

// Keys reads the list of the scenario's keys.
func (s *Store) Keys(k baseline.Key) ([]baseline.Key, error) {
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
func (s *Store) fetch(ctx context.Context, name string, limit int64) (data []byte, etag string, err error) {
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

// ended is the error of a call that was over before the server had given an answer that
// could be used.
func (s *Store) ended(err error) error {
	return &ServerError{Operation: "again", Object: s.address(""), Message: fmt.Sprintf("no end within %v", s.timeout), cause: contextError(err)}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
