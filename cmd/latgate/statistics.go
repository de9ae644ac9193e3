package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// percentiles are the columns of the table of percentiles.
var percentiles = []struct {
	name string
	p    float64
}{{"min", 0}, {"p50", .5}, {"p90", .9}, {"p95", .95}, {"p99", .99}, {"p99.9", .999}, {"max", 1}}

// metricsOf lists the metrics that say something about the scenario: those of an open
// load only where there was one.
func metricsOf(s *latencytest.Scenario) []latencytest.Metric {
	open := s.Summary(latencytest.ScheduleLag).N > 0
	var metrics []latencytest.Metric
	for _, m := range latencytest.Metrics {
		if open || m != latencytest.TTFTSched && m != latencytest.E2ESched {
			metrics = append(metrics, m)
		}
	}
	return metrics
}

// percentileTable renders a row for each metric of the scenario.
func percentileTable(s *latencytest.Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", providers.Scrub(s.Name))
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "metric\tn\tmin\tmean\tstd\t")
	for _, q := range percentiles[1:] {
		fmt.Fprintf(w, "%s\t", strings.Replace(q.name, "p", "P", 1))
	}
	fmt.Fprintln(w)
	for _, m := range metricsOf(s) {
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
		for _, q := range percentiles[1:] {
			cell(u.Percentile(q.p))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}
