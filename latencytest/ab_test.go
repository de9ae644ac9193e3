package latencytest_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// sides are two targets that differ in their profile.
func sides(network http.RoundTripper) (a, b providers.Target) {
	c := client(network)
	return bedrock.ConverseStream(c, model, bedrock.Standard()), bedrock.ConverseStream(c, model, bedrock.Optimized())
}

// compared measures both by turns in virtual time.
func compared(t *testing.T, script fakes.Script, plan latencytest.Plan) *latencytest.Pair {
	t.Helper()
	var pair *latencytest.Pair
	bubble(t, script, func(t *testing.T, network *fakes.Network) {
		a, b := sides(network.Transport())
		var err error
		pair, err = latencytest.MeasureAB(t.Context(), a, b, plan)
		require.NoError(t, err)
	})
	return pair
}

// A turnOf is what a run of requests of one side is.
type turnOf struct {
	side     string
	warmup   bool
	repeated int
	requests int
}

// order is in which turns the samples of both were measured. It fails where a turn
// began before the one before had ended.
func order(t *testing.T, pair *latencytest.Pair) []turnOf {
	t.Helper()
	type sample struct {
		latencytest.Sample
		side string
	}
	var all []sample
	for side, res := range map[string]*latencytest.Result{"A": pair.A, "B": pair.B} {
		for _, s := range res.Samples {
			all = append(all, sample{s, side})
		}
	}
	slices.SortStableFunc(all, func(x, y sample) int { return x.Time.Compare(y.Time) })
	var turns []turnOf
	var end, before time.Time // of this turn, and of those before
	for _, s := range all {
		this := turnOf{s.side, s.Warmup, s.Repeated, 1}
		last := len(turns) - 1
		if last >= 0 && turns[last].side == this.side && turns[last].warmup == this.warmup && turns[last].repeated == this.repeated {
			turns[last].requests++
		} else {
			turns = append(turns, this)
			before = end
		}
		require.False(t, s.Time.Before(before), "%s %d began at %v, the turn before it ended at %v", s.side, s.Number, s.Time, before)
		if e := ended(t, s.Sample); e.After(end) {
			end = e
		}
	}
	return turns
}

func TestTurnsAreTaken(t *testing.T) {
	t.Parallel()
	pair := compared(t, lively, latencytest.Plan{Prompts: promptSet(5), Requests: 24, Blocks: 2, Warmup: 3, Load: latencytest.Closed(3)})
	assert.Equal(t, 2, pair.Blocks)
	assert.Equal(t, []turnOf{
		{"A", true, 0, 3},
		{"B", true, 0, 3},
		{"A", false, 0, 6},
		{"B", false, 0, 6},
		{"B", false, 1, 6},
		{"A", false, 1, 6},
		{"A", false, 2, 6},
		{"B", false, 2, 6},
		{"B", false, 3, 6},
		{"A", false, 3, 6},
	}, order(t, pair))
	for _, res := range []*latencytest.Result{pair.A, pair.B} {
		assert.Equal(t, 4, res.Plan.Repetitions)
		assert.Equal(t, 6, res.Plan.Requests)
		require.Len(t, res.Scenarios, 1)
		assert.Len(t, res.Scenarios[0].Samples, 24)
		for i, s := range res.Samples {
			assert.Equal(t, i, s.Number)
			assert.True(t, s.Warmup || s.Reused, "connections are kept from the warm-up on")
		}
	}
	assert.Equal(t, "standard", pair.A.Scenarios[0].Identity.Get("profile"))
	assert.Equal(t, "optimized", pair.B.Scenarios[0].Identity.Get("profile"))
}

// Both sides see the same prompts in the same turns, and all of them equally often.
func TestTurnsSeeTheSamePrompts(t *testing.T) {
	t.Parallel()
	pair := compared(t, fakes.Script{}, latencytest.Plan{Prompts: promptSet(5), Requests: 20, Blocks: 5})
	count := make(map[string]int)
	for i, s := range pair.A.Samples {
		assert.Equal(t, s.Prompt, pair.B.Samples[i].Prompt)
		if !s.Warmup {
			count[s.Prompt]++
		}
	}
	assert.Equal(t, map[string]int{"p0": 4, "p1": 4, "p2": 4, "p3": 4, "p4": 4}, count)
}

func TestTurnsOfSeveralScenarios(t *testing.T) {
	t.Parallel()
	prompts := promptSet(4)
	prompts[1].Model, prompts[3].Model = "meta.llama3-70b-instruct-v1:0", "meta.llama3-70b-instruct-v1:0"
	pair := compared(t, lively, latencytest.Plan{Prompts: prompts, Requests: 12, Blocks: 3, Load: latencytest.Closed(2)})
	for _, res := range []*latencytest.Result{pair.A, pair.B} {
		require.Len(t, res.Scenarios, 2)
		for _, s := range res.Scenarios {
			require.Len(t, s.Samples, 12)
			for i, sample := range s.Samples {
				assert.Equal(t, i/2, sample.Repeated)
			}
		}
	}
	assert.Len(t, order(t, pair), 2+12)
}

