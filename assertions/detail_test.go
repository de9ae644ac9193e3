package assertions_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// What is behind a check that is red or undecided is kept with the test's artifacts,
// in a bubble of virtual time as well. A test cannot give itself the flag.
func TestDetailIsKept(t *testing.T) {
	const child = "DETAIL_OF_A_CHILD"
	if samples := os.Getenv(child); samples != "" {
		t.Setenv("LATGATE_OUT", os.Getenv("OUT_OF_A_CHILD"))
		t.Run("red", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				res := result(scenario(200, 1))
				res.Test, res.Plan.SampleFile = t.Name(), samples
				assertions.Check(t, res, nil, assertions.Below(latencytest.TTFT, latencytest.P90, ms))
				assertions.Check(t, res, nil, assertions.Below(latencytest.TTFT, latencytest.P50, ms), assertions.ErrorRate(.1))
			})
		})
		t.Run("undecided", func(t *testing.T) {
			assertions.Check(t, result(scenario(9, 1)), nil, assertions.Below(latencytest.TTFT, latencytest.P90, 450*ms))
		})
		t.Run("passed", func(t *testing.T) {
			assertions.Check(t, result(scenario(200, 1)), nil, assertions.ErrorRate(.1))
		})
		return
	}
	t.Parallel()
	run := func(out string, samples string, more ...string) string {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestDetailIsKept$", "-test.v"}, more...)...)
		cmd.Env = append(os.Environ(), child+"="+samples, latencytest.SessionVariable+"=", "OUT_OF_A_CHILD="+out)
		text, _ := cmd.CombinedOutput() // the child is red
		require.Contains(t, string(text), "--- FAIL: TestDetailIsKept/red")
		return string(text)
	}
	kept := func(dir, name string) (records []*assertions.Record) {
		for _, file := range artifacts(t, dir, name) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			r := new(assertions.Record)
			require.NoError(t, json.Unmarshal(data, r))
			records = append(records, r)
		}
		return records
	}

	dir, samples := t.TempDir(), filepath.Join(t.TempDir(), "latest.samples.jsonl")
	require.NoError(t, os.WriteFile(samples, []byte("the samples\n"), 0o644))
	text := run("", samples, "-test.artifacts", "-test.outputdir="+dir)
	first := kept(dir, "check-1.json")
	require.Len(t, first, 2, "what passed leaves none:\n%s", text)
	if !strings.HasSuffix(first[0].Test, "/red") {
		first[0], first[1] = first[1], first[0]
	}
	assert.Equal(t, "TestDetailIsKept/red", first[0].Test)
	assert.Equal(t, "latest.samples.jsonl", first[0].Samples)
	require.Len(t, first[0].Rows, 1)
	assert.Equal(t, baseline.OverBudget, first[0].Rows[0].Verdict)
	assert.Equal(t, "assertions/detail_test.go", first[0].File)
	assert.Empty(t, first[1].Samples, "there is no such file")
	assert.Equal(t, baseline.Inconclusive, first[1].Rows[0].Verdict)
	second := kept(dir, "check-2.json")
	require.Len(t, second, 1)
	assert.Len(t, second[0].Rows, 2, "all of them")
	copies := artifacts(t, dir, "latest.samples.jsonl")
	require.Len(t, copies, 1)
	assert.Contains(t, text, "    detail:   "+filepath.ToSlash(filepath.Join(filepath.Dir(copies[0]), "check-1.json"))+"\n")
	assert.Empty(t, artifacts(t, dir, "*"+assertions.RecordSuffix), "the check is judged once")

	// What a build gathers is there for good: no copy is made.
	out := t.TempDir()
	inside := filepath.Join(out, "assertions", "latest.samples.jsonl")
	require.NoError(t, os.MkdirAll(filepath.Dir(inside), 0o755))
	require.NoError(t, os.WriteFile(inside, []byte("the samples\n"), 0o644))
	run(out, inside, "-test.artifacts", "-test.outputdir="+out)
	second = kept(out, "check-2.json")
	require.Len(t, second, 1)
	assert.Equal(t, inside, filepath.Join(filepath.Dir(artifacts(t, out, "check-2.json")[0]), second[0].Samples))
	assert.Empty(t, artifacts(t, out, "latest.samples.jsonl"))

	// Without the flag, a directory would be gone with the test.
	none := t.TempDir()
	text = run("", samples, "-test.outputdir="+none)
	assert.NotContains(t, text, "detail: ")
	assert.NoDirExists(t, filepath.Join(none, "_artifacts"))
}

// artifacts are the files of that name that tests have kept, however deep go test puts
// them.
func artifacts(t *testing.T, dir, pattern string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "_artifacts"), func(path string, d fs.DirEntry, err error) error {
		if match, _ := filepath.Match(pattern, d.Name()); match {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// Those of two sides that took turns hold the samples of both.
func TestDetailOfAPair(t *testing.T) {
	const child = "DETAIL_OF_A_PAIR"
	if dir := os.Getenv(child); dir != "" {
		twoSides(t, 1.5, func(t *testing.T, a, b providers.Target) {
			assertions.CheckAB(t, latencytest.Compare(t, a, b, plan(dir)), ttft90)
		})
		return
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDetailOfAPair$", "-test.artifacts", "-test.outputdir="+dir)
	cmd.Env = append(os.Environ(), child+"="+t.TempDir(), latencytest.SessionVariable+"=")
	text, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", text)
	for _, name := range []string{"check-1.json", "latest.a.samples.jsonl", "latest.b.samples.jsonl"} {
		assert.Len(t, artifacts(t, dir, name), 1, name)
	}
}
