package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// asCommand makes this test binary the command: a process of its own, and not built
// once more.
const asCommand = "TEST_BINARY_IS_LATGATE"

func init() {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
}

// A scratch is a repository of somebody who uses latgate, with a history of three stored
// runs.
type scratch struct {
	dir    string // of the module, and of the repository
	binary string // of the tests of its package chat
	base   string // commit
}

// The tests of the scratch repository measure a fake endpoint in virtual time, whose
// speed the environment decides.
const scratchTests = `package chat

import (
	"os"
	"strconv"
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

func number(name string, otherwise float64) float64 {
	if v, err := strconv.ParseFloat(os.Getenv(name), 64); err == nil {
		return v
	}
	return otherwise
}

func measure(t *testing.T, plan string, gates ...assertions.Gate) {
	script := fakes.Script{
		Seed: latencytest.Seed(), Session: .01, Gap: fakes.Constant(10*time.Millisecond), OutputTokens: 4,
		TTFT: fakes.Scale(fakes.Lognormal(400*time.Millisecond, .2), number("SCRATCH_SLOWER", 1)),
	}
	if os.Getenv("SCRATCH_DOWN") != "" {
		script.Faults = []fakes.Fault{{Effect: fakes.Refuse{Exception: fakes.Validation}}}
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.OpenAI(script))
		defer network.Close()
		model := "m"
		if m := os.Getenv("SCRATCH_MODEL"); m != "" {
			model = m
		}
		target := openai.Chat(model, endpoint.Options{BaseURL: "http://model.test/v1", Key: "k", Client: network.Client()})
		res := latencytest.Run(t, target, latencytest.Plan{
			Name: plan, Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: int(number("SCRATCH_REQUESTS", 60)), Load: latencytest.Closed(4),
		})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir), gates...)
	})
}

func TestLatencyChat(t *testing.T) {
	limit := time.Duration(number("SCRATCH_LIMIT", 10) * float64(time.Second))
	measure(t, "", assertions.NoRegression(latencytest.TTFT, latencytest.P90), assertions.Below(latencytest.TTFT, latencytest.P90, limit))
}

func TestLatencyTools(t *testing.T) { measure(t, "", assertions.NoRegression(latencytest.TTFT, latencytest.P90)) }
`

// plainTests measure nothing.
const plainTests = `package plain

import (
	"os"
	"testing"
)

func TestSkipped(t *testing.T)    { t.Skip("there is no key") }
func TestSkippedToo(t *testing.T) { t.Skip("::error::there is no key") }
func TestPassed(t *testing.T)     {}
func TestFailed(t *testing.T)     { t.Fatal("broken ::set-output name=x::y") }
func TestEndsAll(t *testing.T)    { os.Exit(3) }
func TestZzz(t *testing.T)        {}
`

func newScratch(t *testing.T) *scratch {
	t.Helper()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds a module, clones repositories and starts many processes, with signals")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	s := &scratch{dir: filepath.Join(t.TempDir(), "app")}
	s.binary = filepath.Join(t.TempDir(), "chat.test")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	module := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(mod), "module example.com/app") +
		"\nrequire github.com/latgate/latgate v0.0.0\nreplace github.com/latgate/latgate => " + root + "\n"
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	for name, content := range map[string]string{
		"go.mod": module, "go.sum": string(sum), "chat/latency_test.go": scratchTests, "plain/plain_test.go": plainTests,
		"broken/broken_test.go": "package broken\n\nfunc TestLatency(\n", ".gitignore": ".latgate/\n",
	} {
		s.write(t, name, content)
	}
	s.tool(t, nil, "go", "test", "-c", "-o", s.binary, "./chat")
	for _, seed := range []string{"101", "102", "103"} {
		s.chat(t, "", "LATGATE_UPDATE=1", "LATGATE_REASON=day "+seed, "LATGATE_SEED="+seed)
	}
	s.git(t, "init", "-q", "-b", "main")
	s.base = s.commit(t, "base")
	return s
}

