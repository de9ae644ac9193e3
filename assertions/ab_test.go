package assertions_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// pairOf is two made-up scenarios that were measured by turns, in ten blocks; the
// profile of the second is another.
func pairOf(a, b *latencytest.Scenario) *latencytest.Pair {
	const blocks = 10
	b.Identity = identity(providers.Fact{Name: "profile", Value: "optimized"})
	for _, s := range []*latencytest.Scenario{a, b} {
		for i := range s.Samples {
			s.Samples[i].Repeated = 2 * blocks * i / len(s.Samples)
		}
	}
	pair := &latencytest.Pair{A: result(a), B: result(b), Blocks: blocks}
	pair.A.Plan.SampleFile = "testdata/latgate/TestLatencyChat/latest.a.samples.jsonl"
	pair.B.Plan.SampleFile = "testdata/latgate/TestLatencyChat/latest.b.samples.jsonl"
	return pair
}

func TestAPairThatPasses(t *testing.T) {
	t.Parallel()
	var f fakeT
	ok := assertions.CheckAB(&f, pairOf(scenario(200, 1), scenario(200, 2, later(.7))), ttft90,
		assertions.NoRegression(latencytest.OTPS, latencytest.P90), assertions.Below(latencytest.TTFT, latencytest.P90, 600*ms), assertions.ErrorRate(.01))
	assert.True(t, ok)
	assert.Empty(t, f.errors)
	require.Len(t, f.logs, 5)
	assert.Equal(t, `[latgate] A against B, interleaved in 10 blocks A B B A: profile "" against "optimized"`, f.logs[0])
	assert.Contains(t, f.logs[1], "all: Below(ttft, P90, 600 ms): P90 ttft is ")
	assert.Contains(t, f.logs[2], "all: ErrorRate(1 %): 200/200 ok: pass")
	assert.Regexp(t, `^\[latgate\] all: P90 ttft \d+ → \d+ ms .*, n 200 \+ 200 in 20 pairs, .*: improved: 1\.\d+ times better `, f.logs[3])
	assert.Regexp(t, `^\[latgate\] all: P90 otps \(otps_p10\) .*: pass: `, f.logs[4])
}

func TestTheTextOfARegressionOfB(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.False(t, assertions.CheckAB(&f, pairOf(scenario(200, 1), scenario(200, 2, later(1.4))), ttft90))
	require.Len(t, f.errors, 1)
	lines := strings.Split(f.errors[0], "\n")
	assert.Regexp(t, `^\[latgate\] all: P90 ttft \d+ → \d+ ms .*: regression: 1\.\d+ times worse .*, over 20 pairs$`, lines[0])
	assert.Equal(t, []string{
		"    asked:    P90 ttft of B must not be worse than A's",
		`    note:     A against B, interleaved in 10 blocks A B B A: profile "" against "optimized"`,
		"    A:        testdata/latgate/TestLatencyChat/latest.a.samples.jsonl",
		"    samples:  testdata/latgate/TestLatencyChat/latest.b.samples.jsonl",
		"    again:    go test ./assertions -run '^TestLatencyChat$' -count=1 -v",
	}, lines[1:], "there is nothing to accept")
}

// Limits are for B; more failures than A had are a regression of B's.
func TestOtherGatesJudgeB(t *testing.T) {
	t.Parallel()
	slow := pairOf(scenario(200, 1), scenario(200, 2, later(2)))
	below := assertions.Below(latencytest.TTFT, latencytest.P90, 600*ms)
	var f fakeT
	assert.False(t, assertions.CheckAB(&f, slow, below))
	assert.Contains(t, f.errors[0], "all: Below(ttft, P90, 600 ms)")
	slow.A, slow.B = slow.B, slow.A
	assert.True(t, assertions.CheckAB(&f, slow, below), "A may be slow")

	f = fakeT{}
	failed := pairOf(scenario(200, 1), scenario(200, 2, failing(15, providers.Throttled)))
	assert.False(t, assertions.CheckAB(&f, failed, assertions.ErrorRate(.2)))
	assert.Contains(t, f.errors[0], "; regression: A failed 0 of 200 times (Fisher's exact p ")
	assert.NotContains(t, f.errors[0], "accept: ")
	f = fakeT{}
	alike := pairOf(scenario(200, 1, failing(12, providers.Throttled)), scenario(200, 2, failing(15, providers.Throttled)))
	assert.True(t, assertions.CheckAB(&f, alike, assertions.ErrorRate(.2)), f.errors)
}

