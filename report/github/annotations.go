package github

import (
	"fmt"
	"io"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// most is how many annotations of a kind are about a row.
const most = 9

// Escapes of the commands' data, and of their properties.
var (
	data       = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	properties = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// Annotations writes an error for each row that fails and a warning for each that is
// inconclusive.
func Annotations(w io.Writer, b *report.Build) error {
	var out strings.Builder
	for _, kind := range []struct {
		command string
		is      func(baseline.Verdict) bool
	}{
		{"error", report.Fails},
		{"warning", func(v baseline.Verdict) bool { return v == baseline.Inconclusive }},
	} {
		n := 0
		for _, r := range b.Ranked() {
			if !kind.is(r.Verdict) {
				continue
			}
			if n++; n <= most {
				out.WriteString(annotation(kind.command, r))
			}
		}
		if n > most {
			fmt.Fprintf(&out, "::%s title=Latency::%d more are in the summary of the run\n", kind.command, n-most)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func annotation(command string, r report.Row) string {
	var where string
	if file := report.Line(r.File, 300); file != "" {
		where = "file=" + properties.Replace(file) + ","
		if r.Line > 0 {
			where += fmt.Sprintf("line=%d,", r.Line)
		}
	}
	title := report.Line(r.Asked(), 100)
	if r.Comparison != nil && r.Comparison.Change() != "" {
		title += " " + r.Comparison.Change()
	}
	if limit := report.Line(r.Allowed(), 40); limit != "" {
		title += " (limit " + limit + ")"
	}
	message := report.Line(r.Name(), 200) + ": " + report.Line(string(r.Verdict), 40)
	if reason := report.Line(r.Reason, 600); reason != "" {
		message += ": " + reason
	}
	if r.Verdict == baseline.Infrastructure {
		message += " (not your change)"
	}
	return fmt.Sprintf("::%s %stitle=%s::%s\n", command, where, properties.Replace(title), data.Replace(message))
}
