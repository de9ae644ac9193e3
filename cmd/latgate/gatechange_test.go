package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

const slower, muchSlower, reason = "SCRATCH_SLOWER=1.5", "SCRATCH_SLOWER=3", "a second tool call"

// propose adds runs to the baselines, as somebody does who accepts what is measured.
func (s *scratch) propose(t *testing.T, env ...string) {
	t.Helper()
	s.chat(t, "", append(env, "LATGATE_UPDATE=1", "LATGATE_REASON="+reason, "LATGATE_SEED=104")...)
}

// Changes are judged by the baselines of the commit that they are based on.
func testChanges(t *testing.T, s *scratch) {
	accept := func(value string) func(*testing.T, *scratch) {
		return func(t *testing.T, repo *scratch) { repo.commit(t, "Call a tool\n\nLatency-Accept: "+value) }
	}
	both := func(limit, until string) func(*testing.T, *scratch) {
		return accept("TestLatencyChat/all p90-ttft <=+" + limit + "% until=" + until + " | " + reason + "\n" +
			"Latency-Accept: TestLatencyTools/all p90-ttft <=+" + limit + "% until=" + until + " | " + reason)
	}
	t.Run("judged", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*testing.T, *scratch)
			env    []string
			code   int
			worst  baseline.Verdict
			want   string
		}{
			{name: "nothing", worst: baseline.Pass},
			{name: "slower", env: []string{slower}, code: report.ExitRegression, worst: baseline.Regression},
			{
				name: "slower than its baseline", env: []string{muchSlower}, code: report.ExitRegression, worst: baseline.Regression, want: "slower even than the proposed baseline",
				change: func(t *testing.T, repo *scratch) { repo.propose(t, slower) },
			},
			{
				name: "padded baseline", env: []string{slower}, code: report.ExitTampered, worst: baseline.Tampered, want: "the proposed baseline is slower than what this build measures",
				change: func(t *testing.T, repo *scratch) { repo.propose(t, muchSlower) },
			},
			{
				name: "padded baseline of what got no slower", code: report.ExitTampered, worst: baseline.Tampered, want: "the proposed baseline is slower",
				change: func(t *testing.T, repo *scratch) { repo.propose(t, muchSlower) },
			},
			{
				name: "edited baseline", code: report.ExitTampered, worst: baseline.Tampered, want: "edited by hand",
				change: func(t *testing.T, repo *scratch) {
					data, err := os.ReadFile(repo.storedRun(t))
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(repo.storedRun(t), []byte(strings.Replace(string(data), "ttft-ns", "ttlt-ns", 1)), 0o644))
				},
			},
			{
				name: "baseline edited with its checksum", code: report.ExitTampered, worst: baseline.Tampered, want: "was edited",
				change: func(t *testing.T, repo *scratch) {
					path := repo.storedRun(t)
					data, err := os.ReadFile(path)
					require.NoError(t, err)
					run, err := baseline.Parse(data, path)
					require.NoError(t, err)
					for _, e := range run.Entries {
						for m := range e.Values {
							e.Values[m] *= 3
						}
					}
					data, err = run.Format()
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(path, data, 0o644))
				},
			},
			{
				name: "run taken away", code: report.ExitTampered, worst: baseline.Tampered, want: "was taken away",
				change: func(t *testing.T, repo *scratch) { require.NoError(t, os.Remove(repo.storedRun(t))) },
			},
			{name: "trailer", env: []string{slower}, worst: baseline.Accepted, change: both("80", "2999-12-31")},
			{name: "trailer that is exceeded", env: []string{slower}, code: report.ExitRegression, worst: baseline.Regression, want: "accepts +10 % at most", change: both("10", "2999-12-31")},
			{name: "trailer that has run out", env: []string{slower}, code: report.ExitTampered, worst: baseline.Tampered, want: "2020-01-01 was its last day", change: both("80", "2020-01-01")},
			{
				name: "trailer of another scenario", env: []string{slower}, code: report.ExitTampered, worst: baseline.Tampered, want: "TestLatencyChat/long p90-ttft, which nothing has measured",
				change: accept("TestLatencyChat/long p90-ttft <=+80% until=2999-12-31 | " + reason),
			},
			{
				name: "trailer of another quantile", code: report.ExitTampered, worst: baseline.Tampered, want: "which nothing has measured",
				change: accept("TestLatencyChat/all p50-ttft <=+80% until=2999-12-31 | " + reason),
			},
			{
				name: "trailer without a reason", code: report.ExitTampered, worst: baseline.Tampered, want: "Latency-Accept: want",
				change: accept("TestLatencyChat/all p90-ttft <=+80% until=2999-12-31"),
			},
			{
				name: "new baseline for another model", env: []string{"SCRATCH_MODEL=n"}, worst: baseline.Accepted, want: reason,
				change: func(t *testing.T, repo *scratch) { repo.propose(t, "SCRATCH_MODEL=n") },
			},
			{
				name: "configuration that lets everything pass", env: []string{slower}, code: report.ExitRegression, worst: baseline.Regression, want: "judged by that of the base commit",
				change: func(t *testing.T, repo *scratch) { repo.write(t, "latgate.yaml", "fail_on: [tampered]\n") },
			},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				repo := s.clone(t)
				if c.change != nil {
					c.change(t, repo)
				}
				repo.commit(t, "change")
				got, build := repo.judge(t, repo.results(t, c.env...))
				require.NotNil(t, build, got.err)
				assert.Equal(t, c.code, got.code, got.out)
				assert.Equal(t, c.worst, build.Verdict)
				assert.Equal(t, s.base, build.Base)
				assert.Contains(t, reasons(build), c.want)
				assert.NotContains(t, reasons(build), os.TempDir())
			})
		}
	})

	t.Run("slower, with its baseline", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		dir := repo.results(t, slower)
		repo.propose(t, slower)
		head := repo.commit(t, "change")
		change(t, dir, func(m *gate.Manifest) { m.Head = head })
		got, build := repo.judge(t, dir)
		require.NotNil(t, build, got.err)
		assert.Equal(t, report.ExitPass, got.code, got.out)
		assert.Equal(t, baseline.Accepted, build.Verdict, reasons(build))
		assert.Contains(t, reasons(build), reason)
		again := repo.results(t, slower) // its own tests have the new baseline already
		got, build = repo.judge(t, again)
		assert.Equal(t, report.ExitPass, got.code, got.out)
		assert.False(t, report.Fails(build.Verdict), build.Verdict)
	})

	t.Run("trailer of a commit before the base", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		both("80", "2999-12-31")(t, repo)
		repo.base = repo.git(t, "rev-parse", "HEAD")
		repo.commit(t, "change")
		got, build := repo.judge(t, repo.results(t, slower))
		assert.Equal(t, report.ExitRegression, got.code, "it was about another change")
		assert.Equal(t, baseline.Regression, build.Verdict)
	})

	t.Run("checkout of something else", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		dir := repo.results(t)
		repo.commit(t, "later")
		got, build := repo.judge(t, dir)
		assert.Equal(t, report.ExitIncomparable, got.code)
		assert.Contains(t, reasons(build), "is checked out here")
	})

	t.Run("hostile names", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		dir := repo.results(t, slower)
		const attack = "x\n::set-output name=a::b\n##[error]c | @org/team </details> \x1b[31m"
		change(t, dir, func(m *gate.Manifest) {
			m.ModeReason = attack
			m.Tests = append(m.Tests, gate.Ran{Package: attack, Dir: "evil", Test: attack, Outcome: gate.Failed, Output: attack})
		})
		for _, name := range []string{"TestLatencyChat", "TestLatencyTools"} {
			path := filepath.Join(dir, "chat", name, "latest.1.check.json")
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			encoded, err := json.Marshal(attack + name)
			require.NoError(t, err)
			data = []byte(strings.ReplaceAll(string(data), `"`+name+`"`, string(encoded)))
			require.NoError(t, os.WriteFile(path, data, 0o644))
		}
		got, build := repo.judge(t, dir, "--formats", "json,md,junit,gitlab,github,text", "--annotate", "github", "--summary", filepath.Join(t.TempDir(), "summary.md"))
		require.NotNil(t, build, got.err)
		assert.Equal(t, report.ExitRegression, got.code, got.err)
		for line := range strings.Lines(got.out + got.err) {
			assert.NotContains(t, line, "::set-output")
			assert.NotContains(t, line, "##[")
			assert.NotContains(t, line, "\x1b")
		}
		for _, name := range []string{"report.md", "junit.xml", "metrics.txt", "codequality.json", "annotations.txt", "report.txt"} {
			assert.FileExists(t, filepath.Join(dir, name))
		}
	})

	t.Run("store outside of the module", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		dir := repo.results(t)
		path := filepath.Join(dir, "chat/TestLatencyChat/latest.1.check.json")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), `"testdata/latgate"`, `"../../../etc"`, 1)), 0o644))
		got, build := repo.judge(t, dir)
		assert.Equal(t, report.ExitIncomparable, got.code)
		assert.Contains(t, reasons(build), "is outside of the module")
	})
}

