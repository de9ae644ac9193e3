package s3store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
)

// pinned is the reason of the pinned run, "" where there is none.
func pinned(t *testing.T, store baseline.Pinner, k baseline.Key) string {
	t.Helper()
	run, err := store.Pinned(k)
	require.NoError(t, err)
	if run == nil {
		return ""
	}
	return run.Header.Reason
}

func TestAPinnedRunIsTheStoredObject(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	first := run("first", started)
	object := add(t, store, first)
	assert.Empty(t, pinned(t, store, key), "nothing is pinned by itself")

	where, err := store.Pin(first)
	require.NoError(t, err)
	assert.Equal(t, object, where)
	assert.Equal(t, "first", pinned(t, open(t, s), key))
	requests := s.count("PUT " + prefix + "/baselines/TestLatencyChat")
	_, err = store.Pin(first)
	require.NoError(t, err)
	assert.Equal(t, requests, s.count("PUT "+prefix+"/baselines/TestLatencyChat"), "it is pinned already")

	for day := range baseline.Keep + 1 {
		add(t, store, run("later", started.AddDate(0, 0, 1+day)))
	}
	assert.Equal(t, "first", pinned(t, store, key), "it stays when it is no more among the others")
	_, err = store.Pin(run("later", started.AddDate(0, 0, 1)))
	require.NoError(t, err)
	assert.Equal(t, "later", pinned(t, store, key), "it moves when somebody means it")
	assert.NotContains(t, reasons(t, store, key), "first")
}

// A run that is none of the store's becomes an object, and none of the runs that come
// and go.
func TestAnyRunCanBePinned(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	where, err := store.Pin(run("where we started", started))
	require.NoError(t, err)
	assert.Equal(t, "s3://"+s.bucket+"/"+s.only(t, "/runs/"), where)
	assert.Equal(t, "where we started", pinned(t, store, key))
	assert.Empty(t, reasons(t, store, key))
	assert.Equal(t, []string{key.Hash()}, hashes(t, store, key))
	var document map[string]any
	require.NoError(t, json.Unmarshal(s.object(s.only(t, "all@"+key.Hash()+".json")), &document))
	assert.Equal(t, []any{}, document["runs"])

	add(t, store, run("x", started.AddDate(0, 0, 1)))
	assert.Equal(t, []string{"x"}, reasons(t, store, key))
	assert.Equal(t, "where we started", pinned(t, store, key))

	_, err = store.Pin(new(baseline.Run))
	require.ErrorContains(t, err, "nothing to store")
}

// Creep is found against the pinned run of a bucket as against that of a directory.
func TestComparisonsAreMadeWithThePinnedRun(t *testing.T) {
	t.Parallel()
	store := open(t, newServer())
	result := func(day int, factor float64) *latencytest.Result {
		s := madeup.Scenario(identity(), 200, uint64(day+100), madeup.Later(factor))
		return resultOf(s, started.AddDate(0, 0, day))
	}
	for day := range 5 {
		_, err := baseline.Accept(result(day, 1.4), store, "another day")
		require.NoError(t, err)
	}
	first := result(-90, 1)
	_, err := store.Pin(baseline.NewRun(first, first.Scenarios[0], "where we started"))
	require.NoError(t, err)
	report, err := baseline.Compare(result(7, 1.4), store, stat.Options{SingleSession: true}, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
	require.NoError(t, err)
	require.Len(t, report.Comparisons, 2)
	assert.NotEqual(t, baseline.Regression, report.Comparisons[0].Verdict)
	assert.Equal(t, baseline.Regression, report.Comparisons[1].Verdict, report.Comparisons[1].Reason)
}

func TestAChangedPinnedRunIsADigestError(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][]byte{"changed": []byte("padded"), "gone": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			store := open(t, s)
			_, err := store.Pin(run("x", started))
			require.NoError(t, err)
			object := s.only(t, "/runs/")
			s.replace(object, change)
			none, err := store.Pinned(key)
			var changed *s3store.DigestError
			require.ErrorAs(t, err, &changed)
			assert.Nil(t, none)
			assert.Equal(t, "s3://"+s.bucket+"/"+object, changed.Object)
			_, err = open(t, s).Pin(run("x", started))
			assert.Equal(t, change != nil, errors.As(err, &changed), "a name that is taken is not overwritten; what is gone comes back: %v", err)
		})
	}
}

