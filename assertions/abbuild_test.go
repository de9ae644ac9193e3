package assertions_test

import (
	"net/http"
	"os"
	"path/filepath"
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

// twoSides serves the models "a" and "b", of which b takes longer, and has something
// done with them in virtual time.
func twoSides(t *testing.T, slower float64, do func(t *testing.T, a, b providers.Target)) {
	t.Helper()
	model := func(seed uint64, slower float64) http.Handler {
		return fakes.OpenAI(fakes.Script{
			TTFT: fakes.Lognormal(time.Duration(slower*400)*time.Millisecond, .3), Gap: fakes.Constant(10 * time.Millisecond),
			OutputTokens: 5, Seed: seed,
		})
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(byModel(map[string]http.Handler{"a": model(1, 1), "b": model(2, slower)}))
		defer network.Close()
		o := endpoint.Options{Client: network.Client(), BaseURL: "http://fake.test/v1"}
		do(t, openai.Chat("a", o), openai.Chat("b", o))
	})
}

// plan is one of 120 requests whose samples go to a directory.
func plan(dir string) latencytest.Plan {
	return latencytest.Plan{
		Prompts: []providers.Prompt{{Text: "Hello."}}, Requests: 120, Blocks: 4, Load: latencytest.Closed(2),
		SampleFile: filepath.Join(dir, "latest.samples.jsonl"),
	}
}

// recordsIn are the records of a directory.
func recordsIn(t *testing.T, dir string) (records []*assertions.Record) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+assertions.RecordSuffix))
	require.NoError(t, err)
	for _, file := range files {
		r, err := assertions.ReadRecord(file)
		require.NoError(t, err)
		records = append(records, r)
	}
	return records
}

// What a test makes of two sides, a build makes of their record and samples: every
// verdict and every number is the same.
func TestAPairIsJudgedTheSameFromItsRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slower  float64
		gates   []assertions.Gate
		verdict baseline.Verdict
	}{
		"pass":       {1, []assertions.Gate{assertions.NoRegression(latencytest.TTFT), assertions.ErrorRate(.01)}, baseline.Pass},
		"regression": {1.5, []assertions.Gate{assertions.NoRegression(latencytest.TTFT), assertions.NoRegression(latencytest.TTLT, latencytest.P90)}, baseline.Regression},
		"settings": {1.15, []assertions.Gate{
			ttft90, assertions.Strict(), assertions.MinEffect(.2), assertions.RuleOut(.5), assertions.Alpha(.01), alone,
		}, baseline.Pass},
		"undecided": {1.12, []assertions.Gate{ttft90, assertions.Inconclusive(assertions.Fail)}, baseline.Inconclusive},
		"budget":    {1, []assertions.Gate{ttft90, assertions.Below(latencytest.TTFT, latencytest.P90, 200*ms)}, baseline.OverBudget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var f fakeT
			passed := false
			twoSides(t, c.slower, func(t *testing.T, a, b providers.Target) {
				pair := latencytest.Compare(t, a, b, plan(dir))
				passed = assertions.CheckAB(&f, pair, c.gates...)
			})
			records := recordsIn(t, dir)
			require.Len(t, records, 1)
			r := records[0]
			assert.Equal(t, t.Name(), r.Test)
			assert.Equal(t, "latest.b.samples.jsonl", r.Samples)
			assert.Equal(t, "latest.a.samples.jsonl", r.Against)
			assert.Equal(t, 4, r.Blocks)
			assert.Equal(t, "assertions/abbuild_test.go", r.File)
			assert.Empty(t, r.Store)

			judged, err := assertions.JudgeAll([]assertions.Input{{Record: r}})
			require.NoError(t, err)
			require.Len(t, judged.Rows, len(r.Rows))
			verdicts := make(map[baseline.Verdict]bool)
			for i, row := range judged.Rows {
				verdicts[row.Verdict] = true
				of := r.Rows[i]
				assert.Equal(t, of.Verdict, row.Verdict)
				assert.Equal(t, of.Comparison, row.Comparison, "bit for bit")
				assert.Equal(t, of.Reason, row.Reason)
				assert.InDelta(t, of.Measured, row.Measured, 0)
				assert.NotContains(t, row.Text+row.Baseline, dir, "no path that only this machine knows")
				assert.Empty(t, row.Accept, "there is nothing to accept")
			}
			assert.True(t, verdicts[c.verdict], "%v", judged.Rows)
			assert.Equal(t, c.verdict == baseline.Pass, passed, "%v %v", f.errors, f.logs)
			assert.Equal(t, 2*122, judged.Requests, "of both sides, with their warm-up")
			require.Len(t, judged.Results, 1)
		})
	}
}

