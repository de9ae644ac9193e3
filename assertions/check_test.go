package assertions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

var ttft90 = assertions.NoRegression(latencytest.TTFT, latencytest.P90)

// alone is for made-up results, which no second session can measure again.
var alone = assertions.SingleSession()

func TestPassIsLogged(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(200, 1)), fiveRuns(t), ttft90, alone,
		assertions.NoRegression(latencytest.OTPS, latencytest.P90)))
	assert.Empty(t, f.errors)
	require.Len(t, f.logs, 2)
	assert.Regexp(t, `^\[latgate\] all: P90 ttft \d+ → \d+ ms .* pass: `, f.logs[0])
	assert.Regexp(t, `^\[latgate\] all: P90 otps \(otps_p10\) [\d.]+ → [\d.]+ tok/s .* pass: `, f.logs[1])
}

func TestImprovedPasses(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(200, 1, later(.7))), fiveRuns(t), ttft90, alone))
	assert.Empty(t, f.errors)
	assert.Contains(t, f.logs[0], "improved")
}

// Without quantiles the median is gated beside P90.
func TestNoRegressionAsksForP50AndP90(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(200, 1)), fiveRuns(t), assertions.NoRegression(latencytest.TTFT)))
	require.Len(t, f.logs, 2)
	assert.Contains(t, f.logs[0], "all: P50 ttft ")
	assert.Contains(t, f.logs[1], "all: P90 ttft ")
}

// A failure says everything that is needed to understand it, see it again and
// accept it.
func TestTheTextOfARegression(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := fiveRuns(t)
	assert.False(t, assertions.Check(&f, result(scenario(200, 1, later(1.4))), store, ttft90, alone))
	assert.Empty(t, f.logs)
	require.Len(t, f.errors, 1)
	lines := strings.Split(f.errors[0], "\n")
	assert.Regexp(t, `^\[latgate\] all: P90 ttft \d+ → \d+ ms \(type-7 \d+ → \d+ ms\), ratio 1\.\d+ \[1\.\d+, 1\.\d+\], `+
		`p <?\.\d+ \(Holm <?\.\d+\), n 200 \+ 5×200, between-run sd [\d.]+ %, smallest detectable \+\d+ %: regression: `, lines[0])
	key := baseline.NewKey(identity())
	assert.Equal(t, []string{
		"    asked:    P90 ttft must not get worse",
		"    baseline: " + store.Location(key),
	}, lines[1:3])
	assert.Regexp(t, `^    phase:    wait for the first byte \+\d+ ms \(\d+ %\): `, lines[3])
	assert.Regexp(t, `^    shape:    the median and the tail moved: `, lines[4])
	assert.Equal(t, []string{
		"    samples:  testdata/latgate/TestLatencyChat/latest.samples.jsonl",
		"    again:    go test ./assertions -run '^TestLatencyChat$' -count=1 -v",
		"    accept:   go test ./assertions -run '^TestLatencyChat$' -count=1 -latgate.update -latgate.reason='why this is right'",
	}, lines[5:])
	assert.Equal(t, 5, runsIn(t, store), "nothing is stored")
}

func TestEveryFailureIsInOneText(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.False(t, assertions.Check(&f, result(scenario(200, 1, later(1.4))), fiveRuns(t),
		alone, assertions.NoRegression(latencytest.TTFT), assertions.NoRegression(latencytest.OTPS, latencytest.P90),
		assertions.Below(latencytest.TTFT, latencytest.P90, 300*ms), assertions.ErrorRate(.01)))
	require.Len(t, f.errors, 1)
	assert.Equal(t, 3, strings.Count(f.errors[0], "[latgate] "))
	assert.Equal(t, 1, strings.Count(f.errors[0], "again: "))
	assert.Len(t, f.logs, 2, "what passed is told as well")
}

// What was set from outside is part of the command; what the plan says is in the test.
func TestSettingsAreInTheCommand(t *testing.T) {
	res := result(scenario(200, 1, later(1.4)))
	res.Plan.Seed = 7
	store := fiveRuns(t)
	var f fakeT
	assertions.Check(&f, res, store, ttft90, alone)
	assert.NotContains(t, f.errors[0], "-latgate.seed")
	t.Setenv("LATGATE_SEED", "9")
	t.Setenv("LATGATE_REQUESTS", "50")
	assertions.Check(&f, res, store, ttft90, alone)
	assert.Contains(t, f.errors[1], "-count=1 -latgate.seed=9 -latgate.requests=50 -v\n")
	assert.Contains(t, f.errors[1], "-count=1 -latgate.seed=9 -latgate.requests=50 -latgate.update ")
}

