package latencytest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// An Operation is what one call of the function given to [RunFunc] took as a whole,
// with everything that the application did before, between and after its model
// calls. Times run from the function's start.
type Operation struct {
	// First is when the first visible token was handed to the user, as [FirstToken]
	// told; where nothing did, when the first visible content of the last model call
	// came. It is absent where there was none.
	First wire.Instant `json:"first,omitzero"`
	Told  bool         `json:"told,omitzero"` // by FirstToken

	Took    wire.Instant `json:"took"`    // until the function returned
	Before  wire.Instant `json:"before"`  // until its first request
	Waiting wire.Instant `json:"waiting"` // of Took, with a model call under way

	// Held is how long the first token was there before it was handed on: from the
	// first visible content of the last model call to First.
	Held wire.Instant `json:"held,omitzero"`

	ModelCalls int `json:"model_calls"` // retries left out

	// Serial is the number of model calls on the critical path: the longest chain of
	// calls of which each began after the one before had ended, from the last one to
	// end backwards. It grows when calls that ran side by side run one after the other.
	Serial int `json:"serial"`
}

// FirstToken tells that the operation under ctx has handed its first visible token to
// its user: after any buffering, parsing and checking of the application's own.
// Only the first call counts. Outside of [RunFunc] it does nothing, so that an
// application may call it wherever its answers begin.
func FirstToken(ctx context.Context) {
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.first.IsZero() {
			w.first = time.Now()
		}
	}
}

type watchKey struct{}

// A watch times an operation.
type watch struct {
	began, ended time.Time

	mu    sync.Mutex
	first time.Time
}

func newWatch() *watch { return &watch{began: time.Now()} }

func (w *watch) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, watchKey{}, w)
}

func (w *watch) stop() { w.ended = time.Now() }

// since is the time from the operation's start.
func (w *watch) since(at time.Time) wire.Instant { return wire.At(at.Sub(w.began)) }

// A span is a model call from its request to its end, from the operation's start.
type span struct{ from, to time.Duration }

// operation sums up what was watched.
func (w *watch) operation(exchanges []*wire.Exchange, calls []call) *Operation {
	if len(exchanges) == 0 {
		return nil
	}
	o := &Operation{Took: w.since(w.ended), Before: w.since(exchanges[0].Call)}
	var all, first []span // of all calls; without retries
	for i, c := range calls {
		from := c.exchange.Call.Sub(w.began)
		to := w.ended.Sub(w.began)
		if end, known := c.exchange.End.Get(); known {
			to = min(to, from+end)
		}
		all = append(all, span{from, max(from, to)})
		if c.repeats(calls[:i]) < 0 {
			first = append(first, span{from, max(from, to)})
		}
	}
	o.ModelCalls, o.Serial, o.Waiting = len(first), serial(first), wire.At(covered(all))

	last := calls[len(calls)-1]
	visible := last.reply.FirstVisible().Add(last.exchange.Call.Sub(w.began))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.first.IsZero():
		o.First, o.Told = w.since(w.first), true
		if held := o.First.Since(visible); held.Known() {
			h, _ := held.Get()
			o.Held = wire.At(max(0, h)) // an answer that is not the last call's
		}
	case last.reply.Class == providers.OK:
		o.First = visible
	}
	return o
}

// covered is the time that the spans cover together.
func covered(spans []span) (total time.Duration) {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var end time.Duration
	for _, s := range spans {
		if s.to > end {
			total += s.to - max(s.from, end)
			end = s.to
		}
	}
	return total
}

// serial is the length of the chain of spans that ends with the last one to end, each
// having begun when the one before had ended.
func serial(spans []span) (n int) {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Compare(b.to, a.to) })
	from := time.Duration(1<<63 - 1)
	for _, s := range spans {
		if s.to <= from {
			n++
			from = s.from
		}
	}
	return n
}