// The pairs of a build are one family; other checks beside them are judged as ever, and
// the samples of two checks count once.
func TestPairsOfABuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var f fakeT
	twoSides(t, 1.5, func(t *testing.T, a, b providers.Target) {
		pair := latencytest.Compare(t, a, b, plan(dir))
		assertions.CheckAB(&f, pair, ttft90)
		res := latencytest.Run(t, a, plan(dir))
		assertions.Check(&f, res, nil, assertions.ErrorRate(.01))
		assertions.CheckAB(&f, pair, assertions.NoRegression(latencytest.TTLT, latencytest.P90))
	})
	records := recordsIn(t, dir)
	require.Len(t, records, 3, "those of one result leave the others alone")
	var inputs []assertions.Input
	for _, r := range records {
		inputs = append(inputs, assertions.Input{Record: r})
	}
	judged, err := assertions.JudgeAll(inputs)
	require.NoError(t, err)
	require.Len(t, judged.Rows, 3)
	assert.Equal(t, 3*122, judged.Requests)
	assert.Len(t, judged.Results, 2)
	for _, row := range judged.Rows {
		if row.Comparison == nil {
			assert.Equal(t, baseline.Pass, row.Verdict)
			continue
		}
		assert.Equal(t, baseline.Regression, row.Verdict)
		assert.Greater(t, row.Comparison.HolmP, row.Comparison.P, "two comparisons, one family")
	}
}

// Of another run's samples, the record says nothing any more.
func TestRecordsOfPairsThatDoNotFit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var f fakeT
	twoSides(t, 1, func(t *testing.T, a, b providers.Target) {
		pair := latencytest.Compare(t, a, b, plan(dir))
		require.True(t, assertions.CheckAB(&f, pair, ttft90))
		again := plan(dir)
		again.Blocks = 6
		latencytest.Compare(t, a, b, again)
	})
	records := recordsIn(t, dir)
	require.Len(t, records, 1)
	_, err := assertions.JudgeAll([]assertions.Input{{Record: records[0]}})
	require.ErrorContains(t, err, "the samples are of 12 repetitions, the check is of 4 blocks, which have 8: run the tests again")

	require.NoError(t, os.Remove(filepath.Join(dir, "latest.a.samples.jsonl")))
	_, err = assertions.JudgeAll([]assertions.Input{{Record: records[0]}})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Turns that were put together by hand have no file that holds them all.
func TestAPairPutTogetherByHandLeavesNoRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var f fakeT
	twoSides(t, 1, func(t *testing.T, a, b providers.Target) {
		var sides [2][]*latencytest.Result
		for turn := range 4 {
			for side, target := range []providers.Target{a, b} {
				p := plan(dir)
				p.SampleFile = filepath.Join(dir, string(rune('a'+side))+string(rune('0'+turn))+".samples.jsonl")
				p.Requests, p.Blocks = 30, 0
				sides[side] = append(sides[side], latencytest.Run(t, target, p))
			}
		}
		pair, err := latencytest.PairOf(sides[0], sides[1])
		require.NoError(t, err)
		require.True(t, assertions.CheckAB(&f, pair, ttft90))
	})
	assert.Empty(t, recordsIn(t, dir))
}

// The samples of a run in low memory are read again for each check, and are those of
// one result.
func TestChecksOfARunInLowMemoryLeaveARecordEach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var f fakeT
	twoSides(t, 1, func(t *testing.T, a, _ providers.Target) {
		p := plan(dir)
		p.LowMemory, p.Blocks = true, 0
		res := latencytest.Run(t, a, p)
		for range 2 {
			require.True(t, assertions.Check(&f, res, nil, assertions.ErrorRate(.01)))
		}
	})
	assert.Len(t, recordsIn(t, dir), 2)
}
