package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// The verdict is told in all formats, and commented on, as that of latgate gate.
func TestABReports(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	base := a.head()
	a.write("chat/chat.go", fmt.Sprintf(chatCode, 560))
	a.commit()
	dir := t.TempDir()
	out, summary := filepath.Join(dir, "out"), filepath.Join(dir, "summary.md")
	args := []string{
		"--base", base, "--blocks", "2", "-n", "120", "--quantile", "p50", "--out", out, "--formats", "json,md,junit,gitlab,github,text",
		"--summary", summary, "--annotate", "github", "--", "./chat",
	}
	h := newHarness(nil)
	require.Equal(t, report.ExitRegression, a.ab(h, args...), h.err.String())
	assert.Regexp(t, `\n::error .*TestLatencyChat`, h.out.String())
	build, err := report.Read(filepath.Join(out, "verdict.json"))
	require.NoError(t, err)
	assert.Equal(t, base, build.Base)
	assert.Equal(t, a.head(), build.Head)
	for _, name := range []string{"report.md", "junit.xml", "metrics.txt", "codequality.json", "annotations.txt", "report.txt"} {
		content, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		assert.Contains(t, string(content), "TestLatencyChat", name)
	}
	content, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.Contains(t, string(content), "head "+a.head()[:7]+" against base "+base[:7])

	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "report --verdict "+filepath.Join(out, "verdict.json")), h.err.String())
	assert.Contains(t, h.out.String(), "regression  TestLatencyChat/all")
	g := newFakeGitHub(t)
	commented := *build
	commented.Head = theHead
	code, h := g.comment(t, &commented)
	require.Equal(t, exitOK, code, h.err.String())
	assert.Contains(t, g.comments[0]["body"], "### ❌ Latency: 1 regression")

	// What is let pass is told; what fails nothing leaves no old verdict.
	h = newHarness(map[string]string{"LATGATE_FAIL_ON": "budget,infrastructure"})
	require.Equal(t, exitOK, a.ab(h, args...), h.err.String())
	assert.Contains(t, h.out.String(), "allowed to pass: regression does not fail this build")
	h = newHarness(nil)
	require.Equal(t, exitUsage, a.ab(h, append(args[:len(args)-1:len(args)-1], "./nowhere")...))
	assert.NoFileExists(t, filepath.Join(out, "verdict.json"))
	h = newHarness(nil)
	require.Equal(t, exitUsage, a.ab(h, append([]string{"--fail-on", "red"}, args...)...))
	h = newHarness(nil)
	require.Equal(t, exitUsage, a.ab(h, append([]string{"--formats", "pdf"}, args[8:]...)...))

	// A trailer accepts; one that is about another measurement is for other modes.
	a.git("commit", "--quiet", "--allow-empty", "--message", "slower\n\n"+
		"Latency-Accept: TestLatencyChat p50-ttft <=+60% until=9999-12-31 | two-step tool call\n"+
		"Latency-Accept: TestLatencyTools p90-ttlt <=+60% until=9999-12-31 | measured elsewhere")
	h = newHarness(nil)
	require.Equal(t, exitOK, a.ab(h, args...), h.err.String())
	build, err = report.Read(filepath.Join(out, "verdict.json"))
	require.NoError(t, err)
	assert.Equal(t, baseline.Accepted, build.Verdict)
	assert.Equal(t, "two-step tool call", build.Rows[0].Accepted.Reason)
}

// unmeasured asserts what the verdict says of a comparison that did not come about.
func (a *app) unmeasured(verdict baseline.Verdict, reason string) {
	a.t.Helper()
	build, err := report.Read(filepath.Join(a.dir, ".latgate", "ab", "verdict.json"))
	require.NoError(a.t, err)
	require.Len(a.t, build.Rows, 1)
	assert.Equal(a.t, "(build)", build.Rows[0].Test)
	assert.Equal(a.t, verdict, build.Rows[0].Verdict)
	assert.Equal(a.t, report.ExitCode(verdict), build.ExitCode)
	assert.Contains(a.t, build.Rows[0].Reason, reason)
	assert.NotContains(a.t, build.Rows[0].Reason, "\n")
}

// sidesTest is a latency test of the app's that compares two endpoints itself.
const sidesTest = `package chat

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

func TestLatencySides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := func(seed uint64, ms time.Duration) providers.Target {
			network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{Seed: seed, OutputTokens: 4, TTFT: fakes.Lognormal(ms*time.Millisecond, .3)}))
			t.Cleanup(func() { network.Close() })
			return openai.Chat("m", endpoint.Options{Client: network.Client(), Key: "any"})
		}
		pair := latencytest.Compare(t, target(1, 400), target(2, %d), latencytest.Plan{Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 120, Blocks: 4})
		assertions.CheckAB(t, pair, assertions.NoRegression(latencytest.TTFT, latencytest.P90), assertions.ErrorRate(.01))
	})
}
`

// What CheckAB asks in a test is judged as a part of the build; what is behind a red
// check is kept with its results.
func TestRunJudgesCheckAB(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	require.NoError(t, os.Remove(filepath.Join(a.dir, "chat", "chat_test.go")))
	for milliseconds, want := range map[int]int{400: report.ExitPass, 600: report.ExitRegression} {
		a.write("chat/chat_test.go", fmt.Sprintf(sidesTest, milliseconds))
		out := filepath.Join(t.TempDir(), "out")
		h := newHarness(nil)
		require.Equal(t, want, h.program.run(t.Context(), []string{"run", "-C", a.dir, "--out", out, "--", "./...", "-run", "Latency"}), h.out.String()+h.err.String())
		build, err := report.Read(filepath.Join(out, "verdict.json"))
		require.NoError(t, err)
		require.Len(t, build.Rows, 2)
		assert.Equal(t, 2*121, build.Requests)
		for _, row := range build.Rows {
			assert.Equal(t, "chat/TestLatencySides/latest.b.samples.jsonl", row.Samples)
			assert.Equal(t, "chat/chat_test.go", row.File)
			assert.NotContains(t, row.Text+row.Baseline, out)
		}
		again := newHarness(nil)
		require.Equal(t, want, again.program.run(t.Context(), []string{"gate", "-C", a.dir, "--dir", out}), again.err.String())

		m, err := gate.ReadManifest(out)
		require.NoError(t, err)
		require.Len(t, m.Tests, 1)
		if want == report.ExitPass {
			assert.Empty(t, m.Tests[0].Artifacts)
			continue
		}
		require.Len(t, m.Tests[0].Artifacts, 1)
		data, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(m.Tests[0].Artifacts[0]), "check-1.json"))
		require.NoError(t, err)
		assert.Regexp(t, `"samples": "(\.\./)+chat/TestLatencySides/latest\.b\.samples\.jsonl"`, string(data))
	}
}
