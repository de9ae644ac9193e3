package baseline_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

var (
	options = stat.Options{SingleSession: true} // what assertions.Check asks for
	ttft90  = baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	otps90  = baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}
)

// compare asks one question about a run of one scenario.
func compare(t *testing.T, s *latencytest.Scenario, store baseline.Store, q baseline.Question) baseline.Comparison {
	t.Helper()
	report, err := baseline.Compare(result(s), store, options, q)
	require.NoError(t, err)
	require.Len(t, report.Comparisons, 1)
	c := report.Comparisons[0]
	assert.Equal(t, q, c.Question)
	assert.Equal(t, s.Name, c.Scenario)
	assert.Equal(t, store.Location(keyOf(s)), c.Stored)
	return c
}

func TestVerdictsOfNumbers(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	for _, test := range []struct {
		name     string
		scenario *latencytest.Scenario
		question baseline.Question
		want     baseline.Verdict
	}{
		{"the same", scenario(200, 1), ttft90, baseline.Pass},
		{"the same", scenario(200, 1), otps90, baseline.Pass},
		{"a third slower", scenario(200, 1, later(1.33)), ttft90, baseline.Regression},
		{"a third faster", scenario(200, 1, later(.75)), ttft90, baseline.Improved},
		{"tokens a third slower", scenario(200, 1, longer(1.33)), otps90, baseline.Regression},
		{"tokens a third faster", scenario(200, 1, longer(.75)), otps90, baseline.Improved},
		{"tokens slower, the first one not", scenario(200, 1, longer(1.33)), ttft90, baseline.Pass},
		{"the first one slower, tokens not", scenario(200, 1, later(1.33)), otps90, baseline.Pass},
		{"too few requests", scenario(29, 1), ttft90, baseline.Inconclusive},
		{"as many as it takes", scenario(30, 1), otps90, baseline.Pass},
	} {
		c := compare(t, test.scenario, store, test.question)
		assert.Equal(t, test.want, c.Verdict, "%s, %v: %v", test.name, test.question, c)
		assert.NotNil(t, c.Result)
		assert.NotEmpty(t, c.Reason)
	}
}

func TestTooFewStoredRunsAreInconclusive(t *testing.T) {
	t.Parallel()
	for k, want := range []baseline.Verdict{
		baseline.Missing, baseline.Inconclusive, baseline.Inconclusive, baseline.Regression,
	} {
		c := compare(t, scenario(200, 1, later(2)), storeOf(t, history(k, 200)...), ttft90)
		assert.Equal(t, want, c.Verdict, "%d stored runs: %v", k, c)
		if want == baseline.Inconclusive {
			assert.Contains(t, c.Reason, "stored run")
		}
	}
}

// Runs of unequal length are compared at the resolution of the shortest.
func TestUnequalRunsAreCompared(t *testing.T) {
	t.Parallel()
	runs := append(history(4, 200), result(scenario(50, 105)))
	c := compare(t, scenario(400, 1), storeOf(t, runs...), ttft90)
	assert.Equal(t, baseline.Pass, c.Verdict, "%v", c)
	assert.Equal(t, []int{200, 200, 200, 200, 50}, c.Result.BaselineN)
	assert.Contains(t, c.String(), "n 400 + 200, 200, 200, 200, 50")
	assert.NotEmpty(t, c.Result.Warnings)
}

// Requests that hang are the slow tail, not a hole in it.
func TestTimedOutRequestsCountAtTheLimit(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	q := baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P95}
	c := compare(t, scenario(200, 1, failing(18, providers.Timeout)), store, q)
	assert.Equal(t, baseline.Regression, c.Verdict, "%v", c)
	assert.InDelta(t, float64(limit), c.Result.Candidate.Type7, 1)
	assert.Equal(t, []int{200}, c.Result.N)

	c = compare(t, scenario(200, 1, failing(18, providers.HTTP5xx)), store, q)
	assert.Equal(t, baseline.Pass, c.Verdict, "failures without a time are left to the error gate: %v", c)
	assert.Equal(t, []int{182}, c.Result.N)
}

