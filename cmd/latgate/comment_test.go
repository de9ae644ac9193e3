package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/markdown"
	"github.com/latgate/latgate/report/reporttest"
)

// theEvent is workflow_run of a run for a stranger's pull request.
const theEvent = `{
	"action": "completed", "repository": {"full_name": "acme/app"},
	"workflow_run": {
		"event": "pull_request", "head_sha": "` + theHead + `", "head_branch": "feature", "html_url": "https://github.com/acme/app/actions/runs/1",
		"pull_requests": [], "head_repository": {"full_name": "stranger/app", "owner": {"login": "stranger"}}
	}
}`

// verdictFile writes a build to a file.
func verdictFile(t *testing.T, b *report.Build) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verdict.json")
	require.NoError(t, b.Write(path))
	return path
}

func ofHead() *report.Build {
	b := reporttest.Build()
	b.Head = theHead
	return b
}

func clean() *report.Build {
	b := ofHead()
	b.Rows, b.Verdict, b.ExitCode = b.Rows[:1], baseline.Pass, 0
	return b
}

// comment runs the command, and returns what it exits with.
func (g *fakeGitHub) comment(t *testing.T, b *report.Build, more ...string) (int, *harness) {
	t.Helper()
	h := newHarness(map[string]string{"GITHUB_API_URL": g.URL + "/api/v3", "GH_TOKEN": "ghs_0123456789abcdef0123"})
	return h.call(t, "comment --event "+write(t, "event.json", theEvent)+" --verdict "+verdictFile(t, b), more...), h
}

func TestCommentIsPosted(t *testing.T) {
	t.Parallel()
	g := newFakeGitHub(t)
	code, h := g.comment(t, ofHead())
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "The comment on #7 is new.\n", h.out.String())
	assert.Equal(t, []string{"POST /issues/7/comments"}, g.writes)
	body := g.comments[0]["body"].(string)
	assert.True(t, strings.HasPrefix(body, "<!-- latgate:v1:default head=9d03e77 -->\n"))
	assert.Contains(t, body, "[run](https://github.com/acme/app/actions/runs/1)")
	assert.Contains(t, body, "this is advisory", "it is a fork's")
	assert.Equal(t, map[string]bool{"Bearer ghs_0123456789abcdef0123": true}, g.tokens)

	code, h = g.comment(t, ofHead())
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "The comment on #7 is up to date.\n", h.out.String())
	assert.Len(t, g.writes, 1)

	code, h = g.comment(t, clean())
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "The comment on #7 is updated.\n", h.out.String())
	assert.Equal(t, "PATCH /issues/comments/1", g.writes[1])
	assert.Contains(t, g.comments[0]["body"], "### ✅ Latency: 1 passed\n")
	assert.Len(t, g.comments, 1)
}

func TestCommentOfAMerge(t *testing.T) {
	t.Parallel()
	g := newFakeGitHub(t)
	b := ofHead()
	b.Head = theMerge
	code, h := g.comment(t, b)
	require.Equal(t, exitOK, code, h.err.String())
	assert.Len(t, g.comments, 1)
}

func TestWhatIsWorthAComment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict baseline.Verdict
		exit    int
		relaxed []string
		want    int
	}{
		{baseline.Pass, 0, nil, 0},
		{baseline.Improved, 0, nil, 0},
		{baseline.Accepted, 0, nil, 1}, // a baseline moved
		{baseline.Inconclusive, 0, nil, 1},
		{baseline.Regression, 10, nil, 1},
		{baseline.Pass, 0, []string{"missing: LATGATE_FAIL_ON"}, 1},
	} {
		g := newFakeGitHub(t)
		b := clean()
		b.Rows[0].Verdict, b.Verdict, b.ExitCode, b.Relaxed = c.verdict, c.verdict, c.exit, c.relaxed
		code, h := g.comment(t, b)
		assert.Equal(t, exitOK, code, h.err.String())
		assert.Len(t, g.comments, c.want, c.verdict)
		if c.want == 0 {
			assert.Equal(t, "A clean pass, and no comment on #7 to update. Nothing is posted.\n", h.out.String())
		}
	}
}

