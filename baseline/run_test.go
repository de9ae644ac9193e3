package baseline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Leaving out a request that hit its limit would make an endpoint that hangs
// look faster than one that is slow.
func TestWhatARequestCounts(t *testing.T) {
	t.Parallel()
	silent := latencytest.Sample{Class: providers.Timeout, Limit: wire.At(limit), Calls: 1}
	hung := sample(0, 400*ms, time.Second)
	hung.Class, hung.Limit, hung.End = providers.Timeout, wire.At(limit), wire.At(limit)
	hung.FirstVisible = wire.Instant{} // it was still thinking
	broken := sample(0, 400*ms, time.Second)
	broken.Class = providers.StreamError

	const none = -1
	for _, test := range []struct {
		metric                   latencytest.Metric
		ok, silent, hung, broken float64
	}{
		{latencytest.TTFT, 400e6, 30e9, 400e6, none},
		{latencytest.TTFTVisible, 400e6, 30e9, 30e9, none},
		{latencytest.TTLT, 1400e6, 30e9, 30e9, none},
		{latencytest.StreamEnd, 1401e6, 30e9, 30e9, none},
		{latencytest.TTFB, 397e6, none, none, none},
		{latencytest.OTPS, 40, none, none, none},
		{latencytest.OutputTokens, 41, none, none, none},
	} {
		for _, kind := range []struct {
			name   string
			sample latencytest.Sample
			want   float64
		}{
			{"ok", sample(0, 400*ms, time.Second), test.ok},
			{"timed out in silence", silent, test.silent},
			{"timed out in mid-stream", hung, test.hung},
			{"broken off", broken, test.broken},
		} {
			s := &latencytest.Scenario{Name: "all", Identity: identity(), Samples: []latencytest.Sample{kind.sample}}
			var want []float64
			if kind.want != none {
				want = []float64{kind.want}
			}
			assert.Equal(t, want, baseline.Values(s, test.metric), "%v of a request that is %s", test.metric, kind.name)
			stored := baseline.NewRun(result(s), s, "x", test.metric)
			assert.Equal(t, want, stored.Values(test.metric), "%v of a stored request that is %s", test.metric, kind.name)
		}
	}
}

func TestNewRunStoresTheUsualMetricsAndTheGatedOnes(t *testing.T) {
	t.Parallel()
	s := scenario(1, 1)
	keys := func(r *baseline.Run) (names []string) {
		for _, m := range latencytest.Metrics {
			if _, ok := r.Entries[0].Values[m]; ok {
				names = append(names, m.Name())
			}
		}
		return names
	}
	assert.Equal(t, []string{"ttft", "ttlt", "otps"}, keys(baseline.NewRun(result(s), s, "x")))
	assert.Equal(t, []string{"ttft", "ttlt", "otps"}, keys(baseline.NewRun(result(s), s, "x", latencytest.TTFT)))
	assert.Equal(t, []string{"ttft", "ttft_visible", "ttlt", "otps", "stall"}[:4],
		keys(baseline.NewRun(result(s), s, "x", latencytest.TTFTVisible, latencytest.Stall)), "a metric without a value is left out")
}

func TestNewRunSaysWhereItCameFrom(t *testing.T) {
	t.Parallel()
	s := scenario(2, 1)
	res := on(started.Add(999*ms).In(time.FixedZone("here", 3600)), result(s))
	run := baseline.NewRun(res, s, "  the reason\n# of it ")
	assert.Equal(t, baseline.Header{
		Schema: baseline.Schema, Time: started, Reason: "the reason # of it", Seed: 1, Provenance: res.Provenance,
	}, run.Header)
	assert.Equal(t, []int{4, 5}, []int{run.Entries[0].Facts.Number, run.Entries[1].Facts.Number})
}

// A run that is stored is read in every run to come: what could not be read, or
// would make a bad baseline, does not get there.
func TestAddRefusesABadBaseline(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*latencytest.Scenario)
		want string
	}{
		{"no request", func(s *latencytest.Scenario) { s.Samples = nil }, "no requests were measured"},
		{"all failed", func(s *latencytest.Scenario) { *s = *scenario(70, 1, failing(70, providers.HTTP5xx)) }, "70 of 70 requests failed"},
		{"a tenth failed", func(s *latencytest.Scenario) { *s = *scenario(70, 1, failing(7, providers.Timeout)) }, "7 of 70 requests failed"},
		{"zero", func(s *latencytest.Scenario) { s.Samples[3].First = wire.At(0) }, "request 7 has a ttft of 0"},
		{"negative", func(s *latencytest.Scenario) { s.Samples[3].First = wire.At(-1) }, "request 7 has a ttft of -1"},
		{"nothing to compare", func(s *latencytest.Scenario) {
			for i := range s.Samples {
				s.Samples[i].First, s.Samples[i].Last = wire.Instant{}, wire.Instant{}
			}
		}, "none of 70 requests has a value"},
		{"a fact that is no configuration line", func(s *latencytest.Scenario) {
			s.Identity = identity(providers.Fact{Name: "Max Tokens", Value: "5"})
		}, `cannot hold the fact "Max Tokens"`},
		{"a fact that repeats", func(s *latencytest.Scenario) {
			s.Identity = append(identity(), providers.Fact{Name: "model", Value: "another"})
		}, `cannot hold the fact "model"`},
		{"a fact longer than a line", func(s *latencytest.Scenario) {
			s.Identity = identity(providers.Fact{Name: "deployment", Value: longText(1 << 17)})
		}, "64 KiB"},
	} {
		s := scenario(70, 1)
		test.edit(s)
		dir := t.TempDir()
		store := baseline.Dir(dir)
		_, err := store.Add(baseline.NewRun(result(s), s, "x"))
		assert.ErrorContains(t, err, test.want, test.name)
		assert.Empty(t, sortedKeys(tree(t, dir)), test.name)
		_, err = baseline.Accept(result(named("first", scenario(70, 2)), s), store, "x")
		assert.ErrorContains(t, err, test.want, test.name)
		assert.Empty(t, sortedKeys(tree(t, dir)), "%s: the good scenario was stored", test.name)
	}
}

func TestARunWithFailuresIsABaseline(t *testing.T) {
	t.Parallel()
	s := scenario(70, 1, failing(6, providers.Throttled))
	store := baseline.Dir(t.TempDir())
	_, err := store.Add(baseline.NewRun(result(s), s, "x"))
	require.NoError(t, err)
	later := scenario(70, 2)
	failures, err := baseline.StoredFailures(result(later), later, store)
	require.NoError(t, err)
	assert.Equal(t, 6, failures.Failed)
	assert.Equal(t, 70, failures.Total)

	none, err := baseline.StoredFailures(result(later), later, nil)
	require.NoError(t, err)
	assert.Zero(t, none)
	itself, err := baseline.StoredFailures(result(s), s, store)
	require.NoError(t, err)
	assert.Zero(t, itself, "a run is not compared with itself")
}