// A result that was loaded from a file knows nothing of the test's commands.
func TestWithoutATestThereAreNoCommands(t *testing.T) {
	t.Parallel()
	var f fakeT
	res := result(scenario(200, 1, later(1.4)))
	res.Plan.SampleFile = ""
	assertions.Check(&f, res, fiveRuns(t), ttft90, alone)
	assert.Contains(t, f.errors[0], "again: ")
	assert.NotContains(t, f.errors[0], "samples: ")

	f = fakeT{}
	res.Test = ""
	assertions.Check(&f, res, fiveRuns(t), ttft90, alone)
	assert.NotContains(t, f.errors[0], "again: ")
	assert.NotRegexp(t, `\n$`, f.errors[0])
}

func TestInconclusivePassesWithAWarning(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		requests, runs int
	}{{200, 2}, {20, 5}} {
		var f fakeT
		assert.True(t, assertions.Check(&f, result(scenario(test.requests, 1, later(2))), stored(t, test.runs), ttft90, alone))
		assert.Empty(t, f.errors)
		require.Len(t, f.logs, 1)
		assert.Regexp(t, `^\[latgate\] WARNING: all: P90 ttft .*: inconclusive: `, f.logs[0])
	}
}

func TestWarningsOfTheStatisticsAreTold(t *testing.T) {
	t.Parallel()
	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(200, 1)), stored(t, 3), ttft90, alone))
	assert.Contains(t, f.logs[0], "\n    note:     ")
}

func TestAMissingBaselineIsCreatedOnALaptop(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := baseline.Dir(t.TempDir())
	res := result(scenario(200, 1))
	assert.True(t, assertions.Check(&f, res, store, ttft90, alone))
	assert.Empty(t, f.errors)
	require.Len(t, f.logs, 1)
	assert.Contains(t, f.logs[0], "there was no baseline: it was created as "+store.Location(baseline.NewKey(identity())))
	assert.Contains(t, f.logs[0], "-latgate.update -latgate.reason=")
	assert.Equal(t, 1, runsIn(t, store))
}

func TestARunOverBudgetIsNoFirstBaseline(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := baseline.Dir(t.TempDir())
	assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, ttft90, alone,
		assertions.Below(latencytest.TTFT, latencytest.P50, time.Millisecond)))
	assert.Zero(t, runsIn(t, store))
}

// Stored runs without the metric are a baseline all the same: a gate that is new
// does not replace them in silence.
func TestAMetricThatWasNotStoredIsMissing(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := fiveRuns(t)
	assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, assertions.NoRegression(latencytest.StreamEnd)))
	assert.Contains(t, f.errors[0], "missing: the 5 stored runs hold no stream_end")
	assert.Equal(t, 5, runsIn(t, store))
}

func TestAMissingBaselineFailsInCI(t *testing.T) {
	for _, ci := range []string{"true", "1", "woodpecker"} {
		t.Setenv("CI", ci)
		var f fakeT
		store := baseline.Dir(t.TempDir())
		assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, ttft90, alone))
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], "all: P90 ttft: missing: there is no baseline yet")
		assert.Contains(t, f.errors[0], "accept: ")
		assert.Zero(t, runsIn(t, store))
	}
}

// A scenario that is new begins its baseline beside others that have theirs.
func TestANewScenarioBeginsItsBaseline(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := fiveRuns(t)
	other := scenario(200, 2)
	other.Name, other.Identity[2].Value = "new", "new"
	assert.True(t, assertions.Check(&f, result(scenario(200, 1), other), store, ttft90, alone))
	require.Len(t, f.logs, 2)
	assert.Contains(t, f.logs[0], "all: P90 ttft")
	assert.Contains(t, f.logs[1], "there was no baseline: it was created as "+store.Location(baseline.KeyOf(other)))
	assert.Equal(t, 5, runsIn(t, store))
}

