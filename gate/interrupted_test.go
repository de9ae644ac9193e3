package gate_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// mergeVariable makes a process of this test binary merge what is in a directory.
const mergeVariable = "TEST_MERGE"

// TestMergeHere merges, in a process that is ended while it does.
func TestMergeHere(t *testing.T) {
	dir := os.Getenv(mergeVariable)
	if dir == "" {
		t.Skip("it is for the processes that TestInterruptedMerge starts")
	}
	require.NoError(t, gate.Merge(filepath.Join(dir, "out"), bothModes, filepath.Join(dir, "shards")))
}

var bothModes = []gate.Expected{{gate.Stratum{Mode: report.Replay}, 1}, {gate.Stratum{Mode: report.Stored}, 1}}

// manyFiles makes a shard of each of two modes, with files to copy.
func manyFiles(t *testing.T, dir string, each int) {
	t.Helper()
	for _, mode := range []report.Mode{report.Replay, report.Stored} {
		shard := filepath.Join(dir, string(mode))
		writeManifest(t, shard, gate.Shard{Of: 1}, func(m *gate.Manifest) { m.Mode = mode })
		for i := range each {
			require.NoError(t, os.WriteFile(filepath.Join(shard, fmt.Sprintf("%04d.samples.jsonl", i)), nil, 0o644))
		}
	}
}

// A merge that was killed, wherever it was, leaves nothing that could be judged: not one
// of the modes, and nothing of an earlier merge.
func TestInterruptedMerge(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: no merge is killed with -short")
	}
	t.Parallel()
	const each = 100
	dir := t.TempDir()
	manyFiles(t, filepath.Join(dir, "shards"), each)
	out := filepath.Join(dir, "out")
	killed := 0
	for _, atLeast := range []int{0, 1, each - 1, each, each + each/2} {
		require.NoError(t, gate.Merge(out, bothModes, filepath.Join(dir, "shards")), "an earlier one")
		_, err := gate.BaseOf(out)
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMergeHere$")
		cmd.Env = append(os.Environ(), mergeVariable+"="+dir)
		require.NoError(t, cmd.Start())
		emptied := false
		require.Eventually(t, func() bool {
			n := samplesIn(out)
			emptied = emptied || n < 2*each
			return emptied && n >= atLeast
		}, time.Minute, 50*time.Microsecond)
		require.NoError(t, cmd.Process.Kill())
		if cmd.Wait() == nil {
			continue // it was done before
		}
		if _, err := gate.BaseOf(out); err == nil {
			assert.Equal(t, 2*each, samplesIn(out), "it was done, but for its exit")
			continue
		}
		killed++
		build, err := gate.Judge(t.Context(), gate.Options{Dir: out, Root: t.TempDir()})
		require.Error(t, err)
		assert.Nil(t, build)
	}
	t.Logf("%d of 5 merges were killed on their way", killed)
	require.NoError(t, gate.Merge(out, bothModes, filepath.Join(dir, "shards")), "again, over what is left")
	assert.Equal(t, 2*each, samplesIn(out))
}

func samplesIn(dir string) int {
	names, _ := filepath.Glob(filepath.Join(dir, "*", "*.samples.jsonl")) // the pattern is good
	return len(names)
}

// A merge that fails half-way says so, and so does whoever judges what it left.
func TestMergeThatFails(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	manyFiles(t, dir, 2)
	require.NoError(t, gate.Merge(out, bothModes, dir))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "stored", "x.check.json")))
	require.ErrorContains(t, gate.Merge(out, bothModes, dir), "x.check.json is no file")
	assert.FileExists(t, filepath.Join(out, "replay", gate.ManifestName), "the other mode was merged")
	_, err := gate.Judge(t.Context(), gate.Options{Dir: out, Root: t.TempDir()})
	require.ErrorContains(t, err, "was not written to the end: run, or merge, again")
	assert.Equal(t, report.ExitIncomparable, gate.ExitCode(err, -1))
	require.NoError(t, os.Remove(filepath.Join(dir, "stored", "x.check.json")))
	require.NoError(t, gate.Merge(out, bothModes, dir))
	_, err = gate.Judge(t.Context(), gate.Options{Dir: out, Root: t.TempDir()})
	require.NoError(t, err)
}

// The clocks of the machines say nothing about what was measured: shards of tomorrow, of
// last year and of a clock that was set back meanwhile are judged as those of one clock.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	judged := func(skew ...time.Duration) (string, *gate.Manifest) {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
		for i, by := range skew {
			writeManifest(t, filepath.Join(dir, fmt.Sprint(i)), gate.Shard{Index: i, Of: len(skew)}, func(m *gate.Manifest) {
				m.Started, m.Ended = m.Started.Add(by), m.Ended.Add(by)
				if i == 2 && by != 0 {
					m.Started, m.Ended = m.Ended, m.Started
				}
			})
		}
		require.NoError(t, gate.Merge(out, []gate.Expected{{Shards: len(skew)}}, dir))
		m, err := gate.ReadManifest(out)
		require.NoError(t, err)
		return judge(t, out), m
	}
	const day = 24 * time.Hour
	want, _ := judged(0, 0, 0)
	got, m := judged(day, -365*day, time.Hour)
	assert.Equal(t, want, got)
	assert.True(t, m.Started.Before(m.Ended))
	assert.Equal(t, 366*day-time.Second+time.Minute, m.Ended.Sub(m.Started), "from the first shard's to the last's")
}

// What another version of latgate has left is refused, whichever file says so.
func TestTwoVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startPart(t, gate.Shard{Of: 1}, filepath.Join(dir, "of"), filepath.Join(dir, "store"), "LATGATE_UPDATE=1", "LATGATE_REASON=first")()
	writeManifest(t, filepath.Join(dir, "of"), gate.Shard{Of: 1}, nil)
	_ = judge(t, filepath.Join(dir, "of"))
	of := func(suffix string) string {
		for _, name := range files(t, filepath.Join(dir, "of")) {
			if strings.HasSuffix(name, suffix) {
				return name
			}
		}
		require.Fail(t, "there is no such file", suffix)
		return ""
	}
	for suffix, schema := range map[string]string{
		gate.ManifestName: "latgate.manifest/1", "1.check.json": "latgate.check/1", ".samples.jsonl": "latgate.samples/1",
	} {
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(filepath.Join(dir, "of"))))
		path := filepath.Join(copied, filepath.FromSlash(of(suffix)))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(data), `"`+schema+`"`, suffix)
		other := strings.Replace(string(data), `"`+schema+`"`, `"`+strings.TrimSuffix(schema, "1")+`9"`, 1)
		require.NoError(t, os.WriteFile(path, []byte(other), 0o644))
		_, err = gate.Judge(t.Context(), gate.Options{Dir: copied, Root: t.TempDir()})
		require.ErrorContains(t, err, "version of latgate", suffix)
		assert.Equal(t, report.ExitUsage, gate.ExitCode(err, report.ExitUsage))
	}
}
