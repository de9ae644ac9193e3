package latencytest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A latency test beside one that is slow: by the end of the test binary, what the
// first one wrote is no longer new. The target needs no SDK, so that it links fast.
const scratchTest = `package scratch

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

type answer struct{}

func (answer) RoundTrip(req *http.Request) (*http.Response, error) {
	body := "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	header := http.Header{"Content-Type": {"text/event-stream"}}
	return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func TestLatency(t *testing.T) {
	rec := latencytest.NewRecorder(t)
	rec.Base = answer{}
	plan := latencytest.Plan{Prompts: []providers.Prompt{{Text: "x"}}, Requests: 3, SampleFile: SAMPLEFILE}
	latencytest.RunFunc(t, rec, plan, func(ctx context.Context, p providers.Prompt) error {
		req, err := http.NewRequestWithContext(ctx, "POST", "http://fake/v1/chat/completions", nil)
		if err != nil {
			return err
		}
		resp, err := rec.Client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}

func TestSlow(*testing.T) { time.Sleep(2500 * time.Millisecond) }
`

const controlTest = `package control

import "testing"

func TestNothing(*testing.T) {}
`

// go test must not answer with the result of an earlier run: a gate that did not
// look would pass. In real time, because the go command's clock is what it is about.
func TestGoTestNeverReusesAResult(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: THAT GO TEST DOES NOT REUSE RESULTS WAS NOT CHECKED")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("no go command: THAT GO TEST DOES NOT REUSE RESULTS WAS NOT CHECKED: %v", err)
	}
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	requires, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)

	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	_, rest, found := strings.Cut(string(requires), "\n") // its first line names the module
	require.True(t, found)
	write("go.mod", "module example.com/scratch\n"+rest+
		"\nrequire github.com/latgate/latgate v0.0.0\nreplace github.com/latgate/latgate => "+root+"\n")
	write("go.sum", string(sums))
	write("usual/latency_test.go", strings.Replace(scratchTest, "SAMPLEFILE", `""`, 1))
	elsewhere := filepath.Join(t.TempDir(), "samples.jsonl")
	write("elsewhere/latency_test.go", strings.Replace(scratchTest, "SAMPLEFILE", "`"+elsewhere+"`", 1))
	write("checked/latency_test.go", checkedTest())
	write("control/control_test.go", controlTest)

	run := func() map[string]string {
		cmd := exec.CommandContext(t.Context(), "go", "test", "./...")
		cmd.Dir = dir
		cmd.Env = append(plainEnviron(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		lines := make(map[string]string)
		for line := range strings.Lines(string(out)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "ok" {
				lines[strings.TrimPrefix(fields[1], "example.com/scratch/")] = line
			}
		}
		require.Len(t, lines, 4, "%s", out)
		return lines
	}
	run()
	again := run()
	assert.Contains(t, again["control"], "(cached)", "the go command does reuse results here")
	assert.NotContains(t, again["usual"], "(cached)")
	assert.NotContains(t, again["elsewhere"], "(cached)", "though the samples are outside of the module")
	assert.FileExists(t, elsewhere)
	assert.NotContains(t, again["checked"], "(cached)", "though nothing but the check knows of the test")
}

// checkedTest measures without a test, and checks the result in one.
func checkedTest() string {
	return strings.NewReplacer(
		"SAMPLEFILE", `""`,
		"latencytest.RunFunc(t, rec,", "res, err := latencytest.MeasureFunc(t.Context(), rec,",
		"\t})\n}\n\nfunc TestSlow", "\t})\n\tassertions.Check(t, res, nil, assertions.ErrorRate(.5))\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n\nfunc TestSlow",
		"\t\"github.com/latgate/latgate/latencytest\"", "\t\"github.com/latgate/latgate/assertions\"\n\t\"github.com/latgate/latgate/latencytest\"",
	).Replace(scratchTest)
}

// plainEnviron is the environment of somebody who set nothing: what a CI job sets
// would keep results from being reused by itself.
func plainEnviron() []string {
	var plain []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "LATGATE_") || strings.HasPrefix(name, "GITHUB_") || name == "CI" || name == "GOFLAGS" {
			continue
		}
		plain = append(plain, pair)
	}
	return plain
}
