package baseline_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// add stores a small run of a given time and returns its path.
func add(t *testing.T, store baseline.Store, at time.Time, reason string) string {
	t.Helper()
	s := scenario(2, 1)
	path, err := store.Add(baseline.NewRun(on(at, result(s)), s, reason))
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

var key = baseline.NewKey(identity())

func TestDirNamesFilesAsTheDocumentationSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := baseline.Dir(dir)
	want := filepath.Join(dir, "TestLatencyChat", "all@"+key.Hash(), "2026-11-20T031705Z-4f1c2ab.bench")
	assert.Equal(t, want, add(t, store, started, "x"))
	assert.Equal(t, filepath.Dir(want), store.Location(key))
	assert.Equal(t, []string{want}, sortedKeys(tree(t, dir)), "nothing else is left behind")
	info, err := os.Stat(want)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode().Perm()&0o044, "colleagues can read it")

	sub := baseline.NewKey(identity(
		providers.Fact{Name: "test", Value: "TestLatency/a b"}, providers.Fact{Name: "plan", Value: "night"},
		providers.Fact{Name: "scenario", Value: "m:1/x"}))
	assert.Equal(t, filepath.Join(dir, "TestLatency_a_b", "night-m_1_x@"+sub.Hash()), store.Location(sub))
}

func TestAnEmptyStoreIsNoError(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not", "there")} {
		store := baseline.Dir(dir)
		assert.Empty(t, reasons(t, store, key))
		keys, err := store.Keys(key)
		require.NoError(t, err)
		assert.Empty(t, keys)
	}
}

func TestRunsAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	for _, day := range []int{2, 0, 3, 1} {
		add(t, store, started.AddDate(0, 0, day), fmt.Sprint("day ", day))
	}
	assert.Equal(t, []string{"day 0", "day 1", "day 2", "day 3"}, reasons(t, store, key))
}

func TestKeepDropsTheOldest(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	var want []string
	for day := range baseline.Keep + 3 {
		add(t, store, started.AddDate(0, 0, day), fmt.Sprint("day ", day))
		want = append(want, fmt.Sprint("day ", day))
	}
	assert.Equal(t, want[3:], reasons(t, store, key))
}

// A run may end long after it started.
// Merging two branches adds the runs of both.
func TestOnlyTheNewestRunsAreRead(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	var merged string
	for i := range baseline.Keep {
		merged = add(t, store, started.AddDate(0, 0, i), fmt.Sprint(i))
	}
	data, err := os.ReadFile(merged)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(merged), "2020-01-01T000000Z.bench"), data, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(merged), "pinned.bench"), data, 0o644))
	list := reasons(t, store, key)
	assert.Len(t, list, baseline.Keep)
	assert.Equal(t, "0", list[0], "neither the older nor the pinned one is among them")
}

func TestKeepNeverDropsTheNewRun(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	for day := range baseline.Keep {
		add(t, store, started.AddDate(0, 0, day), fmt.Sprint("day ", day))
	}
	add(t, store, started.AddDate(0, 0, -1), "late")
	got := reasons(t, store, key)
	require.Len(t, got, baseline.Keep)
	assert.Equal(t, []string{"late", "day 1"}, got[:2])
}

func TestKeepCountsEachKeyAlone(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	s := scenario(2, 1)
	s.Identity = identity(providers.Fact{Name: "model", Value: "another"})
	_, err := store.Add(baseline.NewRun(result(s), s, "another model"))
	require.NoError(t, err)
	for day := range baseline.Keep + 1 {
		add(t, store, started.AddDate(0, 0, day), "x")
	}
	assert.Equal(t, []string{"another model"}, reasons(t, store, keyOf(s)))
}

func TestRunsOfOneSecondAreAllKept(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	var want []string
	paths := make(map[string]bool)
	for i := range baseline.Keep {
		want = append(want, fmt.Sprint("run ", i))
		paths[add(t, store, started, want[i])] = true
	}
	assert.Len(t, paths, baseline.Keep)
	assert.Equal(t, want, reasons(t, store, key), "in the order in which they came")
}

// Runs in virtual time all start when their process did.
func TestKeepDropsTheOldestOfOneSecond(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	var want []string
	for i := range 3 * baseline.Keep {
		want = append(want, fmt.Sprint("run ", i))
		add(t, store, started, want[i])
		require.Equal(t, want[max(0, i+1-baseline.Keep):], reasons(t, store, key))
	}
}

// Some file systems have no hard links.
func TestRenameNewReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	require.NoError(t, os.WriteFile(from, []byte("new"), 0o644))
	require.NoError(t, os.WriteFile(to, []byte("old"), 0o644))
	require.ErrorIs(t, baseline.RenameNew(from, to), fs.ErrExist)
	assert.Equal(t, map[string]string{from: "new", to: "old"}, tree(t, dir))
	require.NoError(t, os.Remove(to))
	require.NoError(t, baseline.RenameNew(from, to))
	assert.Equal(t, map[string]string{to: "new"}, tree(t, dir))
}

func TestJunkIsIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := baseline.Dir(dir)
	add(t, store, started, "x")
	here := store.Location(key)
	for _, name := range []string{
		"README.md", ".DS_Store", "2026-11-20T031705Z.bench.orig", "2026-11-20T031705Z-4f1c2ab.123.partial",
		filepath.Join("..", "latest.samples.jsonl"), filepath.Join("..", "all@notes"), filepath.Join("..", "..", ".gitignore"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(here, name), []byte("junk"), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(here, "old"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(here, "..", "all@00000000"), 0o755))
	assert.Equal(t, []string{"x"}, reasons(t, store, key))

	other := baseline.NewKey(identity(providers.Fact{Name: "model", Value: "another"}))
	keys, err := store.Keys(other)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, key.Hash(), keys[0].Hash())
}

func TestABrokenFileIsNamed(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	add(t, store, started, "good")
	broken := add(t, store, started.AddDate(0, 0, 1), "cut")
	data, err := os.ReadFile(broken)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(broken, data[:len(data)/2], 0o644))

	_, err = store.Runs(key)
	assert.ErrorContains(t, err, broken)
	_, err = store.Keys(baseline.NewKey(identity(providers.Fact{Name: "model", Value: "another"})))
	assert.ErrorContains(t, err, broken)
	_, err = baseline.StoredFailures(result(), scenario(1, 1), store)
	assert.ErrorContains(t, err, broken)
}

func TestAMovedFileIsDetected(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	add(t, store, started, "x")
	s := scenario(2, 1)
	s.Identity = identity(providers.Fact{Name: "region", Value: "eu-west-1"})
	foreign, err := store.Add(baseline.NewRun(result(s), s, "another region"))
	require.NoError(t, err)
	moved := filepath.Join(store.Location(key), filepath.Base(foreign)+".bench")
	require.NoError(t, os.Rename(foreign, moved))

	_, err = store.Runs(key)
	require.ErrorContains(t, err, moved)
	assert.ErrorContains(t, err, "moved")
}

func TestAMovedDirectoryIsDetected(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	add(t, store, started, "x")
	moved := filepath.Join(filepath.Dir(store.Location(key)), "all@01234567")
	require.NoError(t, os.Rename(store.Location(key), moved))

	_, err := store.Keys(key)
	require.ErrorContains(t, err, moved)
	assert.ErrorContains(t, err, "moved")
	_, err = baseline.Compare(result(scenario(40, 1)), store, options, ttft90)
	assert.ErrorContains(t, err, moved, "it is not taken for a scenario that was never recorded")
}

// A renamed test finds its runs, and the name is what differs.
func TestTheDirectoryOfARenamedTestIsIncomparable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := baseline.Dir(dir)
	add(t, store, started, "x")
	require.NoError(t, os.Rename(filepath.Join(dir, "TestLatencyChat"), filepath.Join(dir, "TestRenamed")))

	keys, err := store.Keys(baseline.NewKey(identity(providers.Fact{Name: "test", Value: "TestRenamed"})))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, "TestLatencyChat", keys[0].Get("test"))
}

// Different names may look alike on disk: what is stored under one is nothing
// that the other could be compared with.
func TestKeysAreThoseOfTheScenario(t *testing.T) {
	t.Parallel()
	named := func(test, plan, scenario string) *latencytest.Scenario {
		return &latencytest.Scenario{Name: scenario, Samples: []latencytest.Sample{sample(0, ms, ms)}, Identity: identity(
			providers.Fact{Name: "test", Value: test}, providers.Fact{Name: "plan", Value: plan}, providers.Fact{Name: "scenario", Value: scenario})}
	}
	all := []*latencytest.Scenario{
		named("TestA/b", "", "claude@20250514"),
		named("TestA/b", "", "claude"),
		named("TestA_b", "", "claude"),
		named("TestA/b", "", "night-claude"),
		named("TestA/b", "night", "claude"),
		named("TestA/b", "", "night/claude"),
	}
	for _, want := range all {
		store := baseline.Dir(t.TempDir())
		for _, s := range all {
			_, err := store.Add(baseline.NewRun(result(s), s, "x"))
			require.NoError(t, err)
		}
		other := baseline.NewKey(append(want.Identity, providers.Fact{Name: "top-p", Value: "1"}))
		keys, err := store.Keys(other)
		require.NoError(t, err)
		if assert.Len(t, keys, 1, "%v", want.Identity) {
			assert.Equal(t, keyOf(want).Hash(), keys[0].Hash())
		}
	}
}