func TestSizesOfBlocks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ requests, blocks, wantBlocks, wantTurn int }{
		{0, 0, 10, 5}, // a plan's usual 100
		{200, 0, 10, 10},
		{201, 0, 10, 11},
		{7, 2, 2, 2},
		{3, 0, 2, 1},
		{1, 10, 1, 1},
	} {
		pair := compared(t, fakes.Script{}, latencytest.Plan{Prompts: promptSet(1), Requests: test.requests, Blocks: test.blocks})
		assert.Equal(t, test.wantBlocks, pair.Blocks, "%+v", test)
		assert.Len(t, pair.A.Scenarios[0].Samples, 2*test.wantBlocks*test.wantTurn, "%+v", test)
		assert.Len(t, pair.B.Scenarios[0].Samples, 2*test.wantBlocks*test.wantTurn, "%+v", test)
	}
}

// Each side's samples are a file as any run's, from which the pair can be had again.
func TestSamplesOfBothSides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair := compared(t, lively, latencytest.Plan{
		Prompts: promptSet(2), Requests: 8, Blocks: 2, SampleFile: filepath.Join(dir, "run.samples.jsonl"),
	})
	for name, res := range map[string]*latencytest.Result{"run.a.samples.jsonl": pair.A, "run.b.samples.jsonl": pair.B} {
		assert.Equal(t, filepath.Join(dir, name), res.Plan.SampleFile)
		loaded, err := latencytest.Load(res.Plan.SampleFile)
		require.NoError(t, err)
		assert.Equal(t, res.Samples, loaded.Samples)
		assert.Equal(t, 4, loaded.Plan.Repetitions)
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 2)
}

// Limits are those of both sides together.
func TestLimitsBoundBothSides(t *testing.T) {
	t.Parallel()
	script := lively
	script.OutputTokens = 10
	pair := compared(t, script, latencytest.Plan{Prompts: promptSet(1), Requests: 40, Blocks: 5, MaxTokens: 150})
	assert.Equal(t, "150 output tokens have come of 150 allowed", pair.A.Ended)
	assert.Equal(t, pair.A.Ended, pair.B.Ended)
	assert.Len(t, pair.A.Scenarios[0].Samples, 7, "a turn of 4, and then what is left after B's two")
	assert.Len(t, pair.B.Scenarios[0].Samples, 8)

	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		defer network.Close()
		a, b := sides(network.Transport())
		began := time.Now()
		pair, err := latencytest.MeasureAB(t.Context(), a, b, latencytest.Plan{Prompts: promptSet(1), Requests: 8, Blocks: 2, RateLimit: 2})
		require.NoError(t, err)
		// 18 requests at two a second, of which two come at once.
		assert.Equal(t, 8*time.Second, time.Since(began).Round(100*time.Millisecond))
		assert.Len(t, pair.B.Samples, 9)
	})
}

func TestPlansThatCannotTakeTurns(t *testing.T) {
	t.Parallel()
	usual := latencytest.Plan{Prompts: promptSet(1), Requests: 8}
	for want, change := range map[string]func(*latencytest.Plan){
		"Plan.Requests: two sides that take turns need a number of requests": func(p *latencytest.Plan) { p.Requests, p.Duration = 0, time.Minute },
		"Plan.Repetitions: two sides that take turns repeat each other":      func(p *latencytest.Plan) { p.Repetitions = 2 },
		"Plan.Blocks: want a positive number, got -1":                        func(p *latencytest.Plan) { p.Blocks = -1 },
		"Plan.Requests: want a positive number, got -8":                      func(p *latencytest.Plan) { p.Requests = -8 },
		"Plan.Prompts: there are none":                                       func(p *latencytest.Plan) { p.Prompts = nil },
		"Plan.Enough: a scenario cannot end on one side": func(p *latencytest.Plan) {
			p.Enough = func(*latencytest.Scenario, int) string { return "" }
		},
	} {
		plan := usual
		change(&plan)
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		a, b := sides(network.Transport())
		_, err := latencytest.MeasureAB(t.Context(), a, b, plan)
		require.ErrorContains(t, err, want)
		require.NoError(t, network.Close())
	}
}

