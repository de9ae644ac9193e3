package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/calibrate"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// storedSessions measures sessions in virtual time whose weather varies by sd, and
// returns their sample files.
func storedSessions(t *testing.T, sessions int, sd float64) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	synctest.Test(t, func(t *testing.T) {
		for i := range sessions {
			network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{
				Seed: uint64(i + 1), Session: sd, OutputTokens: 12,
				TTFT: fakes.Lognormal(400*time.Millisecond, .15), Gap: fakes.Lognormal(20*time.Millisecond, .2),
			}))
			files = append(files, filepath.Join(dir, fmt.Sprintf("%d.samples.jsonl", i)))
			target := openai.Chat("m", endpoint.Options{BaseURL: "http://endpoint.test", Client: network.Client()})
			_, err := latencytest.Measure(context.Background(), target, latencytest.Plan{
				Prompts: []providers.Prompt{{ID: "p", Text: "Hello"}}, Requests: 60, Load: latencytest.Closed(4), SampleFile: files[i],
			})
			require.NoError(t, err)
			target.CloseIdleConnections()
			network.Close()
		}
	})
	return files
}

func TestCalibrateFiles(t *testing.T) {
	t.Parallel()
	files := storedSessions(t, 12, .05)
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "calibrate --metric ttft --tolerance 25%", files...), h.err.String())
	lines := strings.Split(h.out.String(), "\n")
	assert.Regexp(t, `^12 sessions from \S+ \S+ to \S+ \S+$`, lines[0])
	assert.Regexp(t, `^scenario +quantile +level +requests +sd of them +sd between sessions +noise floor +suspects +false alarms$`, lines[2])
	assert.Regexp(t, `^all +P50 ttft +\d{3} ms +60 +[12]\.\d %? *% +\d\.\d % \[\d(\.\d)? %, \d+(\.\d)? %\] +\d+ % \[\d+(\.\d)? %, \d+ %\] +\d/12 \[\S+, \d+ %\] +0/12 \[0, 22 %\]$`, lines[3])
	assert.Regexp(t, `^all +P90 ttft `, lines[4])
	assert.Equal(t, "to see a slow-down in 9 of 10 builds, against 5 stored runs (sessions and stored runs as long as these):", lines[6])
	assert.Regexp(t, `^all +P50 ttft +\+10 % +– +(–|\d+) +(–|\d+) +–$`, lines[8])
	assert.Regexp(t, `^all +P50 ttft +\+25 % +\d+ +\d+ +1 +\d$`, lines[11], "the tolerance asked for stands in its place")
	assert.Contains(t, h.out.String(), "\nthe sessions began within ")
	assert.Contains(t, h.out.String(), "\nthe gate, with confirmations, called 0/12 [0, 22 %] builds out of the sessions red")

	h = newHarness(nil)
	require.Equal(t, exitUsage, h.call(t, "calibrate --metric ttft --quantile p90 --tolerance 5%", files...))
	assert.Regexp(t, `^latgate: --tolerance: all: P90 ttft: tolerance 5 %, floor \d\d % \(1 session against 5 stored runs, sd between runs \S+ %\): no number of requests sees less; `, h.err.String())
	assert.Contains(t, h.out.String(), "+5 %", "the table says why")
}

func TestCalibrateJSON(t *testing.T) {
	t.Parallel()
	files := storedSessions(t, 10, .05)
	h := newHarness(nil)
	require.Equal(t, exitUsage, h.call(t, "calibrate --format json --metric otps --quantile p90 --tolerance 2% --stored-runs 10", files...))
	var got calibrateDocument
	require.NoError(t, json.Unmarshal(h.out.Bytes(), &got))
	assert.Equal(t, calibrateSchema, got.Schema)
	assert.Contains(t, got.Error, "tolerance 2 %, floor")
	assert.Equal(t, 10, got.Sessions)
	assert.Equal(t, 10, got.Builds.Of)
	require.Len(t, got.Noise, 1)
	n := got.Noise[0]
	assert.Equal(t, []any{"all", "otps", "tok/s", true, .9, 60}, []any{n.Scenario, n.Metric, n.Unit, n.HigherBetter, n.Quantile, n.Requests})
	assert.InDelta(t, .05, n.SD.Value, .025)
	assert.Less(t, n.SD.Low, n.SD.Value)
	assert.Greater(t, n.Floor.High, n.Floor.Value)
	assert.InDelta(t, 48, n.Level, 7)
	assert.Len(t, n.Sessions, 10)
	require.Len(t, n.Needs, 6)
	assert.Nil(t, n.Needs[0].Requests, "+2 % is not reachable")
	assert.InDelta(t, .50, n.Needs[5].Tolerance, 0)
	assert.Positive(t, *n.Needs[5].Requests)
}

