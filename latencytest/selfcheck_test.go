package latencytest_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/latencytest"
)

// In virtual time no instrument may be late by a nanosecond.
func TestSelfCheckInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r, err := latencytest.SelfCheck(t.Context(), latencytest.SelfCheckPlan{Streams: 7, Rate: 30, Duration: 3 * time.Second})
		require.NoError(t, err)
		assert.True(t, r.Virtual)
		assert.Equal(t, latencytest.TimeErrors{N: 3 * 7}, r.TTFT)
		assert.Equal(t, latencytest.TimeErrors{N: 3 * 7 * 29}, r.Gap)
		assert.Equal(t, latencytest.TimeErrors{N: 3 * 7}, r.Bare)
		assert.InDelta(t, 100*ms+time.Second/30/2, r.MedianTTFT, float64(5*ms), "spread over an interval")
		assert.True(t, math.IsNaN(r.CPU))
		assert.True(t, math.IsNaN(r.Instrument))
		assert.Empty(t, r.Bottleneck())
		assert.Regexp(t, `^self-check: 7 streams of 30 events/s for 3s, .*, virtual time
 +error of +n +P50 +P99 +max
 +ttft +21 +0 ms +0 ms +0 ms
 +gaps +609 +0 ms +0 ms +0 ms
 +ttft, bare loop +21 +0 ms +0 ms +0 ms$`, r.String())
		assert.InDelta(t, 2*3*1100*ms, time.Since(start), float64(time.Second), "about twice its duration")
	})
}

func TestSelfCheckDefaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, err := latencytest.SelfCheck(t.Context(), latencytest.SelfCheckPlan{})
		require.NoError(t, err)
		assert.Equal(t, latencytest.SelfCheckPlan{Streams: 100, Rate: 50, Duration: 5 * time.Second}, r.Plan)
		assert.Equal(t, latencytest.TimeErrors{N: 500}, r.TTFT)
		assert.Equal(t, latencytest.TimeErrors{N: 500 * 49}, r.Gap)
	})
}

// Real time: how late it is depends on the machine and is nobody's promise here.
func TestSelfCheckInRealTime(t *testing.T) {
	t.Parallel()
	r, err := latencytest.SelfCheck(t.Context(), latencytest.SelfCheckPlan{Streams: 4, Rate: 20, Duration: time.Second})
	require.NoError(t, err)
	assert.False(t, r.Virtual)
	for _, errs := range []latencytest.TimeErrors{r.TTFT, r.Bare} {
		assert.Equal(t, 4, errs.N)
		assert.Positive(t, errs.P50, "no event is seen before it was written")
		assert.LessOrEqual(t, errs.P50, errs.P99)
		assert.LessOrEqual(t, errs.P99, errs.Max)
	}
	assert.Equal(t, 4*19, r.Gap.N)
	assert.GreaterOrEqual(t, r.MedianTTFT, 100*ms)
	assert.Positive(t, r.CPU)
	assert.LessOrEqual(t, r.CPU, 1.)
	assert.Contains(t, r.String(), "the instrument's own")
}

func TestSelfCheckNamesTheBottleneck(t *testing.T) {
	t.Parallel()
	good := latencytest.SelfCheckReport{MedianTTFT: 110 * ms, TTFT: latencytest.TimeErrors{P99: 5 * ms}, Bare: latencytest.TimeErrors{P99: ms}}
	assert.Empty(t, good.Bottleneck())

	client := good
	client.TTFT.P99 = 6 * ms
	assert.Equal(t, "the client was the bottleneck: the P99 of its error is 6 ms, at most 5 ms is valid; lower the load or give the client more CPU", client.Bottleneck())
	assert.Contains(t, client.String(), client.Bottleneck())

	machine := client
	machine.Bare.P99 = 5500 * time.Microsecond
	assert.Contains(t, machine.Bottleneck(), "a bare read loop does not do it either, at 5.50 ms")

	slow := client
	slow.MedianTTFT = time.Second
	assert.Empty(t, slow.Bottleneck(), "1 % of the time that is measured is no bottleneck")
}

func TestSelfCheckThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []latencytest.SelfCheckPlan{{Streams: -1}, {Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Duration: -1}} {
		r, err := latencytest.SelfCheck(t.Context(), c)
		assert.Nil(t, r)
		assert.ErrorContains(t, err, "SelfCheckPlan: want a positive number of streams", "%+v", c)
	}
}

func TestSelfCheckThatIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, after := range map[string]time.Duration{"bare": time.Second, "latgate": 8 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			r, err := latencytest.SelfCheck(ctx, latencytest.SelfCheckPlan{Streams: 3})
			cancel()
			assert.Nil(t, r, name)
			assert.ErrorIs(t, err, context.DeadlineExceeded, name)
		}
	})
}