func TestNothingStoredIsMissing(t *testing.T) {
	t.Parallel()
	c := compare(t, scenario(200, 1), baseline.Dir(t.TempDir()), ttft90)
	assert.Equal(t, baseline.Missing, c.Verdict)
	assert.Equal(t, "there is no baseline yet", c.Reason)
	assert.Nil(t, c.Result)

	c = compare(t, named("new", scenario(200, 1)), fiveRuns(t), ttft90)
	assert.Equal(t, baseline.Missing, c.Verdict, "what another scenario stored is not meant: %v", c)
}

func TestAMetricThatWasNotStoredIsMissing(t *testing.T) {
	t.Parallel()
	q := baseline.Question{Metric: latencytest.TTFB, Quantile: latencytest.P50}
	c := compare(t, scenario(200, 1), fiveRuns(t), q)
	assert.Equal(t, baseline.Missing, c.Verdict)
	assert.Equal(t, "the 5 stored runs hold no ttfb: it was not gated when they were recorded", c.Reason)

	store := baseline.Dir(t.TempDir())
	for day, res := range history(3, 200) {
		_, err := baseline.Accept(on(started.AddDate(0, 0, day), res), store, "x", latencytest.TTFB)
		require.NoError(t, err)
	}
	assert.Equal(t, baseline.Pass, compare(t, scenario(200, 1), store, q).Verdict)
}

func TestAnotherKeyIsIncomparable(t *testing.T) {
	t.Parallel()
	store := storeOf(t, history(5, 40)...)
	for _, change := range []providers.Fact{
		{Name: "model", Value: "m-2"},
		{Name: "region", Value: "eu-central-1"},
		{Name: "load", Value: "closed(8)"},
		{Name: "prompts", Value: "aaaaaaaaaaaa"},
		{Name: "timeout", Value: "1s"},
		{Name: "metrics", Value: "metrics/2"},
		{Name: "profile", Value: "optimized"},
	} {
		s := scenario(200, 1, later(9))
		s.Identity = identity(change)
		c := compare(t, s, store, ttft90)
		assert.Equal(t, baseline.Incomparable, c.Verdict)
		mismatch := keyOf(s).Mismatches(key)[0]
		assert.Equal(t, "what is stored was measured otherwise: "+mismatch.String(), c.Reason)
		assert.Contains(t, c.String(), change.Name+": the baseline has ")
	}
}

// Of several keys the one that differs least is named.
func TestTheNearestKeyIsNamed(t *testing.T) {
	t.Parallel()
	store := storeOf(t, history(1, 40)...)
	far := scenario(40, 1)
	far.Identity = identity(providers.Fact{Name: "model", Value: "far"}, providers.Fact{Name: "region", Value: "far"})
	_, err := baseline.Accept(result(far), store, "x")
	require.NoError(t, err)

	s := scenario(40, 1)
	s.Identity = identity(providers.Fact{Name: "region", Value: "eu-west-1"})
	c := compare(t, s, store, ttft90)
	assert.Equal(t, baseline.Incomparable, c.Verdict)
	assert.Equal(t, `what is stored was measured otherwise: region: the baseline has "us-east-1", this run "eu-west-1"`, c.Reason)
}

func TestAnEndpointThatFailsIsInfrastructure(t *testing.T) {
	t.Parallel()
	withRuns, empty := fiveRuns(t), baseline.Dir(t.TempDir())
	for _, test := range []struct {
		name     string
		scenario *latencytest.Scenario
		question baseline.Question
		want     string
	}{
		{"no samples", scenario(0, 1), ttft90, "no request was measured"},
		{"all failed", scenario(200, 1, failing(200, providers.Connect)), ttft90, "200 of 200 requests failed (0/200 ok, connect 200): latencies are invalid from 10 %"},
		{"a tenth failed", scenario(200, 1, failing(20, providers.Throttled)), ttft90, "20 of 200 requests failed (180/200 ok, throttled 20): latencies are invalid from 10 %"},
		{"a tenth of 70 failed", scenario(70, 1, failing(7, providers.Throttled)), ttft90, "7 of 70 requests failed (63/70 ok, throttled 7): latencies are invalid from 10 %"},
		{"no value", scenario(200, 1, func(_ int, s *latencytest.Sample) { s.ContentEvents = 1 }), otps90, "none of 200 requests has a value of otps"},
	} {
		for _, store := range []baseline.Store{withRuns, empty} {
			c := compare(t, test.scenario, store, test.question)
			assert.Equal(t, baseline.Infrastructure, c.Verdict, "%s", test.name)
			assert.Equal(t, test.want, c.Reason, "%s", test.name)
			assert.Nil(t, c.Result)
		}
	}
	c := compare(t, scenario(200, 1, failing(19, providers.Throttled)), withRuns, ttft90)
	assert.Equal(t, baseline.Pass, c.Verdict, "%v", c)
}

