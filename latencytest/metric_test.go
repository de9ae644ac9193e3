package latencytest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

func at(d time.Duration) wire.Instant { return wire.At(d) }

func tokens(n int64) providers.Count { return providers.CountOf(n) }

// whole is a sample with a value of every metric: 101 tokens, the first after
// 400 ms and the last after 2.4 s.
func whole() latencytest.Sample {
	return latencytest.Sample{
		Class: providers.OK, Lag: at(5 * ms),
		Phases: wire.Phases{Wrote: at(20 * ms), Header: at(300 * ms)},
		Body:   at(310 * ms), FirstEvent: at(310 * ms), First: at(400 * ms), FirstVisible: at(500 * ms), Last: at(2400 * ms), End: at(2500 * ms),
		Gaps:          latencytest.Gaps{N: 99, P50: at(20 * ms), P90: at(30 * ms), P99: at(40 * ms), Longest: at(90 * ms)},
		ContentEvents: 100,
		Usage:         providers.Usage{Input: tokens(12), Output: tokens(101)},
		ServerLatency: at(2490 * ms),
		Operation: &latencytest.Operation{
			First: at(600 * ms), Took: at(2700 * ms), Before: at(50 * ms), Waiting: at(2500 * ms), ModelCalls: 3, Serial: 2,
		},
	}
}

func TestEveryMetricOfAWholeSample(t *testing.T) {
	t.Parallel()
	want := map[latencytest.Metric]float64{
		latencytest.TTFT:          400e6,
		latencytest.TTFTVisible:   500e6,
		latencytest.TTFB:          280e6, // from the request fully sent, not from t_call
		latencytest.TTLT:          2400e6,
		latencytest.StreamEnd:     2500e6,
		latencytest.TTFTSched:     405e6, // from the intended start
		latencytest.E2ESched:      2405e6,
		latencytest.ScheduleLag:   5e6,
		latencytest.OTPS:          50, // (101 − 1) tokens in 2 s
		latencytest.OTPSEndToEnd:  101 / 2.4,
		latencytest.TPOT:          20e6,
		latencytest.ITL:           20e6,
		latencytest.ICLP50:        20e6,
		latencytest.ICLP90:        30e6,
		latencytest.ICLP99:        40e6,
		latencytest.Stall:         90e6,
		latencytest.ServerLatency: 2490e6,
		latencytest.InputTokens:   12,
		latencytest.OutputTokens:  101,
		latencytest.OperationTTFT: 600e6,
		latencytest.OperationTime: 2700e6,
		latencytest.OperationWait: 2500e6,
		latencytest.OperationApp:  200e6,
		latencytest.ModelCalls:    3,
		latencytest.SerialCalls:   2,
	}
	assert.Len(t, latencytest.Metrics, len(want))
	s := whole()
	for _, m := range latencytest.Metrics {
		v, ok := m.Of(&s)
		assert.True(t, ok, "%v", m)
		assert.Equal(t, want[m], v, "%v", m)
	}
}

