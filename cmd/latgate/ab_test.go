package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// An app is a git repository with a module in it whose tests measure an endpoint.
type app struct {
	t   *testing.T
	dir string
}

// chatCode is the code of the app: an endpoint of its own whose first token takes so
// many milliseconds.
const chatCode = `package chat

import (
	"net/http"
	"time"

	"github.com/latgate/latgate/fakes"
)

func Endpoint(seed uint64) http.Handler {
	return fakes.OpenAI(fakes.Script{Seed: seed, OutputTokens: 4, TTFT: fakes.Lognormal(%d*time.Millisecond, .3)})
}
`

// chatTest is the latency test of the app, in virtual time. No endpoint could meet its
// gate.
const chatTest = `package chat

import (
	"testing"
	"testing/synctest"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

func TestLatency%[1]s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(Endpoint(latencytest.Seed()))
		defer network.Close()
		target := openai.Chat("m", endpoint.Options{Client: network.Client(), Key: "any"})
		res := latencytest.Run(t, target, latencytest.Plan{Prompts: []providers.Prompt{{Text: %[2]q, MaxTokens: 4}}})
		assertions.Check(t, res, nil, assertions.Below(latencytest.TTFT, latencytest.P90, 1))
	})
}
`

// newApp makes the repository.
func newApp(t *testing.T) *app {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	if testing.Short() {
		t.Skip("this builds and runs tests")
	}
	a := &app{t, t.TempDir()}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	a.write("go.mod", strings.Replace(string(module), "module github.com/latgate/latgate\n", "module example.com/app\n", 1)+
		fmt.Sprintf("\nrequire github.com/latgate/latgate v0.0.0\n\nreplace github.com/latgate/latgate => %s\n", filepath.ToSlash(root)))
	a.write("go.sum", string(sums))
	a.write("chat/chat.go", fmt.Sprintf(chatCode, 400))
	a.write("chat/chat_test.go", fmt.Sprintf(chatTest, "Chat", "Hello"))
	a.write(".gitignore", "testdata/\n")
	a.git("init", "--quiet")
	a.commit()
	return a
}

