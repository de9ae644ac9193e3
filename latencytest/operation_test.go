package latencytest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A model takes 100 ms to its first token, and 10 ms for each of two more and the end.
var prompt100 = fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 3}

const callTook = 130 * ms

// An asker asks the model through a plain HTTP client.
type asker struct{ client *http.Client }

func (asker) plain() *http.Client { return new(http.Client) }

func (a asker) ask(ctx context.Context, text string) error {
	body := fmt.Sprintf(`{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`, text)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://fake.test/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// beside asks several questions at the same time.
func (a asker) beside(ctx context.Context, texts ...string) error {
	var wait sync.WaitGroup
	errs := make([]error, len(texts))
	for i, text := range texts {
		wait.Go(func() { errs[i] = a.ask(ctx, text) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// operated measures one operation of an application.
func operated(t *testing.T, script fakes.Script, plan latencytest.Plan, app func(asker, context.Context) error) *latencytest.Operation {
	t.Helper()
	var o *latencytest.Operation
	bubbleOf(t, fakes.OpenAI(script), func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		plan.Prompts, plan.Requests = promptSet(1), 1
		res, err := latencytest.MeasureFunc(t.Context(), rec, plan, func(ctx context.Context, _ providers.Prompt) error {
			return app(asker{rec.Client()}, ctx)
		})
		require.NoError(t, err)
		require.Equal(t, "1/1 ok", res.Scenarios[0].Ends())
		o = res.Scenarios[0].Samples[0].Operation
	})
	require.NotNil(t, o)
	return o
}

func near(t *testing.T, want time.Duration, got wire.Instant, what string) {
	t.Helper()
	d, known := got.Get()
	require.True(t, known, what)
	assert.InDelta(t, float64(want), float64(d), 1e3, "%s: %v", what, d) // a nanosecond keeps requests in order
}

func TestOperation(t *testing.T) {
	t.Parallel()
	t.Run("one call", func(t *testing.T) {
		t.Parallel()
		o := operated(t, prompt100, latencytest.Plan{}, func(a asker, ctx context.Context) error {
			time.Sleep(50 * ms) // looking something up
			err := a.ask(ctx, "question")
			time.Sleep(20 * ms) // writing it down
			return err
		})
		near(t, 50*ms, o.Before, "before")
		near(t, 150*ms, o.First, "first")
		near(t, 70*ms+callTook, o.Took, "took")
		near(t, callTook, o.Waiting, "waiting")
		assert.Equal(t, []any{1, 1, false}, []any{o.ModelCalls, o.Serial, o.Told})
	})
	t.Run("an answer that is held back", func(t *testing.T) {
		t.Parallel()
		o := operated(t, prompt100, latencytest.Plan{}, func(a asker, ctx context.Context) error {
			err := a.ask(ctx, "question") // all of it
			latencytest.FirstToken(ctx)
			time.Sleep(ms)
			latencytest.FirstToken(ctx)
			return err
		})
		near(t, callTook, o.First, "first")
		near(t, 30*ms, o.Held, "held")
		assert.True(t, o.Told)
	})
	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		o := operated(t, prompt100, latencytest.Plan{}, func(a asker, ctx context.Context) error {
			for _, text := range []string{"one", "two", "three"} {
				if err := a.ask(ctx, text); err != nil {
					return err
				}
			}
			return nil
		})
		assert.Equal(t, []int{3, 3}, []int{o.ModelCalls, o.Serial})
		near(t, 3*callTook, o.Waiting, "waiting")
	})
	t.Run("side by side, then one", func(t *testing.T) {
		t.Parallel()
		o := operated(t, prompt100, latencytest.Plan{}, func(a asker, ctx context.Context) error {
			if err := a.beside(ctx, "one", "two", "three"); err != nil {
				return err
			}
			time.Sleep(5 * ms)
			return a.ask(ctx, "four")
		})
		assert.Equal(t, []int{4, 2}, []int{o.ModelCalls, o.Serial})
		near(t, 2*callTook, o.Waiting, "waiting")
		near(t, 2*callTook+5*ms, o.Took, "took")
		near(t, callTook+105*ms, o.First, "first of the last call")
	})
	t.Run("a retry is no call more", func(t *testing.T) {
		t.Parallel()
		script := prompt100
		script.Faults = []fakes.Fault{{On: fakes.Every(1), Attempts: 1, Effect: fakes.Refuse{Exception: fakes.Throttling}}}
		o := operated(t, script, latencytest.Plan{Retries: 2, Warmup: 1}, func(a asker, ctx context.Context) error { return a.ask(ctx, "question") })
		assert.Equal(t, []int{1, 1}, []int{o.ModelCalls, o.Serial})
	})
}

// A target is no operation, and outside of one nothing is told.
func TestFirstTokenOutsideOfAnOperation(t *testing.T) {
	t.Parallel()
	latencytest.FirstToken(t.Context())
	res := measured(t, steady, latencytest.Plan{Prompts: promptSet(1), Requests: 2})
	assert.Nil(t, res.Samples[0].Operation)
	_, ok := latencytest.OperationTTFT.Of(&res.Samples[0])
	assert.False(t, ok)
}