// The commit to compare with is found as CI systems leave it to be found.
func testBases(t *testing.T, s *scratch) {
	s = s.clone(t)
	// main moves on after the branch has begun, with a run of another day
	s.git(t, "switch", "-q", "-c", "feature")
	head := s.commit(t, "feature")
	s.git(t, "switch", "-q", "main")
	s.chat(t, "", "LATGATE_UPDATE=1", "LATGATE_REASON=another day", "LATGATE_SEED=105")
	main := s.commit(t, "another day")
	s.git(t, "switch", "-q", "--detach")
	s.git(t, "merge", "-q", "--no-ff", "-m", "merge", head)
	merge := s.git(t, "rev-parse", "HEAD")
	s.git(t, "switch", "-q", "main")
	s.git(t, "update-ref", "refs/pull/7/merge", merge)
	s.git(t, "update-ref", "refs/heads/queue", merge)

	event := func(t *testing.T, content string) string {
		t.Helper()
		return write(t, "event.json", content)
	}
	const repository = `"repository": {"full_name": "acme/app", "default_branch": "main"}`
	pull := func(of string, labels string) string {
		return `{` + repository + `, "pull_request": {"base": {"sha": "` + s.base + `"}, "head": {"repo": {"full_name": "` + of + `"}}, "labels": [` + labels + `]}}`
	}
	github := func(name, ref, path string, more ...string) []string {
		return append([]string{"GITHUB_ACTIONS=true", "CI=true", "GITHUB_RUN_ID=1", "GITHUB_RUN_ATTEMPT=1", "GITHUB_EVENT_NAME=" + name, "GITHUB_REF=" + ref, "GITHUB_EVENT_PATH=" + path}, more...)
	}
	t.Run("found", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			clone []string // of git clone
			at    string   // what is checked out
			env   []string
			args  []string
			code  int
			mode  string
			base  string
			want  string // of standard error
		}{
			{name: "merge commit", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", ""))), mode: "replay", base: main},
			{name: "merge commit at depth 2", clone: []string{"--depth=2", "--branch=queue"}, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", ""))), mode: "replay", base: main},
			{name: "shallow clone", clone: []string{"--depth=1", "--branch=queue"}, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", ""))), code: report.ExitIncomparable, want: "fetch-depth: 0"},
			{name: "head of the branch", at: head, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", ""))), mode: "replay", base: s.base},
			{name: "fork", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("evil/app", `{"name": "latency:live"}`))), mode: "replay: a fork", base: main},
			{name: "Dependabot", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", "")), "GITHUB_ACTOR=dependabot[bot]", "OPENAI_API_KEY=k"), mode: "replay: a fork", base: main},
			{name: "label", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", `{"name": "latency:live"}`)), "OPENAI_API_KEY=k"), mode: "stored: the label latency:live", base: main},
			{name: "label without a key", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("acme/app", `{"name": "latency:live"}`))), code: report.ExitInfrastructure, want: "there are no credentials"},
			{name: "fork that asks for live", at: merge, env: github("pull_request", "refs/pull/7/merge", event(t, pull("evil/app", "")), "LATGATE_MODE=stored"), code: report.ExitInfrastructure, want: "there are no credentials"},
			{name: "merge queue", at: merge, env: github("merge_group", "refs/heads/gh-readonly-queue/main/pr-7", event(t, `{`+repository+`, "merge_group": {"base_sha": "`+main+`"}}`), "OPENAI_API_KEY=k"), mode: "stored: this is the merge queue", base: main},
			{name: "merge queue in a shallow clone", clone: []string{"--depth=1", "--branch=queue"}, env: github("merge_group", "", event(t, `{`+repository+`, "merge_group": {"base_sha": "`+main+`"}}`)), code: report.ExitIncomparable, want: "shallow"},
			{name: "schedule", at: merge, env: github("schedule", "refs/heads/main", event(t, `{`+repository+`}`), "OPENAI_API_KEY=k"), mode: "track: this is the schedule", base: merge},
			{name: "push to main", at: merge, env: github("push", "refs/heads/main", event(t, `{`+repository+`}`)), mode: "replay", base: merge},
			{name: "forged base", at: merge, env: github("merge_group", "", event(t, `{`+repository+`, "merge_group": {"base_sha": "--output=x"}}`)), code: report.ExitUsage, want: "is no commit"},
			{name: "GitLab", at: merge, env: []string{"GITLAB_CI=true", "CI=true", "CI_MERGE_REQUEST_IID=7", "CI_MERGE_REQUEST_PROJECT_ID=1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=1", "CI_MERGE_REQUEST_DIFF_BASE_SHA=" + s.base}, mode: "replay", base: s.base},
			{name: "unknown CI without a remote branch", at: head, env: []string{"CI=true"}, clone: []string{"--origin=upstream"}, code: report.ExitIncomparable, want: "--base or LATGATE_BASE"},
			{name: "unknown CI", at: head, env: []string{"CI=true"}, mode: "replay", base: s.base},
			{name: "variable", at: merge, env: []string{"CI=true", "LATGATE_BASE=" + head}, mode: "replay", base: head},
			{name: "flag", at: merge, env: []string{"LATGATE_BASE=none"}, args: []string{"--base", main}, mode: "replay", base: main},
			{name: "revision that is none", at: merge, args: []string{"--base", "--all"}, code: report.ExitUsage, want: "is no revision"},
			{name: "laptop", at: merge, mode: "replay", base: "none"},
			{name: "laptop with a key", at: merge, env: []string{"ANTHROPIC_API_KEY=k"}, mode: "stored", base: "none"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				repo := s.clone(t, c.clone...)
				if c.at != "" {
					repo.git(t, "switch", "-q", "--detach", c.at)
				}
				got := repo.latgate(t, c.env, append(append([]string{"run", "--measure-only"}, c.args...), "--", "./broken")...)
				assert.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
				assert.Contains(t, got.err, c.want)
				if c.code == 0 {
					assert.Contains(t, got.out, "mode "+c.mode)
					assert.Contains(t, got.out, "base "+c.base[:min(12, len(c.base))]+":")
					m, err := gate.ReadManifest(filepath.Join(repo.dir, ".latgate"))
					require.NoError(t, err)
					assert.Equal(t, strings.TrimSuffix(c.base, "none"), m.Base)
					require.Len(t, m.Packages, 1)
					assert.Equal(t, gate.Failed, m.Packages[0].Outcome, "to build no test is quick")
				}
			})
		}
	})

	t.Run("judged by the merge commit's base", func(t *testing.T) {
		t.Parallel()
		repo := s.clone(t)
		repo.git(t, "switch", "-q", "--detach", merge)
		repo.base = main
		got, build := repo.judge(t, repo.results(t))
		assert.Equal(t, report.ExitPass, got.code, got.out)
		require.NotNil(t, build)
		compared := slices.IndexFunc(build.Rows, func(r report.Row) bool { return r.Comparison != nil })
		require.GreaterOrEqual(t, compared, 0)
		assert.Len(t, build.Rows[compared].Comparison.BaseN, 4, "the run of another day counts, which the branch does not have")
	})
}