func (a *app) write(name, content string) {
	a.t.Helper()
	path := filepath.Join(a.dir, filepath.FromSlash(name))
	require.NoError(a.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(a.t, os.WriteFile(path, []byte(content), 0o644))
}

func (a *app) git(args ...string) string {
	a.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	require.NoError(a.t, err, "%s", out)
	return string(out)
}

func (a *app) commit() {
	a.t.Helper()
	a.git("add", ".")
	a.git("commit", "--quiet", "--message", "another one")
}

// clean asserts that nothing is left of a comparison.
func (a *app) clean() {
	a.t.Helper()
	assert.Len(a.t, strings.Split(strings.TrimSpace(a.git("worktree", "list")), "\n"), 1, "the worktree is gone")
	assert.Empty(a.t, a.git("status", "--porcelain"))
}

// ab runs the command in the app's directory.
func (a *app) ab(h *harness, args ...string) int {
	a.t.Helper()
	return h.program.run(a.t.Context(), append([]string{"ab", "-C", a.dir}, args...))
}

// head is the commit that is checked out.
func (a *app) head() string {
	a.t.Helper()
	return strings.TrimSpace(a.git("rev-parse", "HEAD"))
}

// small are the flags of the tests.
var small = []string{"--base", "HEAD", "--blocks", "2", "-n", "120"}

func TestABOfAHeadThatIsSlower(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	a.write("chat/chat.go", fmt.Sprintf(chatCode, 560))
	h := newHarness(nil)
	samples := filepath.Join(t.TempDir(), "samples")
	require.Equal(t, report.ExitRegression, a.ab(h, append(small, "--output", samples, "--", "./chat", "-run", "Latency")...), h.err.String())

	said, table, found := strings.Cut(h.out.String(), "\n\n")
	require.True(t, found, h.out.String())
	lines := strings.Split(said, "\n")
	require.Len(t, lines, 3, said)
	assert.Regexp(t, `^head [0-9a-f]{7} with changes against base [0-9a-f]{7}, interleaved in 2 blocks base head head base, 30 requests a turn$`, lines[0])
	assert.Regexp(t, `^chat TestLatencyChat: all: P50 ttft .* ms \(type-7 .*\), ratio 1\.40 .*, n 120 \+ 120 in 4 pairs, .*: regression: `, lines[1])
	assert.Regexp(t, `^chat TestLatencyChat: all: P90 ttft .*: regression: `, lines[2])
	assert.Equal(t, "chat: turn 1 of 4, base\nchat: turn 1 of 4, head\nchat: turn 2 of 4, head\nchat: turn 2 of 4, base\n"+
		"chat: turn 3 of 4, base\nchat: turn 3 of 4, head\nchat: turn 4 of 4, head\nchat: turn 4 of 4, base\n"+
		"latgate: 2 regressions\n", h.err.String())
	assert.Regexp(t, `^verdict +test +gate .*\nregression +TestLatencyChat/all +NoRegression\(P[59]0 ttft\) +\d+ ms → \d+ ms +\+\d+ % \[\+\d+, \+\d+\] +\+10 %\n`, table)
	build, err := report.Read(filepath.Join(a.dir, ".latgate", "ab", "verdict.json"))
	require.NoError(t, err)
	assert.Equal(t, report.AB, build.Mode)
	assert.Equal(t, lines[0], build.ModeReason)
	assert.Equal(t, baseline.Regression, build.Verdict)
	assert.Equal(t, report.ExitRegression, build.ExitCode)
	assert.Equal(t, a.head(), build.Head, "the commit, without its changes")
	assert.Equal(t, build.Head, build.Base)
	assert.Equal(t, 2*4*31, build.Requests)
	require.Len(t, build.Rows, 2)
	for _, row := range build.Rows {
		assert.Equal(t, "chat", row.Package)
		assert.Equal(t, []int{120}, row.Comparison.HeadN)
		assert.Equal(t, []int{120}, row.Comparison.BaseN)
		assert.InDelta(t, 1.4, row.Comparison.Ratio, .01)
		assert.Contains(t, row.Text, "in 4 pairs")
		assert.NotContains(t, row.Text+row.Baseline+row.Samples, os.TempDir())
	}

	files, err := filepath.Glob(filepath.Join(samples, "0-chat", "*", "TestLatencyChat", "latest.samples.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 8)
	assert.Contains(t, files[0], "00-base")
	base, err := latencytest.Load(files[0])
	require.NoError(t, err)
	head, err := latencytest.Load(files[1])
	require.NoError(t, err)
	assert.Len(t, base.Scenarios[0].Samples, 30)
	assert.Equal(t, base.Plan.Seed, head.Plan.Seed, "both turns of a pair send the same")
	a.git("checkout", ".")
	a.clean()

	again := newHarness(nil)
	require.Equal(t, exitUsage, a.ab(again, append(small, "--output", samples, "--", "./chat")...))
	assert.Contains(t, again.err.String(), "is not empty: samples of two sessions must not mix")
}

// What is the same passes: the gates of the tests are not asked.
func TestABOfTheSame(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	h := newHarness(map[string]string{"LATGATE_SEED": "7"})
	require.Equal(t, exitOK, a.ab(h, append(small, "--quantile", "p50", "--", "-v", "-run", "Latency", "./...")...), h.out.String()+h.err.String())
	assert.Regexp(t, `chat TestLatencyChat: all: P50 ttft .*, ratio 1\.00 .*: pass: `, h.out.String())
	assert.NotContains(t, h.out.String(), "P90")
	assert.NotContains(t, h.out.String(), "otps", "four tokens at once have no speed")
	assert.Contains(t, h.err.String(), "measured only: the process that started this one judges")
	assert.Contains(t, h.err.String(), "30 requests after 1 of warm-up, closed(1), seed 7, ")
	assert.Contains(t, h.err.String(), "30 requests after 1 of warm-up, closed(1), seed 10, ")
	a.clean()
}

// What one side alone measures is said.
func TestABOfANewTest(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	a.write("chat/chat_test.go", fmt.Sprintf(chatTest, "Answer", "Hello"))
	a.write("search/chat.go", fmt.Sprintf(chatCode, 400))
	a.write("search/chat_test.go", fmt.Sprintf(chatTest, "Search", "Hello"))
	h := newHarness(nil)
	require.Equal(t, report.ExitMissing, a.ab(h, append(small, "--metric", "ttft", "--quantile", "p50", "--", "./...")...), h.err.String())
	assert.Contains(t, h.out.String(), "chat TestLatencyAnswer: all: P50 ttft: missing: A did not measure it: there is nothing to compare B with\n")
	assert.Contains(t, h.out.String(), "chat TestLatencyChat: all: P50 ttft: missing: B did not measure it any more\n")
	assert.Contains(t, h.out.String(), "search TestLatencySearch: all: P50 ttft: missing: A did not measure it: there is nothing to compare B with\n")
	a.git("checkout", ".")
	a.git("clean", "--quiet", "-ffdx")
	a.clean()
}

// Another prompt is another measurement.
func TestABOfAnotherPrompt(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	a.write("chat/chat_test.go", fmt.Sprintf(chatTest, "Chat", "A longer prompt"))
	h := newHarness(nil)
	require.Equal(t, report.ExitIncomparable, a.ab(h, append(small, "--quantile", "p50", "--", "./chat")...), h.err.String())
	assert.Regexp(t, `P50 ttft: incomparable: the sides did not measure the same: prompts: A has "\w+", B "\w+"`, h.out.String())
}

func TestABThatCannotMeasure(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	h := newHarness(nil)
	require.Equal(t, report.ExitMissing, a.ab(h, append(small, "--", "./chat", "-run", "Nothing")...))
	assert.Contains(t, h.err.String(), "latgate: no test measured anything: does -run match one that calls latencytest.Run?\n")
	a.unmeasured(baseline.Missing, "no test measured anything")

	a.write("chat/chat.go", "package chat\n\nimport \"net/http\"\n\nfunc Endpoint(uint64) http.Handler { return http.NotFoundHandler() }\n")
	h = newHarness(nil)
	require.Equal(t, report.ExitInfrastructure, a.ab(h, append(small, "--", "./chat")...))
	assert.Contains(t, h.err.String(), "latgate: the tests of the head in chat failed: they only measure here, so it is not for being slow: ")
	assert.Contains(t, h.err.String(), "all 1 warm-up requests failed, nothing was measured: http_4xx: ")
	a.unmeasured(baseline.Infrastructure, "the tests of the head in chat failed: they only measure here")

	a.write("chat/chat.go", "package chat\n\nconst x = usual\n")
	h = newHarness(nil)
	require.Equal(t, exitUsage, a.ab(h, append(small, "--", "./chat")...))
	assert.Contains(t, h.err.String(), "latgate: the tests of the head in chat cannot be built: ")
	assert.Contains(t, h.err.String(), "undefined: usual")

	a.commit()
	a.write("chat/chat.go", fmt.Sprintf(chatCode, 400))
	h = newHarness(nil)
	require.Equal(t, report.ExitIncomparable, a.ab(h, append(small, "--", "./chat")...))
	assert.Contains(t, h.err.String(), "latgate: the tests of the base in chat cannot be built: ")
	a.unmeasured(baseline.Incomparable, "the tests of the base in chat cannot be built")

	h = newHarness(nil)
	require.Equal(t, exitUsage, a.ab(h, append(small, "--", "./nowhere")...))
	assert.Contains(t, h.err.String(), "latgate: no package among ./nowhere has tests\n")
	for _, revision := range []string{"nowhere", "--upload-pack=x"} {
		h = newHarness(nil)
		require.Equal(t, exitUsage, a.ab(h, "--base="+revision))
		assert.Contains(t, h.err.String(), "--base: there is no revision ")
	}
	a.git("checkout", ".")
	a.clean()
	h = newHarness(nil)
	require.Equal(t, exitUsage, h.call(t, "ab --base HEAD -C "+t.TempDir()))
	assert.Contains(t, h.err.String(), "latgate: the base is a revision of a git repository: ")
}

// An interrupt lets the requests under way end, and nothing is left of the rest.
func TestABIsInterrupted(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	s := serve(t, interrupting(h, 15, fakes.OpenAI(fakes.Script{OutputTokens: 4})))
	a := newApp(t)
	a.write("chat/chat_test.go", strings.NewReplacer(
		"synctest.Test(t, func(t *testing.T)", "func(t *testing.T)", "\n\t})\n", "\n\t}(t)\n", "\t\"testing/synctest\"\n", "",
		"Client: network.Client()", fmt.Sprintf("BaseURL: %q", s.URL+"/v1"),
	).Replace(fmt.Sprintf(chatTest, "Chat", "Hello")))
	a.commit()
	require.Equal(t, exitInterrupted, a.ab(h, append(small, "--", "./chat")...), h.err.String())
	assert.Contains(t, h.err.String(), "latgate: interrupted: requests under way have 10 s to end; once more ends them at once\n")
	assert.Regexp(t, `latgate: interrupted\n$`, h.err.String())
	assert.Less(t, len(s.all()), 31, "the turn ended there")
	a.clean()
}

func TestABFlags(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"ab":                                       `required flag(s) "base" not set`,
		"ab --base HEAD --blocks 1":                "--blocks: want 2 or more",
		"ab --base HEAD --blocks 0":                "--blocks",
		"ab --base HEAD --requests -3":             "--requests",
		"ab --base HEAD --metric speed":            `--metric: there is no metric "speed"`,
		"ab --base HEAD --quantile 90":             "--quantile: want percentiles such as p50 or p90",
		"ab --base HEAD --min-effect much":         "--min-effect: want a percentage",
		"ab --base HEAD -- ./chat -coverprofile x": "-coverprofile: a flag of go test that does not fit here",
		"ab --base HEAD -- -count 3":               "-count: a flag of go test that does not fit here",
		"ab --base HEAD -- -run":                   "-run: a value is missing",
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, line), line)
		assert.Contains(t, h.err.String(), want, line)
	}
}

func TestParseGoTest(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]goTest{
		"":                     {packages: []string{"."}, run: []string{"-test.run=Latency"}},
		"./a ./b -run X":       {packages: []string{"./a", "./b"}, run: []string{"-test.run=X"}},
		"-run=X=Y -v -short .": {packages: []string{"."}, run: []string{"-test.run=X=Y", "-test.short=true"}, verbose: true},
		"--tags live,dev -race=false -test.timeout 5m": {packages: []string{"."}, build: []string{"-tags=live,dev", "-race=false"}, run: []string{"-test.run=Latency", "-test.timeout=5m"}},
		"./a -args -run ./b":                           {packages: []string{"./a"}, run: []string{"-test.run=Latency", "-run", "./b"}},
	} {
		got, err := parseGoTest(strings.Fields(line))
		require.NoError(t, err)
		assert.Equal(t, want, got, line)
	}
	assert.Equal(t, 38, perTurn(300, 4))
	assert.Equal(t, 1, perTurn(1, 4))
}
