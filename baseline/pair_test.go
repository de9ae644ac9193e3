package baseline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

const blocks = 10

// pairOf is two results that were measured by turns, in ten blocks.
func pairOf(a, b *latencytest.Result) *latencytest.Pair {
	for _, res := range []*latencytest.Result{a, b} {
		for _, s := range res.Scenarios {
			for i := range s.Samples {
				s.Samples[i].Repeated = 2 * blocks * i / len(s.Samples)
			}
		}
	}
	a.Plan.SampleFile = "a.samples.jsonl"
	return &latencytest.Pair{A: a, B: b, Blocks: blocks}
}

func compared(t *testing.T, cases ...baseline.PairCase) []baseline.Comparison {
	t.Helper()
	report, err := baseline.ComparePairs(stat.Options{}, cases...)
	require.NoError(t, err)
	return report.Comparisons
}

func TestPairs(t *testing.T) {
	t.Parallel()
	for verdict, edits := range map[baseline.Verdict][]edit{
		baseline.Pass:       nil,
		baseline.Regression: {later(1.3)},
		baseline.Improved:   {later(.75)},
	} {
		got := compared(t, baseline.PairCase{
			Pair:      pairOf(result(scenario(200, 1)), result(scenario(200, 2, edits...))),
			Questions: []baseline.Question{ttft90, {Metric: latencytest.OTPS, Quantile: latencytest.P90}},
		})
		require.Len(t, got, 2)
		assert.Equal(t, verdict, got[0].Verdict, got[0].Reason)
		assert.Equal(t, baseline.Pass, got[1].Verdict, got[1].Reason)
		assert.Equal(t, "a.samples.jsonl", got[0].Stored)
		assert.Equal(t, 20, got[0].Result.Pairs)
		assert.Equal(t, []int{200}, got[0].Result.N)
		assert.False(t, got[0].Moved(), "there is nothing to confirm")
	}
}

func TestThePrintOfAPair(t *testing.T) {
	t.Parallel()
	got := compared(t, baseline.PairCase{
		Pair:      pairOf(result(scenario(200, 1)), result(scenario(200, 2, later(1.3)))),
		Questions: []baseline.Question{ttft90},
	})
	assert.Regexp(t, `^all: P90 ttft \d+ → \d+ ms \(type-7 \d+ → \d+ ms\), ratio 1\.\d+ \[1\.\d+, 1\.\d+\], p <?\.\d+ \(Holm <?\.\d+\), `+
		`n 200 \+ 200 in 20 pairs, smallest detectable \+\d+ %: regression: 1\.\d+ times worse \[1\.\d+, 1\.\d+\], Holm p \S+ of 1, over 20 pairs$`, got[0].String())
}

// What one side lacks is said, and what another one measured is never compared.
func TestPairsThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	other := scenario(200, 2)
	other.Identity = identity(providers.Fact{Name: "model", Value: "another"})
	for name, test := range map[string]struct {
		a, b    *latencytest.Result
		verdict baseline.Verdict
		reason  string
	}{
		"new":         {result(), result(scenario(200, 1)), baseline.Missing, "A did not measure it: there is nothing to compare B with"},
		"gone":        {result(scenario(200, 1)), result(), baseline.Missing, "B did not measure it any more"},
		"other model": {result(scenario(200, 1)), result(other), baseline.Incomparable, `the sides did not measure the same: model: A has "anthropic.claude-haiku-4-5-20251001-v1:0", B "another"`},
		"A failed":    {result(scenario(200, 1, failing(50, providers.HTTP5xx))), result(scenario(200, 1)), baseline.Infrastructure, "A: 50 of 200 requests failed"},
		"B failed":    {result(scenario(200, 1)), result(scenario(200, 1, failing(50, providers.HTTP5xx))), baseline.Infrastructure, "B: 50 of 200 requests failed"},
	} {
		got := compared(t, baseline.PairCase{Pair: pairOf(test.a, test.b), Questions: []baseline.Question{ttft90}, Alike: true})
		require.Len(t, got, 1, name)
		assert.Equal(t, test.verdict, got[0].Verdict, name)
		assert.Contains(t, got[0].Reason, test.reason, name)
		assert.Contains(t, got[0].String(), "all: P90 ttft: "+string(test.verdict)+": ", name)
	}
}

// Two endpoints are two identities; two builds of a test are one.
func TestPairsOfEndpoints(t *testing.T) {
	t.Parallel()
	other := scenario(200, 2)
	other.Identity = identity(providers.Fact{Name: "model", Value: "another"})
	got := compared(t, baseline.PairCase{Pair: pairOf(result(scenario(200, 1)), result(other)), Questions: []baseline.Question{ttft90}})
	assert.Equal(t, baseline.Pass, got[0].Verdict)
}

// All pairs of a build are one family, and answers tell whose they are.
func TestPairsAreAFamily(t *testing.T) {
	t.Parallel()
	one := baseline.PairCase{
		Pair:      pairOf(result(named("x", scenario(200, 1)), named("y", scenario(200, 3))), result(named("x", scenario(200, 2, later(1.3))), named("y", scenario(200, 4)))),
		Questions: []baseline.Question{ttft90},
	}
	two := baseline.PairCase{Pair: pairOf(result(scenario(200, 5)), result(scenario(200, 6))), Questions: one.Questions, MinEffect: .3}
	got := compared(t, one, two)
	require.Len(t, got, 3)
	for i, want := range []struct {
		number   int
		scenario string
	}{{0, "x"}, {0, "y"}, {1, "all"}} {
		assert.Equal(t, want.number, got[i].Case)
		assert.Equal(t, want.scenario, got[i].Scenario)
	}
	assert.InEpsilon(t, 3*got[0].Result.P, got[0].Result.HolmP, 1e-9)
	assert.Equal(t, .1, got[0].Result.MinEffect)
	assert.Equal(t, .3, got[2].Result.MinEffect)
}

func TestPairsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	_, err := baseline.ComparePairs(stat.Options{}, baseline.PairCase{Pair: pairOf(result(), result()), Questions: []baseline.Question{ttft90}})
	require.ErrorContains(t, err, "the result has no scenario")
	for _, repeated := range []int{-1, 20} {
		pair := pairOf(result(scenario(200, 1)), result(scenario(200, 2)))
		pair.A.Scenarios[0].Samples[3].Repeated = repeated
		_, err = baseline.ComparePairs(stat.Options{}, baseline.PairCase{Pair: pair, Questions: []baseline.Question{ttft90}})
		require.ErrorContains(t, err, "all: request 7 is of repetition ")
	}
	_, err = baseline.ComparePairs(stat.Options{Alpha: 7})
	require.ErrorContains(t, err, "alpha is 7")
}
