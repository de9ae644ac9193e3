package gate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// committed is a repository with a commit of these files, and its hash.
func committed(t *testing.T, files map[string]string) (root, commit string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	for _, line := range []string{"init -q", "add -A", "commit -q --allow-empty -m base", "rev-parse HEAD"} {
		cmd := exec.CommandContext(t.Context(), "git", strings.Fields(line)...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		commit = strings.TrimSpace(string(out))
	}
	return root, commit
}

// Doubt fails two builds that took turns, unless the base commit says otherwise, or the
// caller does.
func TestTurnsInDoubt(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		files  map[string]string
		failOn []baseline.Verdict
		code   int
	}{
		"nothing is said":     {nil, nil, report.ExitInconclusive},
		"the base warns":      {map[string]string{"latgate.yaml": "inconclusive: warn\n"}, nil, report.ExitPass},
		"the base has a list": {map[string]string{"latgate.yaml": "fail_on: [regression]\n"}, nil, report.ExitPass},
		"the caller has":      {nil, []baseline.Verdict{baseline.Regression}, report.ExitPass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, commit := committed(t, c.files)
			row := report.Row{Package: "chat", Test: "TestLatencyChat", Scenario: "all", Gate: "NoRegression(P90 ttft)", Verdict: baseline.Inconclusive}
			build, err := gate.JudgeTurns(t.Context(), gate.Turns{
				Root: root, Base: "HEAD", Started: started, Ended: started.Add(time.Minute), Reason: "by turns", Tool: "v1", FailOn: c.failOn,
				Judged: &assertions.Judgement{Rows: []report.Row{row}, Requests: 7, Failed: 1},
			})
			require.NoError(t, err)
			assert.Equal(t, &report.Build{
				Tool: "v1", Mode: report.AB, ModeReason: "by turns", Base: commit, Head: commit, Started: started, Ended: started.Add(time.Minute),
				Verdict: baseline.Inconclusive, ExitCode: c.code, Requests: 7, Failed: 1, Rows: []report.Row{row},
			}, build)
			require.NoError(t, build.Write(filepath.Join(t.TempDir(), "verdict.json")))
		})
	}
}

// A change does not choose its own judge.
func TestTurnsAreJudgedByTheBase(t *testing.T) {
	t.Parallel()
	root, _ := committed(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(root, "latgate.yaml"), []byte("fail_on: []\n"), 0o644))
	build, err := gate.JudgeTurns(t.Context(), gate.Turns{
		Root: root, Base: "HEAD", Judged: &assertions.Judgement{Rows: []report.Row{{Test: "TestLatencyChat", Gate: "failures", Verdict: baseline.Regression}}},
	})
	require.NoError(t, err)
	assert.Equal(t, report.ExitRegression, build.ExitCode)
	require.Len(t, build.Rows, 2)
	assert.Equal(t, "configuration", build.Rows[0].Gate)
}

// What kept the builds from being measured is the verdict, with no path of the machine
// and no secret.
func TestTurnsThatWereNotMeasured(t *testing.T) {
	t.Parallel()
	root, _ := committed(t, nil)
	build, err := gate.JudgeTurns(t.Context(), gate.Turns{Root: root, Base: "HEAD", Unmeasured: &gate.Unmeasured{
		Verdict: baseline.Infrastructure,
		Reason:  "the tests of the head failed\n" + filepath.Join(root, "chat", "chat_test.go") + ":7: refused, key=sk-0123456789abcdef",
	}})
	require.NoError(t, err)
	assert.Equal(t, report.ExitInfrastructure, build.ExitCode)
	require.Len(t, build.Rows, 1)
	assert.Equal(t, "the tests of the head failed", build.Rows[0].Reason)
	assert.Equal(t, "the build: infrastructure: the tests of the head failed\n"+filepath.Join("chat", "chat_test.go")+":7: refused, key=***", build.Rows[0].Text)

	_, err = gate.JudgeTurns(t.Context(), gate.Turns{Root: root, Base: "nowhere"})
	require.Error(t, err)
}