// environment is that of a user without CI, of whom nothing is known.
func (s *scratch) environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "CI" || name == "GIT_DIR" || strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "GITLAB_") || strings.HasPrefix(name, "CI_") ||
			strings.HasPrefix(name, "LATGATE_") || strings.HasSuffix(name, "_API_KEY") || strings.HasPrefix(name, "AWS_")
	})
	return append(append(env, "GOFLAGS=-mod=mod -buildvcs=false -trimpath -ldflags=-w", "GOPROXY=off", "GOWORK=off",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com"), more...)
}

func (s *scratch) tool(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = s.dir, s.environment(env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q: %s", name, args, out)
	return strings.TrimSpace(string(out))
}

func (s *scratch) git(t *testing.T, args ...string) string {
	t.Helper()
	return s.tool(t, nil, "git", args...)
}

func (s *scratch) commit(t *testing.T, message string) string {
	t.Helper()
	s.git(t, "add", "-A")
	s.git(t, "commit", "-q", "--allow-empty", "-m", message)
	return s.git(t, "rev-parse", "HEAD")
}

func (s *scratch) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// clone returns a repository of its own, to do something to.
func (s *scratch) clone(t *testing.T, more ...string) *scratch {
	t.Helper()
	c := *s
	c.dir = filepath.Join(t.TempDir(), "app")
	s.git(t, slices.Concat([]string{"clone", "-q"}, more, []string{"file://" + s.dir, c.dir})...)
	return &c
}

// chat runs the tests of the package chat as they were built, without go test. What
// they leave goes to out.
func (s *scratch) chat(t *testing.T, out string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.binary, "-test.run=Latency", "-test.count=1")
	cmd.Dir = filepath.Join(s.dir, "chat")
	cmd.Env = s.environment(append(env, "LATGATE_OUT="+out)...)
	log, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); !failed { // a gate may be red
		require.NoError(t, err, "%s", log)
	}
}

// results measures, and returns a directory as latgate run leaves it.
func (s *scratch) results(t *testing.T, env ...string) string {
	t.Helper()
	out := t.TempDir()
	s.chat(t, out, append(env, "CI=true")...)
	tests := []gate.Ran{
		{Package: "example.com/app/chat", Dir: "chat", Test: "TestLatencyChat", Outcome: gate.Passed},
		{Package: "example.com/app/chat", Dir: "chat", Test: "TestLatencyTools", Outcome: gate.Passed},
	}
	now := time.Now().UTC().Truncate(time.Second)
	m := gate.Manifest{
		Tool: toolVersion(), Run: "1", Attempt: 1, Shards: 1, Mode: report.Stored, Base: s.base, Head: s.git(t, "rev-parse", "HEAD"),
		Started: now, Ended: now, Arguments: []string{"./..."}, Packages: []gate.Ran{{Package: "example.com/app/chat", Dir: "chat", Outcome: gate.Passed}}, Tests: tests,
	}
	require.NoError(t, m.Write(out))
	return out
}

// change edits the manifest of a directory.
func change(t *testing.T, dir string, edit func(*gate.Manifest)) {
	t.Helper()
	m, err := gate.ReadManifest(dir)
	require.NoError(t, err)
	edit(m)
	require.NoError(t, m.Write(dir))
}

// What a process has said.
type said struct {
	code     int
	out, err string
}

// latgate runs the command as a process, in the repository.
func (s *scratch) latgate(t *testing.T, env []string, args ...string) said {
	t.Helper()
	cmd := s.command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ended := err.(*exec.ExitError); !ended {
		require.NoError(t, err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func (s *scratch) command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir, cmd.Env = s.dir, s.environment(append(env, asCommand+"=1")...)
	return cmd
}

// judge runs latgate gate, and returns its exit code, its output and what it has
// written.
func (s *scratch) judge(t *testing.T, dir string, args ...string) (said, *report.Build) {
	t.Helper()
	got := s.latgate(t, nil, append([]string{"gate", "--dir", dir}, args...)...)
	return got, readVerdict(t, dir)
}

// readVerdict is nil where there is none.
func readVerdict(t *testing.T, dir string) *report.Build {
	t.Helper()
	build, err := report.Read(filepath.Join(dir, "verdict.json"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return build
}

// reasons are the texts of the rows, with their verdicts and tests.
func reasons(b *report.Build) string {
	var lines []string
	for _, r := range b.Rows {
		lines = append(lines, string(r.Verdict)+" "+r.Test+": "+r.Text+"\n"+r.Reason)
	}
	return strings.Join(lines, "\n")
}

// A lockedBuffer is written by a process while it is read.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}