// All questions of one comparison are one family.
func TestScenariosAreOneFamily(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c", "d"}
	store := baseline.Dir(t.TempDir())
	for day := range 5 {
		var all []*latencytest.Scenario
		for i, name := range names {
			all = append(all, named(name, scenario(200, uint64(100+10*i+day))))
		}
		_, err := baseline.Accept(on(started.AddDate(0, 0, day), result(all...)), store, "x")
		require.NoError(t, err)
	}
	// Another scenario also steadies the variance between runs, and so the p-value
	// itself: what Holm does is seen in their quotient.
	for n := 1; n <= len(names); n++ {
		all := []*latencytest.Scenario{named("a", scenario(200, 1, later(1.2)))}
		for i, name := range names[1:n] {
			all = append(all, named(name, scenario(200, uint64(100+10*(i+1)))))
		}
		report, err := baseline.Compare(result(all...), store, options, ttft90, otps90)
		require.NoError(t, err)
		require.Len(t, report.Comparisons, 2*n)
		first := report.Comparisons[0].Result
		assert.InEpsilon(t, float64(2*n), first.HolmP/first.P, 1e-9, "the smallest of %d p-values", 2*n)
		for i, c := range report.Comparisons {
			assert.Equal(t, names[i/2], c.Scenario, "scenario by scenario")
			assert.Equal(t, []baseline.Question{ttft90, otps90}[i%2], c.Question)
		}
	}
}

// What cannot be compared has no p-value and does not make others pay for it.
func TestOnlyNumbersJoinTheFamily(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	slow, fresh := scenario(200, 1, later(1.2)), named("new", scenario(200, 2))
	report, err := baseline.Compare(result(fresh, slow), store, options, ttft90)
	require.NoError(t, err)
	require.Len(t, report.Comparisons, 2)
	assert.Equal(t, baseline.Missing, report.Comparisons[0].Verdict)
	assert.Equal(t, report.Comparisons[1].Result.P, report.Comparisons[1].Result.HolmP)
}

func TestCompareReportsEveryFileItCannotRead(t *testing.T) {
	t.Parallel()
	store := storeOf(t, result(named("a", scenario(40, 1)), named("b", scenario(40, 1))))
	res := result(named("a", scenario(40, 2)), named("b", scenario(40, 2)))
	for _, s := range res.Scenarios {
		for _, file := range sortedKeys(tree(t, store.Location(keyOf(s)))) {
			require.NoError(t, os.WriteFile(file, []byte("edited"), 0o644))
		}
	}
	report, err := baseline.Compare(res, store, options, ttft90)
	assert.Nil(t, report)
	for _, s := range res.Scenarios {
		assert.ErrorContains(t, err, store.Location(keyOf(s)))
	}
}

// Each environment has a baseline of its own: a first run on a laptop is nothing
// that the runs of the build machines contradict.
func TestAnotherEnvironmentHasNoBaselineYet(t *testing.T) {
	t.Parallel()
	store := storeOf(t, history(5, 40)...)
	s := scenario(200, 1, later(9))
	s.Identity = identity(providers.Fact{Name: "environment", Value: "virtual"})
	c := compare(t, s, store, ttft90)
	assert.Equal(t, baseline.Missing, c.Verdict)
	assert.Equal(t, `there is no baseline for the environment "virtual" yet, there is one for "linux/amd64"`, c.Reason)
}