// TestOnlyOurComment has others write what looks like ours, on several pages.
func TestOnlyOurComment(t *testing.T) {
	t.Parallel()
	g := newFakeGitHub(t)
	const marker = "<!-- latgate:v1:default head=0000000 -->\n"
	g.add(by("stranger"), marker+"all is well")
	g.add(by("github-actions[bot]"), "> "+marker)
	g.add(by("github-actions[bot]"), "<!-- latgate:v1:default-2 head=0000000 -->\nof another gate")
	g.add(by("github-actions"), marker)
	g.add(by("github-actions[bot]"), marker+"ours")
	code, h := g.comment(t, ofHead())
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, []string{"PATCH /issues/comments/5"}, g.writes)

	code, h = g.comment(t, ofHead(), "--author", "stranger")
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "PATCH /issues/comments/1", g.writes[1])

	g.user = "github-actions"
	code, h = g.comment(t, ofHead())
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "PATCH /issues/comments/4", g.writes[2])

	code, h = g.comment(t, ofHead(), "--author", "github-actions[bot]", "--name", "default-2")
	require.Equal(t, exitOK, code, h.err.String())
	assert.Equal(t, "PATCH /issues/comments/3", g.writes[3])
}

// TestThePullRequestHasMovedOn has no pull request of that head.
func TestThePullRequestHasMovedOn(t *testing.T) {
	t.Parallel()
	for name, pulls := range map[string][]map[string]any{
		"closed":                    {},
		"newer push":                {pull(7, theMerge, "feature", "stranger/app")},
		"of another branch":         {pull(7, theHead, "main", "stranger/app")},
		"of another fork":           {pull(7, theHead, "feature", "stranger/app-2")},
		"of a fork that is no more": {{"number": 7, "head": map[string]any{"sha": theHead, "ref": "feature", "repo": nil}}},
	} {
		g := newFakeGitHub(t)
		g.pulls = pulls
		code, h := g.comment(t, ofHead())
		assert.Equal(t, exitOK, code, name)
		assert.Equal(t, "No open pull request has the head 9d03e77aa1b2: there was another push, or it is closed. Nothing is posted.\n", h.out.String())
		assert.Empty(t, g.writes, name)
	}
	g := newFakeGitHub(t)
	g.pulls = append(g.pulls, pull(8, theBase, "feature", "stranger/app"), pull(9, theHead, "feature", "stranger/app"))
	code, h := g.comment(t, ofHead())
	assert.Equal(t, exitInternal, code)
	assert.Contains(t, h.err.String(), "the pull requests #7 and #9 have the same head")
	assert.Empty(t, g.writes)
}

// TestForgedVerdicts posts what a stranger's run may have left.
func TestForgedVerdicts(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(ofHead())
	require.NoError(t, err)
	change := func(old, new string) string {
		require.Contains(t, string(good), old)
		return strings.Replace(string(good), old, new, 1)
	}
	for _, c := range []struct{ name, content, want string }{
		{"another commit", change(theHead, strings.Repeat("a", 40)), "it is of commit aaaaaaaaaaaa, not of the run's head 9d03e77aa1b2"},
		{"a commit on top of the head", change(theHead, theBase), "it is of commit 4f1c2ab0d9e8, not of the run's head"},
		{"a merge into the head", change(theHead, strings.Repeat("2", 40)), "it is of commit 222222222222, not of the run's head"},
		{"no commit", change(theHead, "../../../user"), `it is of no commit, but of "../../../user"`},
		{"a short commit", change(theHead, "9d03"), `it is of no commit`},
		{"no head", change(`"head":"`+theHead+`",`, ""), `it is of no commit, but of ""`},
		{"unknown members", change(`"tool"`, `"pull_request":1,"tool"`), `unknown field "pull_request"`},
		{"newer schema", change("latgate.verdict/1", "latgate.verdict/2"), `schema "latgate.verdict/2"`},
		{"other path", change("internal/chat/latency_test.go", "../../../etc/passwd"), "is no path from the root of the module"},
		{"no verdict", "[]", "no JSON"},
		{"50 MB", string(good) + strings.Repeat(" ", 50<<20), "more than 8 MiB"},
	} {
		g := newFakeGitHub(t)
		h := newHarness(map[string]string{"GITHUB_API_URL": g.URL + "/api/v3", "GITHUB_TOKEN": "t"})
		code := h.call(t, "comment --event "+write(t, "event.json", theEvent)+" --verdict "+write(t, "verdict.json", c.content))
		assert.Equal(t, exitUsage, code, c.name)
		assert.Contains(t, h.err.String(), "latgate: --verdict: ", c.name)
		assert.Contains(t, h.err.String(), c.want, c.name)
		assert.Empty(t, g.writes, c.name)
	}
}

