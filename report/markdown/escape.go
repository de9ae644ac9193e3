package markdown

import (
	"strings"

	"github.com/latgate/latgate/report"
)

// asides are what would end a code span or a cell of a table.
var asides = strings.NewReplacer("`", "'", "|", "¦")

// code returns a text as a code span that is fit for a cell, or "".
func code(text string, most int) string {
	if text = asides.Replace(report.Line(text, most)); text == "" {
		return ""
	}
	return "`" + text + "`"
}

// block returns lines as a code block, in an item of a list if there is an indent.
func block(indent string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(indent + "```text\n")
	for _, line := range lines {
		b.WriteString(indent + strings.ReplaceAll(line, "`", "'") + "\n")
	}
	b.WriteString(indent + "```\n")
	return b.String()
}

// values returns numbers of a row that are printed with the unit of its quantity:
// plainly if it is one of ours, else as code.
func values(r report.Row, numbers ...string) []string {
	if q := r.Quantity; q != nil && q.Unit != "ns" && q.Unit != "tok/s" && q.Unit != "tok" {
		for i, n := range numbers {
			numbers[i] = code(n, 40)
		}
	}
	return numbers
}
