package latencytest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// A speed has a value only where there was a stream to take it from.
func TestOTPSIsUndefinedForBufferedReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(*latencytest.Sample)
		otps    float64 // 0: undefined
		itl     float64
		otpsE2E float64
	}{
		{"a stream", func(*latencytest.Sample) {}, 50, 20e6, 101 / 2.4},
		{"three content events are enough", func(s *latencytest.Sample) { s.ContentEvents = 3 }, 50, 20e6, 101 / 2.4},
		{"two are not", func(s *latencytest.Sample) { s.ContentEvents = 2 }, 0, 20e6, 101 / 2.4},
		{"one is not", func(s *latencytest.Sample) { s.ContentEvents, s.Last = 1, s.First }, 0, 0, 101 / .4},
		{"N = n₁", func(s *latencytest.Sample) { s.Usage.Output = tokens(1) }, 0, 0, 1 / 2.4},
		{"N < n₁", func(s *latencytest.Sample) { s.FirstTokens = tokens(200) }, 0, 0, 101 / 2.4},
		{"n₁ told by the server", func(s *latencytest.Sample) { s.FirstTokens = tokens(21) }, 40, 25e6, 101 / 2.4},
		{"n₁ of 0 is told too", func(s *latencytest.Sample) { s.FirstTokens = tokens(0) }, 50.5, 2e9 / 101, 101 / 2.4},
		{"no tokens", func(s *latencytest.Sample) { s.Usage.Output = tokens(0) }, 0, 0, 0},
		{"no usage: chunks never stand in", func(s *latencytest.Sample) { s.Usage = providers.Usage{} }, 0, 0, 0},
		{"a window of 5 % of ttlt", func(s *latencytest.Sample) { s.First, s.Last = at(1900*ms), at(2000*ms) }, 1000, 1e6, 101 / 2.},
		{"a window just shorter", func(s *latencytest.Sample) { s.First, s.Last = at(1900*ms+1), at(2000*ms) }, 0, (100e6 - 1) / 100, 101 / 2.},
		{"all in one read: no time passed, that is no latency of 0", func(s *latencytest.Sample) { s.First = s.Last }, 0, 0, 101 / 2.4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := whole()
			c.change(&s)
			check := func(m latencytest.Metric, want float64) {
				t.Helper()
				v, ok := m.Of(&s)
				assert.Equal(t, want != 0, ok, "%v has a value: %v", m, v)
				if ok {
					assert.InEpsilon(t, want, v, 1e-12, "%v", m)
				}
			}
			check(latencytest.OTPS, c.otps)
			check(latencytest.ITL, c.itl)
			check(latencytest.OTPSEndToEnd, c.otpsE2E)
			if c.otps != 0 {
				check(latencytest.TPOT, 1e9/c.otps)
			} else {
				check(latencytest.TPOT, 0)
			}
		})
	}
}

// N and the window are of the same channels: reasoning that was billed and not
// streamed is in neither, reasoning that was streamed is in both.
func TestHiddenReasoningIsOutsideN(t *testing.T) {
	t.Parallel()
	s := whole()
	s.Usage.Reasoning = tokens(60)
	v, ok := latencytest.OTPS.Of(&s)
	assert.True(t, ok)
	assert.Equal(t, 20., v, "(101 − 60 − 1) / 2 s")
	v, _ = latencytest.OTPSEndToEnd.Of(&s)
	assert.InEpsilon(t, 41/2.4, v, 1e-12)

	s.ReasoningBytes = 300
	v, _ = latencytest.OTPS.Of(&s)
	assert.Equal(t, 50., v)

	s.ReasoningBytes, s.Usage.Reasoning = 0, tokens(0)
	v, _ = latencytest.OTPS.Of(&s)
	assert.Equal(t, 50., v)

	s.Usage.Reasoning = tokens(101)
	_, ok = latencytest.OTPS.Of(&s)
	assert.False(t, ok, "nothing of what was billed was streamed")
	_, ok = latencytest.OTPSEndToEnd.Of(&s)
	assert.False(t, ok)

	s.Usage.Reasoning = tokens(130) // more than the output, as OpenRouter has reported
	for _, m := range []latencytest.Metric{latencytest.OTPS, latencytest.OTPSEndToEnd, latencytest.ITL, latencytest.TPOT} {
		v, ok := m.Of(&s)
		assert.False(t, ok, "%v: %v", m, v)
	}
}

// A slower first token moves TTFT and not OTPS: that is what the two are for.
func TestOTPSDoesNotSeeTTFT(t *testing.T) {
	t.Parallel()
	fast, slow := whole(), whole()
	late := 3 * time.Second
	slow.First, slow.Last = slow.First.Add(late), slow.Last.Add(late)
	a, _ := latencytest.OTPS.Of(&fast)
	b, _ := latencytest.OTPS.Of(&slow)
	assert.Equal(t, a, b)
	a, _ = latencytest.OTPSEndToEnd.Of(&fast)
	b, _ = latencytest.OTPSEndToEnd.Of(&slow)
	assert.Greater(t, a, b)
}

// Only measured samples that ended OK enter a distribution, though failed ones
// keep their times.
func TestValuesAreOfSamplesThatEndedOK(t *testing.T) {
	t.Parallel()
	var s latencytest.Scenario
	for i, class := range providers.Classes {
		sample := whole()
		sample.Number, sample.Class = i, class
		s.Samples = append(s.Samples, sample)
		_, ok := latencytest.TTFT.Of(&sample)
		assert.True(t, ok, "partial times stay in the record")
	}
	buffered := whole()
	buffered.ContentEvents = 1
	s.Samples = append(s.Samples, buffered)
	assert.Equal(t, []float64{400e6, 400e6}, s.Values(latencytest.TTFT))
	assert.Equal(t, []float64{50}, s.Values(latencytest.OTPS))
	assert.Equal(t, len(providers.Classes)-1, s.Failed())
	for _, class := range providers.Classes[1:] {
		assert.Equal(t, 1, s.Counts()[class])
	}
	assert.Equal(t, "2/13 ok, throttled 1, http_4xx 1, http_5xx 1, timeout 1, cancelled 1, connect 1, stream_error 1, truncated 1, empty 1, parse 1, not_recorded 1", s.Ends())

	warm := whole()
	warm.Warmup = true
	assert.False(t, warm.OK())
	assert.Empty(t, (&latencytest.Scenario{Samples: []latencytest.Sample{warm}}).Values(latencytest.TTFT))
}
