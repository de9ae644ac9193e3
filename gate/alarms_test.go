package gate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// remote is the store of the checks: one that whoever judges opens.
const remote = "memory://runs/of-this-build"

// An opened store is that of a build: some runs, or an error.
type opened struct {
	runs []*baseline.Run
	err  error
}

func (o opened) Runs(baseline.Key) ([]*baseline.Run, error) {
	return append([]*baseline.Run{}, o.runs...), o.err
}
func (o opened) Keys(baseline.Key) ([]baseline.Key, error) { return nil, o.err }
func (o opened) Add(*baseline.Run) (string, error)         { return "", errors.New("nothing is stored here") }
func (o opened) Location(baseline.Key) string              { return remote }
func (o opened) String() string                            { return remote }

// days measures the same endpoint on many days, and returns where each has left its
// results and what would be stored of it.
func days(t *testing.T, n int, change func(*question)) (dirs []string, runs []*baseline.Run) {
	t.Helper()
	for day := range n {
		q := ask()
		q.plan.Requests, q.plan.Load, q.plan.Seed = 60, latencytest.Closed(4), uint64(day+1)
		q.script = fakes.Script{
			Seed: uint64(day + 1), Session: .03, OutputTokens: 3, Gap: fakes.Constant(5 * time.Millisecond), TTFT: fakes.Lognormal(400*time.Millisecond, .3),
		}
		q.gates = []assertions.Gate{assertions.NoRegression(latencytest.TTFT), assertions.SingleSession()}
		if change != nil {
			change(&q)
		}
		dir := filepath.Join(t.TempDir(), "out")
		res := q.measured(t, dir, opened{})
		dirs, runs = append(dirs, dir), append(runs, baseline.NewRun(res, res.Scenarios[0], "another day"))
	}
	return dirs, runs
}

func judgedBy(t *testing.T, dir string, store opened) (*report.Build, error) {
	t.Helper()
	return gate.Judge(t.Context(), gate.Options{
		Dir: dir, Root: t.TempDir(), Open: func(context.Context, string) (baseline.Store, error) { return store, nil },
		Unreachable: func(err error) bool { return errors.Is(err, errDown) },
	})
}

var errDown = errors.New("no answer")

// Of 200 builds that nobody changed no more are red than the level of the test allows:
// with 5 % of chance there are 17 or fewer in 97 of 100 such experiments.
func TestFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: false alarms are not counted with -short")
	}
	t.Parallel()
	dirs, runs := days(t, 60, nil)
	random := rand.New(rand.NewPCG(1, 1))
	counted := make(map[int]int)
	for range 200 {
		order := random.Perm(len(runs))
		var store opened
		for _, day := range order[1:6] {
			store.runs = append(store.runs, runs[day])
		}
		build, err := judgedBy(t, dirs[order[0]], store)
		require.NoError(t, err)
		counted[build.ExitCode]++
	}
	t.Logf("200 builds without a change exited with %v", counted)
	assert.LessOrEqual(t, counted[report.ExitRegression], 17)
	assert.Equal(t, 200, counted[report.ExitPass]+counted[report.ExitRegression])
}

// A tail that got slower, and nothing else, is a regression of the P90: the median
// stays where it was, and passes.
func TestATailAlone(t *testing.T) {
	t.Parallel()
	_, runs := days(t, 5, nil)
	dirs, slow := days(t, 1, func(q *question) {
		q.script.TTFT, q.script.Session = fakes.StretchTail(q.script.TTFT, 1.6), 0
		q.script.Seed, q.plan.Requests = 99, 200
	})
	build, err := judgedBy(t, dirs[0], opened{runs: runs})
	require.NoError(t, err)
	assert.Equal(t, report.ExitRegression, build.ExitCode)
	verdicts := make(map[float64]baseline.Verdict)
	for _, r := range build.Rows {
		verdicts[r.Quantity.Quantile] = r.Verdict
		if r.Quantity.Quantile == .5 {
			assert.InDelta(t, 1, r.Comparison.Ratio, .06, "the median of %d requests", len(slow[0].Entries))
		}
	}
	assert.Equal(t, baseline.Regression, verdicts[.9], fmt.Sprint(build.Rows))
	assert.NotEqual(t, baseline.Regression, verdicts[.5])
}

// A remote store that holds something else than was stored is tampered with, one that
// does not answer is not the change's fault, and without one there is no baseline.
func TestRemoteStores(t *testing.T) {
	t.Parallel()
	dirs, runs := days(t, 6, nil)
	for _, c := range []struct {
		store opened
		code  int
		want  string
	}{
		{opened{runs: runs[1:]}, report.ExitPass, ""},
		{opened{err: errors.New("the digest is another")}, report.ExitTampered, "the digest is another"},
		{opened{err: fmt.Errorf("runs: %w", errDown)}, report.ExitInfrastructure, "no answer"},
		{opened{}, report.ExitMissing, "there is no baseline yet"},
	} {
		build, err := judgedBy(t, dirs[0], c.store)
		require.NoError(t, err)
		assert.Equal(t, c.code, build.ExitCode, c.want)
		assert.Contains(t, build.Rows[0].Reason, c.want)
	}
	build, err := gate.Judge(t.Context(), gate.Options{Dir: dirs[0], Root: t.TempDir()})
	require.NoError(t, err)
	assert.Equal(t, report.ExitMissing, build.ExitCode)
	assert.Contains(t, build.Rows[0].Reason, "nobody here can open")
}