// Pinning and adding meet at random moments. Each does its part.
func TestPinningLosesNoRace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			d := newDice(seed)
			s := newServer()
			s.before = func(http.ResponseWriter, *http.Request) bool {
				d.wait(20 * time.Millisecond)
				return false
			}
			var writing sync.WaitGroup
			errs := make([]error, 8)
			for i := range errs {
				store := open(t, s)
				r := run(fmt.Sprint(i), started)
				if i%2 == 0 {
					writing.Go(func() { _, errs[i] = store.Add(r) })
				} else {
					writing.Go(func() { _, errs[i] = store.Pin(r) })
				}
			}
			writing.Wait()
			require.NoError(t, errors.Join(errs...), "seed %d", seed)
			reader := open(t, s)
			assert.ElementsMatch(t, []string{"0", "2", "4", "6"}, reasons(t, reader, key), "seed %d", seed)
			assert.Contains(t, "1357", pinned(t, reader, key), "seed %d", seed)
			assert.NotEmpty(t, pinned(t, reader, key))
			assert.Greater(t, s.count("PUT "+prefix+"/baselines/TestLatencyChat/all@"), len(errs), "seed %d: there was no race", seed)
		})
	}
}

func TestAMirrorReadsThePinnedRun(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	mirror := openMirror(t, published(s))
	assert.Empty(t, pinned(t, mirror, key))
	_, err := open(t, s).Pin(run("second", started.AddDate(0, 0, 1)))
	require.NoError(t, err)
	assert.Equal(t, "second", pinned(t, mirror, key))
	none, err := mirror.Pinned(baseline.NewKey(identity(model("another"))))
	require.NoError(t, err)
	assert.Nil(t, none)

	_, err = mirror.Pin(run("first", started))
	require.ErrorIs(t, err, s3store.ErrReadOnly)
	_, err = mirror.Prune(1, false)
	require.ErrorIs(t, err, s3store.ErrReadOnly)
	s.replace(object, []byte("padded"))
	_, err = mirror.Pinned(key)
	var changed *s3store.DigestError
	require.ErrorAs(t, err, &changed)
}

func TestPruningDropsRunsFromPointersOnly(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	other := baseline.NewKey(identity(model("another")))
	var objects []string
	for day := range 4 {
		objects = append(objects, add(t, store, run(fmt.Sprint("day ", day), started.AddDate(0, 0, day))))
	}
	add(t, store, run("x", started, model("another")))
	_, err := store.Pin(run("day 0", started))
	require.NoError(t, err)
	before := s.count("PUT ")

	dropped, err := store.Prune(2, true)
	require.NoError(t, err)
	assert.Equal(t, objects[:2], dropped)
	assert.Len(t, reasons(t, store, key), 4, "a trial changes nothing")
	assert.Equal(t, before, s.count("PUT "))

	s.replace(strings.TrimPrefix(objects[1], "s3://"+s.bucket+"/"), []byte("broken")) // it can go, too
	dropped, err = store.Prune(2, false)
	require.NoError(t, err)
	assert.Equal(t, objects[:2], dropped)
	assert.Equal(t, []string{"day 2", "day 3"}, reasons(t, store, key))
	assert.Equal(t, []string{"x"}, reasons(t, store, other))
	assert.Equal(t, "day 0", pinned(t, store, key))
	for _, object := range objects {
		assert.NotNil(t, s.object(strings.TrimPrefix(object, "s3://"+s.bucket+"/")), "nothing is deleted")
	}
	dropped, err = store.Prune(2, false)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	_, err = store.Prune(0, false)
	require.ErrorContains(t, err, "want one at least")
}

// A call that ends while it waits to ask again is the server's doing, and no sign that
// somebody changed something.
func TestACallThatEndsBetweenAttemptsIsTheServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newServer()
		s.before = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			cancel()
			return true
		}
		network := fakes.NewNetwork(published(s))
		defer network.Close()
		mirror, err := s3store.Mirror(ctx, mirrorAddress, s3store.Options{HTTPClient: network.Client()})
		require.NoError(t, err)
		_, err = mirror.Runs(key)
		var down *s3store.ServerError
		require.ErrorAs(t, err, &down)
		require.ErrorIs(t, err, context.Canceled)
	})
}