// A sample of which nothing is known has no value of anything, and a moment at
// t_call itself is a value of 0: missing is never zero.
func TestMissingIsNeverZero(t *testing.T) {
	t.Parallel()
	for _, m := range latencytest.Metrics {
		v, ok := m.Of(&latencytest.Sample{Class: providers.OK})
		assert.False(t, ok, "%v", m)
		_ = v // means nothing
	}
	s := latencytest.Sample{First: at(0), FirstVisible: at(0), Phases: wire.Phases{Wrote: at(ms), Header: at(ms)}, Usage: providers.Usage{Output: tokens(0)}}
	for _, m := range []latencytest.Metric{latencytest.TTFT, latencytest.TTFTVisible, latencytest.TTFB, latencytest.OutputTokens} {
		v, ok := m.Of(&s)
		assert.True(t, ok, "%v", m)
		assert.Zero(t, v, "%v", m)
	}

	// Each field that a metric needs is missed by that metric alone.
	for name, c := range map[string]struct {
		drop func(*latencytest.Sample)
		gone []latencytest.Metric
	}{
		"first":         {func(s *latencytest.Sample) { s.First = wire.Instant{} }, []latencytest.Metric{latencytest.TTFT, latencytest.TTFTSched, latencytest.OTPS, latencytest.OTPSEndToEnd, latencytest.TPOT, latencytest.ITL}},
		"first visible": {func(s *latencytest.Sample) { s.FirstVisible = wire.Instant{} }, []latencytest.Metric{latencytest.TTFTVisible}},
		"wrote":         {func(s *latencytest.Sample) { s.Wrote = wire.Instant{} }, []latencytest.Metric{latencytest.TTFB}},
		"header":        {func(s *latencytest.Sample) { s.Header = wire.Instant{} }, []latencytest.Metric{latencytest.TTFB}},
		"end":           {func(s *latencytest.Sample) { s.End = wire.Instant{} }, []latencytest.Metric{latencytest.StreamEnd}},
		"usage":         {func(s *latencytest.Sample) { s.Usage.Output = providers.Count{} }, []latencytest.Metric{latencytest.OutputTokens, latencytest.OTPS, latencytest.OTPSEndToEnd, latencytest.TPOT, latencytest.ITL}},
		"lag":           {func(s *latencytest.Sample) { s.Lag = wire.Instant{} }, []latencytest.Metric{latencytest.ScheduleLag}}, // due when it was made
		"gaps":          {func(s *latencytest.Sample) { s.Gaps = latencytest.Gaps{} }, []latencytest.Metric{latencytest.ICLP50, latencytest.ICLP90, latencytest.ICLP99, latencytest.Stall}},
	} {
		s := whole()
		c.drop(&s)
		for _, m := range latencytest.Metrics {
			_, ok := m.Of(&s)
			assert.Equal(t, !contains(c.gone, m), ok, "%v without %s", m, name)
		}
	}
}

func contains(metrics []latencytest.Metric, m latencytest.Metric) bool {
	for _, other := range metrics {
		if other == m {
			return true
		}
	}
	return false
}

func TestUnitsNamesAndDirections(t *testing.T) {
	t.Parallel()
	units := map[string]bool{}
	for _, m := range latencytest.Metrics {
		assert.False(t, units[m.Unit()], "%s twice", m.Unit())
		units[m.Unit()] = true
		assert.NotContains(t, m.Unit(), " ", "testing.B panics on it")
		assert.Equal(t, m.Name(), m.String())
		found, ok := latencytest.MetricByUnit(m.Unit())
		require.True(t, ok)
		assert.Equal(t, m, found)
		assert.Equal(t, m == latencytest.OTPS || m == latencytest.OTPSEndToEnd, m.HigherIsBetter(), "%v", m)
	}
	assert.Equal(t, "ttft-ns", latencytest.TTFT.Unit())
	assert.Equal(t, "otps-tok/s", latencytest.OTPS.Unit())
	assert.True(t, latencytest.TPOT.IsTime())
	assert.False(t, latencytest.OTPS.IsTime())
	assert.False(t, latencytest.InputTokens.IsTime())
	_, ok := latencytest.MetricByUnit("ns/op")
	assert.False(t, ok)
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metric latencytest.Metric
		value  float64
		want   string
	}{
		{latencytest.TTFT, 612e6, "612 ms"},
		{latencytest.TTFT, 612.4e6, "612 ms"},
		{latencytest.TTFT, 48.26e6, "48.3 ms"},
		{latencytest.TTFT, 4.826e6, "4.83 ms"},
		{latencytest.TTFT, 5e6, "5 ms"},
		{latencytest.TTFT, 2.345e9, "2345 ms"},
		{latencytest.TTFT, 12.34e9, "12.3 s"},
		{latencytest.TTFT, 120e9, "120 s"},
		{latencytest.TTFT, 34_500, "34.5 µs"},
		{latencytest.TTFT, 870, "870 ns"},
		{latencytest.TTFT, 0, "0 ms"},
		{latencytest.TTFB, -34_500, "-34.5 µs"},
		{latencytest.OTPS, 48.21, "48.2 tok/s"},
		{latencytest.OTPS, 148.21, "148 tok/s"},
		{latencytest.OTPS, .5, "0.50 tok/s"},
		{latencytest.InputTokens, 1234, "1234"},
		{latencytest.OutputTokens, 12.5, "12.5"},
	} {
		assert.Equal(t, c.want, c.metric.Format(c.value))
	}
}
