package gate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// What a build did not measure fails it, whatever else has passed.
func TestWhatDidNotRun(t *testing.T) {
	t.Parallel()
	ran := func(test string, o gate.Outcome, output ...string) gate.Ran {
		return gate.Ran{Package: "example.com/app/chat", Dir: "chat", Test: test, Outcome: o, Output: strings.Join(output, "\n")}
	}
	record := func(v baseline.Verdict, gates ...assertions.GateRecord) *assertions.Record {
		return &assertions.Record{Package: "chat", Test: "TestA/sub", Gates: gates, Rows: []report.Row{{Verdict: baseline.Pass}, {Verdict: v}}}
	}
	for _, c := range []struct {
		name    string
		tests   []gate.Ran
		records []*assertions.Record
		want    baseline.Verdict // the worst; empty: no row
		reason  string
	}{
		{"passed", []gate.Ran{ran("TestA", gate.Passed)}, []*assertions.Record{record(baseline.Pass)}, "", ""},
		{"nothing ran", nil, nil, baseline.Missing, "no test matched: go test ./chat"},
		{"nothing checked", []gate.Ran{ran("TestA", gate.Passed)}, nil, baseline.Missing, "no test has checked anything"},
		{"all skipped", []gate.Ran{ran("TestA", gate.Skipped), ran("TestB", gate.Skipped)}, nil, baseline.Missing, "all 2 tests were skipped"},
		{"those that measure skipped", []gate.Ran{ran("TestA", gate.Skipped), ran("TestUnit", gate.Passed)}, nil, baseline.Missing, "no test has checked anything"},
		{"one of two skipped", []gate.Ran{ran("TestA", gate.Passed), ran("TestB", gate.Skipped)}, []*assertions.Record{record(baseline.Pass)}, baseline.Inconclusive, "it was skipped"},
		{"failed by a gate", []gate.Ran{ran("TestA", gate.Failed)}, []*assertions.Record{record(baseline.Regression)}, "", ""},
		{"failed by a gate in doubt", []gate.Ran{ran("TestA", gate.Failed)}, []*assertions.Record{
			record(baseline.Inconclusive, assertions.GateRecord{Gate: "Inconclusive", Policy: assertions.Fail}),
		}, "", ""},
		{"failed beside a gate in doubt", []gate.Ran{ran("TestA", gate.Failed)}, []*assertions.Record{record(baseline.Inconclusive)}, baseline.Missing, "it failed, and not by a gate"},
		{"failed beside an accepted one", []gate.Ran{ran("TestA", gate.Failed)}, []*assertions.Record{record(baseline.Accepted)}, baseline.Missing, "it failed, and not by a gate"},
		{"failed beside another's gate", []gate.Ran{ran("TestB", gate.Failed)}, []*assertions.Record{record(baseline.Regression)}, baseline.Missing, "it failed, and not by a gate"},
		{
			"not recorded",
			[]gate.Ran{ran("TestA", gate.Failed, "    a_test.go:7: [latgate] cassette-miss (exit code 17): cassette a: no recording for POST /v1", "      - x")},
			[]*assertions.Record{record(baseline.Pass)},
			baseline.CassetteMiss, "it asked for what is not recorded",
		},
		{
			"endpoint down",
			[]gate.Ran{ran("TestA", gate.Failed, "    a_test.go:7: [latgate] all 4 warm-up requests failed, nothing was measured: connect: refused")},
			nil, baseline.Infrastructure, "the endpoint did not answer",
		},
		{"cached", []gate.Ran{{Package: "example.com/app/chat", Dir: "chat", Test: "TestA", Outcome: gate.Passed, Cached: true}}, []*assertions.Record{record(baseline.Pass)}, baseline.Missing, "from go's cache"},
	} {
		m := gate.Manifest{Arguments: []string{"./chat"}, Tests: c.tests}
		var verdicts []baseline.Verdict
		var reasons []string
		for _, r := range m.WhatDidNotRun(c.records) {
			verdicts, reasons = append(verdicts, r.Verdict), append(reasons, r.Reason)
		}
		assert.Equal(t, c.want, report.Worst(verdicts...), c.name)
		assert.Contains(t, strings.Join(reasons, "\n"), c.reason, c.name)
		assert.Equal(t, c.want != "", len(verdicts) > 0, c.name)
	}
}

// What says whose fault it is may be followed by more than is kept.
func TestTheCauseIsKept(t *testing.T) {
	t.Parallel()
	const cause = "    a_test.go:7: [latgate] all 4 warm-up requests failed, nothing was measured: connect: refused"
	line := func(text string) string {
		return `{"Action":"output","Package":"p","Test":"TestA","Output":"` + text + `\n"}` + "\n"
	}
	_, tests, _ := gate.Collect(line(cause)+strings.Repeat(line("    a_test.go:9: more"), 100)+`{"Action":"fail","Package":"p","Test":"TestA"}`, false)
	require.Len(t, tests, 1)
	lines := strings.Split(tests[0].Output, "\n")
	assert.Equal(t, cause, lines[0])
	assert.Len(t, lines, 21)
}

// Of several modes that were merged, what one has checked says nothing of another.
func TestChecksOfAnotherMode(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	replay := filepath.Join(dir, "replay")
	startPart(t, gate.Shard{Of: 1}, replay, filepath.Join(dir, "store"), "LATGATE_UPDATE=1", "LATGATE_REASON=first")()
	writeManifest(t, replay, gate.Shard{Of: 1}, func(m *gate.Manifest) { m.Mode = report.Replay })
	writeManifest(t, filepath.Join(dir, "stored"), gate.Shard{Of: 1}, nil)
	require.NoError(t, gate.Merge(out, []gate.Expected{{gate.Stratum{Mode: report.Replay}, 1}, {gate.Stratum{Mode: report.Stored}, 1}}, dir))
	build, err := gate.Judge(t.Context(), gate.Options{Dir: out, Root: t.TempDir()})
	require.NoError(t, err)
	assert.NotEmpty(t, build.Requests, "those of the replay")
	assert.Equal(t, report.ExitMissing, build.ExitCode)
	assert.Contains(t, build.Rows[0].Reason, "no test has checked anything")
}

// The go command itself says what its cache is: a result from there is no measurement.
func TestCachedResults(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: go test is not asked for a result from its cache with -short")
	}
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/app\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a_test.go"), []byte("package app\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n"), 0o644))
	for i, flag := range []string{"-count=1", "-json", "-json"} { // the second fills the cache
		cmd := exec.CommandContext(t.Context(), "go", "test", "-json", flag, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := cmd.Output()
		require.NoError(t, err)
		_, tests, _ := gate.Collect(string(out), false)
		require.Len(t, tests, 1)
		assert.Equal(t, gate.Passed, tests[0].Outcome)
		if i != 1 { // which another run of this test may have filled
			assert.Equal(t, i == 2, tests[0].Cached, "%s", out)
		}
	}
}
