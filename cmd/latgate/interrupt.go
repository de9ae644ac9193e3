package main

import (
	"context"
	"errors"

	"github.com/latgate/latgate/providers"
)

var errInterrupted = errors.New("interrupted")

// interruptible returns a context that ends at the first interrupt, and one that
// ends at the second; a third one kills the process. notice is told of the first.
func (p *program) interruptible(ctx context.Context, notice func()) (gentle, hard context.Context, stop func()) {
	gentle, end := context.WithCancelCause(ctx)
	hard, abort := context.WithCancel(context.WithoutCancel(ctx))
	signals, release := p.interrupts()
	quit := make(chan struct{})
	go func() {
		defer release()
		for _, act := range []func(){func() { end(errInterrupted); notice() }, abort} {
			select {
			case <-signals:
				act()
			case <-quit:
				return
			}
		}
	}()
	return gentle, hard, func() {
		close(quit)
		abort()
		end(nil)
	}
}

// An abortable target gives its requests up when a context ends.
type abortable struct {
	providers.Target
	hard context.Context
}

func (a abortable) Send(ctx context.Context, p providers.Prompt) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.hard, cancel)()
	return a.Target.Send(ctx, p)
}
