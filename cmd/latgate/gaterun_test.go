package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// Go test is run, and what it hides is told.
func testRun(t *testing.T, s *scratch) {
	for _, c := range []struct {
		name  string
		env   []string
		args  []string // of go test
		code  int
		worst baseline.Verdict
		want  string // of a row
		shown string
	}{
		{name: "pass", args: []string{"./chat", "-run", "Latency"}, worst: baseline.Pass, shown: "[latgate] all: P90 ttft"},
		{name: "regression", env: []string{slower}, args: []string{"./chat", "-run", "Latency"}, code: report.ExitRegression, worst: baseline.Regression, shown: "--- FAIL: TestLatencyChat"},
		{name: "endpoint down", env: []string{"SCRATCH_DOWN=1"}, args: []string{"./chat", "-run", "Chat"}, code: report.ExitInfrastructure, worst: baseline.Infrastructure, want: "warm-up requests failed"},
		{name: "all skipped", args: []string{"./plain", "-run", "Skipped"}, code: report.ExitMissing, worst: baseline.Missing, want: "all 2 tests were skipped"},
		{name: "no match", args: []string{"./plain", "-run", "Latency"}, code: report.ExitMissing, worst: baseline.Missing, want: "no test matched: go test ./plain -run Latency"},
		{name: "nothing checked", args: []string{"./plain", "-run", "Passed"}, code: report.ExitMissing, worst: baseline.Missing, want: "no test has checked anything"},
		{name: "failed otherwise", args: []string{"./plain", "-run", "Failed"}, code: report.ExitMissing, worst: baseline.Missing, want: "it failed, and not by a gate", shown: "broken : :set-output name=x: :y"},
		{name: "process ended", args: []string{"./plain", "-run", "EndsAll|Zzz"}, code: report.ExitMissing, worst: baseline.Missing, want: "TestZzz: missing: it was planned, and did not run"},
		{name: "not built", args: []string{"./broken"}, code: report.ExitMissing, worst: baseline.Missing, want: "its tests did not run", shown: "broken_test.go"},
		{name: "package that is not there", args: []string{"./nowhere"}, code: report.ExitMissing, worst: baseline.Missing, want: "its tests did not run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			got := s.latgate(t, append(c.env, "LATGATE_OUT="+out), append([]string{"run", "--"}, c.args...)...)
			require.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
			build := readVerdict(t, out)
			require.NotNil(t, build)
			assert.Equal(t, c.worst, build.Verdict)
			assert.Contains(t, reasons(build), c.want)
			assert.Contains(t, got.out, c.shown)
			assert.NotContains(t, got.out, "::")
			assert.Equal(t, s.base, build.Head)
		})
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"mode ab":        {[]string{"--mode", "ab", "--", "./chat"}, "are no credentials"},
		"count":          {[]string{"--", "./chat", "-count=2"}, "-count: latgate calls go test itself"},
		"bad pattern":    {[]string{"--", "./chat", "-run", "("}, "-run: error parsing regexp"},
		"bad flag":       {[]string{"--", "./chat", "-mod=nonsense"}, "go test has run nothing"},
		"bad shard":      {[]string{"--shard", "3/3", "--", "./chat"}, "--shard: there is no shard 3 of 3"},
		"nameless build": {[]string{"--shard", "0/3", "--", "./chat"}, "set LATGATE_RUN"},
		"foreign out":    {[]string{"--out", "chat", "--", "./chat"}, "is not empty, and holds no results of latgate"},
		"no module":      {[]string{"-C", os.TempDir(), "--", "./chat"}, "there is no go.mod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.latgate(t, []string{"LATGATE_OUT=" + t.TempDir()}, append([]string{"run"}, c.args...)...)
			assert.Contains(t, []int{report.ExitUsage, report.ExitInfrastructure}, got.code)
			assert.Contains(t, got.err, c.want)
		})
	}
	t.Run("interrupt", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		repo.write(t, "slow/slow_test.go", "package slow\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"os/signal\"\n\t\"testing\"\n)\n\n"+
			"func TestLatency(t *testing.T) {\n\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, os.Interrupt)\n"+
			"\tfmt.Println(\"[latgate] waiting\")\n\t<-c\n\tt.Log(\"[latgate] saved\")\n}\n")
		out := filepath.Join(t.TempDir(), "out")
		cmd := repo.command(t, nil, "run", "--out", out, "--", "./slow")
		var stdout lockedBuffer
		cmd.Stdout, cmd.Stderr = &stdout, &stdout
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return bytes.Contains(stdout.bytes(), []byte("waiting")) }, time.Minute, 10*time.Millisecond)
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait()
		assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode(), "%s", stdout.bytes())
		assert.Contains(t, string(stdout.bytes()), "[latgate] saved")
		m, err := gate.ReadManifest(out)
		require.NoError(t, err)
		assert.Len(t, m.Tests, 1)
	})
}

