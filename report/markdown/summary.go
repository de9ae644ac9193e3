package markdown

import (
	"fmt"
	"io"
	"strings"

	"github.com/latgate/latgate/report"
)

// MaxSummary is how long a summary may be, in bytes. GitHub refuses one of more than
// 1 MiB, of all steps of a job that write one.
const MaxSummary = 900_000

// Summary writes the page of a run: all rows, and what is behind each that did not
// simply pass. One that would be longer than [MaxSummary] ends earlier, and says so.
func Summary(w io.Writer, b *report.Build, o Options) error {
	var s strings.Builder
	s.WriteString(head(b, o))
	if reason := code(b.ModeReason, 300); reason != "" {
		s.WriteString("\nMode: " + reason + "\n")
	}
	rows := b.Ranked()
	told, _ := split(b)
	end := next(told) + foot(b, o)
	room := MaxSummary - len(end) - 100 // for what says that it ended earlier

	s.WriteString("\n" + tableHead)
	left := add(&s, room/2, rows, func(r report.Row) string { return tableRow(r, 200) })
	if left > 0 {
		fmt.Fprintf(&s, "\n%d more rows are left out.\n", left)
	}
	s.WriteString("\n")
	left = add(&s, room, told, detail)
	if left > 0 {
		fmt.Fprintf(&s, "\nThe details of %d more are left out.\n", left)
	}
	s.WriteString(end)
	_, err := io.WriteString(w, s.String())
	return err
}

// add writes a text for each row until there is no room, and returns for how many
// there was none.
func add(s *strings.Builder, room int, rows []report.Row, text func(report.Row) string) (left int) {
	for i, r := range rows {
		next := text(r)
		if s.Len()+len(next) > room {
			return len(rows) - i
		}
		s.WriteString(next)
	}
	return 0
}

// detail is [why] with the lines that the test printed.
func detail(r report.Row) string {
	return why(r, 1000) + "\n" + block("  ", report.Lines(r.Text, 40, 1000)) + "\n"
}
