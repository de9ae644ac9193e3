package markdown_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/markdown"
	"github.com/latgate/latgate/report/reporttest"
)

var code = regexp.MustCompile("(?m)^ *```text\n(?:[^`]*\n)?^ *```\n|`[^`\n]+`")

// FuzzComment checks that what is outside of code does not depend on any text.
func FuzzComment(f *testing.F) {
	for _, attack := range reporttest.Attacks {
		f.Add(attack[:min(len(attack), 200)])
	}
	frame := func(t testing.TB, text string) (comment, summary string) {
		b := reporttest.Hostile(text)
		b.Mode = report.Stored
		for i := range b.Rows { // these two decide on words and rows of ours
			b.Rows[i].Again, b.Rows[i].Accept = "", ""
		}
		b.Rows = b.Rows[:len(b.Rows)-1]
		var one, all bytes.Buffer
		require.NoError(t, markdown.Comment(&one, b, markdown.Options{}))
		require.NoError(t, markdown.Summary(&all, b, markdown.Options{}))
		assert.Less(t, one.Len(), markdown.MaxComment)
		assert.Less(t, all.Len(), markdown.MaxSummary)
		return code.ReplaceAllString(one.String(), "code"), code.ReplaceAllString(all.String(), "code")
	}
	wantComment, wantSummary := frame(f, "x")
	f.Fuzz(func(t *testing.T, text string) {
		if report.Line(text, 40) == "" || strings.Trim(text, "0123456789abcdef") == "" {
			return // nothing to print, or a commit, which may be
		}
		if text == "ns" || text == "tok" || text == "tok/s" {
			return // units of ours
		}
		comment, summary := frame(t, text)
		if !strings.Contains(comment, "short form") {
			assert.Equal(t, wantComment, comment)
		}
		assert.Equal(t, wantSummary, summary)
	})
}
