package benchmark

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// missing stands for a number that there is not.
const missing = "–"

// rows are those of the table, in milliseconds where they are times.
var rows = []struct {
	name   string
	metric latencytest.Metric
}{
	{"TTFT (ms)", latencytest.TTFT},
	{"Total Duration (ms)", latencytest.StreamEnd},
	{"Tokens/sec", latencytest.OTPS},
	{"Inter-token (ms)", latencytest.ITL},
}

// String renders the results: a table for each run, and what was not measured.
func (r *Results) String() string {
	const title = "latgate - Benchmark Results"
	var b strings.Builder
	b.WriteString(title + "\n" + strings.Repeat("=", len(title)) + "\n")
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", providers.Inert(note))
	}
	for _, o := range r.Outcomes {
		b.WriteString("\n" + o.String())
	}
	return b.String()
}

// String renders the table of a run.
func (o Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Provider: %s | Model: %s | Scenario: %s\n", providers.Inert(o.Provider), orMissing(o.Model), providers.Inert(o.Combination.Scenario))
	if o.Result != nil {
		for _, s := range o.Result.Scenarios {
			o.scenario(&b, s)
		}
		if o.Result.Ended != "" {
			fmt.Fprintf(&b, "No further requests: %s\n", providers.Inert(o.Result.Ended))
		}
	}
	if o.Status != Measured {
		fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(o.Status)), providers.Inert(o.Reason))
	}
	if o.Samples != "" {
		fmt.Fprintf(&b, "Samples: %s\n", providers.Inert(o.Samples))
	}
	return b.String()
}

func orMissing(text string) string {
	if text == "" {
		return missing
	}
	return providers.Inert(text)
}

func (o Outcome) scenario(b *strings.Builder, s *latencytest.Scenario) {
	if len(o.Result.Scenarios) > 1 {
		fmt.Fprintf(b, "%s:\n", providers.Inert(s.Name))
	}
	t := totalsOf(s)
	parts := []string{
		"Duration: " + seconds(t.duration()), "Requests: " + thousands(int64(t.attempts)),
		loadOf(o.Result.Plan.Load), fmt.Sprintf("Warm-up: %d", o.Result.Plan.Warmup),
	}
	if s.Identity.Get("stream") == "false" {
		parts = append(parts, "whole replies: their first token is their last")
	}
	b.WriteString(strings.Join(parts, " | ") + "\n\n")

	table := [][]string{{"Metric", "Min", "Mean", "Median", "p95", "p99"}}
	for _, row := range rows {
		u := s.Summary(row.metric)
		cells := []string{row.name}
		for _, v := range []float64{u.Min, u.Mean, u.Percentile(.5), u.Percentile(.95), u.Percentile(.99)} {
			if row.metric.IsTime() {
				v /= float64(time.Millisecond)
			}
			cells = append(cells, decimal(v))
		}
		table = append(table, cells)
	}
	b.WriteString(box(table, 20, 8))

	b.WriteString("\nToken Usage:\n  " + t.tokens() + "\n")
	b.WriteString("\nCost Analysis:\n  " + t.costs(o.Run, s) + "\n\n")
	b.WriteString(success(s) + "\n")
	if reason := s.Invalid(); reason != "" {
		fmt.Fprintf(b, "INVALID: %s\n", providers.Inert(reason))
	}
}

// loadOf is "Concurrency: 4", or what the load is where it is no number of clients.
func loadOf(l latencytest.LoadModel) string {
	text := l.String()
	if clients, closed := strings.CutPrefix(text, "closed("); closed {
		return "Concurrency: " + strings.TrimSuffix(clients, ")")
	}
	return "Load: " + text
}

func (t totals) tokens() string {
	if t.counted == 0 {
		return "unknown: no reply says how many"
	}
	text := fmt.Sprintf("Prompt: %s tokens | Completion: %s tokens | Total: %s tokens", thousands(t.input), thousands(t.output), thousands(t.input+t.output))
	if n := t.attempts - t.counted; n > 0 {
		text += fmt.Sprintf(" | of %d requests unknown", n)
	}
	return text
}

func (t totals) costs(r *Run, s *latencytest.Scenario) string {
	switch {
	case len(r.Plan.Prices) == 0:
		return "unknown: no prices"
	case t.counted == 0:
		return "unknown: no reply says how many tokens it has"
	case t.priced == 0:
		return "unknown: the price file has no price for " + orMissing(s.Identity.Get("model"))
	}
	perToken := missing
	if t.pricedTokens > 0 {
		perToken = money(1000 * t.dollars / float64(t.pricedTokens))
	}
	text := fmt.Sprintf("Total Cost: %s | Cost/Request: %s | Cost/1K tokens: %s", money(t.dollars), money(t.dollars/float64(t.priced)), perToken)
	if n := t.attempts - t.priced; n > 0 {
		text += fmt.Sprintf(" | of %d requests unknown", n)
	}
	return text
}

// success is "Success Rate: 98.0% (98/100)".
func success(s *latencytest.Scenario) string {
	attempts := s.Attempts()
	if attempts == 0 {
		return "Success Rate: " + missing + " (0/0)"
	}
	ok := attempts - s.Failed()
	percent := 100 * float64(ok) / float64(attempts)
	if ok < attempts {
		percent = min(percent, 99.9) // 1999 of 2000 are not all
	}
	text := fmt.Sprintf("Success Rate: %.1f%% (%d/%d)", percent, ok, attempts)
	if ok < attempts {
		text += ": " + s.Ends()
	}
	return text
}

// box draws a table. Columns are as wide as their widest cell, the first one at least
// first, the others at least others.
func box(table [][]string, first, others int) string {
	widths := make([]int, len(table[0]))
	for i := range widths {
		widths[i] = others
	}
	widths[0] = first
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	rule := func(left, between, right string) {
		for i, width := range widths {
			b.WriteString(left + strings.Repeat("─", width+2))
			left = between
			if i == len(widths)-1 {
				b.WriteString(right + "\n")
			}
		}
	}
	rule("┌", "┬", "┐")
	for n, row := range table {
		for i, cell := range row {
			b.WriteString("│ " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + " ")
		}
		b.WriteString("│\n")
		if n == 0 {
			rule("├", "┼", "┤")
		}
	}
	rule("└", "┴", "┘")
	return b.String()
}

// decimal prints a number with one digit behind the point, small ones with three
// significant digits.
func decimal(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return missing
	case v != 0 && math.Abs(v) < 1:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func seconds(d time.Duration) string {
	if d == 0 {
		return missing
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
}

// money prints dollars, small amounts with two significant digits: "$1.23", "$0.020".
func money(dollars float64) string {
	digits := 2
	if dollars > 0 && dollars < 1 {
		digits = 1 + int(math.Ceil(-math.Log10(dollars)))
	}
	return "$" + strconv.FormatFloat(dollars, 'f', digits, 64)
}

// thousands prints a number with commas: "15,234".
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
