package latencytest

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"github.com/latgate/latgate/providers"
)

// Run carries out the plan against a target and returns the result, which is
// also printed as a table. What keeps the run from being meaningful fails the
// test at once; requests that failed are left to the gates.
//
// Run works inside a synctest bubble, where it takes no real time.
func Run(tb testing.TB, target providers.Target, plan Plan) *Result {
	tb.Helper()
	if c, ok := target.(interface{ CloseIdleConnections() }); ok {
		tb.Cleanup(c.CloseIdleConnections)
	}
	return report(tb, plan, sending(target))
}

// RunFunc is Run for a team's own code: f makes its requests with rec.Client()
// under the context it is given, and one call of f is one sample.
func RunFunc(tb testing.TB, rec *Recorder, plan Plan, f func(context.Context, providers.Prompt) error) *Result {
	tb.Helper()
	return report(tb, plan, rec.operation(f))
}

// Prompts reads a prompt set, one JSON object a line in the format of
// [providers.Prompt], and fails the test with file, line and field of every line
// that is wrong.
func Prompts(tb testing.TB, path string) []providers.Prompt {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	defer file.Close()
	prompts, err := providers.ReadPrompts(file, path)
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	return prompts
}

// resultsDir is where results go that the plan has no place for.
func resultsDir() string {
	if s, err := ReadSettings(); err == nil && s.Out != "" {
		return filepath.Join(s.Out, filepath.FromSlash(PackageDir()))
	}
	return Dir
}

func report(tb testing.TB, plan Plan, op operation) *Result {
	tb.Helper()
	ctx, stop, plan := prepare(tb, plan)
	defer stop()
	tellUnfinished(tb, plan.SampleFile)
	if r, ok := replays.Load(tb.Name()); ok {
		op.replayed = r.(replayed)
	}
	recording, err := record(tb.Name(), plan)
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	res, err := job{plan: plan, op: op, test: tb.Name(), tape: recording}.measure(ctx)
	if path, closeErr := recording.close(err); closeErr != nil {
		err = errors.Join(err, closeErr)
	} else if path != "" {
		tb.Logf("[latgate] recorded in %s: review it before it is committed", path)
	}
	if res != nil {
		tb.Logf("[latgate] %s", res)
	}
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	return res
}

// prepare gives a test's plan its file and its progress, and returns the context to
// measure under, until stop is called.
func prepare(tb testing.TB, plan Plan) (ctx context.Context, stop func(), prepared Plan) {
	tb.Helper()
	if err := Uncached(); err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	if plan.SampleFile == "" {
		plan.SampleFile = filepath.Join(resultsDir(), FileName(tb.Name()), sampleFileName(plan.Name))
	}
	if plan.Progress == nil && !Virtual() {
		plan.Progress = func(p Progress) {
			if !p.Last { // the table follows
				tb.Logf("[latgate] %v", p)
			}
		}
	}
	if Virtual() { // signals come in real time
		return tb.Context(), func() {}, plan
	}
	ctx, stop = signal.NotifyContext(tb.Context(), os.Interrupt)
	return ctx, stop, plan
}

func tellUnfinished(tb testing.TB, sampleFile string) {
	tb.Helper()
	for _, file := range unfinished(sampleFile) {
		tb.Logf("[latgate] %s holds the samples of a run that was killed or still goes on; latencytest.Load reads it", file)
	}
}
