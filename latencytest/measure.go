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
	replayed // where the endpoint is a recording
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

	// only are the names of the scenarios that are measured; none means all.
	only []string

	side string // "a" or "b" of a [Pair], whose requests are divided

	// more, where not nil, is asked before each measured request, instead of
	// counting to Plan.Requests.
	more func() bool

	tape *tape // see the flag -latgate.record
}

func (j job) measure(ctx context.Context) (*Result, error) {
	m, err := j.begin()
	if err != nil {
		return nil, err
	}
	err = m.warm(ctx)
	if err == nil {
		m.measuring()
		err = m.run.all(ctx, m.run.left(j.measured(m.dealer, m.plan)))
	}
	res, endErr := m.end(err != nil)
	return res, errors.Join(err, endErr)
}

// A measurement is a job under way.
type measurement struct {
	job
	plan    Plan // with its defaults filled in
	groups  []group
	dealer  *dealer
	run     *run
	result  *Result
	unwatch func()
}

// begin prepares a job, up to the first request.
func (j job) begin() (*measurement, error) {
	settings, err := ReadSettings()
	if err != nil {
		return nil, err
	}
	plan, op := j.plan, j.op
	if session := settings.Session; session != nil {
		plan = session.plan(j.test, plan)
		if session.concerns(plan) {
			j.only = session.Scenarios
		}
	}
	plan = plan.withDefaults(settings)
	if j.side != "" {
		if plan, err = plan.divided(j.side); err != nil {
			return nil, err
		}
	}
	if err := plan.validate(); err != nil {
		return nil, err
	}
	if settings.MaxUSD > 0 && len(plan.Prices) == 0 && !Virtual() {
		return nil, errors.New("LATGATE_MAX_USD: Plan.Prices has no prices to keep it by; read a price file with latencytest.ReadPrices")
	}
	limits, err := capsOf(settings)
	if err != nil {
		return nil, err
	}
	groups := []group{{name: defaultScenario, prompts: plan.Prompts}}
	if op.describe != nil {
		groups = groupPrompts(plan.Prompts, op.describe)
	}
	if len(j.only) > 0 {
		groups = slices.DeleteFunc(groups, func(g group) bool { return !slices.Contains(j.only, g.name) })
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("the plan has no scenario called %q", j.only)
	}
	res := &Result{Test: j.test, Plan: plan, Started: Now(), Virtual: Virtual(), Provenance: provenance(), again: j.again}
	for _, g := range groups {
		res.Scenarios = append(res.Scenarios, &Scenario{Name: g.name, Identity: plan.identity(j.test, g, op.recording), Untimed: op.untimed})
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
	r.tape = j.tape
	r.bounds.caps = limits
	r.keep = res.keep
	r.monitor = newMonitor(plan, res.Scenarios)
	r.looks = newLooks(plan, res.Scenarios)
	return &measurement{
		job: j, plan: plan, groups: groups, dealer: newDealer(groups, plan.Seed),
		run: r, result: res, unwatch: r.monitor.watch(),
	}, nil
}

// warm makes the requests of the warm-up.
func (m *measurement) warm(ctx context.Context) error {
	return m.run.warm(ctx, m.dealer.first(m.plan.Warmup, 1, m.dealer.turns(true)))
}

// measuring begins the measured part.
func (m *measurement) measuring() {
	m.run.bounds.begin()
	m.run.monitor.begin()
}

// end returns what was measured. Of a run that ended early the samples stay where
// they are.
func (m *measurement) end(early bool) (*Result, error) {
	m.unwatch()
	if err := m.run.bounds.caps.tell(); err != nil {
		return m.result, errors.Join(fmt.Errorf("LATGATE_SPENT: %w", err), m.run.log.abandon())
	}
	res := m.result
	res.Ended = m.run.bounds.end
	res.Samples = m.run.sorted()
	if m.op.describe == nil {
		m.groups[0].facts = m.run.seen.facts()
		res.Scenarios[0].Identity = m.plan.identity(m.test, m.groups[0], m.op.recording)
	}
	res.distribute()
	if early {
		return res, m.run.log.abandon()
	}
	return res, m.run.log.close(res, m.run.count)
}

// again is [Result.Again]. Its samples are kept in memory alone.
func (j job) again(ctx context.Context, scenarios []string) (*Result, error) {
	j.only = scenarios
	j.plan.SampleFile, j.plan.LowMemory, j.plan.Enough = "", false, nil
	return j.measure(ctx)
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
	tape    *tape // nil where nothing is recorded
	began   time.Time
	bounds  *bounds
	weather barometer
	limiter *tokenbucket.Limiter
	monitor *monitor // nil where nobody wants to hear

	// decoding is held by the one who decodes. More at once would take the CPU from
	// the streams that go on, whose times would be late.
	decoding sync.Mutex

	mu      sync.Mutex
	looks   *looks             // nil where the plan has no Enough
	samples []Sample           // that are kept
	keep    func(*Sample) bool // whether one is
	count   int                // of samples that have ended
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

var errExited = errors.New("the operation ended its goroutine, as t.FailNow and package require do: return an error instead")

// take makes the requests of a turn. The error ends the run.
func (r *run) take(ctx context.Context, t turn) error {
	s := Sample{Number: t.number, Warmup: t.warmup, Repeated: t.repeated, Scenario: t.scenario, Prompt: t.prompt.ID}
	limited, cancel := context.WithTimeout(ctx, r.plan.Timeout)
	var watched *watch
	if r.op.describe == nil {
		watched = newWatch()
		limited = watched.context(limited)
	}
	exchanges, retries, err := r.attempts(limited, t)
	expired := limited.Err() != nil
	cancel()
	if watched != nil {
		watched.stop()
	}
	r.decoding.Lock()
	if err := r.tape.add(exchanges); err != nil {
		return err
	}
	calls := s.observe(exchanges, r.op.decoder, err)
	if watched != nil {
		s.Operation = watched.operation(exchanges, calls)
	}
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
	r.count++
	r.seen.add(s)
	if r.plan.OnSample != nil {
		r.plan.OnSample(s)
	}
	if r.keep(s) {
		r.samples = append(r.samples, *s)
	}
	r.log.write(s)
	r.monitor.add(s)
	r.looks.note(s)
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