// What ends one side ends both, and is said once.
func TestASideThatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := http.NewServeMux()
	h.Handle("/", fakes.Bedrock(fakes.Script{}))
	refused := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"no access to this model"}`)
	})
	h.Handle("/model/secret/", refused)
	bubbleOf(t, h, func(t *testing.T, network *fakes.Network) {
		c := client(network.Transport())
		pair, err := latencytest.MeasureAB(t.Context(), bedrock.ConverseStream(c, model), bedrock.ConverseStream(c, "secret"), latencytest.Plan{
			Prompts: promptSet(1), Requests: 8, SampleFile: filepath.Join(dir, "run.samples.jsonl"),
		})
		require.EqualError(t, err, "B: all 1 warm-up requests failed, nothing was measured: http_4xx: AccessDeniedException: no access to this model")
		var refused *latencytest.WarmupError
		require.ErrorAs(t, err, &refused)
		assert.Len(t, pair.A.Samples, 1)
		assert.Len(t, pair.B.Samples, 1)
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, file := range files {
		assert.Regexp(t, `run\.[ab]\.samples\.jsonl\.\d+\.partial$`, file)
	}
}

func TestTurnsAreInterrupted(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		plan := latencytest.Plan{Prompts: promptSet(1), Requests: 40, Blocks: 5, Load: latencytest.Closed(2)}
		n := 0
		plan.OnSample = func(s *latencytest.Sample) {
			if !s.Warmup {
				n++
			}
			if n == 10 { // in B's second turn
				cancel()
			}
		}
		a, b := sides(network.Transport())
		pair, err := latencytest.MeasureAB(ctx, a, b, plan)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "B: the run ended early, after ")
		assert.Len(t, pair.A.Scenarios[0].Samples, 4)
		assert.InDelta(t, 7, len(pair.B.Scenarios[0].Samples), 1, "those under way may end")
	})
}

func TestProgressOfBothSides(t *testing.T) {
	t.Parallel()
	var last latencytest.Progress
	reports := 0
	plan := latencytest.Plan{Prompts: promptSet(1), Requests: 20, Blocks: 5, ProgressEvery: time.Second}
	plan.Progress = func(p latencytest.Progress) { last, reports = p, reports+1 }
	compared(t, lively, plan)
	assert.Greater(t, reports, 10)
	assert.True(t, last.Last)
	assert.Equal(t, 40, last.Done)
	assert.Equal(t, 40, last.Planned)
	require.Len(t, last.Scenarios, 2)
	assert.Equal(t, "A all", last.Scenarios[0].Name)
	assert.Equal(t, "B all", last.Scenarios[1].Name)
	assert.Equal(t, 20, last.Scenarios[0].Counts[providers.OK])
}

func TestCompare(t *testing.T) {
	t.Chdir(t.TempDir())
	plan := latencytest.Plan{Prompts: promptSet(1), Requests: 8, Blocks: 2}
	var pair *latencytest.Pair
	var tb *fakeTB
	bubble(t, lively, func(_ *testing.T, network *fakes.Network) {
		a, b := sides(network.Transport())
		tb = pretend("TestLatencyOptimized", func(tb testing.TB) { pair = latencytest.Compare(tb, a, b, plan) })
	})
	assert.Empty(t, tb.fatal)
	require.Len(t, tb.logs, 2)
	assert.Contains(t, tb.logs[0], "[latgate] A: 8 requests after 1 of warm-up")
	assert.Contains(t, tb.logs[1], "[latgate] B: 8 requests after 1 of warm-up")
	assert.Contains(t, tb.logs[1], "profile optimized")
	assert.Equal(t, "TestLatencyOptimized", pair.B.Test)
	assert.FileExists(t, "testdata/latgate/TestLatencyOptimized/latest.a.samples.jsonl")
	assert.FileExists(t, "testdata/latgate/TestLatencyOptimized/latest.b.samples.jsonl")

	require.NoError(t, os.WriteFile("testdata/latgate/TestLatencyOptimized/latest.b.samples.jsonl.1.partial", nil, 0o644))
	plan.Prompts = nil
	bubble(t, lively, func(_ *testing.T, network *fakes.Network) {
		a, b := sides(network.Transport())
		tb = pretend("TestLatencyOptimized", func(tb testing.TB) { latencytest.Compare(tb, a, b, plan) })
	})
	assert.Contains(t, tb.fatal, "[latgate] Plan.Prompts: there are none")
	require.Len(t, tb.logs, 1)
	assert.Contains(t, tb.logs[0], "latest.b.samples.jsonl.1.partial holds the samples of a run that was killed")
}

// A process that only measures leaves both sides where it was told to.
func TestCompareOnlyMeasures(t *testing.T) {
	t.Chdir(t.TempDir())
	session := latencytest.Session{Dir: t.TempDir()}
	t.Setenv(latencytest.SessionVariable, session.String())
	bubble(t, fakes.Script{}, func(_ *testing.T, network *fakes.Network) {
		a, b := sides(network.Transport())
		tb := pretend("TestLatencyOptimized", func(tb testing.TB) {
			latencytest.Compare(tb, a, b, latencytest.Plan{Prompts: promptSet(1), Requests: 8, Blocks: 2})
		})
		assert.Empty(t, tb.fatal)
	})
	files, err := filepath.Glob(filepath.Join(session.Dir, "TestLatencyOptimized", "*.samples.jsonl"))
	require.NoError(t, err)
	assert.Len(t, files, 2)
}
