package assertions_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
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

// TestMain makes a laptop without settings of whatever runs the tests.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "latgate.") {
			f.Value.Set(f.DefValue)
		}
	})
	for _, variable := range os.Environ() {
		if os.Getenv(latencytest.SessionVariable) != "" { // a second process of a test's own
			break
		}
		name, _, _ := strings.Cut(variable, "=")
		if name == "CI" || strings.HasPrefix(name, "LATGATE_") && name != buildsVariable {
			os.Unsetenv(name)
		}
	}
	os.Exit(func() int {
		defer os.RemoveAll(shared)
		return m.Run()
	}())
}

// A fakeT is a test that is told something. Like a real one it finds the line it
// is told from by leaving out functions that call Helper.
type fakeT struct {
	testing.TB
	errors, logs []string
	lines        []string // "file:line" of each error and log
	helpers      map[string]bool
}

func (f *fakeT) Helper() {
	if f.helpers == nil {
		f.helpers = make(map[string]bool)
	}
	f.helpers[stack(1)[0].Function] = true
}

func (f *fakeT) Name() string { return "TestLatencyChat" }

func (f *fakeT) Context() context.Context { return context.Background() }

func (f *fakeT) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
	f.lines = append(f.lines, f.line())
}

func (f *fakeT) Logf(format string, args ...any) {
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
	f.lines = append(f.lines, f.line())
}

func (f *fakeT) line() string {
	for _, frame := range stack(2) {
		if !f.helpers[frame.Function] {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
	return ""
}

// nextLine returns the line after that of its call.
func nextLine() string {
	caller := stack(1)[0]
	return fmt.Sprintf("%s:%d", caller.File, caller.Line+1)
}

// stack returns the frames that called the caller, without the nearest of them.
func stack(skip int) (frames []runtime.Frame) {
	pcs := make([]uintptr, 32)
	walk := runtime.CallersFrames(pcs[:runtime.Callers(skip+2, pcs)])
	for {
		frame, more := walk.Next()
		frames = append(frames, frame)
		if !more {
			return frames
		}
	}
}

const (
	ms    = time.Millisecond
	limit = madeup.Limit
)

// edit, later and failing are those of made-up scenarios.
type edit = madeup.Edit

var (
	later   = madeup.Later
	failing = madeup.Failing
)

func scenario(n int, seed uint64, edits ...edit) *latencytest.Scenario {
	return madeup.Scenario(identity(), n, seed, edits...)
}

func identity(more ...providers.Fact) providers.Facts {
	return append(providers.Facts{
		{Name: "metrics", Value: "metrics/1"},
		{Name: "test", Value: "TestLatencyChat"},
		{Name: "scenario", Value: "all"},
		{Name: "model", Value: "amazon.nova-lite-v1:0"},
	}, more...)
}

// result is a run with these scenarios.
func result(scenarios ...*latencytest.Scenario) *latencytest.Result {
	return &latencytest.Result{
		Test: "TestLatencyChat", Started: time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC), Scenarios: scenarios,
		Plan: latencytest.Plan{Seed: 1, Load: latencytest.Closed(4), SampleFile: "testdata/latgate/TestLatencyChat/latest.samples.jsonl"},
	}
}

// stored returns a new store that holds k runs of 200 requests, one a day, that
// differ by chance alone.
func stored(t testing.TB, k int, edits ...edit) baseline.Store {
	t.Helper()
	store := baseline.Dir(t.TempDir())
	fill(t, store, k, edits...)
	return store
}

func fill(t testing.TB, store baseline.Store, k int, edits ...edit) {
	t.Helper()
	for day := range k {
		res := result(scenario(200, uint64(100+day), edits...))
		res.Started = res.Started.AddDate(0, 0, day)
		_, err := baseline.Accept(res, store, "another day")
		require.NoError(t, err)
	}
}

// fiveRuns returns a store of five such runs that all tests share: none of them
// may write to it.
func fiveRuns(t testing.TB) baseline.Store {
	t.Helper()
	sharing.Do(func() {
		var err error
		shared, err = os.MkdirTemp("", "")
		require.NoError(t, err)
		fill(t, baseline.Dir(shared), 5)
	})
	return baseline.Dir(shared)
}

var (
	sharing sync.Once
	shared  string // the directory, where there is one
)

// runsIn counts the stored runs of the made-up scenario.
func runsIn(t *testing.T, store baseline.Store) int {
	t.Helper()
	runs, err := store.Runs(baseline.NewKey(identity()))
	require.NoError(t, err)
	return len(runs)
}

func duration(ns float64) time.Duration { return time.Duration(ns) }
