package latencytest

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// attempts runs the operation, and repeats it while it fails in a way that may
// pass: up to the plan's number of retries and within the time limit of ctx. It
// returns the exchanges of all attempts.
func (r *run) attempts(ctx context.Context, t turn) (exchanges []*wire.Exchange, retries int, err error) {
	// Full jitter: uniform between 0 and an interval that doubles. It follows from
	// the seed, as everything that is random here.
	interval := backoff.ExponentialBackOff{InitialInterval: cmp.Or(r.plan.Backoff, time.Second), Multiplier: 2, MaxInterval: time.Minute}
	prompt := t.prompt
	if r.plan.Cache == BustCache {
		prompt = busted(prompt, r.plan.Seed, t.number)
	}
	random := rand.New(rand.NewPCG(r.plan.Seed, uint64(t.number)))
	for ; ; retries++ {
		capture := wire.NewCapture(t.number)
		capture.DialAnew, capture.Below = r.plan.DialAnew, r.tape.below()
		attempt, cancel := context.WithCancel(capture.Context(ctx))
		err = r.op.run(attempt, prompt)
		expired := ctx.Err() != nil
		cancel() // ends what the operation left open, so that Exchanges returns
		made := capture.Exchanges()
		exchanges = append(exchanges, made...)
		if retries == r.plan.Retries || expired || len(made) == 0 {
			return exchanges, retries, err
		}
		calls := modelCalls(made, r.op.decoder)
		reply := calls[len(calls)-1].reply
		if !passing(reply.Class) {
			return exchanges, retries, err
		}
		wait := time.Duration(random.Float64() * float64(interval.NextBackOff()))
		if hint, told := reply.RetryAfter.Get(); told {
			wait = max(wait, hint)
		}
		deadline, limited := ctx.Deadline()
		if limited && time.Until(deadline) <= wait || !sleepUntil(ctx, time.Now().Add(wait)) {
			return exchanges, retries, err
		}
	}
}

// passing reports whether an attempt that ended like this may succeed when it is
// made again: the server refused it, or was not to be reached.
func passing(c providers.Class) bool {
	return c == providers.Throttled || c == providers.HTTP5xx || c == providers.Connect
}
