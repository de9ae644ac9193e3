package baseline_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

const (
	ms    = time.Millisecond
	limit = madeup.Limit
)

var started = time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC)

// identity is that of the made-up scenarios, with some facts replaced, added, or
// with an empty value removed.
func identity(changes ...providers.Fact) providers.Facts {
	facts := providers.Facts{
		{Name: "metrics", Value: "metrics/1"},
		{Name: "test", Value: "TestLatencyChat"},
		{Name: "scenario", Value: "all"},
		{Name: "provider", Value: "bedrock"},
		{Name: "api", Value: "converse-stream"},
		{Name: "model", Value: "anthropic.claude-haiku-4-5-20251001-v1:0"},
		{Name: "region", Value: "us-east-1"},
		{Name: "prompts", Value: "037129f4d583"},
		{Name: "load", Value: "closed(4)"},
		{Name: "warmup", Value: "4"},
		{Name: "timeout", Value: limit.String()},
		{Name: "prompt-cache", Value: "asis"},
		{Name: "environment", Value: "linux/amd64"},
	}
	for _, change := range changes {
		i := slices.IndexFunc(facts, func(f providers.Fact) bool { return f.Name == change.Name })
		switch {
		case i < 0:
			facts = append(facts, change)
		case change.Value == "":
			facts = slices.Delete(facts, i, i+1)
		default:
			facts[i] = change
		}
	}
	return facts
}

// edit, later, longer and failing are those of made-up scenarios.
type edit = madeup.Edit

var (
	later   = madeup.Later
	longer  = madeup.Longer
	failing = madeup.Failing
	sample  = madeup.Sample
)

func scenario(n int, seed uint64, edits ...edit) *latencytest.Scenario {
	return madeup.Scenario(identity(), n, seed, edits...)
}

// named renames a scenario.
func named(name string, s *latencytest.Scenario) *latencytest.Scenario {
	s.Name, s.Identity = name, identity(providers.Fact{Name: "scenario", Value: name})
	for i := range s.Samples {
		s.Samples[i].Scenario = name
	}
	return s
}

// result is a run with these scenarios.
func result(scenarios ...*latencytest.Scenario) *latencytest.Result {
	res := &latencytest.Result{
		Test: "TestLatencyChat", Started: started, Scenarios: scenarios,
		Plan:       latencytest.Plan{Seed: 1, Load: latencytest.Closed(4)},
		Provenance: latencytest.Provenance{Commit: "4f1c2ab", Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4},
	}
	for _, s := range scenarios {
		res.Samples = append(res.Samples, s.Samples...)
	}
	return res
}

// on moves a run to another time.
func on(at time.Time, res *latencytest.Result) *latencytest.Result {
	res.Started = at
	return res
}

// storeOf returns a new directory that holds these runs, one a day.
func storeOf(t *testing.T, runs ...*latencytest.Result) baseline.Store {
	t.Helper()
	store := baseline.Dir(t.TempDir())
	fill(t, store, runs...)
	return store
}

func fill(t *testing.T, store baseline.Store, runs ...*latencytest.Result) {
	t.Helper()
	for day, res := range runs {
		_, err := baseline.Accept(on(started.AddDate(0, 0, day), res), store, "another day")
		require.NoError(t, err)
	}
}

// fiveRuns returns a store with a history of five runs that all tests share:
// none of them may write to it.
func fiveRuns(t *testing.T) baseline.Store {
	t.Helper()
	sharing.Do(func() {
		var err error
		shared, err = os.MkdirTemp("", "")
		require.NoError(t, err)
		fill(t, baseline.Dir(shared), history(5, 200)...)
	})
	return baseline.Dir(shared)
}

var (
	sharing sync.Once
	shared  string // the directory, where there is one
)

// history returns k runs that differ by chance alone.
func history(k, requests int) []*latencytest.Result {
	var runs []*latencytest.Result
	for seed := range uint64(k) {
		runs = append(runs, result(scenario(requests, 100+seed)))
	}
	return runs
}

// tree returns the content of every file below a directory, by its path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	}))
	return files
}

func longText(n int) string { return strings.Repeat("x", n) }

func sortedKeys(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

func keyOf(s *latencytest.Scenario) baseline.Key { return baseline.KeyOf(s) }
