package latencytest

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/latgate/latgate/fakes/clock"
)

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
		return fmt.Errorf("the run ended early, after %d requests: %w", r.count, err)
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
	alarm := clock.NewAlarm(ctx)
	defer alarm.Stop()
	return alarm.Wait(due)
}
