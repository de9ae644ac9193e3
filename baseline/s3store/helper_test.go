package s3store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

var started = time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC)

// identity is that of the made-up scenarios, with some facts replaced or added.
func identity(changes ...providers.Fact) providers.Facts {
	facts := providers.Facts{
		{Name: "metrics", Value: "metrics/1"},
		{Name: "test", Value: "TestLatencyChat"},
		{Name: "scenario", Value: "all"},
		{Name: "model", Value: "anthropic.claude-haiku-4-5-20251001-v1:0"},
		{Name: "region", Value: "us-east-1"},
	}
	for _, change := range changes {
		i := slices.IndexFunc(facts, func(f providers.Fact) bool { return f.Name == change.Name })
		if i < 0 {
			facts = append(facts, change)
		} else {
			facts[i] = change
		}
	}
	return facts
}

func model(name string) providers.Fact { return providers.Fact{Name: "model", Value: name} }

var key = baseline.NewKey(identity())

// run makes up a run of two requests; others of the same reason and time differ.
func run(reason string, at time.Time, changes ...providers.Fact) *baseline.Run {
	seed := uint64(at.UnixNano())
	for _, b := range []byte(reason) {
		seed = seed*31 + uint64(b)
	}
	s := madeup.Scenario(identity(changes...), 2, seed)
	return baseline.NewRun(resultOf(s, at), s, reason)
}

func resultOf(s *latencytest.Scenario, at time.Time) *latencytest.Result {
	return &latencytest.Result{
		Test: "TestLatencyChat", Started: at, Scenarios: []*latencytest.Scenario{s}, Samples: s.Samples,
		Plan:       latencytest.Plan{Seed: 1, Load: latencytest.Closed(4)},
		Provenance: latencytest.Provenance{Commit: "4f1c2ab", Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4},
	}
}

func add(t *testing.T, store baseline.Store, r *baseline.Run) string {
	t.Helper()
	path, err := store.Add(r)
	require.NoError(t, err)
	return path
}

// reasons are those of the stored runs, in the order in which they are listed.
func reasons(t *testing.T, store baseline.Store, k baseline.Key) (list []string) {
	t.Helper()
	runs, err := store.Runs(k)
	require.NoError(t, err)
	for _, r := range runs {
		list = append(list, r.Header.Reason)
	}
	return list
}

func hashes(t *testing.T, store baseline.Store, k baseline.Key) (list []string) {
	t.Helper()
	keys, err := store.Keys(k)
	require.NoError(t, err)
	for _, other := range keys {
		list = append(list, other.Hash())
	}
	return list
}
