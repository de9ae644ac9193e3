package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/latencytest"
)

// In virtual time, nothing is off.
func TestSelfCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(nil)
		require.Equal(t, exitOK, h.call(t, "selfcheck --streams 4 --events-per-second 20 --duration 2s"), h.err.String())
		assert.Contains(t, h.out.String(), "4 streams of 20 events/s for 2s")
		assert.Empty(t, h.err.String())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		h = newHarness(nil)
		assert.Equal(t, exitInterrupted, h.program.run(ctx, []string{"selfcheck"}))
		assert.Contains(t, h.err.String(), "latgate: self-check: ")
	})
	for line, want := range map[string]string{
		"selfcheck --streams 0":             "--streams: want more than 0, got 0",
		"selfcheck --events-per-second -1":  "--events-per-second: want more than 0, got -1",
		"selfcheck --duration 0s":           "--duration: want more than 0, got 0s",
		"selfcheck --events-per-second NaN": "--events-per-second: want more than 0, got NaN",
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, line))
		assert.Equal(t, "latgate: "+want+"\n", h.err.String())
	}
}

func TestSelfCheckThatFails(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	err := h.printSelfCheck(&latencytest.SelfCheckReport{
		TTFT: latencytest.TimeErrors{N: 9, P99: time.Second}, MedianTTFT: 100 * time.Millisecond,
	})
	assert.EqualError(t, err, "this machine does not keep up with this load")
	assert.Contains(t, h.out.String(), "the client was the bottleneck: the P99 of its error is 1000 ms, at most 5 ms is valid")
	assert.Equal(t, exitEndpoint, err.(*exitError).code)
	h.stdout = full{}
	assert.Equal(t, exitInternal, h.printSelfCheck(&latencytest.SelfCheckReport{}).(*exitError).code)
}
