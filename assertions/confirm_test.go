package assertions_test

import (
	"path/filepath"
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

// A day is one run of a test against a fake whose speed depends on the day.
type day struct {
	seed    uint64
	slower  float64 // 0 means 1
	enough  func(*latencytest.Scenario, int) string
	gates   []assertions.Gate
	n       int
	samples string
}

// measured runs the day in virtual time, and has it judged there, where a second
// session in the same process is still possible.
func (d day) judged(t *testing.T, store baseline.Store) (*latencytest.Result, *fakeT) {
	t.Helper()
	var res *latencytest.Result
	var f fakeT
	if d.slower == 0 {
		d.slower = 1
	}
	if d.samples == "" {
		d.samples = filepath.Join(t.TempDir(), "samples.jsonl")
	}
	synctest.Test(t, func(t *testing.T) {
		seed := d.seed ^ latencytest.Seed() // a process that measures again has a seed of its own
		network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{
			TTFT: fakes.Lognormal(time.Duration(d.slower*400)*time.Millisecond, .3), Gap: fakes.Constant(10 * time.Millisecond),
			OutputTokens: 5, Seed: seed,
		}))
		defer network.Close()
		target := openai.Chat("m", endpoint.Options{Client: network.Client(), BaseURL: "http://fake.test/v1"})
		res = latencytest.Run(t, target, latencytest.Plan{
			Prompts: []providers.Prompt{{Text: "Hello."}}, Requests: d.n, Load: latencytest.Closed(2),
			SampleFile: d.samples, Enough: d.enough,
		})
		assertions.Check(&f, res, store, d.gates...)
	})
	return res, &f
}

// fiveDays stores five runs.
func fiveDays(t *testing.T, n int) baseline.Store {
	t.Helper()
	store := baseline.Dir(t.TempDir())
	for seed := range uint64(5) {
		res, _ := day{seed: 10 + seed, n: n, gates: []assertions.Gate{assertions.ErrorRate(.1)}}.judged(t, store)
		res.Started = res.Started.AddDate(0, 0, int(seed))
		_, err := baseline.Accept(res, store, "another day")
		require.NoError(t, err)
	}
	return store
}

// What seems slower is measured by a second process, which judges nothing, and
// decided with both.
func TestSlowdownIsConfirmedByAFreshProcess(t *testing.T) {
	inSecond := secondProcess(t)
	var store baseline.Store
	samples := filepath.Join(t.TempDir(), "samples.jsonl")
	if !inSecond {
		store = fiveDays(t, 120)
	}
	res, f := day{seed: 1, slower: 1.4, n: 120, gates: []assertions.Gate{ttft90}, samples: samples}.judged(t, store)
	if inSecond {
		assert.Len(t, res.Scenarios[0].Samples, 120)
		assert.Empty(t, f.errors, "it does not judge")
		return
	}
	require.Len(t, f.errors, 1, "%q", f.logs)
	assert.Contains(t, f.errors[0], "confirmed in 2 sessions")
	assert.Contains(t, f.errors[0], "n 2×120 + 5×120")
	assert.NotContains(t, strings.Join(f.logs, "\n"), "WARNING")

	second, err := latencytest.Load(filepath.Join(filepath.Dir(samples), "second", t.Name(), "latest.samples.jsonl"))
	require.NoError(t, err, "the second session is kept")
	assert.NotEqual(t, res.Scenarios[0].Values(latencytest.TTFT), second.Scenarios[0].Values(latencytest.TTFT))
	assert.Equal(t, baseline.KeyOf(res.Scenarios[0]), baseline.KeyOf(second.Scenarios[0]))
}

// secondProcess reports whether the test runs in the process that measures again.
func secondProcess(t *testing.T) bool {
	t.Helper()
	settings, err := latencytest.ReadSettings()
	require.NoError(t, err)
	return settings.Session != nil
}