// TestHostileTexts posts a verdict that is good but for its texts.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for name, attack := range reporttest.Attacks {
		g := newFakeGitHub(t)
		b := reporttest.Hostile(attack[:min(len(attack), 8<<10)]) // longer ones make the file too large
		b.Rows = b.Rows[:len(b.Rows)-1]                           // which has no verdict
		b.Mode, b.Head, b.Verdict, b.ExitCode = report.AB, theHead, baseline.Tampered, report.ExitTampered
		for i := range b.Rows {
			b.Rows[i].File = "a_test.go"
		}
		code, h := g.comment(t, b)
		require.Equal(t, exitOK, code, "%s: %s", name, h.err.String())
		body := g.comments[0]["body"].(string)
		assert.Less(t, len(body), markdown.MaxComment, name)
		assert.NotContains(t, body, "::", name)
		assert.NotContains(t, h.out.String()+h.err.String(), reporttest.Canary, name)
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	g := newFakeGitHub(t)
	h := newHarness(map[string]string{"GITHUB_API_URL": g.URL + "/api/v3"})
	code := h.call(t, "comment --dry-run --repo Acme/App --event "+write(t, "event.json", theEvent)+" --verdict "+verdictFile(t, ofHead()))
	require.Equal(t, exitOK, code, h.err.String())
	assert.True(t, strings.HasPrefix(h.out.String(), "<!-- latgate:v1:default head=9d03e77 -->\n### "))
	assert.Empty(t, g.writes)
	assert.Equal(t, map[string]bool{"": true}, g.tokens)
}

func TestCommentUsage(t *testing.T) {
	t.Parallel()
	verdict := verdictFile(t, ofHead())
	good := write(t, "event.json", theEvent)
	event := func(old, new string) string {
		require.Contains(t, theEvent, old)
		return write(t, "event.json", strings.Replace(theEvent, old, new, 1))
	}
	large := write(t, "event.json", theEvent)
	require.NoError(t, os.Truncate(large, 50<<20))
	for _, c := range []struct{ event, more, want string }{
		{event(`"workflow_run"`, `"pull_request"`), "", "this is no event workflow_run: run the command for one"},
		{event(`"event": "pull_request"`, `"event": "push"`), "", `the run was for "push": want one for pull_request`},
		{event(`"full_name": "acme/app"`, `"full_name": "acme"`), "", "there is no repository in it"},
		{event(`"full_name": "acme/app"`, `"full_name": "../.."`), "", "there is no repository in it"},
		{event(`"full_name": "acme/app"`, `"full_name": "acme/.."`), "", "there is no repository in it"},
		{event(`"head_sha": "`+theHead, `"head_sha": "x`), "", "there is no head in it"},
		{event(`"head_branch": "feature"`, `"head_branch": ""`), "", "there is no head in it"},
		{event(`"head_repository": {"full_name": "stranger/app", "owner": {"login": "stranger"}}`, `"head_repository": null`), "", "the fork is gone"},
		{good, "--repo acme/other", "it is of acme/app, not of --repo acme/other"},
		{good, "--name a--b", "--name: the name of the comment"},
		{write(t, "event.json", "{"), "", "unexpected end of JSON input"},
		{large, "", "more than 8 MiB"},
		{"none.json", "", "open none.json: no such file or directory"},
		{good, "", "there is no token: set GH_TOKEN or GITHUB_TOKEN"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, "comment --event "+c.event+" --verdict "+verdict+" "+c.more), c.want)
		assert.Contains(t, h.err.String(), c.want)
	}
	h := newHarness(nil)
	assert.Equal(t, exitUsage, h.call(t, "comment"))
	assert.Equal(t, "latgate: required flag(s) \"event\", \"verdict\" not set\n", h.err.String())

	for _, address := range []string{"http://api.example.com", "ftp://127.0.0.1", "https://me:secret@api.example.com", "api.example.com", "https://a?b", "%"} {
		h := newHarness(map[string]string{"GITHUB_API_URL": address, "GH_TOKEN": "t"})
		assert.Equal(t, exitUsage, h.call(t, "comment --event "+good+" --verdict "+verdict))
		assert.Equal(t, "latgate: GITHUB_API_URL: want https://, a host, and a path at most\n", h.err.String())
	}
}