// A quick look with a handful of requests is no history.
func TestAShortFirstRunIsNotStored(t *testing.T) {
	t.Parallel()
	var f fakeT
	store := baseline.Dir(t.TempDir())
	assert.True(t, assertions.Check(&f, result(scenario(5, 1)), store, ttft90, alone))
	assert.Contains(t, f.logs[0], "WARNING: there is no baseline, and none was created: all: too few requests")
	assert.Zero(t, runsIn(t, store))
}

func TestIncomparableFailsEverywhere(t *testing.T) {
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		var f fakeT
		store := fiveRuns(t)
		s := scenario(200, 1)
		s.Identity[3].Value = "amazon.nova-pro-v1:0"
		assert.False(t, assertions.Check(&f, result(s), store, ttft90, alone), "CI=%q", ci)
		assert.Contains(t, f.errors[0],
			`incomparable: what is stored was measured otherwise: model: the baseline has "amazon.nova-lite-v1:0", this run "amazon.nova-pro-v1:0"`)
		assert.Contains(t, f.errors[0], "accept: ")
	}
}

// An endpoint that failed says nothing about its latency, and is nothing to accept.
func TestAFailingEndpointFails(t *testing.T) {
	t.Parallel()
	for _, s := range []*latencytest.Scenario{
		scenario(0, 1),
		scenario(200, 1, failing(200, providers.Throttled)),
		scenario(200, 1, failing(20, providers.Throttled)),
	} {
		for _, store := range []baseline.Store{fiveRuns(t), baseline.Dir(t.TempDir())} {
			var f fakeT
			before := runsIn(t, store)
			assert.False(t, assertions.Check(&f, result(s), store, ttft90, alone))
			assert.Contains(t, f.errors[0], "all: P90 ttft: infrastructure: ")
			assert.NotContains(t, f.errors[0], "accept: ")
			assert.Equal(t, before, runsIn(t, store))
		}
	}
}

func TestATamperedFileFails(t *testing.T) {
	t.Parallel()
	for _, gate := range []assertions.Gate{ttft90, assertions.ErrorRate(.1)} {
		store := stored(t, 3)
		files, err := filepath.Glob(filepath.Join(store.Location(baseline.NewKey(identity())), "*.bench"))
		require.NoError(t, err)
		require.Len(t, files, 3)
		data, err := os.ReadFile(files[1])
		require.NoError(t, err)
		edited := strings.Replace(string(data), "ttft-ns", "0 ttft-ns", 1)
		require.NoError(t, os.WriteFile(files[1], []byte(edited), 0o644))

		var f fakeT
		assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, gate))
		assert.Contains(t, f.errors[0], files[1])
		assert.Contains(t, f.errors[0], "restore it with git")
		assert.NotContains(t, f.errors[0], "accept: ")
	}
}

func TestNothingToCheckFails(t *testing.T) {
	t.Parallel()
	for _, gate := range []assertions.Gate{
		ttft90, alone, assertions.ErrorRate(.1), assertions.Below(latencytest.TTFT, latencytest.P90, limit),
	} {
		store := baseline.Dir(t.TempDir())
		var f fakeT
		assert.False(t, assertions.Check(&f, nil, store, gate), "%v", gate)
		assert.Equal(t, []string{"[latgate] there is no result to check"}, f.errors)
		f = fakeT{}
		assert.False(t, assertions.Check(&f, result(), store, gate), "%v", gate)
		assert.Contains(t, f.errors[0], "no scenario")
	}
}

func TestASettingThatCannotBeReadFails(t *testing.T) {
	t.Setenv("LATGATE_UPDATE", "perhaps")
	var f fakeT
	assert.False(t, assertions.Check(&f, result(scenario(200, 1)), fiveRuns(t), ttft90, alone))
	assert.Contains(t, f.errors[0], `LATGATE_UPDATE="perhaps"`)
}

func TestTheSameRunIsToldTheSame(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	var told [2]fakeT
	for i := range told {
		assertions.Check(&told[i], result(scenario(200, 1, later(1.2))), store, assertions.NoRegression(latencytest.TTFT), assertions.ErrorRate(.01))
	}
	assert.Equal(t, told[0].errors, told[1].errors)
	assert.Equal(t, told[0].logs, told[1].logs)
}
