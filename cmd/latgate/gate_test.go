package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// TestGate runs latgate as processes, in the repository of somebody who uses it.
func TestGate(t *testing.T) {
	t.Parallel()
	s := newScratch(t)
	for name, test := range map[string]func(*testing.T, *scratch){
		"ExitCodes": testExitCodes, "Changes": testChanges, "Bases": testBases, "Run": testRun, "Shards": testShards, "Stored": testStored, "Benchstat": testBenchstat,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// Each code of the table comes from a process of latgate's.
func testExitCodes(t *testing.T, s *scratch) {
	t.Run("judged", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			env     []string                                      // of the tests
			change  func(t *testing.T, repo *scratch, dir string) // before it is judged
			args    []string
			code    int
			verdict baseline.Verdict
			want    string // of a row
		}{
			{name: "pass", code: report.ExitPass, verdict: baseline.Pass},
			{name: "improved", env: []string{"SCRATCH_SLOWER=0.5"}, code: report.ExitPass, verdict: baseline.Improved},
			{name: "regression", env: []string{"SCRATCH_SLOWER=1.5"}, code: report.ExitRegression, verdict: baseline.Regression, want: "P90 ttft"},
			{name: "over budget", env: []string{"SCRATCH_LIMIT=0.1"}, code: report.ExitBudget, verdict: baseline.OverBudget, want: "limit 100 ms"},
			{
				name: "missing", change: func(t *testing.T, repo *scratch, _ string) {
					require.NoError(t, os.RemoveAll(filepath.Join(repo.dir, "chat/testdata/latgate/TestLatencyChat")))
				}, code: report.ExitMissing, verdict: baseline.Missing, want: "there is no baseline yet",
			},
			{name: "incomparable", env: []string{"SCRATCH_MODEL=n"}, code: report.ExitIncomparable, verdict: baseline.Incomparable, want: `model: the baseline has "m", this run "n"`},
			{name: "inconclusive", env: []string{"SCRATCH_REQUESTS=20"}, code: report.ExitPass, verdict: baseline.Inconclusive},
			{name: "inconclusive that fails", env: []string{"SCRATCH_REQUESTS=20"}, args: []string{"--fail-on", "regression,inconclusive"}, code: report.ExitInconclusive, verdict: baseline.Inconclusive},
			{name: "infrastructure", env: []string{"SCRATCH_DOWN=1"}, change: func(t *testing.T, _ *scratch, dir string) {
				change(t, dir, func(m *gate.Manifest) {
					for i := range m.Tests {
						m.Tests[i].Outcome = gate.Failed
						m.Tests[i].Output = "latency_test.go:50: [latgate] all 4 warm-up requests failed, nothing was measured: http_4xx: no"
					}
				})
			}, code: report.ExitInfrastructure, verdict: baseline.Infrastructure, want: "the endpoint did not answer"},
			{name: "tampered", change: func(t *testing.T, repo *scratch, _ string) {
				path := repo.storedRun(t)
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), "BenchmarkLatencyChat/all 1 3", "BenchmarkLatencyChat/all 1 9", 1)), 0o644))
			}, code: report.ExitTampered, verdict: baseline.Tampered, want: "edited by hand"},
			{name: "regression that is let pass", env: []string{"SCRATCH_SLOWER=1.5"}, args: []string{"--fail-on", "budget"}, code: report.ExitPass, verdict: baseline.Regression},
			{name: "worst of two", env: []string{"SCRATCH_SLOWER=1.5", "SCRATCH_LIMIT=0.1"}, code: report.ExitBudget, verdict: baseline.OverBudget},
			{name: "wrong flag", args: []string{"--fail-on", "red"}, code: report.ExitUsage},
			{name: "wrong configuration", change: func(t *testing.T, repo *scratch, _ string) {
				repo.write(t, "latgate.yaml", "fail_on: [red]\n")
			}, code: report.ExitUsage},
			{name: "wrong schema", change: func(t *testing.T, _ *scratch, dir string) {
				data, err := os.ReadFile(filepath.Join(dir, gate.ManifestName))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, gate.ManifestName), []byte(strings.Replace(string(data), "manifest/1", "manifest/9", 1)), 0o644))
			}, code: report.ExitUsage},
			{name: "other mode", args: []string{"--mode", "replay"}, code: report.ExitIncomparable},
			{name: "one shard of two", change: func(t *testing.T, _ *scratch, dir string) {
				change(t, dir, func(m *gate.Manifest) { m.Shards = 2 })
			}, code: report.ExitIncomparable},
			{name: "track never blocks", env: []string{"SCRATCH_SLOWER=1.5"}, change: func(t *testing.T, _ *scratch, dir string) {
				change(t, dir, func(m *gate.Manifest) { m.Mode = report.Track })
			}, code: report.ExitPass, verdict: baseline.Regression},
			{name: "cached", change: func(t *testing.T, _ *scratch, dir string) {
				change(t, dir, func(m *gate.Manifest) { m.Tests[0].Cached = true })
			}, code: report.ExitMissing, verdict: baseline.Missing, want: "from go's cache"},
			{name: "planned and not run", change: func(t *testing.T, _ *scratch, dir string) {
				change(t, dir, func(m *gate.Manifest) { m.Planned = []string{"example.com/app/chat TestLatencyNew"} })
			}, code: report.ExitMissing, verdict: baseline.Missing, want: "it was planned, and did not run"},
			{name: "required and not checked", change: func(t *testing.T, repo *scratch, _ string) {
				repo.write(t, "latgate.yaml", "require:\n  - chat TestLatencyChat\n  - search TestLatency\n")
			}, code: report.ExitMissing, verdict: baseline.Missing, want: `matches "search TestLatency"`},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				repo := s.clone(t)
				dir := repo.results(t, c.env...)
				change(t, dir, func(m *gate.Manifest) { m.Base = "" })
				if c.change != nil {
					c.change(t, repo, dir)
				}
				got, build := repo.judge(t, dir, c.args...)
				assert.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
				if c.verdict == "" {
					assert.Nil(t, build)
					assert.True(t, strings.HasPrefix(got.err, "latgate: "), got.err)
					return
				}
				require.NotNil(t, build, got.err)
				assert.Equal(t, c.verdict, build.Verdict)
				assert.Equal(t, c.code, build.ExitCode)
				assert.Contains(t, reasons(build), c.want)
				assert.NotContains(t, reasons(build), s.dir)
				assert.Equal(t, report.Fails(c.verdict) && c.code == 0, len(build.Relaxed) > 0, build.Relaxed)
			})
		}
	})
}

// storedRun is a file of a stored run.
func (s *scratch) storedRun(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "chat/testdata/latgate/TestLatencyChat/*/*.bench"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	return files[0]
}
