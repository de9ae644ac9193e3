package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
)

// An exitCode is a row of the table of exit codes, and what proves it.
type exitCode struct {
	code int
	name string

	// What is set up: a repository as CI leaves it, with a change in it, and what the
	// endpoint does while the tests run.
	situation func(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string)
	change    func(*testing.T, *scratch)
	endpoint  []string // variables of the tests

	// What is called. Where results is set the tests have measured before, it says what
	// became of their results, and DIR are these; the command line is that of latgate gate
	// where there is none, and args that begin with a flag are added to it.
	results func(t *testing.T, dir string)
	args    []string

	// What must be in verdict.json, where there is one, and be said. BASE is the commit
	// that has to be compared with.
	verdict baseline.Verdict
	want    string // of a row, or of what is printed
}

// untouched leaves results as they are.
func untouched(*testing.T, string) {}

// exitCodes are all codes that latgate ends a build with, each by a process that
// go tool has started, as CI systems start it.
var exitCodes = []exitCode{
	{code: 0, name: "pass of a pull request", situation: mergeCommit, args: running("./chat", "-run", "Latency"), verdict: baseline.Pass, want: "base BASE: the first parent of the pull request's merge commit"},
	{code: 0, name: "improved", situation: mergeCommit, endpoint: []string{"SCRATCH_SLOWER=0.5"}, results: untouched, verdict: baseline.Improved, want: "P90 ttft"},
	{code: 0, name: "accepted by a new baseline", situation: mergeCommit, change: proposing(slower), endpoint: []string{slower}, results: untouched, verdict: baseline.Accepted, want: reason},
	{code: 0, name: "faster, with a lower baseline", situation: mergeQueue, change: proposing("SCRATCH_SLOWER=0.5"), endpoint: []string{"SCRATCH_SLOWER=0.5"}, results: untouched, verdict: baseline.Accepted, want: reason},
	{code: 0, name: "a lower baseline, and no faster", situation: mergeCommit, change: proposing("SCRATCH_SLOWER=0.5"), results: untouched, verdict: baseline.Pass, want: "proposed: pass"},
	{code: 0, name: "accepted by a trailer", situation: mergeQueue, change: trailers("+80%", "2999-12-31"), endpoint: []string{slower}, results: untouched, verdict: baseline.Accepted, want: reason},
	{code: 0, name: "inconclusive, which warns", situation: mergeCommit, endpoint: []string{"SCRATCH_REQUESTS=20"}, results: untouched, verdict: baseline.Inconclusive, want: "P90 needs 30"},

	{code: 1, name: "the verdict cannot be written", situation: mergeCommit, results: func(t *testing.T, dir string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "verdict.json", "in the way"), 0o755))
	}, want: "verdict.json: file exists"},

	{code: 2, name: "a flag that is none", situation: mergeCommit, results: untouched, args: []string{"--fail-on", "red"}, want: "--fail-on: want some of"},
	{code: 2, name: "a configuration that is none", situation: mergeCommit, change: writing("latgate.yaml", "fail_on: [red]\n"), args: running("./plain"), want: "latgate.yaml:1: fail_on"},
	{code: 2, name: "results of another version", situation: mergeCommit, results: func(t *testing.T, dir string) {
		path := filepath.Join(dir, gate.ManifestName)
		replaceIn(t, path, "latgate.manifest/1", "latgate.manifest/9")
	}, want: `this version of latgate reads "latgate.manifest/1"`},

	{code: 10, name: "regression of a pull request", situation: mergeCommit, endpoint: []string{slower}, args: running("./chat", "-run", "Latency"), verdict: baseline.Regression, want: "TestLatencyTools"},
	{code: 10, name: "regression that its trailer does not cover", situation: mergeCommit, change: trailers("+10%", "2999-12-31"), endpoint: []string{slower}, results: untouched, verdict: baseline.Regression, want: "accepts +10 % at most"},
	{code: 10, name: "regression in the merge queue", situation: mergeQueue, change: writing("latgate.yaml", "fail_on: [tampered]\n"), endpoint: []string{slower}, results: untouched, verdict: baseline.Regression, want: "judged by that of the base commit"},

	{code: 11, name: "absolute budget", situation: mergeCommit, endpoint: []string{"SCRATCH_LIMIT=0.1", slower}, results: untouched, verdict: baseline.OverBudget, want: "limit 100 ms"},

	{code: 12, name: "all tests skipped, in a fork", situation: fork, args: running("./plain", "-run", "Skipped"), verdict: baseline.Missing, want: "all 2 tests were skipped"},
	{code: 12, name: "those that measure skipped, others passed", situation: fork, args: running("./plain", "-run", "Skipped$|Passed"), verdict: baseline.Missing, want: "no test has checked anything"},
	{code: 12, name: "no test matched", situation: mergeQueue, args: running("./plain", "-run", "Latency"), verdict: baseline.Missing, want: "no test matched: go test ./plain -run Latency"},
	{code: 12, name: "results from go's cache", situation: mergeCommit, results: func(t *testing.T, dir string) {
		change(t, dir, func(m *gate.Manifest) { m.Tests[1].Cached = true })
	}, verdict: baseline.Missing, want: "from go's cache"},
	{code: 12, name: "no baseline in the base commit", situation: newcomer, results: untouched, verdict: baseline.Missing, want: "there is no baseline yet"},

	{code: 13, name: "a shallow clone", situation: shallow, args: running("./plain"), want: "fetch-depth: 0"},
	{code: 13, name: "another model", situation: mergeCommit, endpoint: []string{"SCRATCH_MODEL=n"}, results: untouched, verdict: baseline.Incomparable, want: `model: the baseline has "m", this run "n"`},
	{code: 13, name: "a shard alone", situation: mergeCommit, results: func(t *testing.T, dir string) {
		change(t, dir, func(m *gate.Manifest) { m.Shards = 16 })
	}, want: "holds shard 0 of 16 alone"},
	{code: 13, name: "a lost shard", situation: mergeQueue, results: func(t *testing.T, dir string) {
		change(t, dir, func(m *gate.Manifest) { m.Shards, m.Shard = 3, 1 })
	}, args: []string{"merge", "--expect", "3", "--out", "merged", "DIR"}, want: "of 3 shards there are missing: 0, 2"},

	{code: 14, name: "inconclusive, which fails", situation: mergeQueue, endpoint: []string{"SCRATCH_REQUESTS=20"}, results: untouched, args: []string{"--fail-on", "regression,inconclusive"}, verdict: baseline.Inconclusive},

	{code: 14, name: "inconclusive in the merge queue", situation: mergeQueue, endpoint: []string{"SCRATCH_REQUESTS=20"}, args: running("./chat", "-run", "Chat"), verdict: baseline.Inconclusive},

	{code: 15, name: "the endpoint is down", situation: mergeQueue, endpoint: []string{"SCRATCH_DOWN=1"}, args: running("./chat", "-run", "Chat"), verdict: baseline.Infrastructure, want: "the endpoint did not answer"},
	{code: 15, name: "live without a key", situation: labelled, args: running("./plain"), want: "there are no credentials"},
	{code: 15, name: "a fork that asks for live", situation: fork, args: running("--mode", "stored", "--", "./plain"), want: "there are no credentials"},

	{code: 16, name: "a baseline edited by hand", situation: mergeCommit, change: func(t *testing.T, repo *scratch) {
		replaceIn(t, repo.storedRun(t), "ttft-ns", "ttlt-ns")
	}, results: untouched, verdict: baseline.Tampered, want: "edited by hand"},
	{code: 16, name: "a padded baseline", situation: mergeQueue, change: proposing(muchSlower), endpoint: []string{slower}, results: untouched, verdict: baseline.Tampered, want: "the proposed baseline is slower"},
	{code: 16, name: "a trailer that has run out", situation: mergeCommit, change: trailers("+80%", "2020-01-01"), endpoint: []string{slower}, results: untouched, verdict: baseline.Tampered, want: "2020-01-01 was its last day"},
	{code: 16, name: "a trailer that names nothing", situation: mergeCommit, change: func(t *testing.T, repo *scratch) {
		repo.commit(t, "x\n\nLatency-Accept: TestLatencyNowhere p90-ttft <=+35% until=2999-12-31 | "+reason)
	}, results: untouched, verdict: baseline.Tampered, want: "which nothing has measured"},

	{code: 17, name: "another prompt than was recorded", situation: mergeCommit, endpoint: []string{"SCRATCH_PROMPT=Goodbye"}, args: running("./replay", "-run", "Replayed$"), verdict: baseline.CassetteMiss, want: "Goodbye"},
	{code: 17, name: "a call beside what is measured, which was not recorded", situation: fork, endpoint: []string{"SCRATCH_ASIDE=1"}, args: running("./replay", "-run", "Replayed$"), verdict: baseline.CassetteMiss, want: "it asked for what is not recorded"},
}

