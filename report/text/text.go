package text

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// Write writes the table, the worst row first, and then what is behind each row that
// did not simply pass.
func Write(w io.Writer, b *report.Build) error {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	fmt.Fprint(table, "verdict\ttest\tgate\tmeasured\tchange [90 %]\tlimit\n")
	rows := b.Ranked()
	for _, r := range rows {
		before, after := r.Values()
		if before != "" {
			after = before + " → " + after
		}
		var change string
		if r.Comparison != nil {
			change = r.Comparison.Change()
		}
		line := word(r.Verdict) + "\t" + report.Line(r.Name(), 80) + "\t" + report.Line(r.Gate, 60) + "\t" +
			report.Line(after, 60) + "\t" + change + "\t" + report.Line(r.Allowed(), 30)
		fmt.Fprintln(table, strings.TrimRight(line, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if report.Passing(r.Verdict) {
			continue
		}
		fmt.Fprintf(&out, "\n%s: %s\n", word(r.Verdict), report.Line(r.Name(), 200))
		for _, line := range details(r) {
			out.WriteString("│ " + line + "\n")
		}
	}
	fmt.Fprintf(&out, "\n%s: %s; %d requests, %d failed\n", mode(b.Mode), b.Headline(), b.Requests, b.Failed)
	for _, line := range b.Relaxed[:min(len(b.Relaxed), 10)] {
		out.WriteString("allowed to pass: " + report.Line(line, 300) + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// details are the lines behind a row.
func details(r report.Row) []string {
	first, _, _ := strings.Cut(r.Text, "\n") // the others come below
	lines := report.Lines(first, 1, 1000)
	add := func(before, text string) {
		if text = report.Line(text, 1000); text != "" {
			lines = append(lines, before+text)
		}
	}
	if !strings.Contains(first, r.Reason) {
		add("", r.Reason)
	}
	for _, line := range r.Attribution[:min(len(r.Attribution), 10)] {
		add("", line)
	}
	for _, line := range r.Warnings[:min(len(r.Warnings), 10)] {
		add("warning:  ", line)
	}
	if a := r.Accepted; a != nil {
		add("accepted: ", a.Reason)
		add("by:       ", a.By)
		add("until:    ", a.Until)
		add("in:       ", a.Source)
	}
	if r.File != "" {
		add("at:       ", fmt.Sprintf("%.300s:%d", r.File, r.Line))
	}
	add("baseline: ", r.Baseline)
	add("samples:  ", r.Samples)
	add("again:    ", report.Command(r.Again))
	add("accept:   ", report.Command(r.Accept))
	return lines
}

// word is the verdict, if it is one.
func word(v baseline.Verdict) string {
	if report.ExitCode(v) == report.ExitInternal {
		return "unknown"
	}
	return string(v)
}

func mode(m report.Mode) string {
	switch m {
	case report.Replay:
		return "replay (the provider was not measured)"
	case report.Stored, report.AB, report.Track:
		return string(m)
	}
	return "unknown mode"
}
