package ci_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// scriptOf is what a step of a job of the nightly workflow runs.
func scriptOf(t *testing.T, job, step string) string {
	t.Helper()
	data, err := os.ReadFile("github/latency-nightly.yml")
	require.NoError(t, err)
	var f file
	require.NoError(t, yaml.Unmarshal(data, &f))
	for _, s := range f.Jobs[job].Steps {
		if s.Name == step {
			return s.Run
		}
	}
	require.Fail(t, "there is no such step", "%s: %s", job, step)
	return ""
}

// A night is a repository with a full baseline, and what the jobs of the nightly
// workflow do with it.
type night struct {
	t                     *testing.T
	origin, clone         string
	temp                  string // RUNNER_TEMP
	bin                   string // in front of PATH
	runs                  string // what a run of the tests leaves in chat/testdata/latgate
	asked                 string // what gh was asked for
	days                  int    // that were accepted
	oldest, newest, other string // files of the baseline
}

const latgateDir = "chat/testdata/latgate"

func newNight(t *testing.T) *night {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the jobs run on Linux, and its tools are not everywhere")
	}
	for _, tool := range []string{"git", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	n := &night{
		t: t, origin: filepath.Join(dir, "origin.git"), clone: filepath.Join(dir, "clone"), temp: filepath.Join(dir, "temp"),
		bin: filepath.Join(dir, "bin"), runs: filepath.Join(dir, "runs"), asked: filepath.Join(dir, "asked"),
	}
	for _, d := range []string{n.clone, n.temp, n.bin, n.runs} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	n.accept(baseline.Keep)
	n.write(n.runs, ".gitignore", "*.samples.jsonl\n")
	require.NoError(t, os.CopyFS(filepath.Join(n.clone, latgateDir), os.DirFS(n.runs)))
	n.write(n.clone, "main.go", "package main\n")
	n.git(n.clone, "init", "-q", "-b", "main")
	n.git(n.clone, "add", "-A")
	n.git(n.clone, "commit", "-q", "-m", "baselines")
	n.git(dir, "init", "-q", "--bare", "origin.git")
	n.git(n.clone, "remote", "add", "origin", n.origin)
	n.git(n.clone, "push", "-q", "origin", "main")

	// The tests run: one run more, for which the oldest goes, and a sample file.
	before := n.files()
	n.accept(1)
	after := n.files()
	n.oldest, n.other, n.newest = before[0], before[1], after[len(after)-1]
	require.NotContains(t, after, n.oldest)
	n.write(n.runs, "TestLatencyChat/latest.samples.jsonl", "{}\n")
	n.tool("go", `test "$*" = "tool latgate run --out .latgate -- ./... -run Latency"`+"\nrm -r "+latgateDir+"\ncp -r '"+n.runs+"' "+latgateDir+"\n")
	n.tool("gh", `printf '%s\n' "$*" >>'`+n.asked+"'\n"+`if [ "$1 $2" = "pr list" ]; then echo "${OPEN:-0}"; fi`+"\n")
	return n
}

// accept makes runs of further days a part of the baseline in n.runs.
func (n *night) accept(days int) {
	n.t.Helper()
	identity := providers.Facts{
		{Name: "metrics", Value: "metrics/1"}, {Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: "all"}, {Name: "model", Value: "m"},
	}
	for range days {
		n.days++
		_, err := baseline.Accept(&latencytest.Result{
			Test: "TestLatencyChat", Started: time.Date(2026, 11, n.days, 3, 17, 5, 0, time.UTC), Plan: latencytest.Plan{Seed: 1, Load: latencytest.Closed(1)},
			Scenarios: []*latencytest.Scenario{madeup.Scenario(identity, 50, uint64(n.days))},
		}, baseline.Dir(n.runs), "nightly")
		require.NoError(n.t, err)
	}
}

// files are those of the baseline in n.runs, the oldest first.
func (n *night) files() []string {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.runs, "TestLatencyChat", "*", "*.bench"))
	require.NoError(n.t, err)
	for i, name := range files {
		relative, err := filepath.Rel(n.runs, name)
		require.NoError(n.t, err)
		files[i] = filepath.ToSlash(relative)
	}
	return files
}

func (n *night) write(dir, name, content string) {
	n.t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(n.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(n.t, os.WriteFile(path, []byte(content), 0o644))
}

// tool puts a script in front of the tool of its name.
func (n *night) tool(name, script string) {
	n.t.Helper()
	require.NoError(n.t, os.WriteFile(filepath.Join(n.bin, name), []byte("#!/bin/bash -e\n"+script), 0o755))
}

func (n *night) environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GIT_") || strings.HasPrefix(v, "GITHUB_") || strings.HasPrefix(v, "GH_") || strings.HasPrefix(v, "PATH=")
	})
	return append(append(env, "PATH="+n.bin+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"RUNNER_TEMP="+n.temp, "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1", "GH_TOKEN=ghs_0123456789", "GH_REPO=acme/app"), more...)
}

