package benchmark

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// CSVColumns are the columns of [Results.CSV].
var CSVColumns = []string{
	"started", "provider", "model", "scenario", "status", "reason", "load", "requests", "ok",
	"input_tokens", "output_tokens", "cost_usd", "metric", "unit", "higher_is_better",
	"n", "min", "mean", "std", "p50", "p90", "p95", "p99", "p99.9", "max",
}

// CSV returns a row for each metric of each run, with times in milliseconds. Those of the
// table are always there, others where they have values; a run of which there is nothing
// has one row without a metric. What is not known is an empty cell, and a text that a
// spreadsheet would take for a formula begins with an apostrophe.
func (r *Results) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{CSVColumns}
	for _, o := range r.Outcomes {
		lines = append(lines, o.csv()...)
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}

func (o Outcome) csv() [][]string {
	names := func(started, scenario string) []string {
		return []string{started, cell(o.Provider), cell(o.Model), cell(scenario), string(o.Status), cell(o.Reason)}
	}
	if o.Result == nil {
		return [][]string{append(names("", o.Combination.Scenario), make([]string, len(CSVColumns)-6)...)}
	}
	var lines [][]string
	for _, s := range o.Result.Scenarios {
		name := o.Combination.Scenario
		if len(o.Result.Scenarios) > 1 {
			name += "/" + s.Name
		}
		t := totalsOf(s)
		input, output, dollars := "", "", ""
		if t.counted > 0 {
			input, output = strconv.FormatInt(t.input, 10), strconv.FormatInt(t.output, 10)
		}
		if t.priced > 0 {
			dollars = strconv.FormatFloat(t.dollars, 'f', -1, 64)
		}
		run := append(names(o.Result.Started.UTC().Format(time.RFC3339Nano), name),
			o.Result.Plan.Load.String(), strconv.Itoa(s.Attempts()), strconv.Itoa(s.Attempts()-s.Failed()), input, output, dollars)
		for _, m := range Metrics(s) {
			if values := csvValues(s, m); values != nil {
				lines = append(lines, append(append([]string{}, run...), values...))
			}
		}
	}
	return lines
}

// csvValues are the cells of a metric, nil where there is no row of it.
func csvValues(s *latencytest.Scenario, m latencytest.Metric) []string {
	u := s.Summary(m)
	always := false
	for _, row := range rows {
		always = always || row.metric == m
	}
	if u.N == 0 && !always {
		return nil
	}
	unit, scale := unitOf(m), 1.
	if m.IsTime() {
		unit, scale = "ms", float64(time.Millisecond)
	}
	cells := []string{m.Name(), unit, strconv.FormatBool(m.HigherIsBetter()), strconv.Itoa(u.N)}
	for _, v := range []float64{u.Min, u.Mean, u.SD, u.Percentile(.5), u.Percentile(.9), u.Percentile(.95), u.Percentile(.99), u.Percentile(.999), u.Max} {
		text := ""
		if known := finite(v / scale); known != nil {
			text = strconv.FormatFloat(*known, 'g', -1, 64)
		}
		cells = append(cells, text)
	}
	return cells
}

// cell makes a text harmless to a terminal and to a spreadsheet.
func cell(text string) string {
	text = providers.Inert(text)
	if strings.IndexAny(strings.TrimSpace(text), "=+-@") == 0 {
		return "'" + text
	}
	return text
}
