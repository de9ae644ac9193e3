package cassette

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A queue serves requests that arrive at the same instant of virtual time in the order
// of their samples: which of the goroutines that wake at an instant comes first is
// chance, and which recording a sample gets must not be. A request that carries no
// number of a sample is served at once.
type queue struct {
	mu      sync.Mutex
	waiting []*arrival
}

type arrival struct {
	sample int
	key    string
	at     time.Time
	serve  func()
	served bool
}

// do calls serve when it is the request's turn: a nanosecond after it arrived, when all
// that arrive at the same instant are there.
func (q *queue) do(r *http.Request, key string, at time.Time, serve func()) {
	sample, err := strconv.Atoi(r.Header.Get(wire.SampleHeader))
	if err != nil {
		serve()
		return
	}
	a := &arrival{sample: sample, key: key, at: at, serve: serve}
	q.mu.Lock()
	q.waiting = append(q.waiting, a)
	q.mu.Unlock()

	time.Sleep(time.Nanosecond)

	q.mu.Lock()
	defer q.mu.Unlock()
	if !a.served {
		q.serveUntil(at)
	}
}

// serveUntil serves all that arrived at an instant or before.
func (q *queue) serveUntil(at time.Time) {
	slices.SortStableFunc(q.waiting, func(a, b *arrival) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		if a.sample != b.sample {
			return a.sample - b.sample
		}
		return strings.Compare(a.key, b.key)
	})
	for len(q.waiting) > 0 && !q.waiting[0].at.After(at) {
		q.waiting[0].serve()
		q.waiting[0].served = true
		q.waiting = q.waiting[1:]
	}
}