// TestExitCodeTable proves each row in a repository of its own.
func TestExitCodeTable(t *testing.T) {
	t.Parallel()
	s := newTooled(t)
	var codes []int
	for _, c := range exitCodes {
		codes = append(codes, c.code)
		t.Run(fmt.Sprintf("%d %s", c.code, c.name), func(t *testing.T) {
			t.Parallel()
			repo, env := c.situation(t, s, func(repo *scratch) {
				if c.change != nil {
					c.change(t, repo)
				}
			})
			dir := filepath.Join(t.TempDir(), "out")
			args := c.args
			if c.results != nil {
				dir = repo.results(t, c.endpoint...)
				c.results(t, dir)
				if len(args) == 0 || strings.HasPrefix(args[0], "-") {
					args = append([]string{"gate", "--dir", "DIR"}, args...)
				}
			}
			args = slices.Clone(args)
			for i, a := range args {
				args[i] = strings.ReplaceAll(a, "DIR", dir)
			}
			got := s.latgate(t, repo, slices.Concat(env, c.endpoint, []string{"LATGATE_OUT=" + dir}), args...)
			require.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
			want := strings.ReplaceAll(c.want, "BASE", repo.base[:12])
			if c.verdict == "" {
				assert.NoFileExists(t, filepath.Join(dir, "verdict.json"))
				assert.True(t, strings.HasPrefix(got.err, "latgate: "), got.err)
				assert.Contains(t, got.err, want)
				return
			}
			build := readVerdict(t, dir)
			require.NotNil(t, build, got.err)
			assert.Equal(t, c.verdict, build.Verdict, reasons(build))
			assert.Equal(t, c.code, build.ExitCode)
			assert.Equal(t, repo.base, build.Base)
			assert.Equal(t, repo.git(t, "rev-parse", "HEAD"), build.Head)
			assert.Contains(t, reasons(build)+got.out, want)
			assert.Contains(t, got.out, string(c.verdict)+" ", "the table that is printed")
			assert.Equal(t, c.code == 0, got.err == "", got.err)
		})
	}
	all := []int{0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17}
	assert.Equal(t, all, slices.Compact(codes), "the table has a row of each code")
}

