package latencytest

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/latgate/latgate/providers"
)

// bounds decide whether another request may be made: within the plan's duration,
// tokens and budget. The number of requests is the dealer's affair.
type bounds struct {
	plan  Plan
	caps  *caps     // of the whole build; nil: none
	until time.Time // zero: no limit

	mu       sync.Mutex
	tokens   int64
	spent    float64         // dollars, by replies that have come
	reserved map[int]float64 // dollars that requests under way can cost at most, by number; kept where there is a limit
	aside    float64         // their sum
	dearest  float64         // the most that a reply has cost
	end      string          // why there is no more
}

func newBounds(p Plan) *bounds { return &bounds{plan: p, reserved: make(map[int]float64)} }

// begin starts the clock of the measured part.
func (b *bounds) begin() {
	if b.plan.Duration > 0 {
		b.until = time.Now().Add(b.plan.Duration)
	}
}

// allow reports whether the turn may be taken at that time, and sets aside what
// it can cost. The warm-up is bounded by the budget alone.
func (b *bounds) allow(t turn, at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.end != "":
		return false
	case !b.until.IsZero() && !at.Before(b.until):
		return b.stop("the duration of %v has passed", b.plan.Duration)
	case b.plan.MaxTokens > 0 && b.tokens >= b.plan.MaxTokens:
		return b.stop("%d output tokens have come of %d allowed", b.tokens, b.plan.MaxTokens)
	}
	limited := b.plan.Budget > 0 || b.caps != nil && b.caps.maxUSD > 0
	var most float64
	if limited {
		most = b.most(t)
	}
	switch {
	case b.plan.Budget == 0:
	case math.IsNaN(most):
		return b.stop("the budget cannot be kept: the price file has no price for %s", providers.Inert(t.model))
	case b.spent+b.aside+most > b.plan.Budget:
		return b.stop("the budget is used up: $%.4g of $%.4g are spent, $%.4g set aside, and the next request can cost $%.4g",
			b.spent, b.plan.Budget, b.aside, most)
	}
	if reason := b.caps.allow(most, t.model); reason != "" {
		return b.stop("%s", reason)
	}
	if limited {
		b.reserved[t.number] = most
		b.aside += most
	}
	return true
}

// most is what a turn can cost at most, in dollars; NaN where nobody knows.
func (b *bounds) most(t turn) float64 {
	if t.model == "" {
		return b.dearest // of a function, nobody knows beforehand what it asks for
	}
	return b.plan.Prices.most(t.provider, t.model, t.prompt)
}

func (b *bounds) stop(format string, args ...any) bool {
	b.end = fmt.Sprintf(format, args...)
	return false
}

// count takes what a finished sample used. A reply that does not say what it used
// is taken to have cost the most it could; an attempt without a reply cost nothing.
func (b *bounds) count(s *Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n, known := s.Usage.Output.Get(); known && !s.Warmup {
		b.tokens += n
	}
	most := b.reserved[s.Number]
	delete(b.reserved, s.Number)
	b.aside -= most
	cost := 0.0
	switch {
	case s.Cost != nil:
		cost = *s.Cost
		b.dearest = max(b.dearest, cost)
	case s.Body.Known() && s.Class != providers.Throttled:
		cost = most
	}
	b.spent += cost
	b.caps.settle(most, cost)
}