// What nobody can measure in another process is measured again in this one, and
// what cannot be measured again at all is decided as it is.
func TestSlowdownWithoutAFreshProcess(t *testing.T) {
	t.Parallel()
	store := baseline.Dir(t.TempDir())
	measured := func(seed uint64, median time.Duration, then func(*latencytest.Result)) {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{
				TTFT: fakes.Lognormal(median, .3), Gap: fakes.Constant(10 * time.Millisecond), OutputTokens: 5, Seed: seed,
			}))
			defer network.Close()
			target := openai.Chat("m", endpoint.Options{Client: network.Client(), BaseURL: "http://fake.test/v1"})
			res, err := latencytest.Measure(t.Context(), target, latencytest.Plan{
				Prompts: []providers.Prompt{{Text: "Hello."}}, Requests: 120, Load: latencytest.Closed(2),
			})
			require.NoError(t, err)
			then(res)
		})
	}
	for seed := range uint64(5) {
		measured(10+seed, 400*time.Millisecond, func(res *latencytest.Result) {
			res.Started = res.Started.AddDate(0, 0, int(seed))
			_, err := baseline.Accept(res, store, "another day")
			require.NoError(t, err)
		})
	}
	const noProcess = "WARNING: no second session in a fresh process: it was not measured by a test with a sample file"
	measured(1, 600*time.Millisecond, func(res *latencytest.Result) {
		var again, alone fakeT
		assertions.Check(&again, res, store, ttft90)
		require.Len(t, again.errors, 1, "%q", again.logs)
		require.Len(t, again.logs, 1)
		assert.Contains(t, again.logs[0], noProcess)
		assert.Contains(t, again.errors[0], "n 2×120 + 5×120")
		assert.Contains(t, again.errors[0], "the 2 candidate sessions are not fresh")

		loaded := &latencytest.Result{Plan: res.Plan, Started: res.Started, Scenarios: res.Scenarios, Samples: res.Samples}
		assertions.Check(&alone, loaded, store, ttft90)
		require.Len(t, alone.errors, 1, "%q", alone.logs)
		require.Len(t, alone.logs, 2)
		assert.Contains(t, alone.logs[0], noProcess)
		assert.Contains(t, alone.logs[1], "nobody knows how it was measured")
		assert.Contains(t, alone.errors[0], "on one session")
	})
}

// A healthy scenario is ended at the first look that tells.
func TestEnough(t *testing.T) {
	t.Parallel()
	store := fiveDays(t, 400)
	res, f := day{seed: 1, n: 400, gates: []assertions.Gate{ttft90}, enough: assertions.Enough(store, ttft90)}.judged(t, store)
	assert.Empty(t, f.errors)
	s := res.Scenarios[0]
	assert.Regexp(t, `^no gate can become a regression any more \(after (50|100|200) of 400 requests\)$`, s.Stopped)
	assert.Less(t, len(s.Samples), 210)
	assert.Contains(t, res.String(), "stopped early: no gate can become a regression any more")
	loaded, err := latencytest.Load(res.Plan.SampleFile)
	require.NoError(t, err)
	assert.Equal(t, s.Stopped, loaded.Scenarios[0].Stopped)

	none := baseline.Dir(t.TempDir())
	res, _ = day{seed: 2, n: 100, gates: []assertions.Gate{ttft90}, enough: assertions.Enough(none, ttft90)}.judged(t, none)
	assert.Empty(t, res.Scenarios[0].Stopped, "nothing is known before there are stored runs")
}

// The record of a check tells whoever judges the build what was asked, and of what.
func TestRecordOfACheck(t *testing.T) {
	if secondProcess(t) {
		day{seed: 1, slower: 1.4, n: 60, gates: []assertions.Gate{ttft90}}.judged(t, nil)
		return
	}
	store := fiveDays(t, 60)
	dir := t.TempDir()
	gates := []assertions.Gate{
		assertions.NoRegression(latencytest.TTFT), assertions.Below(latencytest.TTFT, latencytest.P90, time.Minute),
		assertions.AtLeast(latencytest.OTPSEndToEnd, latencytest.P90, 1), assertions.ErrorRate(.02),
		assertions.MinEffect(.15), assertions.RuleOut(.3), assertions.Alpha(.04), assertions.Inconclusive(assertions.Rerun),
	}
	d := day{seed: 1, slower: 1.6, n: 60, gates: gates, samples: filepath.Join(dir, "latest.samples.jsonl")}
	_, f := d.judged(t, store)
	require.Len(t, f.errors, 1, "%q", f.logs)
	record, err := assertions.ReadRecord(filepath.Join(dir, "latest.1.check.json"))
	require.NoError(t, err)
	assert.Equal(t, "TestRecordOfACheck", record.Test)
	assert.Equal(t, "assertions", record.Package)
	assert.Equal(t, "assertions/confirm_test.go", record.File)
	assert.FileExists(t, record.SampleFile())
	assert.FileExists(t, record.SecondFile())

	judged, err := assertions.JudgeAll([]assertions.Input{{Record: record, Store: store}})
	require.NoError(t, err)
	require.Len(t, judged.Rows, len(record.Rows))
	for _, want := range record.Rows {
		found := false
		for _, row := range judged.Rows {
			if row.Gate == want.Gate {
				found = true
				assert.Equal(t, want.Verdict, row.Verdict, row.Gate)
				assert.Equal(t, want.Comparison, row.Comparison, "bit for bit what the test said")
				assert.Equal(t, want.Text, row.Text)
			}
		}
		assert.True(t, found, want.Gate)
	}

	d.judged(t, store)
	assert.NoFileExists(t, filepath.Join(dir, "latest.2.check.json"), "the first one's samples are gone")
}
