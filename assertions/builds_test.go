package assertions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// TestBuilds runs whole builds as a user's tests would: three scenarios of 200
// requests, each gated on the P90 of TTFT, TTLT and OTPS against five stored runs, in
// virtual time, with a session noise of 3 % and suspects confirmed by processes of
// their own. LATGATE_BUILDS is how many of each kind there are: 200 take some ten
// minutes, and the few that run otherwise only show that it works, fewer with -short.
//
//	LATGATE_BUILDS=200 go test ./assertions -run TestBuilds -v -timeout 60m
func TestBuilds(t *testing.T) {
	builds := 2
	if testing.Short() {
		builds = 1
	}
	if text := os.Getenv(buildsVariable); text != "" {
		var err error
		builds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for _, kind := range []struct {
		name   string
		slower float64
	}{{"healthy", 1}, {"slower", 1.3}} {
		t.Run(kind.name, func(t *testing.T) {
			red, flagged, attributed, confirmed := 0, 0, 0, 0
			for number := range builds {
				t.Run(strconv.Itoa(number), func(t *testing.T) {
					failure, log := build{seed: uint64(number + 1), slower: kind.slower}.run(t)
					if strings.Contains(failure+log, "n 2×200") {
						confirmed++
					}
					if failure == "" {
						return
					}
					red++
					if _, text, found := strings.Cut(failure, changed+": P90 ttft "); found {
						flagged++
						text, _, _ = strings.Cut(text, "[latgate]")
						if strings.Contains(text, "phase:    wait for the first byte") {
							attributed++
						}
					}
				})
			}
			if secondProcess(t) {
				return
			}
			t.Logf("%d builds of 9 comparisons: %d red; %d for the P90 of ttft of the scenario %q, %d of them attributed to the wait for the first byte; %d measured something again",
				builds, red, flagged, changed, attributed, confirmed)
			if builds < 100 {
				return
			}
			if kind.slower == 1 {
				assert.LessOrEqual(t, red, builds*5/100)
				return
			}
			assert.GreaterOrEqual(t, flagged, builds*94/100)
			assert.GreaterOrEqual(t, attributed, flagged*99/100)
		})
	}
}

const (
	buildsVariable = "LATGATE_BUILDS"
	changed        = "b" // the scenario that becomes slower
)

var scenarios = []string{"a", changed, "c"}

// A build is five days of a test and the day on which it is judged.
type build struct {
	seed   uint64
	slower float64
}

// run returns the text of the failure, and what was logged.
func (b build) run(t *testing.T) (failure, log string) {
	t.Helper()
	const today = 99
	if secondProcess(t) {
		b.day(t, today, nil)
		return "", ""
	}
	store := baseline.Dir(t.TempDir())
	for d := range 5 {
		res, _ := b.day(t, d, nil)
		_, err := baseline.Accept(res, store, "another day")
		require.NoError(t, err)
	}
	_, f := b.day(t, today, store)
	return strings.Join(f.errors, "\n"), strings.Join(f.logs, "\n")
}

// day measures the build's three scenarios, and judges them where there is a store.
func (b build) day(t *testing.T, number int, store baseline.Store) (res *latencytest.Result, f *fakeT) {
	t.Helper()
	f = new(fakeT)
	samples := filepath.Join(t.TempDir(), "samples.jsonl")
	synctest.Test(t, func(t *testing.T) {
		endpoints := make(map[string]http.Handler)
		for i, name := range scenarios {
			ttft := 400 * time.Millisecond
			if number == 99 && name == changed {
				ttft = time.Duration(b.slower * float64(ttft))
			}
			endpoints[name] = fakes.OpenAI(fakes.Script{
				Seed: b.seed<<16 | uint64(number)<<8 | uint64(i)<<4 ^ latencytest.Seed()>>32, Session: .03,
				TTFT: fakes.Lognormal(ttft, .45), Gap: fakes.Lognormal(30*time.Millisecond, .3), OutputTokens: 12,
			})
		}
		network := fakes.NewNetwork(byModel(endpoints))
		defer network.Close()
		var prompts []providers.Prompt
		for _, name := range scenarios {
			prompts = append(prompts, providers.Prompt{Text: "Hello.", Model: name})
		}
		res = latencytest.Run(t, openai.Chat("m", endpoint.Options{Client: network.Client(), BaseURL: "http://fake.test/v1"}), latencytest.Plan{
			Prompts: prompts, Requests: 200, Load: latencytest.Closed(3), Seed: b.seed + uint64(number)<<32, SampleFile: samples,
		})
		res.Started = res.Started.AddDate(0, 0, number)
		if store != nil || secondProcess(t) {
			assertions.Check(f, res, store,
				assertions.NoRegression(latencytest.TTFT, latencytest.P90),
				assertions.NoRegression(latencytest.TTLT, latencytest.P90),
				assertions.NoRegression(latencytest.OTPS, latencytest.P90))
		}
	})
	return res, f
}

// byModel leads each request to the endpoint of its model.
func byModel(endpoints map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request struct{ Model string }
		if err != nil || json.Unmarshal(body, &request) != nil || endpoints[request.Model] == nil {
			http.Error(w, fmt.Sprintf("no model %q: %v", request.Model, err), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		endpoints[request.Model].ServeHTTP(w, r)
	})
}
