package latencytest

import (
	"iter"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func first(n int, starts iter.Seq[time.Duration]) []time.Duration {
	var out []time.Duration
	for start := range starts {
		if out = append(out, start); len(out) == n {
			break
		}
	}
	return out
}

func TestStartsOfAnOpenLoad(t *testing.T) {
	t.Parallel()
	const s = time.Second
	assert.Equal(t, []time.Duration{0, s / 4, s / 2, 3 * s / 4}, first(4, Open(4).starts(1)))
	// From 0 to 10 a second in 10 s, i requests have started after √(2i) s; after
	// the ramp, with its 50 requests, ten a second.
	ramp := first(71, Ramp(0, 10, 10*s).starts(1))
	for i, start := range ramp {
		want := math.Sqrt(2 * float64(i))
		if i > 50 {
			want = 10 + float64(i-50)/10
		}
		assert.InDelta(t, want, start.Seconds(), 1e-9, "request %d", i)
	}
	down := first(61, Ramp(10, 2, 10*s).starts(1))
	assert.Equal(t, 10*s, down[60], "10 s at 6 a second on average")
	assert.Equal(t, first(9, Open(5).starts(1)), first(9, Ramp(5, 5, s).starts(1)), "a flat ramp is none")
}

func TestPoissonStarts(t *testing.T) {
	t.Parallel()
	const n, rate = 20_000, 50.
	starts := first(n, Poisson(rate).starts(7))
	assert.Equal(t, starts, first(n, Poisson(rate).starts(7)), "the seed decides")
	assert.NotEqual(t, starts[:10], first(10, Poisson(rate).starts(8)))
	var sum, squares float64
	for i := 1; i < n; i++ {
		gap := (starts[i] - starts[i-1]).Seconds()
		require.GreaterOrEqual(t, gap, 0.)
		sum += gap
		squares += gap * gap
	}
	mean := sum / (n - 1)
	sd := math.Sqrt(squares/(n-1) - mean*mean)
	assert.InEpsilon(t, 1/rate, mean, .03)
	assert.InEpsilon(t, 1/rate, sd, .03, "the gaps are exponential")
}

func TestStartsOfGivenArrivals(t *testing.T) {
	t.Parallel()
	const s = time.Second
	times := []time.Duration{s, 2 * s, 2 * s, 7 * s}
	load := Arrivals(times)
	times[0] = 0
	assert.Equal(t, []time.Duration{s, 2 * s, 2 * s, 7 * s, 10 * s, 11 * s, 11 * s, 16 * s, 19 * s}, first(9, load.starts(1)),
		"as they were given, and anew the mean interval after the last")
	assert.Equal(t, []time.Duration{s, 2 * s, 3 * s}, first(3, Arrivals([]time.Duration{s}).starts(1)))
	assert.Len(t, first(5, Arrivals(make([]time.Duration, 2)).starts(1)), 5)
	assert.Equal(t, []int{1, 50, 4}, []int{
		load.wave(), Arrivals(make([]time.Duration, 50)).wave(), Arrivals([]time.Duration{0, 1, 2, s, s, s, 2 * s}).wave(),
	}, "what starts within a second")

	name := load.String()
	assert.Regexp(t, `^arrivals\(4,7s,[0-9a-f]{8}\)$`, name)
	assert.NotEqual(t, name, Arrivals([]time.Duration{0, 2 * s, 2 * s, 7 * s}).String())
	again, err := ParseLoad(name)
	require.NoError(t, err)
	assert.Equal(t, name, again.String())
	for load, want := range map[LoadModel]string{
		again:                            "of " + name + " only the name is known; give the times with latencytest.Arrivals",
		Arrivals(nil):                    "want at least one arrival",
		Arrivals([]time.Duration{s, 0}):  "want arrivals in the order of time",
		Arrivals([]time.Duration{-1, 0}): "want arrivals in the order of time, none before the start",
	} {
		assert.ErrorContains(t, Plan{Load: load}.withDefaults(Settings{}).validate(), "Plan.Load: "+want)
	}
	assert.Equal(t, 4, Plan{Load: load}.withDefaults(Settings{}).Requests)
}

func TestLoadsHaveNames(t *testing.T) {
	t.Parallel()
	for load, name := range map[LoadModel]string{
		Closed(4): "closed(4)", Open(200): "open(200/s)", Poisson(.5): "poisson(0.5/s)",
		Ramp(0, 20, 90*time.Second): "ramp(0/s,20/s,1m30s)",
	} {
		assert.Equal(t, name, load.String())
		again, err := ParseLoad(name)
		require.NoError(t, err)
		assert.Equal(t, load, again)
	}
	for _, text := range []string{
		"", "closed", "closed(", "closed(4", "closed()", "closed(x)", "closed(0)", "closed(-1)", "closed(4))", "4",
		"open(4)", "open(0/s)", "open(-1/s)", "open(NaN/s)", "open(+Inf/s)", "poisson(x/s)", "poisson(2e6/s)", "open(1/s,2/s)",
		"arrivals(0,0s,00000000)", "arrivals(x,1s,00000000)", "arrivals(1,x,00000000)", "arrivals(1,1s,x)", "arrivals(1,1s)", "arrivals(1,-1s,00000000)",
		"ramp(1/s,2/s)", "ramp(1/s,0/s,1s)", "ramp(-1/s,2/s,1s)", "ramp(1/s,2/s,0s)", "ramp(1/s,2/s,x)", "ramp(1,2/s,1s)",
	} {
		_, err := ParseLoad(text)
		assert.ErrorContains(t, err, "is no load", "%q", text)
	}
}