// testShards measures in two shards, merges, and compares with a build in one piece.
func testShards(t *testing.T, s *scratch) {
	dir := t.TempDir()
	measure := func(out string, shard ...string) {
		got := s.latgate(t, []string{"LATGATE_RUN=7", slower}, append(append([]string{"run", "--measure-only", "--out", out}, shard...), "--", "./chat", "-run", "Latency")...)
		require.Equal(t, 0, got.code, got.err)
	}
	whole, shards := filepath.Join(dir, "whole"), filepath.Join(dir, "shards")
	measure(whole)
	measure(shards, "--shard", "1/2")
	measure(shards, "--shard", "0/2")
	merged := filepath.Join(dir, "merged")
	got := s.latgate(t, nil, "merge", "--expect", "replay=2", "--out", merged, shards)
	require.Equal(t, 0, got.code, got.err)

	for name, c := range map[string]struct {
		expect string
		change func(t *testing.T, copied string)
		want   string
	}{
		"lost": {"2", func(t *testing.T, copied string) {
			require.NoError(t, os.RemoveAll(filepath.Join(copied, "shard-1-of-2")))
		}, "there are missing: 1"},
		"doubled": {"2", func(t *testing.T, copied string) {
			require.NoError(t, os.CopyFS(filepath.Join(copied, "again"), os.DirFS(filepath.Join(copied, "shard-1-of-2"))))
		}, "is there twice"},
		"more expected": {"3", func(*testing.T, string) {}, "is one of 2 shards, and not of 3"},
		"other mode":    {"stored=2", func(*testing.T, string) {}, "all 2 shards of mode stored are missing"},
		"other run": {"auto=2", func(t *testing.T, copied string) {
			change(t, filepath.Join(copied, "shard-1-of-2"), func(m *gate.Manifest) { m.Run = "8" })
		}, `the run is "7" here and "8" there`},
		"none": {"2", func(t *testing.T, copied string) {
			require.NoError(t, os.RemoveAll(filepath.Join(copied, "shard-0-of-2")))
			require.NoError(t, os.RemoveAll(filepath.Join(copied, "shard-1-of-2")))
		}, "there is no shard"},
	} {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir()
			require.NoError(t, os.CopyFS(copied, os.DirFS(shards)))
			c.change(t, copied)
			got := s.latgate(t, nil, "merge", "--expect", c.expect, "--out", filepath.Join(t.TempDir(), "out"), copied)
			assert.Equal(t, report.ExitIncomparable, got.code)
			assert.Contains(t, got.err, c.want)
		})
	}

	var judged []report.Build
	for _, dir := range []string{whole, merged} {
		got, build := s.judge(t, dir)
		require.Equal(t, report.ExitRegression, got.code, got.err)
		build.Started, build.Ended = time.Time{}, time.Time{}
		judged = append(judged, *build)
	}
	one, err := json.Marshal(judged[0])
	require.NoError(t, err)
	other, err := json.Marshal(judged[1])
	require.NoError(t, err)
	assert.Equal(t, string(one), string(other), "bit for bit")
}