// One result may be checked twice, and stored before the second time.
func TestARunIsNotComparedWithItself(t *testing.T) {
	t.Parallel()
	res := result(scenario(200, 1))
	store := storeOf(t, res)
	c := compare(t, res.Scenarios[0], store, ttft90)
	assert.Equal(t, baseline.Missing, c.Verdict)
	assert.Zero(t, c.Runs)

	again, err := baseline.Accept(res, store, "again, under another reason")
	require.NoError(t, err)
	assert.Zero(t, compare(t, res.Scenarios[0], store, ttft90).Runs, again)
}

func TestARunIsStoredOnce(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	res := result(scenario(200, 1))
	first, err := baseline.Accept(res, store, "why", latencytest.TTFT)
	require.NoError(t, err)
	second, err := baseline.Accept(res, store, "why", latencytest.StreamEnd)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	runs, err := store.Runs(keyOf(res.Scenarios[0]))
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.Len(t, runs[0].Values(latencytest.TTFT), 200)
	assert.Len(t, runs[0].Values(latencytest.StreamEnd), 200, "the metric that came later is added")

	other := result(scenario(200, 2))
	_, err = baseline.Accept(other, store, "why")
	require.NoError(t, err)
	runs, err = store.Runs(keyOf(res.Scenarios[0]))
	require.NoError(t, err)
	assert.Len(t, runs, 2, "another measurement of the same second")
}

// A short run would leave every later comparison undecided.
func TestAShortRunIsNoBaseline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := baseline.Accept(result(scenario(29, 1)), baseline.Dir(dir), "why")
	require.ErrorIs(t, err, baseline.ErrTooFew)
	require.ErrorContains(t, err, "all: too few requests for a baseline: 29, want 30")
	assert.Empty(t, tree(t, dir))
}

func TestCompareRefusesAValueThatMakesNoSense(t *testing.T) {
	t.Parallel()
	store := storeOf(t, history(5, 40)...)
	c := compare(t, scenario(40, 1, later(0)), store, ttft90)
	assert.Equal(t, baseline.Infrastructure, c.Verdict)
	assert.Equal(t, "a request has a ttft of 0: there are no ratios to that", c.Reason)
	_, err := baseline.Compare(result(scenario(40, 1)), store, options, baseline.Question{Metric: latencytest.TTFT, Quantile: 90})
	assert.ErrorContains(t, err, "quantile is 90")
}

// Nothing to compare is not nothing to complain about.
func TestAResultWithoutScenariosIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := baseline.Compare(result(), baseline.Dir(dir), options, ttft90)
	assert.ErrorContains(t, err, "no scenario")
	_, err = baseline.Accept(result(), baseline.Dir(dir), "x")
	assert.ErrorContains(t, err, "no scenario")
}

func TestTheSameRunsGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	var want []string
	for range 5 {
		report, err := baseline.Compare(result(scenario(200, 1, later(1.1)), named("b", scenario(60, 2))), store, options, ttft90, otps90)
		require.NoError(t, err)
		var got []string
		for _, c := range report.Comparisons {
			got = append(got, c.String())
		}
		if want == nil {
			want = got
		}
		assert.Equal(t, want, got)
	}
}

func TestAcceptStoresWithAReason(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := baseline.Dir(dir)
	for _, reason := range []string{"", " ", "\n\t", "\x00"} {
		_, err := baseline.Accept(result(scenario(40, 1)), store, reason)
		assert.ErrorContains(t, err, "-latgate.reason", "%q", reason)
		assert.Empty(t, sortedKeys(tree(t, dir)))
	}
	a, b := named("a", scenario(40, 1)), named("b", scenario(40, 2))
	paths, err := baseline.Accept(on(started.Add(time.Hour), result(a, b)), store, " two-step tool call ")
	require.NoError(t, err)
	assert.ElementsMatch(t, sortedKeys(tree(t, dir)), paths)
	for _, s := range []*latencytest.Scenario{a, b} {
		assert.Equal(t, []string{"two-step tool call"}, reasons(t, store, keyOf(s)))
	}
}
