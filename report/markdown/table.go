package markdown

import (
	"fmt"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

const tableHead = "| | test | gate | base | head | change [90 %] | limit |\n|--|--|--|--:|--:|--|--:|\n"

// tableRow is one row of a table, whose texts are cut at so many bytes.
func tableRow(r report.Row, most int) string {
	before, after := r.Values()
	n := values(r, before, after, r.Allowed())
	if r.Verdict == baseline.Accepted {
		n[2] = "accepted"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n",
		symbol(r.Verdict), code(r.Name(), most), code(r.Gate, most), n[0], n[1], change(r), n[2])
}

// change is how far the head is from the base, a regression's in bold.
func change(r report.Row) string {
	if r.Comparison == nil {
		return ""
	}
	text := r.Comparison.Change()
	if r.Verdict != baseline.Regression || text == "" {
		return text
	}
	number, interval, _ := strings.Cut(text, " [")
	if interval != "" {
		interval = " [" + interval
	}
	return "**" + number + "**" + interval
}

// symbol shows a verdict at a glance.
func symbol(v baseline.Verdict) string {
	switch v {
	case baseline.Pass:
		return "✅"
	case baseline.Improved:
		return "🟢"
	case baseline.Accepted:
		return "📝"
	case baseline.Inconclusive:
		return "❔"
	case baseline.Infrastructure:
		return "⚠️"
	case baseline.Tampered:
		return "⛔"
	}
	return "❌"
}

// why is the item of a list that tells what is behind a row, and what to do.
func why(r report.Row, most int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s %s %s: **%s**", symbol(r.Verdict), code(r.Name(), most), code(r.Gate, most), verdictWord(r.Verdict))
	for _, part := range []struct{ before, text string }{
		{". ", r.Reason},
		{". At ", location(r)},
		{". Baseline: ", r.Baseline},
		{". Accepted: ", accepted(r).Reason},
		{" by ", accepted(r).By},
		{" until ", accepted(r).Until},
	} {
		if text := code(part.text, most); text != "" {
			b.WriteString(part.before + text)
		}
	}
	b.WriteString("\n")
	for _, line := range first(r.Attribution, 6) {
		if line = code(line, most); line != "" {
			b.WriteString("  - " + line + "\n")
		}
	}
	for _, line := range first(r.Warnings, 6) {
		if line = code(line, most); line != "" {
			b.WriteString("  - ⚠️ " + line + "\n")
		}
	}
	return b.String()
}

func accepted(r report.Row) report.Acceptance {
	if r.Accepted == nil {
		return report.Acceptance{}
	}
	return *r.Accepted
}

// location is where the gate's call is, "file:line".
func location(r report.Row) string {
	if r.File == "" || r.Line <= 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d", report.Line(r.File, 200), r.Line)
}

// verdictWord is a verdict in words of our own.
func verdictWord(v baseline.Verdict) string {
	switch v {
	case baseline.OverBudget:
		return "over budget"
	case baseline.Infrastructure:
		return "not your change: the endpoint or the machine"
	case baseline.CassetteMiss:
		return "not recorded"
	case baseline.Pass, baseline.Improved, baseline.Accepted, baseline.Inconclusive, baseline.Regression, baseline.Missing, baseline.Incomparable, baseline.Tampered:
		return string(v)
	}
	return "unknown"
}

func first[T any](list []T, most int) []T { return list[:min(len(list), most)] }
