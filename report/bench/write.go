package bench

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"

	"github.com/latgate/latgate/report"
)

// Sentence is what has to be said beside such a table.
const Sentence = "The gate's own test decides, not this p: it is about medians, and takes the requests of one run for independent."

// confidence is that of the intervals, as benchstat's is by default.
const confidence = .95

// longest bounds what is printed of a name or a key.
const longest = 120

// WriteText prints the tables, each under those of its keys that differ from the table's
// before, and the [Sentence].
func (t Tables) WriteText(w io.Writer) error {
	var out bytes.Buffer
	var before []benchfmt.Config
	for i, table := range t {
		if i > 0 {
			out.WriteByte('\n')
		}
		for _, c := range table.Config {
			if !slices.ContainsFunc(before, func(b benchfmt.Config) bool { return b.Key == c.Key && bytes.Equal(b.Value, c.Value) }) {
				fmt.Fprintf(&out, "%s\n", report.Line(fmt.Sprintf("%s: %s", c.Key, c.Value), longest))
			}
		}
		before = table.Config
		if err := table.write(&out); err != nil {
			return err
		}
	}
	if len(t) == 0 {
		out.WriteString("nothing to compare\n")
	}
	fmt.Fprintf(&out, "\n%s\n", Sentence)
	_, err := w.Write(out.Bytes())
	return err
}

// WriteMarkdown prints the same for GitHub and GitLab, as text that nothing in it can
// leave.
func (t Tables) WriteMarkdown(w io.Writer) error {
	var text bytes.Buffer
	if err := t.WriteText(&text); err != nil {
		return err
	}
	fence := "```"
	for strings.Contains(text.String(), fence) {
		fence += "`"
	}
	_, err := fmt.Fprintf(w, "<details><summary>benchstat</summary>\n\n%s\n%s%s\n\n</details>\n", fence, text.String(), fence)
	return err
}

func (t Table) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintf(table, "%s\tbase\thead\tvs base\n", report.Line(t.Unit, longest))
	for _, r := range t.Rows {
		fmt.Fprintln(table, strings.TrimRight(report.Line(r.Name, longest)+"\t"+r.cells(t.Unit), "\t"))
	}
	return table.Flush()
}

// cells are both sides of a row and the difference, with tabs between.
func (r Row) cells(unit string) string {
	var base, head benchmath.Summary
	var centers []float64
	a, b := sample(r.Base), sample(r.Head)
	if a != nil {
		base = r.assume.Summary(a, confidence)
		centers = append(centers, base.Center)
	}
	if b != nil {
		head = r.assume.Summary(b, confidence)
		centers = append(centers, head.Center)
	}
	scale := benchunit.CommonScale(centers, benchunit.ClassOf(unit))
	cell := func(s *benchmath.Sample, of benchmath.Summary) string {
		if s == nil {
			return "–"
		}
		return scale.Format(of.Center) + " ± " + of.PctRangeString()
	}
	difference := ""
	if a != nil && b != nil {
		c := r.assume.Compare(a, b)
		difference = fmt.Sprintf("%s (%v)", c.FormatDelta(base.Center, head.Center), c)
	}
	return cell(a, base) + "\t" + cell(b, head) + "\t" + difference
}

// sample returns nil for no values.
func sample(values []float64) *benchmath.Sample {
	if len(values) == 0 {
		return nil
	}
	return benchmath.NewSample(values, &benchmath.DefaultThresholds)
}
