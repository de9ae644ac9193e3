package s3store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

func TestObjectsAreNamedAsTheDocumentationSays(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	r := run("x", started)
	data, err := r.Content()
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	object := "runs/TestLatencyChat/all@" + key.Hash() + "/2026-11-20T031705Z-4f1c2ab-" + digest[:16] + ".bench"

	assert.Equal(t, "s3://acme-latency/"+prefix+"/"+object, add(t, store, r))
	pointer := "baselines/TestLatencyChat/all@" + key.Hash() + ".json"
	assert.Equal(t, "s3://acme-latency/"+prefix+"/"+pointer, store.Location(key))
	assert.Equal(t, []string{
		path.Join(prefix, "baselines/TestLatencyChat/all/keys.json"), path.Join(prefix, pointer),
		path.Join(prefix, "baselines/probe.json"), path.Join(prefix, object),
	}, s.keys(), "nothing else is left behind")
	assert.Equal(t, data, s.object(path.Join(prefix, object)))

	var got any
	require.NoError(t, json.Unmarshal(s.object(path.Join(prefix, pointer)), &got))
	assert.Equal(t, map[string]any{
		"schema": "latgate.pointer/1",
		"runs":   []any{map[string]any{"object": object, "sha256": digest, "time": "2026-11-20T03:17:05Z"}},
	}, got)
}

func TestAnEmptyBucketIsNoError(t *testing.T) {
	t.Parallel()
	store := open(t, newServer())
	assert.Empty(t, reasons(t, store, key))
	assert.Empty(t, hashes(t, store, key))
}

func TestRunsAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	store := open(t, newServer())
	for _, day := range []int{2, 0, 3, 1} {
		add(t, store, run(fmt.Sprint("day ", day), started.AddDate(0, 0, day)))
	}
	assert.Equal(t, []string{"day 0", "day 1", "day 2", "day 3"}, reasons(t, store, key))
}

func TestRunsOfOneSecondAreAllKept(t *testing.T) {
	t.Parallel()
	store := open(t, newServer())
	var want []string
	for i := range baseline.Keep + 2 {
		want = append(want, fmt.Sprint("run ", i))
		add(t, store, run(want[i], started))
	}
	assert.Equal(t, want[2:], reasons(t, store, key), "in the order in which they came")
}

func TestThePointerKeepsTheNewestAndTheBucketAll(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	for day := range baseline.Keep {
		add(t, store, run(fmt.Sprint("day ", day), started.AddDate(0, 0, day)))
	}
	add(t, store, run("late", started.AddDate(0, 0, -1)))
	got := reasons(t, store, key)
	require.Len(t, got, baseline.Keep)
	assert.Equal(t, []string{"late", "day 1"}, got[:2], "the new run is never dropped")
	runs := 0
	for _, k := range s.keys() {
		runs += strings.Count(k, ".bench")
	}
	assert.Equal(t, baseline.Keep+1, runs)
}

func TestKeysAreThoseOfTheScenario(t *testing.T) {
	t.Parallel()
	store := open(t, newServer())
	alike := func(name string) providers.Fact { return providers.Fact{Name: "scenario", Value: name} }
	for _, r := range []*baseline.Run{
		run("x", started, alike("a/b")), run("y", started, alike("a/b"), model("another")),
		run("z", started, alike("a b")), run("w", started, alike("c")),
	} {
		add(t, store, r)
		add(t, store, r)
	}
	want := []string{baseline.NewKey(identity(alike("a/b"))).Hash(), baseline.NewKey(identity(alike("a/b"), model("another"))).Hash()}
	assert.Equal(t, want, hashes(t, store, baseline.NewKey(identity(alike("a/b"), model("new")))))

	keys, err := store.Keys(baseline.NewKey(identity(alike("a b"))))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, identity(alike("a b")), keys[0].Facts(), "with all facts, in their order")
}

// One result may be checked by several gates, and each may store it.
func TestOneMeasurementIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	scenario := madeup.Scenario(identity(), 2, 1)
	res := resultOf(scenario, started)
	first := add(t, store, baseline.NewRun(res, scenario, "x"))
	assert.Equal(t, first, add(t, open(t, s), baseline.NewRun(res, scenario, "x")))
	require.Equal(t, []string{"x"}, reasons(t, store, key))

	second := add(t, store, baseline.NewRun(res, scenario, "x", latencytest.StreamEnd))
	assert.NotEqual(t, first, second, "an object is never changed")
	runs, err := store.Runs(key)
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.Len(t, runs[0].Values(latencytest.StreamEnd), 2, "what was lacking is there")

	add(t, store, baseline.NewRun(res, scenario, "another reason"))
	assert.Equal(t, []string{"x", "another reason"}, reasons(t, store, key))
}

func TestABadRunIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	r := run("x", started)
	r.Entries = nil
	_, err := store.Add(r)
	require.ErrorContains(t, err, "nothing to store")
	assert.Empty(t, s.requests)
}

// The anchor moves by review alone: a writer keeps it.
func TestThePinnedRunStays(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	add(t, store, run("first", started))
	pointer := s.only(t, "all@"+key.Hash()+".json")
	var document map[string]any
	require.NoError(t, json.Unmarshal(s.object(pointer), &document))
	document["pinned"] = document["runs"].([]any)[0]
	data, err := json.Marshal(document)
	require.NoError(t, err)
	s.replace(pointer, data)

	for day := range baseline.Keep + 1 {
		add(t, store, run("later", started.AddDate(0, 0, 1+day)))
	}
	var after map[string]any
	require.NoError(t, json.Unmarshal(s.object(pointer), &after))
	assert.Equal(t, document["pinned"], after["pinned"])
	assert.NotContains(t, reasons(t, store, key), "first")
}

func TestHostileNamesStayInTheirPlace(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"../../../etc/passwd", "..", "a?b#c%2F..%2f", "x\ny\x00z", "größe", strings.Repeat("long/", 300), "a+b=c,d@e", `C:\con`, "::set-output name=x::", "nul", "keys",
	} {
		s := newServer()
		store := open(t, s)
		facts := []providers.Fact{{Name: "test", Value: "TestLatency/" + name}, {Name: "scenario", Value: name}, {Name: "plan", Value: name}}
		k := baseline.NewKey(identity(facts...))
		r := run("x", started, facts...)
		r.Header.Provenance.Commit = name
		location := add(t, store, r)
		assert.Equal(t, []string{"x"}, reasons(t, store, k), "%q", name)
		assert.Equal(t, []string{k.Hash()}, hashes(t, store, k), "%q", name)
		for _, key := range append(s.keys(), location) {
			assert.Regexp(t, `^(s3://acme-latency/)?github\.com/acme/app/(runs|baselines)/[A-Za-z0-9._,=+@/-]+$`, key)
			assert.NotRegexp(t, `/\.\.?/|//[^a]`, key)
			assert.LessOrEqual(t, len(key), 1024)
		}
	}
}

func TestTheBucketMayHaveNoPrefix(t *testing.T) {
	t.Parallel()
	s := newServer()
	address := "s3://" + s.bucket
	store := openAt(t, s, address)
	add(t, store, run("x", started))
	assert.Equal(t, []string{"x"}, reasons(t, openAt(t, s, address+"/"), key))
	assert.Equal(t, address+"/baselines/TestLatencyChat/all@"+key.Hash()+".json", store.Location(key))
}
