package latencytest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

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
	decoder  interface {
		Decode(*wire.Exchange) *providers.Response
	}
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
	r := &run{plan: plan, op: op, log: log}
	dealer := newDealer(groups, plan.Seed)
	runErr := r.warm(ctx, dealer.first(plan.Warmup, dealer.turns(true)))
	if runErr == nil {
		runErr = r.all(ctx, j.measured(dealer, plan.Requests))
	}
	res.Samples = r.sorted()
	if op.describe == nil {
		groups[0].facts = observedFacts(res.Samples)
		res.Scenarios[0].Identity = plan.identity(j.test, groups[0])
	}
	res.distribute()
	if runErr != nil {
		return res, errors.Join(runErr, log.abandon())
	}
	return res, log.close(res)
}

// measured are the turns after the warm-up.
func (j job) measured(d *dealer, requests int) iter.Seq[turn] {
	if j.more == nil {
		return d.first(requests, d.turns(false))
	}
	return func(yield func(turn) bool) {
		for t := range d.turns(false) {
			if !j.more() || !yield(t) {
				return
			}
		}
	}
}

// A run is a plan being carried out.
type run struct {
	plan Plan
	op   operation
	log  *sampleLog

	mu      sync.Mutex
	samples []Sample
}

// warm takes the warm-up turns, and returns when the last of them has ended.
func (r *run) warm(ctx context.Context, turns iter.Seq[turn]) error {
	if err := r.all(ctx, turns); err != nil {
		return err
	}
	return rejected(r.sorted())
}

// all keeps the load's clients busy until the turns are over or ctx is done.
func (r *run) all(ctx context.Context, turns iter.Seq[turn]) error {
	ctx, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	next := make(chan turn)
	var clients sync.WaitGroup
	for range r.plan.Load.clients {
		clients.Go(func() {
			returned := false
			defer func() {
				if !returned { // nobody would take the turns that are left
					quit(errExited)
				}
			}()
			for t := range next {
				if ctx.Err() == nil {
					r.take(ctx, t)
				}
			}
			returned = true
		})
	}
	for t := range turns {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- t:
			settle()
		case <-ctx.Done():
		}
	}
	close(next)
	clients.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("the run ended early, after %d requests: %w", len(r.samples), err)
	}
	return nil
}

var errExited = errors.New("the operation ended its goroutine, as t.FailNow and package require do: return an error instead")

func (r *run) take(ctx context.Context, t turn) {
	s := Sample{Number: t.number, Warmup: t.warmup, Scenario: t.scenario, Prompt: t.prompt.ID}
	capture := wire.NewCapture(t.number)
	limited, cancel := context.WithTimeout(capture.Context(ctx), r.plan.Timeout)
	err := r.op.run(limited, t.prompt)
	expired := limited.Err() != nil
	cancel() // ends what the operation left open, so that Exchanges returns
	s.observe(capture.Exchanges(), r.op.decoder, err)
	switch {
	case s.Class != providers.Timeout || ctx.Err() != nil:
	case expired:
		s.Limit = wire.At(r.plan.Timeout)
	default:
		s.Limit = s.End // a limit of the operation's own
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
	r.log.write(&s)
}

func (r *run) sorted() []Sample {
	slices.SortFunc(r.samples, func(a, b Sample) int { return a.Number - b.Number })
	return r.samples
}

// rejected returns an error when every warm-up request failed in a way that
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
	return fmt.Errorf("all %d warm-up requests failed, nothing was measured: %s: %s", len(warmup), s.Class, detail)
}
