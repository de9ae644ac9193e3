package s3store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/fakes"
)

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestAServerThatIgnoresConditionsIsRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"If-Match", "If-None-Match"} {
		s := newServer()
		s.ignores = header
		_, err := open(t, s).Add(run("x", started))
		require.ErrorIs(t, err, s3store.ErrUnconditional)
		require.ErrorContains(t, err, "probe.json was written against its "+header+" header")
		require.ErrorContains(t, err, "one would lose its run")
		assert.Equal(t, []string{prefix + "/baselines/probe.json"}, s.keys(), "nothing else was written")
	}
}

// Servers that know the headers and cannot do it say 501.
func TestAServerThatCannotCheckConditionsIsRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"If-Match", "If-None-Match"} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get(header) == "" {
					return false
				}
				refuse(w, http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
				return true
			}
			_, err := open(t, s).Add(run("x", started))
			require.ErrorIs(t, err, s3store.ErrUnconditional)
			var failed *s3store.ServerError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "NotImplemented", failed.Code)
		})
	}
}

func TestAServerWithoutEntityTagsIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer()
	store := open(t, s)
	add(t, store, run("x", started))
	s.noTag = true
	_, err := store.Add(run("y", started))
	require.ErrorIs(t, err, s3store.ErrUnconditional)
	assert.Equal(t, []string{"x"}, reasons(t, store, key), "which can still be read")
}

// The write was done and its answer was lost: the SDK asks again, is told that
// the object is there already, and the store finds that it is its own.
func TestALostAnswerIsRecognized(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"/runs/", "/all@", "/keys.json", "/probe.json"} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			lost := 0
			s.lose = func(r *http.Request) bool {
				if strings.Contains(r.URL.Path, object) && lost == 0 {
					lost++
					return true
				}
				return false
			}
			store := open(t, s)
			add(t, store, run("x", started))
			assert.Equal(t, 1, lost)
			assert.Equal(t, []string{"x"}, reasons(t, store, key))
			for k, versions := range s.versions {
				assert.Len(t, versions, 1, "%s was written twice", k)
			}
		})
	}
}

// All answers were lost, and the same run is added again later.
func TestARunIsAddedAgainAfterAllAnswersWereLost(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"/runs/", "/baselines/TestLatencyChat/all@", "/keys.json"} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.lose = func(r *http.Request) bool { return strings.Contains(r.URL.Path, object) }
			_, err := open(t, s).Add(run("x", started))
			var failed *s3store.ServerError
			require.ErrorAs(t, err, &failed)
			assert.Zero(t, failed.Status)
			require.ErrorContains(t, err, "no answer")

			s.lose = nil
			store := open(t, s)
			add(t, store, run("x", started))
			assert.Equal(t, []string{"x"}, reasons(t, store, key))
			assert.Len(t, hashes(t, store, key), 1)
			assert.NotEmpty(t, s.only(t, "/runs/"))
		})
	}
}

func TestErrorsOfTheServerSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status                int
		code, message         string
		reading, adding, both string
	}{
		{403, "AccessDenied", "Access Denied", "GetObject: HTTP 403 AccessDenied: Access Denied; the role needs s3:GetObject there, and s3:ListBucket", "PutObject: HTTP 403 AccessDenied: Access Denied; the role needs s3:PutObject there", ""},
		{404, "NoSuchBucket", "The specified bucket does not exist", "", "", "HTTP 404 NoSuchBucket: The specified bucket does not exist; create the bucket, or correct its name and region"},
		{503, "SlowDown", "Please reduce your request rate.", "", "", "HTTP 503 SlowDown: Please reduce your request rate.; the server is overloaded or broken, try again later"},
		{500, "InternalError", "We encountered an internal error.", "", "", "HTTP 500 InternalError"},
		{301, "PermanentRedirect", "another endpoint", "", "", "set AWS_REGION to its own"},
		{400, "ExpiredToken", "The provided token has expired.", "", "", "get new credentials"},
		{403, "SignatureDoesNotMatch", "::set-output name=a::b\r\n\x1b[31m" + secretKey + " X-Amz-Security-Token: " + sessionToken, "", "", "HTTP 403 SignatureDoesNotMatch"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				refuse(w, test.status, test.code, test.message)
				return true
			}
			store := open(t, s)
			runs, err := store.Runs(key)
			assert.Empty(t, runs)
			require.ErrorContains(t, err, store.Location(key)+": ")
			require.ErrorContains(t, err, test.reading+test.both)
			_, keysErr := store.Keys(key)
			require.Error(t, keysErr)
			_, addErr := store.Add(run("x", started))
			require.ErrorContains(t, addErr, "the baseline was not written: ")
			require.ErrorContains(t, addErr, test.adding+test.both)
			for _, err := range []error{err, keysErr, addErr} {
				var failed *s3store.ServerError
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, test.status, failed.Status)
				assert.Equal(t, test.code, failed.Code)
				assert.NotContains(t, err.Error(), secretKey)
				assert.NotContains(t, err.Error(), sessionToken)
				assert.NotRegexp(t, "[[:cntrl:]]|::set", err.Error())
			}
		})
	}
}

func TestAnOverloadPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		n := 0
		s.before = func(w http.ResponseWriter, _ *http.Request) bool {
			n++
			if n%3 == 0 {
				return false
			}
			refuse(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
			return true
		}
		store := open(t, s)
		add(t, store, run("x", started))
		assert.Equal(t, []string{"x"}, reasons(t, store, key))
	})
}

// A connection that breaks in the middle of a run is no tampering.
func TestABrokenConnectionIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, breaks := range []int{2, 100} {
		synctest.Test(t, func(t *testing.T) {
			s, object := twoRuns(t)
			broken := 0
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, object) || broken == breaks {
					return false
				}
				broken++
				data := s.object(object)
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				w.Write(data[:len(data)/2])
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
			runs, err := open(t, s).Runs(key)
			if breaks == 2 {
				require.NoError(t, err)
				assert.Len(t, runs, 2)
				return
			}
			var failed *s3store.ServerError
			require.ErrorAs(t, err, &failed)
			require.ErrorContains(t, err, object+": read: no answer: unexpected EOF")
			var changed *s3store.DigestError
			require.NotErrorAs(t, err, &changed)
		})
	}
}

// S3 says 403 of an object that is not there to whoever may not list the bucket,
// and to whoever may list only what is below the prefix.
func TestForbiddenMayMeanThatThereIsNone(t *testing.T) {
	t.Parallel()
	for _, mayList := range []bool{true, false} {
		s := newServer()
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			listing := r.URL.Query().Get("list-type") == "2"
			key := strings.TrimPrefix(r.URL.Path, "/"+s.bucket+"/")
			forbidden := listing && !mayList || !listing && r.Method == http.MethodGet && s.object(key) == nil
			if forbidden {
				refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
			}
			return forbidden
		}
		store := open(t, s)
		runs, err := store.Runs(key)
		assert.Empty(t, runs)
		if !mayList {
			require.ErrorContains(t, err, "s3:ListBucket below the prefix")
			continue
		}
		require.NoError(t, err)
		add(t, store, run("x", started))
		assert.Equal(t, []string{"x"}, reasons(t, store, key))
		assert.NotZero(t, s.count("LIST "+prefix+"/baselines/TestLatencyChat/all@"))
	}
}

func TestForbiddenIsNotMissing(t *testing.T) {
	t.Parallel()
	s, object := twoRuns(t)
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		forbidden := strings.HasSuffix(r.URL.Path, object)
		if forbidden {
			refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		return forbidden
	}
	_, err := open(t, s).Runs(key)
	require.ErrorContains(t, err, object+": GetObject: HTTP 403")
}

func TestAHangingServerEndsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.before = func(_ http.ResponseWriter, r *http.Request) bool {
			io.Copy(io.Discard, r.Body) // only then does the server see the client go
			<-r.Context().Done()
			return true
		}
		start := time.Now()
		_, err := open(t, s).Runs(key)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "no answer in time")
		assert.Equal(t, 2*time.Minute, time.Since(start), "the default")
		_, err = open(t, s, func(o *s3store.Options) { o.Timeout = time.Second }).Add(run("x", started))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2*time.Minute+time.Second, time.Since(start))
	})
}

func TestTheContextOfOpenEndsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		ctx, cancel := context.WithCancel(t.Context())
		s.before = func(_ http.ResponseWriter, r *http.Request) bool {
			cancel()
			io.Copy(io.Discard, r.Body) // only then does the server see the client go
			<-r.Context().Done()
			return true
		}
		network := fakes.NewNetwork(s)
		defer network.Close()
		store, err := s3store.Open(ctx, "s3://"+s.bucket, s3store.Options{Config: config(), Endpoint: "https://s3.test", PathStyle: true, HTTPClient: network.Client()})
		require.NoError(t, err)
		start := time.Now()
		_, err = store.Runs(key)
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, time.Since(start))
	})
}