// Each session dials anew, and is made by the flags of profile.
func TestCalibrateEndpoint(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	connections := map[string]int{}
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr]++
		mu.Unlock()
		quick().ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	h := newHarness(map[string]string{"OPENAI_API_KEY": keys["OPENAI_API_KEY"]})
	require.Equal(t, exitOK, h.call(t, "calibrate --provider openai --model m --prompt Hi --sessions 4 --session-pause 0 -n 9 --metric ttft --output "+dir+"/{session}.jsonl --base-url "+server.URL), h.err.String())
	assert.Len(t, connections, 4)
	for address, requests := range connections {
		assert.Equal(t, 10, requests, "%s: nine and one of warm-up", address)
	}
	assert.Equal(t, "Bearer "+keys["OPENAI_API_KEY"], server.last(t).header.Get("Authorization"))
	assert.Regexp(t, `^4 sessions from `, h.out.String())
	assert.Contains(t, h.out.String(), "\nno false alarms were counted: that takes 5 sessions")
	assert.Contains(t, h.out.String(), "\nthe sd of 4 sessions is a rough number")
	assert.Regexp(t, `^latgate: session 1 of 4\nlatgate: session 1 of 4: all: P50 ttft \S+ \S+, P90 ttft \S+ \S+\nlatgate: session 2 of 4\n`, h.err.String())
	var files []string
	for i := range 4 {
		files = append(files, fmt.Sprintf("%s/%d.jsonl", dir, i+1))
	}
	again := newHarness(nil)
	require.Equal(t, exitOK, again.call(t, "calibrate --metric ttft", files...), again.err.String())
	assert.Equal(t, h.out.String(), again.out.String(), "the files tell the same")
}

// A session that fails ends the others. What came before it is told if it is enough.
func TestCalibrateFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ good, sessions int }{{1, 1}, {4, 4}} {
		var mu sync.Mutex
		left := c.good * 11
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			left--
			over := left < 0
			mu.Unlock()
			if over {
				refuse(http.StatusUnauthorized, `{"error":{"message":"no"}}`).ServeHTTP(w, r)
				return
			}
			quick().ServeHTTP(w, r)
		}))
		h := newHarness(nil)
		require.Equal(t, exitEndpoint, h.call(t, "calibrate --quiet --provider openai --model m --prompt Hi --session-pause 0 -n 10 --metric ttft --base-url "+server.URL))
		assert.Regexp(t, fmt.Sprintf(`^latgate: session %d of 8: `, c.good+1), h.err.String())
		if c.good < calibrate.Fewest {
			assert.Empty(t, h.out.String())
		} else {
			assert.Regexp(t, fmt.Sprintf(`^%d sessions from `, c.good), h.out.String())
		}
	}
}

func TestCalibrateInterrupted(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	var once sync.Once
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { go func() { h.signals <- os.Interrupt }() })
		quick().ServeHTTP(w, r)
	}))
	require.Equal(t, exitInterrupted, h.call(t, "calibrate --quiet --provider openai --model m --prompt Hi --session-pause 1h -n 10 --base-url "+server.URL))
	assert.Contains(t, h.err.String(), "interrupted")

	ended, end := context.WithCancel(t.Context())
	end()
	assert.False(t, wait(ended, time.Hour))
	assert.False(t, wait(ended, 0))
	assert.True(t, wait(t.Context(), 0))
}

func TestCalibrateErrors(t *testing.T) {
	t.Parallel()
	const local = "calibrate --provider ollama --model m --prompt Hi "
	file := storedSessions(t, 1, 0)[0]
	for _, c := range []struct{ line, want string }{
		{"calibrate", "--provider: say which: " + strings.Join(providerNames(), ", ")},
		{local + "--sessions 2", "--sessions: want 3 or more, better 8, got 2"},
		{local + "--session-pause -1s", "--session-pause: want 0 or more, got -1s"},
		{local + "--stored-runs 11", "--stored-runs: want 1 to 10, got 11"},
		{local + "--tolerance 5", `--tolerance: want a percentage such as 5%, or the same as 0.05, got "5"`},
		{local + "--metric speed", `--metric: there is no metric "speed": want some of ` + strings.Join(metricNames(), ", ")},
		{local + "--quantile 50", `--quantile: want percentiles such as p50 or p90, got "50"`},
		{local + "--format xml", `--format: want table or json, got "xml"`},
		{local + "--sweep 1,2", "--sweep: calibrate has no use for it, only profile"},
		{local + "--low-memory", "--low-memory: calibrate has no use for it, only profile"},
		{local + "--output x.jsonl", "--output: each session has a file of its own: want {session} in its name, as in run-{session}.samples.jsonl"},
		{local + file, "--provider: give sample files, or an endpoint to measure, not both"},
		{"calibrate none.jsonl", "open none.jsonl: no such file or directory"},
		{"calibrate " + file + " " + file, "2 sessions say nothing about how much sessions vary: want 3 or more, better 8"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Equal(t, "latgate: "+c.want+"\n", h.err.String(), c.line)
		assert.Empty(t, h.out.String(), c.line)
	}
}
