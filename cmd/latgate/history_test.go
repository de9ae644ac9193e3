package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// nightlyRun is the run of a night of a scenario.
func nightlyRun(night int, scenario string, edits ...madeup.Edit) *baseline.Run {
	identity := providers.Facts{{Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: scenario}, {Name: "model", Value: "m"}}
	res := &latencytest.Result{
		Started: time.Date(2026, 11, 1+night, 3, 0, 0, 0, time.UTC), Plan: latencytest.Plan{Seed: 1},
		Provenance: latencytest.Provenance{Commit: fmt.Sprintf("c%02d", night)},
	}
	return baseline.NewRun(res, madeup.Scenario(identity, 100, uint64(night), edits...), "nightly")
}

// archiveOf writes runs to a directory of their own, as a nightly job would.
func archiveOf(t *testing.T, runs ...*baseline.Run) string {
	t.Helper()
	dir := t.TempDir()
	for i, run := range runs {
		store(t, run, filepath.Join(dir, fmt.Sprint(i), "run.bench"))
	}
	return dir
}

func store(t *testing.T, run *baseline.Run, path string) {
	t.Helper()
	data, err := run.Format()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

func nightlyRuns(scenario string, from, to int, edits ...madeup.Edit) []*baseline.Run {
	var runs []*baseline.Run
	for night := from; night < to; night++ {
		runs = append(runs, nightlyRun(night, scenario, edits...))
	}
	return runs
}

// Accepted runs and those of an archive are one history; what is in both counts once.
func TestHistory(t *testing.T) {
	t.Parallel()
	runs := append(nightlyRuns("all", 0, 8), nightlyRuns("all", 8, 13, madeup.Later(1.3))...)
	dir := t.TempDir()
	for _, run := range runs[:6] {
		_, err := baseline.Dir(dir).Add(run)
		require.NoError(t, err)
	}
	store(t, runs[0], filepath.Join(baseline.Dir(dir).Location(runs[0].Key), baseline.PinnedFile))
	nightly := archiveOf(t, runs[4:]...)

	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history "+dir+" --runs "+nightly), h.err.String())
	lines := strings.Split(h.out.String(), "\n")
	assert.Regexp(t, `^TestLatencyChat all @[0-9a-f]{8}: 15 runs from 2026-11-01 to 2026-11-13, model m$`, lines[0])
	assert.Regexp(t, `^quantile +finding +first run +run before +level +change +90 % interval +p +runs$`, lines[1])
	assert.Regexp(t, `^P50 ttft +step, worse +2026-11-09 at c08 +2026-11-08 at c07 +\d{3} ms → \d{3} ms +\+[23]\d(\.\d)? % +\+\S+ % to \+\S+ % +<\.0001 +8 \+ 5$`, lines[2])
	assert.Regexp(t, `^P90 ttft +step, worse +2026-11-09 at c08 `, lines[3])
	assert.Regexp(t, `^P50 otps +none *$`, lines[4])
	assert.Regexp(t, `^P90 otps +none *$`, lines[5])
	assert.Regexp(t, `^P50 ttft since the pinned run of 2026-11-01: \+\S+ %; without the steps beyond the tolerance [+-]\S+ %, `, lines[6])

	h = newHarness(nil)
	require.Equal(t, exitStep, h.call(t, "history "+dir+" --fail-on-step --metric ttft --quantile P90 --runs "+nightly))
	assert.Regexp(t, `^latgate: TestLatencyChat all @[0-9a-f]{8}: P90 ttft changed by \+\d\d(\.\d)? % with the run of 2026-11-09 at c08\n$`, h.err.String())
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history "+dir+" --fail-on-step --since 2026-11-10 --runs "+nightly), h.err.String())
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history "+dir+" --fail-on-step --min-effect 60% --tolerance 70% --runs "+nightly), h.err.String())
	assert.NotContains(t, h.out.String(), "step,")
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history "+dir+"/none --fail-on-step --metric otps --runs "+nightly), h.err.String())
	assert.Contains(t, h.out.String(), ": 9 runs from", "there is no baseline yet")
}

func TestHistoryJSON(t *testing.T) {
	t.Parallel()
	runs := append(nightlyRuns("all", 0, 6), nightlyRuns("all", 6, 10, madeup.Longer(1.25))...)
	dir := archiveOf(t, append(runs, nightlyRuns("short", 0, 3)...)...)
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history --format json --metric otps --quantile p90 "+dir), h.err.String())
	var got struct {
		Schema string
		Series []struct {
			Key              string
			Identity         map[string]string
			Metric, Unit     string
			Quantile         float64
			Runs             int
			Too_few          string
			Higher_is_better bool
			Steps            []struct {
				First         struct{ Commit string }
				Ratio, Before float64
				Worse         bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(h.out.Bytes(), &got))
	assert.Equal(t, historySchema, got.Schema)
	require.Len(t, got.Series, 2)
	s := got.Series[0]
	assert.Equal(t, []any{"otps", "tok/s", .9, 10, true, "all"}, []any{s.Metric, s.Unit, s.Quantile, s.Runs, s.Higher_is_better, s.Identity["scenario"]})
	require.Len(t, s.Steps, 1)
	assert.Equal(t, "c06", s.Steps[0].First.Commit)
	assert.InEpsilon(t, .8, s.Steps[0].Ratio, .03)
	assert.InEpsilon(t, 37.5, s.Steps[0].Before, .03)
	assert.True(t, s.Steps[0].Worse)
	assert.Empty(t, got.Series[1].Steps)
	assert.Equal(t, "3 runs: a step needs 5, 2 before it and 3 from it on", got.Series[1].Too_few)
}

// Creep since the pinned run fails a job as a step does.
func TestHistoryCreep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	location := baseline.Dir(dir).Location(nightlyRun(0, "all").Key)
	store(t, nightlyRun(0, "all"), filepath.Join(location, baseline.PinnedFile))
	slower := 1.0
	for night := range 20 {
		if night%4 == 0 {
			slower *= 1.06
		}
		store(t, nightlyRun(night, "all", madeup.Later(slower)), filepath.Join(location, fmt.Sprintf("%02d.bench", night)))
	}
	h := newHarness(nil)
	require.Equal(t, exitStep, h.call(t, "history --fail-on-step --metric ttft --quantile p90 --since 2027-01-01 "+dir), h.out.String())
	assert.Regexp(t, `P90 ttft crept by \+[23]\d(\.\d)? % since 2026-11-01\n$`, h.err.String())
	assert.Regexp(t, `\nP90 ttft +creep, worse +2026-11-01 `, h.out.String())
}

func TestHistoryFindings(t *testing.T) {
	t.Parallel()
	runs := slices.Concat(nightlyRuns("all", 0, 12), nightlyRuns("all", 12, 14, madeup.Later(2)))
	runs[5] = nightlyRun(5, "all", madeup.Later(3))
	runs[8] = nightlyRun(8, "all", madeup.Failing(50, providers.Throttled))
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "history --fail-on-step --metric ttft --quantile p50 "+archiveOf(t, runs...)), h.err.String())
	assert.Regexp(t, `\nP50 ttft +pending, worse +2026-11-13 at c12 +2026-11-12 at c11 +\+\S+ % +2\n`, h.out.String())
	assert.Regexp(t, `\nP50 ttft +outlier +2026-11-06 at c05 +\+\S+ % +1\n`, h.out.String())
	assert.Contains(t, h.out.String(), "\nP50 ttft: left out 1 run; the run of 2026-11-09T03:00:00Z: 50 of 100 requests failed\n")
}

