package reporttest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/github"
	"github.com/latgate/latgate/report/gitlab"
	"github.com/latgate/latgate/report/junit"
	"github.com/latgate/latgate/report/markdown"
	"github.com/latgate/latgate/report/reporttest"
	"github.com/latgate/latgate/report/text"
)

// The renderers, how long what each writes may be, and what is to hold of it.
var renderers = []struct {
	name  string
	write func(io.Writer, *report.Build) error
	most  int
	check func(t *testing.T, out string)
}{
	{"comment", comment, markdown.MaxComment, isInertMarkdown},
	{"summary", summary, markdown.MaxSummary, isInertMarkdown},
	{"junit", junit.Write, 4 << 20, isXML},
	{"metrics", gitlab.Metrics, 1 << 20, isOpenMetrics},
	{"codequality", gitlab.CodeQuality, 1 << 20, isCodeQuality},
	{"annotations", github.Annotations, 64 << 10, isAnnotations},
	{"text", text.Write, 4 << 20, isText},
}

func comment(w io.Writer, b *report.Build) error {
	return markdown.Comment(w, b, markdown.Options{Run: "https://ci.example/1"})
}

func summary(w io.Writer, b *report.Build) error {
	return markdown.Summary(w, b, markdown.Options{})
}

// TestAttacksAreInert prints builds whose every text is an attack.
func TestAttacksAreInert(t *testing.T) {
	t.Parallel()
	for name, attack := range reporttest.Attacks {
		for _, r := range renderers {
			t.Run(name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				checkOutput(t, reporttest.Hostile(attack), r.write, r.most, r.check)
			})
		}
	}
}

// TestManyRows prints builds of more rows than fit.
func TestManyRows(t *testing.T) {
	t.Parallel()
	for _, r := range renderers {
		if r.name != "comment" && r.name != "summary" && r.name != "annotations" {
			continue // the others may be as long as they like
		}
		for name, b := range map[string]*report.Build{
			"ordinary": reporttest.Build(), "hostile": reporttest.Hostile(strings.Repeat("EVIL|`", 200)),
		} {
			t.Run(r.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				for range 6 {
					b.Rows = append(b.Rows, b.Rows...)
				}
				checkOutput(t, b, r.write, r.most, r.check)
			})
		}
	}
}

func checkOutput(t *testing.T, b *report.Build, write func(io.Writer, *report.Build) error, most int, check func(*testing.T, string)) {
	t.Helper()
	var buffer bytes.Buffer
	require.NoError(t, write(&buffer, b))
	out := buffer.String()
	assert.Less(t, len(out), most)
	assert.True(t, utf8.ValidString(out))
	for i, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)) {
			t.Fatalf("%U at %d", r, i)
		}
	}
	for _, command := range []string{"##[", "##vso", "::set-output", "::add-mask", "::stop-commands"} {
		assert.NotContains(t, out, command)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			assert.Regexp(t, `^::(error|warning) [^:]*::[^\n]*\n$`, line)
		}
	}
	check(t, out)
}

var codeSpan = regexp.MustCompile("`[^`\n]+`")

// isInertMarkdown checks that no text of the build is outside of code, and that code
// ends where it is meant to.
func isInertMarkdown(t *testing.T, out string) {
	t.Helper()
	var outside strings.Builder
	fenced := false
	for line := range strings.Lines(out) {
		switch trimmed := strings.TrimSpace(line); {
		case !fenced && trimmed == "```text":
			fenced = true
		case fenced && trimmed == "```":
			fenced = false
		case fenced:
			if strings.Contains(line, "`") {
				t.Errorf("code ends in %.200q", line)
			}
		default:
			plain := codeSpan.ReplaceAllString(line, "")
			if strings.HasPrefix(trimmed, "|") && (strings.Count(line, "|") != 8 || strings.Contains(plain, `\`)) {
				t.Errorf("another number of cells: %.2000q", line)
			}
			outside.WriteString(plain)
		}
	}
	assert.False(t, fenced, "a code block does not end")
	rest := outside.String()
	assert.NotContains(t, rest, reporttest.Canary)
	assert.NotContains(t, rest, "`")
	assert.NotContains(t, rest, "@")
	assert.NotRegexp(t, `<[^/ds!]|!\[`, rest)
	assert.LessOrEqual(t, strings.Count(rest, "<!--"), 1)
	assert.Equal(t, strings.Count(rest, "<details>"), strings.Count(rest, "</details>"))
}

func isXML(t *testing.T, out string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(out))
	cases := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, is := token.(xml.StartElement); is {
			assert.Contains(t, " testsuites testsuite properties property testcase failure error skipped system-out ", " "+start.Name.Local+" ")
			if start.Name.Local == "testcase" {
				cases++
			}
		}
	}
	assert.GreaterOrEqual(t, cases, 12)
}

var series = regexp.MustCompile(`^latgate_[a-zA-Z0-9_]+\{([a-z]+="([^"\\]|\\["\\n])*",?)*\} [0-9.e+-]+$`)

func isOpenMetrics(t *testing.T, out string) {
	t.Helper()
	require.True(t, strings.HasSuffix(out, "# EOF\n"))
	seen := make(map[string]bool)
	for line := range strings.Lines(strings.TrimSuffix(out, "# EOF\n")) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "# TYPE latgate_") {
			assert.Regexp(t, series, line)
		}
		assert.False(t, seen[line], line)
		seen[line] = true
	}
}

func isCodeQuality(t *testing.T, out string) {
	t.Helper()
	var findings []struct {
		Fingerprint string
		Severity    string
		Location    struct{ Path string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &findings))
	assert.NotEmpty(t, findings)
	seen := make(map[string]bool)
	for _, f := range findings {
		assert.Regexp(t, `^[0-9a-f]{64}$`, f.Fingerprint)
		assert.Contains(t, []string{"info", "minor", "major", "critical"}, f.Severity)
		assert.NotContains(t, "/"+f.Location.Path+"/", "/../")
		assert.False(t, seen[f.Fingerprint], "a fingerprint is there once")
		seen[f.Fingerprint] = true
	}
	assert.NotContains(t, out, "<")
}

func isAnnotations(t *testing.T, out string) {
	t.Helper()
	assert.NotEmpty(t, out)
	for line := range strings.Lines(out) {
		assert.Regexp(t, `^::(error|warning) `, line)
	}
	assert.LessOrEqual(t, strings.Count(out, "::error "), 10)
	assert.LessOrEqual(t, strings.Count(out, "::warning "), 10)
}

var textLine = regexp.MustCompile(`^(│ |verdict|pass|improved|accepted|inconclusive|regression|budget|infrastructure|incomparable|missing|cassette-miss|tampered|unknown|replay|allowed to pass: |\n)`)

func isText(t *testing.T, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if !textLine.MatchString(line) {
			t.Errorf("a text begins a line: %.200q", line)
		}
	}
}