func (n *night) git(dir string, args ...string) string {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = n.environment("GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	require.NoError(n.t, err, "git %q: %s", args, out)
	return strings.TrimSpace(string(out))
}

// run runs a script as the runner does, in a fresh clone.
func (n *night) run(script string, env ...string) (dir, out string, err error) {
	n.t.Helper()
	dir = filepath.Join(n.t.TempDir(), "app")
	n.git(n.temp, "clone", "-q", "-b", "main", "file://"+n.origin, dir)
	cmd := exec.CommandContext(n.t.Context(), "bash", "-e")
	cmd.Dir, cmd.Env, cmd.Stdin = dir, n.environment(env...), strings.NewReader(script)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run()
	return dir, output.String(), err
}

// measure runs the job that measures, and hands its artifact on.
func (n *night) measure() string {
	n.t.Helper()
	dir, out, err := n.run(scriptOf(n.t, "measure", "measure"))
	require.NoError(n.t, err, out)
	artifact := filepath.Join(n.temp, "runs", "latency-runs-0")
	require.NoError(n.t, os.CopyFS(artifact, os.DirFS(filepath.Join(dir, "runs"))))
	return artifact
}

// propose runs the job that opens a pull request, and returns the branch that it pushed.
func (n *night) propose(env ...string) (branch, out string, err error) {
	n.t.Helper()
	_, out, err = n.run(scriptOf(n.t, "propose", "open a pull request with the runs, unless there is one"), env...)
	branches := strings.Fields(n.git(n.origin, "for-each-ref", "--format=%(refname:short)", "refs/heads/latgate"))
	if len(branches) > 0 {
		require.Len(n.t, branches, 1)
		branch = branches[0]
	}
	return branch, out, err
}

// What a night has measured becomes a pull request: the new run, without the one that it
// pushes out, and nothing else of what the tests have left.
func TestNightlyProposes(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	artifact := n.measure()
	assert.FileExists(t, filepath.Join(artifact, latgateDir, n.newest), "for the archive")
	assert.NoFileExists(t, filepath.Join(artifact, latgateDir, n.other))

	branch, out, err := n.propose()
	require.NoError(t, err, out)
	assert.Equal(t, "latgate/refresh-7-1", branch)
	assert.ElementsMatch(t, []string{"D\t" + latgateDir + "/" + n.oldest, "A\t" + latgateDir + "/" + n.newest},
		strings.Split(n.git(n.origin, "diff", "--no-renames", "--name-status", "main", branch), "\n"))
	assert.NotContains(t, n.git(n.origin, "log", "--format=%an %ae %B", branch), "ghs_")
	asked, err := os.ReadFile(n.asked)
	require.NoError(t, err)
	assert.Contains(t, string(asked), "pr create --head latgate/refresh-7-1 --title Add a nightly run to the latency baselines --body Measured by the run 7 ")
}

// One pull request at a time.
func TestNightlyProposesOnce(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.measure()
	branch, out, err := n.propose("OPEN=1")
	require.NoError(t, err, out)
	assert.Empty(t, branch)
	assert.Contains(t, out, "There is an open pull request")
}

// A shard that measured nothing is red.
func TestNightlyWithoutARun(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.tool("go", "")
	_, out, err := n.run(scriptOf(t, "measure", "measure"))
	require.Error(t, err, out)
}

// Whoever measures runs the repository's tests with a key, and may hand on what it
// likes: only runs that come or go are proposed.
func TestNightlyRefuses(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(n *night, dir string){
		"code":         func(n *night, dir string) { n.write(dir, "main.go", "package main // mine\n") },
		"workflow":     func(n *night, dir string) { n.write(dir, ".github/workflows/x.yml", "on: push\n") },
		"other file":   func(n *night, dir string) { n.write(dir, latgateDir+"/x_test.go", "package x\n") },
		"cassette":     func(n *night, dir string) { n.write(dir, latgateDir+"/chat.cassette.jsonl", "{}\n") },
		"pinned run":   func(n *night, dir string) { n.write(dir, filepath.Dir(latgateDir+"/"+n.other)+"/pinned.bench", "x\n") },
		"edited run":   func(n *night, dir string) { n.write(dir, latgateDir+"/"+n.other, "x\n") },
		"similar path": func(n *night, dir string) { n.write(dir, "chat/testdata/latgates/"+n.newest, "x\n") },
		"odd name":     func(n *night, dir string) { n.write(dir, latgateDir+"/a\nb/2026-11-12T031705Z-x.bench", "x\n") },
		"link": func(n *night, dir string) {
			link := filepath.Join(dir, latgateDir, filepath.Dir(n.other), "2026-11-12T031706Z-x.bench")
			require.NoError(n.t, os.Symlink("/etc/passwd", link))
		},
		"executable": func(n *night, dir string) {
			path := filepath.Join(dir, latgateDir, filepath.Dir(n.other), "2026-11-12T031706Z-x.bench")
			require.NoError(n.t, os.WriteFile(path, []byte("x\n"), 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNight(t)
			artifact := n.measure()
			dir := filepath.Join(t.TempDir(), "forged")
			n.git(n.temp, "clone", "-q", "-b", "main", "file://"+n.origin, dir)
			tamper(n, dir)
			n.git(dir, "add", "-A", "-f")
			forged := n.git(dir, "diff", "--cached", "--no-renames", "--binary") + "\n"
			patch := filepath.Join(artifact, "refresh.patch")
			good, err := os.ReadFile(patch)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(patch, slices.Concat(good, []byte(forged)), 0o644))
			branch, out, err := n.propose()
			require.Error(t, err, out)
			assert.Contains(t, out, "::error title=Latency::a patch changes something else than runs: nothing is proposed")
			assert.Empty(t, branch)
			_, err = os.ReadFile(n.asked)
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
	t.Run("out of the repository", func(t *testing.T) {
		t.Parallel()
		n := newNight(t)
		artifact := n.measure()
		for _, path := range []string{"../../testdata/latgate/T/2026-11-12T031705Z-x.bench", ".git/testdata/latgate/2026-11-12T031705Z-x.bench"} {
			patch := "diff --git a/" + path + " b/" + path + "\nnew file mode 100644\n--- /dev/null\n+++ b/" + path + "\n@@ -0,0 +1 @@\n+x\n"
			require.NoError(t, os.WriteFile(filepath.Join(artifact, "refresh.patch"), []byte(patch), 0o644))
			branch, out, err := n.propose()
			require.Error(t, err, out)
			assert.Empty(t, branch)
		}
	})
}
