package baseline_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/internal/simulation"
)

// BenchmarkRequestsNeeded measures how many requests a run needs for the gate to see
// a slow-down with 90 % power in one session, and ends with a table of them. With
// stored runs that vary some are out of reach; the table then has the power at 3200.
//
//	go test ./baseline -run '^$' -bench RequestsNeeded -benchtime 1x -timeout 2h
func BenchmarkRequestsNeeded(b *testing.B) {
	// One stored run says nothing about how much runs vary. Where they do not, and the
	// gate is told so, there is as much to see as in turns within one session.
	const calm = 1e-6
	columns := []powerCurve{
		{k: 1, sd: 0, tau0: calm, q: .9, slowdowns: []slowdown{{.10, .05}, {.20, .10}, {.30, .10}}},
		{k: 5, sd: .03, q: .9, slowdowns: []slowdown{{.10, .05}, {.15, .05}, {.20, .10}, {.30, .10}}},
		{k: 5, sd: .05, q: .9, slowdowns: []slowdown{{.20, .10}, {.30, .10}}},
		{k: 1, sd: 0, tau0: calm, q: .5, slowdowns: []slowdown{{.10, .05}, {.20, .10}}},
		{k: 5, sd: .03, q: .5, slowdowns: []slowdown{{.20, .10}, {.30, .10}}},
	}
	sizes := []int{30, 50, 100, 200, 400, 800, 1600, 3200}
	if testing.Short() {
		sizes = sizes[:3]
	}
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "requests per run")
	for _, c := range columns {
		for _, s := range c.slowdowns {
			fmt.Fprintf(t, "\tP%.0f k %d sd %v: %v", 100*c.q, c.k, c.sd, s)
		}
	}
	fmt.Fprintln(t)
	for _, d := range simulation.Distributions() {
		fmt.Fprint(t, d.Name)
		for _, c := range columns {
			c.Distribution = d
			b.Run(c.name(), func(b *testing.B) {
				var powers map[int]tally
				for b.Loop() {
					powers = c.measure(b, sizes)
				}
				for _, s := range c.slowdowns {
					n, best := needed(sizes, powers, s.event())
					b.ReportMetric(n, fmt.Sprintf("requests%v", s.event()))
					if math.IsInf(n, 1) {
						fmt.Fprintf(t, "\tno (%.0f %%)", math.Floor(best))
					} else {
						fmt.Fprintf(t, "\t%.0f", n)
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
		fmt.Fprintln(t)
	}
	require.NoError(b, t.Flush())
	fmt.Fprintf(os.Stdout, "\n%s", &table)
}

// A slowdown is looked for with a MinEffect below it: one of 10 % is found in half of
// the cases by a gate that wants an estimate of 10 %, whatever the number of requests.
type slowdown struct{ effect, minEffect float64 }

func (s slowdown) event() event { return event(fmt.Sprintf("+%.0f%%", 100*s.effect)) }

func (s slowdown) String() string { return fmt.Sprintf("+%.0f %%", 100*s.effect) }

// found reports whether the gate would find the slowdown in a candidate that is not
// slower, had each of its requests taken that much longer: D grows by its logarithm
// and nothing else changes.
func (s slowdown) found(r stat.Result) bool {
	return r.Low*(1+s.effect) > 1 && r.Ratio*(1+s.effect) >= 1+s.minEffect
}

// A powerCurve is the power of one comparison, by the number of requests.
type powerCurve struct {
	simulation.Distribution
	k         int
	sd, q     float64
	tau0      float64
	slowdowns []slowdown
}

func (c powerCurve) name() string {
	return fmt.Sprintf("dist=%s/sd=%v/k=%d/q=%v", c.Name, c.sd, c.k, c.q)
}

// measure goes up the sizes until all slowdowns are seen, or the sizes end.
func (c powerCurve) measure(b *testing.B, sizes []int) map[int]tally {
	powers := make(map[int]tally)
	for _, n := range sizes {
		w := simulation.World{Distribution: c.Distribution, SessionSD: c.sd, N: n, K: c.k}
		counted, err := replicate(fmt.Sprintf("%s/n=%d", c.name(), n), replications(b), runtime.GOMAXPROCS(0),
			func(rng *rand.Rand, counted tally) error {
				comparison := single{w}.draw(rng)
				comparison.Q = c.q
				r, err := judge(comparison, stat.Options{MinRuns: 1, Tau0: c.tau0})
				for _, s := range c.slowdowns {
					counted.note(s.event(), s.found(r))
				}
				return err
			})
		require.NoError(b, err)
		powers[n] = counted
		all := true
		for _, s := range c.slowdowns {
			all = all && counted.rate(s.event()) >= 90
		}
		if all {
			break
		}
	}
	return powers
}

// needed returns the number of requests with a power of 90 %, to two digits, or +Inf
// and the largest power there is. Between two sizes the normal quantile of the power
// is taken for linear in the logarithm of the size.
func needed(sizes []int, powers map[int]tally, e event) (n, best float64) {
	probit := func(n int) float64 {
		t := powers[n]
		share := (float64(t.events[e]) + .5) / (float64(t.replications) + 1)
		return math.Sqrt2 * math.Erfinv(2*share-1)
	}
	const goal = 1.2816
	for i, n := range sizes {
		if _, measured := powers[n]; !measured {
			break
		}
		best = max(best, powers[n].rate(e))
		if powers[n].rate(e) < 90 {
			continue
		}
		if i == 0 {
			return float64(n), best
		}
		low, high := probit(sizes[i-1]), probit(n)
		part := min(1, max(0, (goal-low)/(high-low)))
		exact := float64(sizes[i-1]) * math.Pow(float64(n)/float64(sizes[i-1]), part)
		digits := math.Pow(10, math.Floor(math.Log10(exact))-1)
		return digits * math.Round(exact/digits), best
	}
	return math.Inf(1), best
}

func TestNeededInterpolates(t *testing.T) {
	t.Parallel()
	sizes := []int{50, 100, 200}
	power := func(rates ...int) map[int]tally {
		powers := make(map[int]tally)
		for i, rate := range rates {
			powers[sizes[i]] = tally{1000, map[event]int{"+20%": rate}}
		}
		return powers
	}
	for _, test := range []struct {
		powers  map[int]tally
		n, best float64
	}{
		{power(950), 50, 95},
		{power(500, 900), 100, 90},
		{power(100, 500, 995), 140, 99.5},
		{power(100, 500, 800), math.Inf(1), 80},
	} {
		n, best := needed(sizes, test.powers, "+20%")
		assert.InDelta(t, test.n, n, 1e-9)
		assert.InDelta(t, test.best, best, 1e-9)
	}
}

// A slowdown need not be drawn: what would be found is known without.
func TestASlowdownShiftsTheLogRatio(t *testing.T) {
	t.Parallel()
	found := map[bool]int{}
	for i := range 200 {
		s := []slowdown{{.15, .05}, {.20, .10}}[i%2]
		w := simulation.World{Distribution: distribution("MIX5x4"), SessionSD: .03, N: 100, K: 5}
		same := single{w}.draw(rand.New(rand.NewPCG(uint64(i), 0)))
		w.Effect = 1 + s.effect
		slower := single{w}.draw(rand.New(rand.NewPCG(uint64(i), 0)))

		r, err := judge(same, stat.Options{})
		require.NoError(t, err)
		want, err := judge(slower, stat.Options{SingleSession: true, MinEffect: s.minEffect})
		require.NoError(t, err)
		require.Equal(t, want.Verdict == stat.Regression, s.found(r))
		found[s.found(r)]++
	}
	assert.Greater(t, found[true], 20)
	assert.Greater(t, found[false], 20)
}
