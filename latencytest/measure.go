package latencytest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	tokenbucket "golang.org/x/time/rate"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Measure runs the plan against a target and returns what was measured. It does
// not need a test, works in virtual time, and returns the samples taken so far
// together with the error when something ended the run early.
//
// Errors are about the run as a whole: a plan that makes no sense, a context
// that ended, an endpoint that rejected every warm-up request, a sample file
// that could not be written. A request that failed is a sample with its class.
func Measure(ctx context.Context, target providers.Target, plan Plan) (*Result, error) {
	return job{plan: plan, op: sending(target)}.measure(ctx)
}

// MeasureFunc runs the plan through a function that makes its requests with
// rec.Client() under the context it is given: one call of it is one sample.
func MeasureFunc(ctx context.Context, rec *Recorder, plan Plan, f func(context.Context, providers.Prompt) error) (*Result, error) {
	return job{plan: plan, op: rec.operation(f)}.measure(ctx)
}

// An operation is what one sample consists of. Without describe, what was
// measured is only known once it was seen.
type operation struct {
	describe func(providers.Prompt) providers.Facts
	run      func(context.Context, providers.Prompt) error
	decoder  decoder
}

// sending is the operation that sends a prompt to a target.
func sending(target providers.Target) operation {
	return operation{describe: target.Describe, run: target.Send, decoder: target}
}

// A job is a plan, what to do in it, and for whom.
type job struct {
	plan Plan
	op   operation
	test string

	// more, where not nil, is asked before each measured request, instead of
	// counting to Plan.Requests.
	more func() bool
}

func (j job) measure(ctx context.Context) (*Result, error) {
	settings, err := ReadSettings()
	if err != nil {
		return nil, err
	}
	plan, op := j.plan.withDefaults(settings), j.op
	if err := plan.validate(); err != nil {
		return nil, err
	}
	groups := []group{{name: defaultScenario, prompts: plan.Prompts}}
	if op.describe != nil {
		groups = groupPrompts(plan.Prompts, op.describe)
	}
	res := &Result{Test: j.test, Plan: plan, Started: Now(), Virtual: Virtual(), Provenance: provenance()}
	for _, g := range groups {
		res.Scenarios = append(res.Scenarios, &Scenario{Name: g.name, Identity: plan.identity(j.test, g)})
	}
	log, err := createSampleLog(plan.SampleFile, res)
	if err != nil {
		return nil, err
	}
	if plan.LowMemory {
		for _, s := range res.Scenarios {
			s.summary = newSummary()
		}
	}
	r := newRun(plan, op, log)
	r.keep = res.keep
	r.monitor = newMonitor(plan, res.Scenarios)
	unwatch := r.monitor.watch()
	dealer := newDealer(groups, plan.Seed)
	runErr := r.warm(ctx, dealer.first(plan.Warmup, 1, dealer.turns(true)))
	if runErr == nil {
		r.bounds.begin()
		r.monitor.begin()
		runErr = r.all(ctx, j.measured(dealer, plan))
	}
	unwatch()
	res.Ended = r.bounds.end
	res.Samples = r.sorted()
	if op.describe == nil {
		groups[0].facts = r.seen.facts()
		res.Scenarios[0].Identity = plan.identity(j.test, groups[0])
	}
	res.distribute()
	if runErr != nil {
		return res, errors.Join(runErr, log.abandon())
	}
	return res, log.close(res, r.ended)
}

// measured are the turns after the warm-up.
func (j job) measured(d *dealer, p Plan) iter.Seq[turn] {
	switch {
	case j.more != nil:
		return func(yield func(turn) bool) {
			for t := range d.turns(false) {
				if !j.more() || !yield(t) {
					return
				}
			}
		}
	case p.Requests == 0: // the plan's duration ends them
		return d.turns(false)
	}
	return d.first(p.Requests, p.Repetitions, d.turns(false))
}

// A run is a plan being carried out.
type run struct {
	plan    Plan
	op      operation
	log     *sampleLog
	began   time.Time
	bounds  *bounds
	weather barometer
	limiter *tokenbucket.Limiter
	monitor *monitor // nil where nobody wants to hear

	// decoding is held by the one who decodes. More at once would take the CPU from
	// the streams that go on, whose times would be late.
	decoding sync.Mutex

	mu      sync.Mutex
	samples []Sample           // that are kept
	keep    func(*Sample) bool // whether one is
	ended   int                // samples
	seen    sightings
}

func newRun(p Plan, op operation, log *sampleLog) *run {
	limiter := tokenbucket.NewLimiter(tokenbucket.Inf, 0)
	if p.RateLimit > 0 {
		limiter = tokenbucket.NewLimiter(tokenbucket.Limit(p.RateLimit), max(1, int(p.RateLimit)))
	}
	return &run{plan: p, op: op, log: log, began: time.Now(), bounds: newBounds(p), weather: barometer{limit: p.Storm}, limiter: limiter}
}

// warm takes the warm-up turns, and returns when the last of them has ended.
func (r *run) warm(ctx context.Context, turns iter.Seq[turn]) error {
	if err := r.all(ctx, turns); err != nil {
		return err
	}
	return rejected(r.sorted())
}

