package attribution_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// A fault is one thing that is wrong with a world, and what it is to be called.
type fault struct {
	name   string
	in     string // the world
	inject func(*world)
	want   attribution.Phase
	shape  attribution.Shape // empty: either
	asked  []baseline.Question
	prompt string // that carries it alone
}

var (
	ttft = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	ttlt = baseline.Question{Metric: latencytest.TTLT, Quantile: latencytest.P90}
	otps = baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}

	medianTTFT = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P50}
	streamEnd  = baseline.Question{Metric: latencytest.StreamEnd, Quantile: latencytest.P90}
	medianTTLT = baseline.Question{Metric: latencytest.TTLT, Quantile: latencytest.P50}
)

var worlds = map[string]world{
	"usual":  usual(),
	"cached": with(func(w *world) { w.context, w.uncached = 6000, 200*ms }),
	"again":  with(func(w *world) { w.retries = 2 }),
	"agent":  with(func(w *world) { w.calls, w.retries = 2, 2 }),
}

func with(change func(*world)) world {
	w := usual()
	change(&w)
	return w
}

func stalling(w *world) {
	w.script.Faults = []fakes.Fault{{On: fakes.Share(.17), Effect: fakes.Stall{At: 9, For: 900 * ms}}}
}

func throttling(w *world) {
	w.script.Faults = []fakes.Fault{{On: fakes.Share(.17), Attempts: 1, Effect: fakes.Refuse{Exception: fakes.Throttling, RetryAfter: 1000 * ms}}}
}

func connecting(w *world) { w.connect = fakes.Lognormal(180*ms, .3) }
func waiting(w *world)    { w.server = fakes.Lognormal(280*ms, .35) }
func thinking(w *world)   { w.script.TTFT = fakes.Lognormal(350*ms, .3) }
func decoding(w *world)   { w.script.Gap = fakes.Lognormal(34*ms, .4) }
func lengthy(w *world)    { w.script.OutputTokens = 30 }

var faults = []fault{
	{"connect", "usual", connecting, attribution.Connection, attribution.Whole, []baseline.Question{ttft, medianTTFT}, ""},
	{"header", "usual", waiting, attribution.FirstByte, attribution.Whole, []baseline.Question{ttft, streamEnd}, ""},
	{"header, tail", "usual", func(w *world) { w.server = fakes.StretchTail(w.server, 2.6) }, attribution.FirstByte, attribution.Tail, []baseline.Question{ttft}, ""},
	{"first token", "usual", thinking, attribution.FirstToken, attribution.Whole, []baseline.Question{ttft, medianTTFT}, ""},
	{"first token, tail", "usual", func(w *world) { w.script.TTFT = fakes.StretchTail(w.script.TTFT, 2.2) }, attribution.FirstToken, attribution.Tail, []baseline.Question{ttft}, ""},
	{"decode", "usual", decoding, attribution.DecodeSpeed, attribution.Whole, []baseline.Question{ttlt, otps}, ""},
	{"stalls", "usual", stalling, attribution.Stalls, attribution.Tail, []baseline.Question{ttlt, otps}, ""},
	{"throttled", "again", throttling, attribution.Retries, attribution.Tail, []baseline.Question{ttft, ttlt}, ""},
	{"throttled agent", "agent", throttling, attribution.Retries, "", []baseline.Question{ttft, ttlt}, ""},
	{"answers", "usual", lengthy, attribution.OutputTokens, attribution.Whole, []baseline.Question{ttlt, medianTTLT}, ""},
	{"cache", "cached", func(w *world) { w.unique = 1 }, attribution.CacheMisses, attribution.Whole, []baseline.Question{ttft, medianTTFT}, ""},
	{"cache, half", "cached", func(w *world) { w.unique = .5 }, attribution.CacheMisses, attribution.Whole, []baseline.Question{ttft}, ""},
	{"call", "usual", func(w *world) { w.calls = 2 }, attribution.EarlierCalls, attribution.Whole, []baseline.Question{ttft, ttlt}, ""},
	{"prompt", "usual", func(w *world) { w.slow, w.longer = "p2", 300*ms }, attribution.FirstByte, attribution.Tail, []baseline.Question{ttft}, "p2"},
}

// measured is the runs of a world, and of a world with a fault, by name.
var measured = func() map[string]*pool {
	pools := make(map[string]*pool)
	for name := range worlds {
		pools[name] = new(pool)
	}
	for _, f := range faults {
		pools["fault "+f.name] = new(pool)
	}
	return pools
}()

