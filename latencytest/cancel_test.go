package latencytest_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// A run that is called off returns what it has, with the cause; its sample file is
// whole. Requests in flight are recorded as cancelled, those never made are not.
func TestRunThatIsCalledOff(t *testing.T) {
	t.Parallel()
	enough := errors.New("the budget is used up")
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Second, func() { cancel(enough) })
		path := filepath.Join(t.TempDir(), "samples.jsonl")
		start := time.Now()
		res, err := latencytest.Measure(ctx, bedrock.ConverseStream(client(network.Transport()), model),
			latencytest.Plan{Prompts: promptSet(3), Requests: 1000, Load: latencytest.Closed(4), Grace: -1, SampleFile: path})
		assert.Equal(t, 10*time.Second, time.Since(start), "nothing is waited for")
		require.ErrorIs(t, err, enough)
		require.ErrorContains(t, err, "the run ended early, after ")
		n := len(res.Samples)
		assert.Greater(t, n, 20)
		assert.Equal(t, 4, res.Scenarios[0].Counts()[providers.Canceled], "those in flight")
		for i, s := range res.Samples {
			assert.Equal(t, i, s.Number)
			assert.Equal(t, 1, s.Calls)
			if s.Class == providers.Canceled {
				assert.WithinDuration(t, start.Add(10*time.Second), ended(t, s), 0)
				assert.GreaterOrEqual(t, i, n-5)
				continue
			}
			assert.Equal(t, at(schedule(lively, s).Content[0].At), s.First)
		}
		assert.NoFileExists(t, path, "it is no whole run")
		partial, err := filepath.Glob(path + ".*.partial")
		require.NoError(t, err)
		require.Len(t, partial, 1)
		loaded, err := latencytest.Load(partial[0])
		require.ErrorIs(t, err, latencytest.ErrInterrupted)
		assert.Len(t, loaded.Samples, n)
	})
}

func TestRunThatIsCalledOffBeforeItStarts(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		res, err := latencytest.Measure(ctx, bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Prompts: promptSet(3)})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "the run ended early, after 0 requests")
		assert.Empty(t, res.Samples)
	})
}

// During the warm-up, nothing measured is returned.
func TestRunThatIsCalledOffWhileWarmingUp(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		res, err := latencytest.Measure(ctx, bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Prompts: promptSet(3), Load: latencytest.Closed(3), Grace: -1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, res.Samples, 3)
		assert.Empty(t, res.Scenarios[0].Samples)
	})
}

// Requests under way have the plan's grace to end; those that need longer are
// cancelled.
func TestRunThatIsCalledOffWithGrace(t *testing.T) {
	t.Parallel()
	script := steady // a request takes 200 ms
	script.Faults = []fakes.Fault{{On: fakes.Every(3), Effect: fakes.Hang{}}}
	bubble(t, script, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithTimeout(t.Context(), 250*ms)
		defer cancel()
		start := time.Now()
		res, err := latencytest.Measure(ctx, bedrock.ConverseStream(client(network.Transport()), model),
			latencytest.Plan{Prompts: promptSet(3), Warmup: 3, Load: latencytest.Open(10), Grace: time.Second})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1250*ms, time.Since(start).Round(ms))
		require.Len(t, res.Samples, 3, "none is made after the end")
		for _, s := range res.Samples {
			want := providers.OK
			if s.Number == 2 {
				want = providers.Canceled
			}
			assert.Equal(t, want, s.Class, "request %d", s.Number)
		}
	})
}