// TestRefusals has GitHub refuse each kind of request.
func TestRefusals(t *testing.T) {
	t.Parallel()
	limited := map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1763870400"}
	for _, c := range []struct {
		method, path string
		status       int
		header       map[string]string
		body, want   string
	}{
		{"GET", "/pulls", 401, nil, `{"message":"Bad credentials"}`, `GET /api/v3/repos/acme/app/pulls: 401: the token in GH_TOKEN or GITHUB_TOKEN is wrong or has run out (GitHub says "Bad credentials")`},
		{"GET", "/pulls", 403, nil, `{"message":"Resource not accessible by integration"}`, `403: the token may not read this: give the job permissions: contents: read, pull-requests: read (GitHub says`},
		{"GET", "/pulls", 403, limited, `{}`, `403: the rate limit is used up until 04:00:00 UTC: run the job again after that`},
		{"GET", "/pulls", 429, map[string]string{"Retry-After": "60"}, ``, `429: the rate limit is used up for 60 s: run the job again after that`},
		{"GET", "/pulls", 404, nil, `{"message":"Not Found"}`, `404: there is no such thing, or the token may not see it: check --repo`},
		{"GET", "/pulls", 301, map[string]string{"Location": "https://example.com/"}, ``, `301: it has moved: the repository has another name now`},
		{"GET", "/pulls", 502, nil, `<html>##[error]`, `502: GitHub failed: run the job again`},
		{"GET", "/pulls", 200, nil, `<html>`, `GitHub's answer to GET /api/v3/repos/acme/app/pulls is not what it should be`},
		{"GET", "/pulls", 200, map[string]string{"Link": `<https://example.com/2>; rel="next"`}, `[]`, `GitHub's list goes on at another server: it is not followed there`},
		{"GET", "/pulls", 200, map[string]string{"Link": `</api/v3/repos/acme/app/pulls>; rel="next"`}, `[]`, `GitHub's list has more than 100 pages`},
		{"GET", "/commits", 500, nil, ``, `500: GitHub failed`},
		{"GET", "/user", 401, nil, ``, `401: the token`},
		{"GET", "/comments", 410, nil, `{"message":"ghs_0123456789abcdef0123\n::error::"}`, `410: this was not expected (GitHub says "*** : :error: :")`},
		{"POST", "/comments", 403, nil, `{"message":"Resource not accessible by integration"}`, `403: the token may not write comments: give the job permissions: pull-requests: write, and run it for workflow_run`},
		{"POST", "/comments", 422, nil, `{"message":"Validation Failed","errors":[{"code":"custom","message":"body is too long"}]}`, `422: GitHub does not take this: [{"code":"custom","message":"body is too long"}] (GitHub says "Validation Failed")`},
		{"POST", "/comments", 307, map[string]string{"Location": "/api/v3/elsewhere"}, ``, `307: it has moved`},
	} {
		g := newFakeGitHub(t)
		g.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != c.method || !strings.Contains(r.URL.Path, c.path) {
				return false
			}
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
			return true
		}
		b := ofHead()
		b.Head = theMerge
		code, h := g.comment(t, b)
		assert.Equal(t, exitInternal, code, c.want)
		assert.Contains(t, h.err.String(), c.want)
		assert.NotContains(t, h.err.String(), "ghs_0123")
		assert.NotContains(t, h.err.String(), "##[")
		assert.Empty(t, g.comments)
	}
}

func TestGitHubIsDown(t *testing.T) {
	t.Parallel()
	g := newFakeGitHub(t)
	g.Close()
	code, h := g.comment(t, ofHead())
	assert.Equal(t, exitInternal, code)
	assert.Contains(t, h.err.String(), "latgate: GitHub did not answer: ")
}