func TestHistoryErrors(t *testing.T) {
	t.Parallel()
	dir := archiveOf(t, nightlyRuns("all", 0, 2)...)
	empty := t.TempDir()
	broken := filepath.Dir(write(t, "broken.bench", "hello\n"))
	for _, c := range []struct{ line, want string }{
		{"history " + empty, empty + " holds no runs: accept some as a baseline first, or name a directory of nightly runs with --runs"},
		{"history " + empty + "/none", "lstat " + empty + "/none: no such file or directory"},
		{"history " + dir + " --runs " + broken, broken + "/broken.bench: not a baseline of latgate, the first line is no header; restore it with git, or delete it and record a new run"},
		{"history " + dir + " --test TestOther", "there are no runs of these tests and scenarios: what is stored is of TestLatencyChat all @" + nightlyRun(0, "all").Key.Hash()},
		{"history " + dir + " --scenario other", "there are no runs of these tests and scenarios: what is stored is of TestLatencyChat all @" + nightlyRun(0, "all").Key.Hash()},
		{"history " + dir + " --metric ttft,speed", `--metric: there is no metric "speed": want some of ` + strings.Join(metricNames(), ", ")},
		{"history " + dir + " --quantile 90", `--quantile: want percentiles such as p50 or p90, got "90"`},
		{"history " + dir + " --quantile p100", `--quantile: want percentiles such as p50 or p90, got "p100"`},
		{"history " + dir + " --min-effect 5", `--min-effect: want a percentage such as 5%, or the same as 0.05, got "5"`},
		{"history " + dir + " --since yesterday", `--since: want a day, as in 2026-11-01, got "yesterday"`},
		{"history " + dir + " --format xml", `--format: want table or json, got "xml"`},
		{"history a b", "accepts at most 1 arg(s), received 2"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Equal(t, "latgate: "+c.want+"\n", h.err.String(), c.line)
		assert.Empty(t, h.out.String(), c.line)
	}
}

// Names in a file are a stranger's text.
func TestHistoryIsInert(t *testing.T) {
	t.Parallel()
	hostile := madeup.Scenario(providers.Facts{{Name: "test", Value: "::set-output name=x::y"}, {Name: "scenario", Value: "\u202eall"}}, 50, 1)
	dir := archiveOf(t, nightlyRun(0, "a\x1b[31m"), baseline.NewRun(new(latencytest.Result), hostile, "nightly"))
	for _, format := range []string{"table", "json"} {
		h := newHarness(nil)
		require.Equal(t, exitOK, h.call(t, "history --format "+format+" "+dir), h.err.String())
		assert.NotContains(t, h.out.String(), "\x1b")
		assert.NotContains(t, h.out.String(), "\u202e")
		assert.NotRegexp(t, `(?m)^::`, h.out.String())
	}
}
