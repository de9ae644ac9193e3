package s3store_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
)

// A dice decides when requests come and what becomes of them.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{random: rand.New(rand.NewPCG(seed, 0))} }

func (d *dice) below(p float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Float64() < p
}

func (d *dice) wait(longest time.Duration) {
	d.mu.Lock()
	pause := time.Duration(d.random.Int64N(int64(longest)))
	d.mu.Unlock()
	time.Sleep(pause)
}

// write lets so many writers, each with a connection of its own, add one run at
// once, half of them under another model. It returns what became of each.
func write(t *testing.T, s *server, writers int) map[string]error {
	t.Helper()
	var mu sync.Mutex
	ends := make(map[string]error)
	var writing sync.WaitGroup
	for i := range writers {
		store := open(t, s)
		writing.Go(func() {
			reason := fmt.Sprint("writer ", i)
			_, err := store.Add(run(reason, started.Add(time.Duration(i%3)*time.Second), model(fmt.Sprint("m", i%2))))
			mu.Lock()
			defer mu.Unlock()
			ends[reason] = err
		})
	}
	writing.Wait()
	return ends
}

// stored are the reasons of the runs of both models, sorted.
func stored(t *testing.T, s *server) []string {
	t.Helper()
	reader := open(t, s)
	all := append(reasons(t, reader, modelKey(0)), reasons(t, reader, modelKey(1))...)
	slices.Sort(all)
	return all
}

func modelKey(i int) baseline.Key { return baseline.NewKey(identity(model(fmt.Sprint("m", i)))) }

// Writers meet at random moments of one another's reads and writes. None of them
// loses a run, and none fails.
func TestWritersThatRaceLoseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			d := newDice(seed)
			s := newServer()
			s.before = func(http.ResponseWriter, *http.Request) bool {
				d.wait(20 * time.Millisecond)
				return false
			}
			s.lose = func(*http.Request) bool {
				d.wait(20 * time.Millisecond) // the answer's way back
				return false
			}
			writers := 4 + 2*int(seed)
			ends := write(t, s, writers)
			var want []string
			for reason, err := range ends {
				require.NoError(t, err, "seed %d", seed)
				want = append(want, reason)
			}
			slices.Sort(want)
			require.Equal(t, want, stored(t, s), "seed %d", seed)
			assert.Len(t, hashes(t, open(t, s), modelKey(0)), 2)
			assert.Greater(t, s.count("PUT "+prefix+"/baselines/"), writers, "seed %d: there was no race", seed)
		})
	}
}

// On top of that answers get lost after the write was done, and the server is
// overloaded. What a writer reports as stored is stored, once.
func TestWritersThatRaceOnABadNetworkLoseNothing(t *testing.T) {
	t.Parallel()
	done := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			d := newDice(seed)
			s := newServer()
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				d.wait(20 * time.Millisecond)
				busy := d.below(.1)
				if busy {
					refuse(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
				}
				return busy
			}
			s.lose = func(*http.Request) bool { return d.below(.2) }
			ends := write(t, s, 8)
			s.before, s.lose = nil, nil
			got := stored(t, s)
			assert.Len(t, slices.Compact(slices.Clone(got)), len(got), "seed %d: a run is there twice", seed)
			for reason, err := range ends {
				if err == nil {
					done++
					assert.Contains(t, got, reason, "seed %d", seed)
				}
			}
		})
	}
	assert.Greater(t, done, 60, "of 80 writers")
}

// Some servers answer with the content of one version and the entity tag of the
// next while somebody writes.
func TestWritersThatReadTornAnswersLoseNothing(t *testing.T) {
	t.Parallel()
	for _, kms := range []bool{false, true} {
		for seed := range uint64(4) {
			synctest.Test(t, func(t *testing.T) {
				d := newDice(seed)
				s := newServer()
				s.kms = kms
				s.before = func(http.ResponseWriter, *http.Request) bool {
					d.wait(20 * time.Millisecond)
					return false
				}
				lasting := 4 * time.Second // of a server that is nearly standing still
				if kms {
					lasting = 100 * time.Millisecond
				}
				s.torn = func(age time.Duration) bool { return age < lasting && d.below(.9) }
				for reason, err := range write(t, s, 8) {
					require.NoError(t, err, "seed %d: %s", seed, reason)
				}
				s.torn = nil
				require.Len(t, stored(t, s), 8, "seed %d", seed)
			})
		}
	}
}

// Where entity tags are no MD5, a store reads more often, and that is all.
func TestEntityTagsNeedNotBeMD5(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.kms = true
		store := open(t, s)
		for i := range 3 {
			add(t, store, run(fmt.Sprint(i), started))
		}
		assert.Equal(t, []string{"0", "1", "2"}, reasons(t, store, key))
	})
	synctest.Test(t, func(t *testing.T) { // the bucket's encryption was changed
		s := newServer()
		store := open(t, s)
		add(t, store, run("0", started))
		s.kms = true
		start := time.Now()
		add(t, store, run("1", started))
		assert.Less(t, time.Since(start), 15*time.Second)
		assert.Equal(t, []string{"0", "1"}, reasons(t, store, key))
	})
}

// The test of races sees a server that only pretends to honor If-Match.
func TestTheRaceIsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDice(1)
		s := newServer()
		s.ignores, s.honest = "If-Match", true
		s.before = func(http.ResponseWriter, *http.Request) bool {
			d.wait(20 * time.Millisecond)
			return false
		}
		write(t, s, 8)
		assert.Less(t, len(stored(t, s)), 8)
	})
}

// Stores are used by several goroutines at once.
func TestOneStoreIsSharedByGoroutines(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	var adding sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		adding.Go(func() { _, errs[i] = store.Add(run(fmt.Sprint(i), started)) })
	}
	adding.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	assert.ElementsMatch(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, reasons(t, store, key))
	assert.Equal(t, 3, s.count("PUT "+prefix+"/baselines/probe.json"), "the server is tried once")
}

// A writer that always loses gives up, and says why.
func TestAWriterGivesUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status    int
		code, key string
	}{
		{http.StatusPreconditionFailed, "PreconditionFailed", "/all@"},
		{http.StatusConflict, "ConditionalRequestConflict", "/all@"},
		{http.StatusConflict, "ConditionalRequestConflict", "/runs/"},
		{http.StatusConflict, "ConditionalRequestConflict", "/probe.json"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				lost := r.Method == http.MethodPut && strings.Contains(r.URL.Path, test.key)
				if test.key == "/all@" {
					lost = lost && strings.HasSuffix(r.URL.Path, ".json")
				}
				if lost {
					refuse(w, test.status, test.code, "too late")
				}
				return lost
			}
			_, err := open(t, s, func(o *s3store.Options) { o.Timeout = time.Hour }).Add(run("x", started))
			require.ErrorContains(t, err, test.code)
			var failed *s3store.ServerError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.status, failed.Status)

			start := time.Now()
			_, err = open(t, s, func(o *s3store.Options) { o.Timeout = 5 * time.Second }).Add(run("x", started))
			require.ErrorContains(t, err, "the baseline was not written")
			assert.Equal(t, 5*time.Second, time.Since(start))
		})
	}
}