func running(args ...string) []string {
	if i := slices.Index(args, "--"); i >= 0 {
		return append([]string{"run"}, args...)
	}
	return append([]string{"run", "--"}, args...)
}

func proposing(env string) func(*testing.T, *scratch) {
	return func(t *testing.T, repo *scratch) { repo.propose(t, env) }
}

func writing(name, content string) func(*testing.T, *scratch) {
	return func(t *testing.T, repo *scratch) { repo.write(t, name, content) }
}

// trailers accept what both tests of the package chat measure.
func trailers(limit, until string) func(*testing.T, *scratch) {
	return func(t *testing.T, repo *scratch) {
		var lines []string
		for _, name := range []string{"TestLatencyChat", "TestLatencyTools"} {
			lines = append(lines, fmt.Sprintf("Latency-Accept: %s/all p90-ttft <=%s until=%s | %s", name, limit, until, reason))
		}
		repo.commit(t, "Call a tool\n\n"+strings.Join(lines, "\n"))
	}
}

func replaceIn(t *testing.T, path, old, new string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o644))
}

// A tooled repository has latgate in its go.mod, as the documentation says, and a replay.
type tooled struct{ *scratch }

// replayTests replay what they have recorded.
const replayTests = `package replay

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

func measure(t *testing.T, rec *latencytest.Recorder) *latencytest.Result {
	prompt := os.Getenv("SCRATCH_PROMPT")
	if prompt == "" {
		prompt = "Hello"
	}
	target := openai.Chat("m", endpoint.Options{BaseURL: "http://model.test/v1", Key: "k", Client: rec.Client()})
	return latencytest.Run(t, target, latencytest.Plan{Prompts: []providers.Prompt{{Text: prompt}}, Requests: 8, Seed: 1})
}

func TestRecord(t *testing.T) {
	if settings, err := latencytest.ReadSettings(); err != nil || settings.Record == "" {
		t.Skip("it is for -latgate.record")
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{
			OutputTokens: 8, TTFT: fakes.Lognormal(400*time.Millisecond, .2), Gap: fakes.Constant(20 * time.Millisecond),
		}))
		defer network.Close()
		rec := latencytest.NewRecorder(t)
		rec.Base = network.Transport()
		measure(t, rec)
	})
}

func TestReplayed(t *testing.T) {
	latencytest.Replay(t, "testdata/latgate/TestRecord.cassette.jsonl", func(t *testing.T, rec *latencytest.Recorder) {
		res := measure(t, rec)
		assertions.Check(t, res, baseline.Dir(latencytest.Dir), assertions.NoRegression(latencytest.TTFT, latencytest.P90))
		if os.Getenv("SCRATCH_ASIDE") != "" {
			resp, err := (&http.Client{Transport: rec.Base}).Post("http://model.test/v1/aside", "text/plain", strings.NewReader("guard"))
			if err == nil {
				resp.Body.Close()
			}
		}
	})
}
`

