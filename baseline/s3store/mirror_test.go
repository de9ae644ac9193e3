package s3store_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

const mirrorAddress = "https://latency.acme.example/public"

// published serves what is in a bucket to anybody, below /public.
func published(s *server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before != nil && s.before(w, r) {
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, "/public/")
		data := s.object(prefix + "/" + name)
		switch {
		case r.Method != http.MethodGet || r.Header.Get("Authorization") != "" || strings.Contains(r.RequestURI, "+"):
			http.Error(w, "only plain GETs", http.StatusMethodNotAllowed)
		case !ok || data == nil:
			http.NotFound(w, r)
		default:
			w.Write(data)
		}
	})
}

func openMirror(t *testing.T, h http.Handler) *s3store.Store {
	t.Helper()
	network := fakes.NewNetwork(h)
	t.Cleanup(func() { network.Close() })
	store, err := s3store.Open(context.WithoutCancel(t.Context()), mirrorAddress, s3store.Options{HTTPClient: network.Client()})
	require.NoError(t, err)
	return store
}

func TestAMirrorReadsWhatTheBucketHolds(t *testing.T) {
	t.Parallel()
	s, _ := twoRuns(t)
	bucket, mirror := open(t, s), openMirror(t, published(s))
	odd := []providers.Fact{{Name: "test", Value: "TestLatency/a+b=c"}, {Name: "scenario", Value: "über, 100 %"}}
	add(t, bucket, run("odd", started, odd...))
	for _, k := range []baseline.Key{key, baseline.NewKey(identity(odd...)), baseline.NewKey(identity(model("another")))} {
		assert.Equal(t, reasons(t, bucket, k), reasons(t, mirror, k))
		assert.Equal(t, hashes(t, bucket, k), hashes(t, mirror, k))
	}
	assert.Equal(t, []string{"first", "second"}, reasons(t, mirror, key))
	assert.Equal(t, mirrorAddress+"/baselines/TestLatencyChat/all@"+key.Hash()+".json", mirror.Location(key))
}

func TestAMirrorTakesNoRuns(t *testing.T) {
	t.Parallel()
	mirror := openMirror(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	_, err := mirror.Add(run("x", started))
	require.ErrorIs(t, err, s3store.ErrReadOnly)
	require.ErrorContains(t, err, mirrorAddress)
}

func TestAMirrorIsNotTrusted(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	s.replace(object, bytes.Replace(s.object(object), []byte("ttft-ns"), []byte("ttlt-ns"), 1))
	_, err := openMirror(t, published(s)).Runs(key)
	var changed *s3store.DigestError
	require.ErrorAs(t, err, &changed)
	assert.Equal(t, mirrorAddress+"/"+strings.TrimPrefix(object, prefix+"/"), changed.Object)
}

func TestErrorsOfAMirror(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		{"forbidden", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<Code>AccessDenied</Code>\n::error::x", http.StatusForbidden)
		}, "GET: HTTP 403: <Code>AccessDenied</Code> : :error: :x; the mirror lets nobody read it, or says 403 of what is not there: it must say 404"},
		{"overloaded", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "GET: HTTP 503; the server is overloaded or broken, try again later"},
		{"a page for everything", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<!doctype html>")) }, "not a document of latgate"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for range 5 << 10 {
				w.Write(make([]byte, 1<<10))
			}
		}, "it is longer than 4194304 bytes"},
		{"downgrade", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/x", http.StatusFound)
		}, "redirected away from https"},
		{"loop", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "redirected more than five times"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "GET: no answer: EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mirror := openMirror(t, http.HandlerFunc(test.answer))
				_, err := mirror.Runs(key)
				require.ErrorContains(t, err, mirror.Location(key)+": ")
				require.ErrorContains(t, err, test.want)
				_, err = mirror.Keys(key)
				require.ErrorContains(t, err, test.want)
			})
		})
	}
}

func TestAMirrorIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := twoRuns(t)
		asked := make(map[string]int)
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			asked[r.URL.Path]++
			switch asked[r.URL.Path] {
			case 1:
				w.WriteHeader(http.StatusBadGateway)
			case 2:
				panic(http.ErrAbortHandler)
			default:
				return false
			}
			return true
		}
		assert.Equal(t, []string{"first", "second"}, reasons(t, openMirror(t, published(s)), key))
	})
}

// On the loopback interface and over TLS: with the client of net/http.
func TestAMirrorOverTLS(t *testing.T) {
	t.Parallel()
	s, _ := twoRuns(t)
	web := httptest.NewUnstartedServer(published(s))
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that were not needed after all
	web.StartTLS()
	defer web.Close()
	mirror, err := s3store.Mirror(t.Context(), web.URL+"/public/", s3store.Options{HTTPClient: web.Client()})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, mirror, key))

	plain := httptest.NewServer(published(s))
	defer plain.Close()
	mirror, err = s3store.Open(t.Context(), plain.URL+"/public", s3store.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, mirror, key))
}
