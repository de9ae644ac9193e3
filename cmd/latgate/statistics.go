package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// percentileTable renders a row for each metric of the scenario.
func percentileTable(s *latencytest.Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", providers.Scrub(s.Name))
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "metric\tn\tmin\tmean\tstd\t")
	for _, q := range benchmark.Percentiles[1:] {
		fmt.Fprintf(w, "%s\t", strings.Replace(q.Name, "p", "P", 1))
	}
	fmt.Fprintln(w)
	for _, m := range benchmark.Metrics(s) {
		u := s.Summary(m)
		if u.N == 0 {
			continue
		}
		cell := func(v float64) {
			text := "–"
			if !math.IsNaN(v) {
				text = m.Format(v)
			}
			fmt.Fprintf(w, "%s\t", text)
		}
		fmt.Fprintf(w, "%s\t%d\t", m, u.N)
		cell(u.Min)
		cell(u.Mean)
		cell(u.SD)
		for _, q := range benchmark.Percentiles[1:] {
			cell(u.Percentile(q.P))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}