func (f fault) runs(t *testing.T) (good, bad []*baseline.Run) {
	t.Helper()
	w := worlds[f.in]
	good = measured[f.in].of(t, w, 1_000)
	f.inject(&w)
	return good, measured["fault "+f.name].of(t, w, 2_000)
}

// A tally counts what is said of one fault over all seeds.
type tally struct {
	first, right, proven, unclear, unmoved, shape, prompt int

	wrong        map[attribution.Phase]int
	share, least float64
	last         *attribution.Attribution
}

func (f fault) tally(t *testing.T, q baseline.Question, candidates, stored []*baseline.Run) tally {
	t.Helper()
	c := tally{wrong: make(map[attribution.Phase]int), least: math.Inf(1)}
	for seed := range seeds {
		candidate, runs := comparison(candidates, stored, seed)
		a, err := attribution.Explain(candidate, runs, q)
		require.NoError(t, err)
		c.last = a
		proven, err := attribution.ExplainProven(candidate, runs, q)
		require.NoError(t, err)
		switch {
		case proven.Phase == f.want:
			c.proven++
		case proven.Finding == attribution.Named:
			c.wrong[proven.Phase]++
		default:
			require.NotEqual(t, attribution.Named, a.Finding, "what is clear stays so")
		}
		sum := 0.
		for _, p := range a.Parts {
			sum += p.Share
			if p.Phase == f.want {
				c.share += p.Share / seeds
				c.least = min(c.least, p.Share)
			}
		}
		require.InDelta(t, 1, sum, 1e-9, "shares are shares of one whole")
		if a.Parts[0].Phase == f.want {
			c.first++
		}
		switch {
		case a.Finding == attribution.Unclear:
			c.unclear++
		case a.Finding == attribution.Unmoved:
			c.unmoved++
		case a.Phase == f.want:
			c.right++
		default:
			c.wrong[a.Phase]++
		}
		if a.Shape == f.shape {
			c.shape++
		}
		if few := a.Prompts.Few; len(few) == 1 && few[0].ID == f.prompt || len(few) == 0 && f.prompt == "" {
			c.prompt++
		}
	}
	return c
}

func (c tally) String() string {
	return fmt.Sprintf("first %d, right %d (%d of proven shifts) of %d, unclear %d, unmoved %d, wrong %v; share %.2f, at least %.2f; shape %d, prompts %d\n%v",
		c.first, c.right, c.proven, seeds, c.unclear, c.unmoved, c.wrong, c.share, c.least, c.shape, c.prompt, c.last)
}

// Of every kind of fault the right phase is named with most of the share, and its
// removal is named as well.
func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			good, bad := f.runs(t)
			for _, q := range f.asked {
				f.check(t, "worse "+q.String(), f.tally(t, q, bad, good))
				f.check(t, "improved "+q.String(), f.tally(t, q, good, bad))
			}
		})
	}
}

func (f fault) check(t *testing.T, what string, c tally) {
	t.Helper()
	t.Logf("%s: %v", what, c)
	assert.GreaterOrEqual(t, c.first, seeds*9/10, what)
	assert.GreaterOrEqual(t, c.right, seeds*8/10, "%s: the others are unclear", what)
	assert.GreaterOrEqual(t, c.proven, seeds*9/10, "%s, of a proven shift", what)
	assert.Empty(t, c.wrong, what)
	assert.Greater(t, c.share, .75, "%s: most of the share", what)
	if f.shape != "" {
		assert.GreaterOrEqual(t, c.shape, seeds*9/10, "%s is a shift of the %s", what, f.shape)
	}
	assert.GreaterOrEqual(t, c.prompt, seeds*9/10, "%s: prompts", what)
}

// Runs that differ by chance alone: a phase is claimed no more often than chance
// has it.
func TestNothingMoved(t *testing.T) {
	t.Parallel()
	for name, w := range worlds {
		for _, q := range []baseline.Question{ttft, ttlt, otps, medianTTFT} {
			t.Run(name+" "+q.String(), func(t *testing.T) {
				t.Parallel()
				runs := measured[name].of(t, w, 1_000)
				c := fault{}.tally(t, q, runs, runs)
				t.Log(c)
				assert.LessOrEqual(t, len(c.wrong), 1)
				assert.GreaterOrEqual(t, c.unmoved, seeds*7/10)
			})
		}
	}
}