func newTooled(t *testing.T) *tooled {
	t.Helper()
	s := &tooled{newScratch(t)}
	mod, err := os.ReadFile(filepath.Join(s.dir, "go.mod"))
	require.NoError(t, err)
	s.write(t, "go.mod", string(mod)+"\ntool github.com/latgate/latgate/cmd/latgate\n")
	s.write(t, "replay/replay_test.go", replayTests)
	binary := filepath.Join(t.TempDir(), "replay.test")
	s.tool(t, nil, "go", "test", "-c", "-o", binary, "./replay")
	replay := &scratch{dir: filepath.Join(s.dir, "replay"), binary: binary}
	replay.tool(t, []string{"LATGATE_RECORD=TestRecord"}, binary, "-test.run=^TestRecord$")
	replay.tool(t, []string{"LATGATE_UPDATE=1", "LATGATE_REASON=recorded"}, binary, "-test.run=^TestReplayed$")
	s.base = s.commit(t, "base, with latgate as its tool")
	return s
}

// latgate runs go tool latgate in a repository.
func (s *tooled) latgate(t *testing.T, repo *scratch, env []string, args ...string) said {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "latgate"}, args...)...)
	cmd.Dir, cmd.Env = repo.dir, repo.environment(env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ended := err.(*exec.ExitError); !ended {
		require.NoError(t, err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// merged is a repository in which main has moved on since a branch with a change has
// begun, with the merge of both checked out: as GitHub leaves it for a pull request.
func (s *tooled) merged(t *testing.T, change func(*scratch)) *scratch {
	t.Helper()
	repo := s.clone(t)
	repo.git(t, "switch", "-q", "-c", "feature")
	change(repo)
	feature := repo.commit(t, "change")
	repo.git(t, "switch", "-q", "main")
	repo.base = repo.commit(t, "meanwhile")
	repo.git(t, "switch", "-q", "--detach")
	repo.git(t, "merge", "-q", "--no-ff", "-m", "Merge the pull request", feature)
	return repo
}

// event is what GitHub says, by variables and a file.
func event(t *testing.T, name, ref, content string) []string {
	t.Helper()
	path := write(t, "event.json", `{"repository": {"full_name": "acme/app", "default_branch": "main"}, `+content+`}`)
	return []string{
		"GITHUB_ACTIONS=true", "CI=true", "GITHUB_RUN_ID=1", "GITHUB_RUN_ATTEMPT=1",
		"GITHUB_EVENT_NAME=" + name, "GITHUB_REF=" + ref, "GITHUB_EVENT_PATH=" + path,
	}
}

func (s *tooled) pullRequest(t *testing.T, of, label string) []string {
	return event(t, "pull_request", "refs/pull/7/merge", `"pull_request": {"base": {"sha": "`+s.base+`"},
		"head": {"repo": {"full_name": "`+of+`"}}, "labels": [{"name": "`+label+`"}]}`)
}

// mergeCommit is GitHub's merge of a pull request, fork that of a stranger's, labelled
// that of one with the label that asks for a live measurement.
func mergeCommit(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	return s.merged(t, change), s.pullRequest(t, "acme/app", "bug")
}

func fork(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	return s.merged(t, change), s.pullRequest(t, "stranger/app", "latency:live")
}

func labelled(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	return s.merged(t, change), s.pullRequest(t, "acme/app", "latency:live")
}

// newcomer is the merge of a pull request that brings the first baselines.
func newcomer(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	before := s.clone(t)
	before.git(t, "rm", "-rq", "chat/testdata/latgate/TestLatencyChat", "chat/testdata/latgate/TestLatencyTools")
	before.base = before.commit(t, "before there were any")
	return mergeCommit(t, &tooled{before}, change)
}

// shallow is a checkout that leaves the history out.
func shallow(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	repo := s.merged(t, change)
	repo.git(t, "branch", "pull", "HEAD")
	return repo.clone(t, "--depth=1", "--branch=pull"), s.pullRequest(t, "acme/app", "bug")
}

// mergeQueue is the group of a merge queue: a merge on top of the base that its event
// names.
func mergeQueue(t *testing.T, s *tooled, change func(*scratch)) (*scratch, []string) {
	repo := s.merged(t, change)
	return repo, event(t, "merge_group", "refs/heads/gh-readonly-queue/main/pr-7", `"merge_group": {"base_sha": "`+repo.base+`"}`)
}