// all issues the turns as the load says, until they are over or ctx is done; then
// the requests under way have the plan's grace to end.
func (r *run) all(ctx context.Context, turns iter.Seq[turn]) error {
	issuing, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	release := context.AfterFunc(issuing, func() {
		if r.plan.Grace < 0 || ctx.Err() == nil { // a run that quits by itself waits for nobody
			abort()
			return
		}
		grace := time.AfterFunc(r.plan.Grace, abort)
		context.AfterFunc(requests, func() { grace.Stop() })
	})
	defer release()
	take := func(t turn) (returned bool) {
		defer func() {
			if !returned { // nobody would take the turns that are left
				quit(errExited)
			}
		}()
		if err := r.take(requests, t); err != nil {
			quit(err)
		}
		return true
	}
	if r.plan.Load.open() {
		r.issue(issuing, take, turns)
	} else {
		r.keepBusy(issuing, take, turns)
	}
	if err := context.Cause(issuing); err != nil {
		return fmt.Errorf("the run ended early, after %d requests: %w", r.ended, err)
	}
	return nil
}

// keepBusy has each of a closed load's clients take one turn after the other.
func (r *run) keepBusy(ctx context.Context, take func(turn) bool, turns iter.Seq[turn]) {
	next := make(chan turn)
	free := make(chan struct{}, r.plan.Load.clients) // a client is
	var clients sync.WaitGroup
	for range r.plan.Load.clients {
		free <- struct{}{}
		clients.Go(func() {
			for t := range next {
				if ctx.Err() == nil && !take(t) {
					return
				}
				if r.plan.Pause > 0 {
					sleepUntil(ctx, time.Now().Add(r.plan.Pause))
				}
				free <- struct{}{}
			}
		})
	}
	for t := range turns {
		select {
		case <-free:
		case <-ctx.Done():
		}
		if ctx.Err() != nil || r.limiter.Wait(ctx) != nil || !r.bounds.allow(t, time.Now()) {
			break
		}
		next <- t
		settle()
	}
	close(next)
	clients.Wait()
}

// issue starts each turn of an open load at its time.
func (r *run) issue(ctx context.Context, take func(turn) bool, turns iter.Seq[turn]) {
	next, stop := iter.Pull(turns)
	defer stop()
	var requests sync.WaitGroup
	defer requests.Wait()
	begin := time.Now()
	for start := range r.plan.Load.starts(r.plan.Seed) {
		due := begin.Add(start)
		if !sleepUntil(ctx, due) {
			return
		}
		t, more := next()
		if !more {
			return
		}
		if r.limiter.Wait(ctx) != nil || !r.bounds.allow(t, due) {
			return
		}
		t.due = due
		requests.Go(func() { take(t) })
		settle()
	}
}

// sleepUntil returns at that time, or false when ctx is done before.
func sleepUntil(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

var errExited = errors.New("the operation ended its goroutine, as t.FailNow and package require do: return an error instead")

// take makes the requests of a turn. The error ends the run.
func (r *run) take(ctx context.Context, t turn) error {
	s := Sample{Number: t.number, Warmup: t.warmup, Repeated: t.repeated, Scenario: t.scenario, Prompt: t.prompt.ID}
	limited, cancel := context.WithTimeout(ctx, r.plan.Timeout)
	exchanges, retries, err := r.attempts(limited, t)
	expired := limited.Err() != nil
	cancel()
	r.decoding.Lock()
	s.observe(exchanges, r.op.decoder, err)
	r.decoding.Unlock()
	s.Retries = max(s.Retries, retries)
	if len(exchanges) > 0 { // by the monotonic clock: somebody may set the other one meanwhile
		s.Time = r.began.Add(exchanges[0].Call.Sub(r.began)).UTC()
	}
	if !t.due.IsZero() && len(exchanges) > 0 {
		s.Lag = wire.At(exchanges[0].Call.Sub(t.due))
	}
	switch {
	case s.Class != providers.Timeout || ctx.Err() != nil:
	case expired:
		s.Limit = wire.At(r.plan.Timeout)
	default:
		s.Limit = s.End // a limit of the operation's own
	}
	if dollars, known := r.plan.Prices.Cost(s.Provider, s.Model, s.Usage); known {
		s.Cost = &dollars
	}
	r.bounds.count(&s)
	r.finish(&s)
	if ctx.Err() != nil {
		return nil // the run has ended already
	}
	return r.weather.note(&s)
}

func (r *run) finish(s *Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended++
	r.seen.add(s)
	if r.plan.OnSample != nil {
		r.plan.OnSample(s)
	}
	if r.keep(s) {
		r.samples = append(r.samples, *s)
	}
	r.log.write(s)
	r.monitor.add(s)
}

func (r *run) sorted() []Sample {
	slices.SortFunc(r.samples, func(a, b Sample) int { return a.Number - b.Number })
	return r.samples
}

// A WarmupError says that nothing was measured, because every warm-up request failed
// in a way that measuring on cannot change.
type WarmupError struct {
	Requests int
	Class    providers.Class // of the first
	Detail   string          // what it said
}

func (e *WarmupError) Error() string {
	return fmt.Sprintf("all %d warm-up requests failed, nothing was measured: %s: %s", e.Requests, e.Class, e.Detail)
}

// rejected returns a [WarmupError] when every warm-up request failed in a way that
// measuring on cannot change: no credentials, no route, no such model, no known
// protocol.
func rejected(warmup []Sample) error {
	if len(warmup) == 0 {
		return nil
	}
	for _, s := range warmup {
		hopeless := s.Class == providers.Connect || s.Class == providers.HTTP4xx || s.Class == providers.Parse
		if !hopeless && s.Calls > 0 {
			return nil
		}
	}
	s := warmup[0]
	detail := s.Error
	if s.Code != "" {
		detail = s.Code + ": " + detail
	}
	return &WarmupError{len(warmup), s.Class, detail}
}