func TestWhatOneSideLacksFails(t *testing.T) {
	t.Parallel()
	pair := pairOf(scenario(200, 1), scenario(200, 2))
	pair.A.Scenarios[0].Name = "another"
	var f fakeT
	assert.False(t, assertions.CheckAB(&f, pair, ttft90))
	assert.Contains(t, f.errors[0], "[latgate] all: P90 ttft: missing: A did not measure it")
	assert.Contains(t, f.errors[0], "[latgate] another: P90 ttft: missing: B did not measure it any more")

	f = fakeT{}
	assert.False(t, assertions.CheckAB(&f, pairOf(scenario(200, 1), scenario(200, 2, failing(100, providers.HTTP5xx))), ttft90))
	assert.Contains(t, f.errors[0], "all: P90 ttft: infrastructure: B: 100 of 200 requests failed")
}

func TestAPairThatSaysTooLittle(t *testing.T) {
	t.Parallel()
	pair := pairOf(scenario(40, 1), scenario(40, 2, later(1.1)))
	var f fakeT
	assert.True(t, assertions.CheckAB(&f, pair, ttft90))
	assert.Contains(t, f.logs[1], "[latgate] WARNING: all: P90 ttft ")
	assert.False(t, assertions.CheckAB(&f, pair, ttft90, assertions.Inconclusive(assertions.Fail)))
	f = fakeT{}
	assert.False(t, assertions.CheckAB(&f, pair, ttft90, assertions.Inconclusive(assertions.Rerun)))
	assert.Contains(t, f.errors[0], "Inconclusive(rerun): two sides that took turns are measured again together, or not at all: raise Plan.Requests")
}

func TestPairsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, pair := range []*latencytest.Pair{nil, {}, {A: result(scenario(9, 1))}} {
		var f fakeT
		assert.False(t, assertions.CheckAB(&f, pair, ttft90))
		assert.Equal(t, []string{"[latgate] there is no pair of results to check"}, f.errors)
	}
	var f fakeT
	pair := pairOf(scenario(200, 1), scenario(200, 2))
	assert.False(t, assertions.CheckAB(&f, pair))
	assert.Contains(t, f.errors[0], "a check without a condition would pass whatever happens")
	f = fakeT{}
	pair.B.Scenarios = nil
	assert.False(t, assertions.CheckAB(&f, pair, ttft90))
	assert.Contains(t, f.errors[0], "the result has no scenario: nothing was measured")
	f = fakeT{}
	pair.B = &latencytest.Result{Plan: latencytest.Plan{LowMemory: true}}
	assert.False(t, assertions.CheckAB(&f, pair, ttft90))
	assert.Contains(t, f.errors[0], "low memory")
}

// The line that fails is the line of the check.
func TestTheLineOfCheckAB(t *testing.T) {
	t.Parallel()
	var f fakeT
	want := nextLine()
	assertions.CheckAB(&f, pairOf(scenario(200, 1), scenario(200, 2, later(1.4))), ttft90)
	for _, line := range f.lines {
		assert.Equal(t, want, line)
	}
}

func TestAPairIsMeasuredOnly(t *testing.T) {
	t.Setenv(latencytest.SessionVariable, latencytest.Session{Dir: t.TempDir()}.String())
	var f fakeT
	assert.True(t, assertions.CheckAB(&f, pairOf(scenario(200, 1), scenario(200, 2, later(2))), ttft90))
	assert.Equal(t, []string{"[latgate] measured only: the process that started this one judges"}, f.logs)
}
