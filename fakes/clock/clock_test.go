package clock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/fakes/clock"
)

// wait returns what an alarm says about moments since now, and when.
func wait(ctx context.Context, moments ...time.Duration) (rang []bool, at []time.Duration) {
	start := time.Now()
	alarm := clock.NewAlarm(ctx)
	defer alarm.Stop()
	for _, m := range moments {
		rang = append(rang, alarm.Wait(start.Add(m)))
		at = append(at, time.Since(start))
	}
	return rang, at
}

func TestVirtualTimeIsExact(t *testing.T) {
	t.Parallel()
	assert.False(t, clock.Virtual())
	synctest.Test(t, func(t *testing.T) {
		assert.True(t, clock.Virtual())
		rang, at := wait(t.Context(), 3*time.Second+1, time.Second, 24*time.Hour)
		assert.Equal(t, []bool{true, true, true}, rang)
		assert.Equal(t, []time.Duration{3*time.Second + 1, 3*time.Second + 1, 24 * time.Hour}, at)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rang, at = wait(ctx, time.Second, time.Hour, time.Second)
		assert.Equal(t, []bool{true, false, false}, rang)
		assert.Equal(t, []time.Duration{time.Second, time.Minute, time.Minute}, at)
	})
}

// Real time, because the timer of the kernel is real: it is never early, and a context
// that ends cuts it off, whenever that is.
func TestRealTime(t *testing.T) {
	t.Parallel()
	rang, at := wait(t.Context(), 2*time.Millisecond, time.Millisecond, 5*time.Millisecond)
	assert.Equal(t, []bool{true, true, true}, rang)
	assert.GreaterOrEqual(t, at[0], 2*time.Millisecond)
	assert.GreaterOrEqual(t, at[2], 5*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
	defer cancel()
	rang, _ = wait(ctx, time.Millisecond, 24*time.Hour, 24*time.Hour)
	assert.Equal(t, []bool{false, false}, rang[1:])

	cancelled, cancelNow := context.WithCancel(t.Context())
	cancelNow()
	rang, _ = wait(cancelled, -time.Second, time.Hour)
	assert.Equal(t, []bool{false, false}, rang)
}
