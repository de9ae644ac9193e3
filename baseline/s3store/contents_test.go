package s3store_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/providers"
)

// filled returns a bucket with the runs of three keys, of which one has dropped two.
func filled(t *testing.T) (*server, *s3store.Store) {
	t.Helper()
	s := newServer()
	store := open(t, s)
	for day := range baseline.Keep + 2 {
		add(t, store, run(fmt.Sprint("day ", day), started.AddDate(0, 0, day)))
	}
	add(t, store, run("other", started, model("another")))
	_, err := store.Pin(run("pinned alone", started, model("third")))
	require.NoError(t, err)
	_, err = store.Pin(run("day 0", started))
	require.NoError(t, err)
	return s, store
}

func TestAStoreTellsWhatItHolds(t *testing.T) {
	t.Parallel()
	s, store := filled(t)
	all, err := store.Baselines()
	require.NoError(t, err)
	byModel := make(map[string]s3store.Baseline)
	for _, b := range all {
		byModel[b.Key.Get("model")] = b
	}
	require.Len(t, byModel, 3)
	own := byModel[key.Get("model")]
	assert.Equal(t, key.Hash(), own.Key.Hash())
	require.Len(t, own.Runs, baseline.Keep)
	assert.Equal(t, "day 2", own.Runs[0].Header.Reason)
	assert.Equal(t, "s3://"+s.bucket+"/"+s.only(t, "/2026-11-22T"), own.Runs[0].Address)
	assert.Equal(t, "day 0", own.Pinned.Header.Reason)
	assert.Equal(t, "s3://"+s.bucket+"/"+s.only(t, key.Hash()+"/2026-11-20T"), own.Pinned.Address)
	assert.Nil(t, byModel["another"].Pinned)
	assert.Empty(t, byModel["third"].Runs)
	assert.Equal(t, "pinned alone", byModel["third"].Pinned.Header.Reason)

	runs, err := store.Archive()
	require.NoError(t, err)
	require.Len(t, runs, baseline.Keep+2+2, "with those that no pointer names")
	assert.Equal(t, "day 11", runs[len(runs)-1].Header.Reason)

	empty := open(t, newServer())
	all, err = empty.Baselines()
	require.NoError(t, err)
	assert.Empty(t, all)
	mirror := openMirror(t, published(s))
	_, err = mirror.Baselines()
	require.ErrorIs(t, err, s3store.ErrUnlisted)
	_, err = mirror.Archive()
	require.ErrorIs(t, err, s3store.ErrUnlisted)
	_, err = mirror.Verify()
	require.ErrorIs(t, err, s3store.ErrUnlisted)
}

func TestARunIsReadByItsAddress(t *testing.T) {
	t.Parallel()
	s, store := filled(t)
	odd := []providers.Fact{{Name: "test", Value: "TestLatency/a+b=c"}, {Name: "scenario", Value: "über, 100 %"}}
	addresses := []string{add(t, store, run("odd", started, odd...))}
	runs, err := store.Archive()
	require.NoError(t, err)
	for _, r := range runs {
		addresses = append(addresses, r.Address, "https://latency.acme.example/public/"+strings.ReplaceAll(strings.TrimPrefix(r.Address, "s3://"+s.bucket+"/"+prefix+"/"), "+", "%2B"))
	}
	mirror := openMirror(t, published(s))
	for _, address := range addresses {
		where, object, err := s3store.SplitRun(address)
		require.NoError(t, err)
		reader := store
		if strings.HasPrefix(address, "https") {
			reader = mirror
		}
		assert.Equal(t, reader.String(), strings.ReplaceAll(where+"?endpoint=https://s3.test&use_path_style=true", mirrorAddress+"?endpoint=https://s3.test&use_path_style=true", mirrorAddress))
		got, err := reader.Stored(object)
		require.NoError(t, err)
		assert.NotEmpty(t, got.Header.Reason)
	}
	where, object, err := s3store.SplitRun("s3://b/p/runs/T/all@00000000/x-0123456789abcdef.bench?endpoint=http://localhost:9000")
	require.NoError(t, err)
	assert.Equal(t, "s3://b/p?endpoint=http://localhost:9000", where)
	assert.Equal(t, "runs/T/all@00000000/x-0123456789abcdef.bench", object)

	for _, address := range []string{"", "s3://b", "s3://b/runs/T", "s3://b/p/T/all@00000000/x.bench", "s3://runs/T/all@0/x.bench", "runs/T/all@00000000/x.bench", "s3://b/p/runs/T/all@00000000/x.json", "https://h/runs/T/all@00000000/%zz.bench"} {
		_, _, err := s3store.SplitRun(address)
		assert.ErrorContains(t, err, "the address of a run", "%q", address)
	}
	for _, object := range []string{"", "baselines/probe.json", "runs/../../x/all@00000000/x-0123456789abcdef.bench", "runs/T/all@00000000/x.bench", "runs/T/all@00000000/a/x-0123456789abcdef.bench", "runs/T/all@00000000/x\n-0123456789abcdef.bench"} {
		_, err := store.Stored(object)
		assert.ErrorContains(t, err, "no run is called so", "%q", object)
	}
	_, err = store.Stored("runs/T/all@00000000/x-0123456789abcdef.bench")
	require.ErrorContains(t, err, "there is no such object")
}

func TestVerifyFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	oldest := func(t *testing.T, s *server) string { return s.only(t, key.Hash()+"/2026-11-20T") } // pinned, and no longer among the others
	second := func(t *testing.T, s *server) string { return s.only(t, key.Hash()+"/2026-11-21T") } // named by no pointer
	newest := func(t *testing.T, s *server) string { return s.only(t, key.Hash()+"/2026-12-01T") }
	pointer := func(t *testing.T, s *server) string { return s.only(t, "/all@"+key.Hash()+".json") }
	for _, test := range []struct {
		name   string
		change func(t *testing.T, s *server)
		runs   int
		want   []string
		digest bool
	}{
		{"nothing", func(*testing.T, *server) {}, 14, nil, false},
		{"pinned", func(t *testing.T, s *server) { s.replace(oldest(t, s), []byte("x")) }, 13, []string{"2026-11-20T031705Z-4f1c2ab-", "its name says"}, true},
		{"dropped", func(t *testing.T, s *server) { s.replace(second(t, s), []byte("x")) }, 13, []string{"2026-11-21T031705Z-4f1c2ab-", "its name says"}, true},
		{"gone", func(t *testing.T, s *server) { s.replace(newest(t, s), nil) }, 13, []string{"2026-12-01T031705Z-4f1c2ab-", "is gone, its pointer names it"}, true},
		{"gone and named by nobody", func(t *testing.T, s *server) { s.replace(second(t, s), nil) }, 13, nil, false},
		{"moved", func(t *testing.T, s *server) {
			data := s.object(newest(t, s))
			s.replace(prefix+"/runs/TestLatencyChat/all@00000000/x-"+sha256Of(data)[:16]+".bench", data)
		}, 14, []string{"by its key it belongs below s3://acme-latency/github.com/acme/app/runs/TestLatencyChat/all@" + key.Hash()}, false},
		{"renamed", func(t *testing.T, s *server) { s.replace(newest(t, s)+".bench", []byte("x")) }, 14, []string{"no run is called so"}, false},
		{"pointer", func(t *testing.T, s *server) {
			s.edit(t, pointer(t, s), sha256Of(s.object(newest(t, s))), sha256Of(nil))
		}, 14, []string{"its pointer says " + sha256Of(nil)}, true},
		{"pointer that is none", func(t *testing.T, s *server) { s.replace(pointer(t, s), []byte("{}")) }, 14, []string{"all@" + key.Hash() + ".json: schema"}, false},
		{"keys", func(t *testing.T, s *server) { s.edit(t, s.only(t, "/keys.json"), "us-east-1", "eu-west-1") }, 14, []string{"keys.json: the facts of the key"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, store := filled(t)
			test.change(t, s)
			v, err := store.Verify()
			require.NoError(t, err)
			assert.Equal(t, test.runs, v.Runs)
			require.Len(t, v.Broken, min(1, len(test.want)), "%v", v.Broken)
			for _, want := range test.want {
				assert.ErrorContains(t, v.Broken[0], want)
			}
			if len(v.Broken) > 0 {
				var changed *s3store.DigestError
				assert.Equal(t, test.digest, errors.As(v.Broken[0], &changed))
			}
		})
	}
}

// A server that fails is not said to hold broken runs.
func TestVerifyTellsAServerThatFails(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{"/baselines/TestLatencyChat/all@", "/keys.json", "/2026-11-20T", "list-type=2&prefix="} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := filled(t)
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				forbidden := strings.Contains(r.URL.Path+"?"+r.URL.RawQuery, failing)
				if forbidden {
					refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
				}
				return forbidden
			}
			v, err := open(t, s).Verify()
			var down *s3store.ServerError
			require.ErrorAs(t, err, &down, failing)
			assert.Empty(t, v.Broken)
		})
	}
}

// A broken run is named, and nobody counts the others as all there are.
func TestWhatIsHeldIsReadWhole(t *testing.T) {
	t.Parallel()
	s, store := filled(t)
	object := s.only(t, key.Hash()+"/2026-12-01T")
	s.replace(object, bytes.Replace(s.object(object), []byte("ttft-ns"), []byte("ttlt-ns"), 1))
	_, err := store.Baselines()
	var changed *s3store.DigestError
	require.ErrorAs(t, err, &changed)
	runs, err := store.Archive()
	require.ErrorAs(t, err, &changed)
	assert.Empty(t, runs)
	assert.Equal(t, "s3://"+s.bucket+"/"+object, changed.Object)

	s, store = filled(t)
	pointer := s.only(t, "/all@"+key.Hash()+".json")
	moved := prefix + "/baselines/TestLatencyChat/all@00000000.json"
	s.replace(moved, bytes.ReplaceAll(s.object(pointer), []byte(key.Hash()), []byte("00000000")))
	_, err = store.Baselines()
	require.ErrorAs(t, err, &changed, "its runs are not there")
}
