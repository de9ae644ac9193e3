package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/reporttest"
)

func TestReport(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "a", "b")
	summary := write(t, "summary.md", "of another step\n")
	h := newHarness(map[string]string{"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/app", "GITHUB_RUN_ID": "1"})
	code := h.call(t, "report --verdict "+verdictFile(t, reporttest.Build())+" --formats json,md,junit,gitlab,github,text --out "+out+" --summary "+summary+" --annotate github")
	require.Equal(t, exitOK, code, h.err.String())

	files, err := os.ReadDir(out)
	require.NoError(t, err)
	var names []string
	contents := make(map[string]string)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(out, file.Name()))
		require.NoError(t, err)
		names = append(names, file.Name())
		contents[file.Name()] = string(data)
	}
	assert.Equal(t, []string{"annotations.txt", "codequality.json", "junit.xml", "metrics.txt", "report.md", "report.txt", "verdict.json"}, names)
	assert.Contains(t, contents["report.md"], "[run](https://github.com/acme/app/actions/runs/1)")
	assert.True(t, strings.HasSuffix(contents["metrics.txt"], "# EOF\n"))
	assert.Equal(t, contents["report.txt"]+contents["annotations.txt"], h.out.String(), "what is printed")
	build, err := report.Read(filepath.Join(out, "verdict.json"))
	require.NoError(t, err)
	assert.Equal(t, reporttest.Build(), build)

	added, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.Equal(t, "of another step\n"+contents["report.md"], string(added))
}

func TestReportOfNoFormats(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "report --verdict "+verdictFile(t, reporttest.Build())), h.err.String())
	assert.True(t, strings.HasPrefix(h.out.String(), "verdict "))
	assert.NotContains(t, h.out.String(), "::error")
}

func TestReportUsage(t *testing.T) {
	t.Parallel()
	verdict := verdictFile(t, reporttest.Build())
	for _, c := range []struct{ line, want string }{
		{"report", `required flag(s) "verdict" not set`},
		{"report --verdict none.json", "open none.json: no such file or directory"},
		{"report --verdict " + write(t, "verdict.json", "{}"), `schema "", this version of latgate reads "latgate.verdict/1"`},
		{"report --verdict " + verdict + " --formats xml --out x", `--formats: want json or md or junit or gitlab or github or text, got "xml"`},
		{"report --verdict " + verdict + " --formats md", "--formats: say where to write them, with --out"},
		{"report --verdict " + verdict + " --annotate gitlab", `--annotate: want github, got "gitlab"`},
		{"report --verdict " + verdict + " extra", `unknown command "extra" for "latgate report"`},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Contains(t, h.err.String(), c.want)
		assert.Empty(t, h.out.String())
	}
}

func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	verdict := verdictFile(t, reporttest.Build())
	for _, flags := range []string{"--formats md --out /dev/null/x", "--summary /dev/null/x"} {
		h := newHarness(nil)
		assert.Equal(t, exitInternal, h.call(t, "report --verdict "+verdict+" "+flags))
		assert.Contains(t, h.err.String(), "not a directory")
	}
}

func TestRunAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "1"}, ""},
		{map[string]string{"CI_JOB_URL": "https://gitlab.example/1"}, "https://gitlab.example/1"},
		{map[string]string{"BUILDKITE_BUILD_URL": "https://buildkite.example/1"}, "https://buildkite.example/1"},
		{map[string]string{"BUILD_URL": "https://jenkins.example/1"}, "https://jenkins.example/1"},
	} {
		assert.Equal(t, c.want, newHarness(c.env).runAddress())
	}
}
