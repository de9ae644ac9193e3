package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/latgate/latgate/baseline/history"
)

// printHistory prints a table for each key.
func (p *program) printHistory(found []keyHistory) error {
	var b strings.Builder
	for i, k := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s%s\n", k.name(), k.span(), k.facts())
		w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "quantile\tfinding\tfirst run\trun before\tlevel\tchange\t90 % interval\tp\truns")
		for _, r := range k.reports {
			writeFindings(w, r)
		}
		w.Flush()
		for _, note := range k.notes() {
			fmt.Fprintln(&b, note)
		}
	}
	_, err := fmt.Fprint(p.stdout, plain(b.String()))
	return err
}

// span is "40 runs from 2026-10-01 to 2026-11-09".
func (k keyHistory) span() string {
	var first, last time.Time
	for _, run := range k.runs {
		at := run.Header.Time.UTC()
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	runs := plural(len(k.runs), "run")
	if len(k.runs) == 0 {
		return runs
	}
	return fmt.Sprintf("%s from %s to %s", runs, first.Format(time.DateOnly), last.Format(time.DateOnly))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// facts tells keys of one test and scenario apart.
func (k keyHistory) facts() string {
	text := ""
	for _, name := range []string{"model", "region", "environment"} {
		if value := k.key.Get(name); value != "" {
			text += ", " + name + " " + value
		}
	}
	return text
}

// writeFindings writes a row for each finding, and one where there is none.
func writeFindings(w io.Writer, r *history.Report) {
	m := r.Series.Question.Metric
	level := func(from, to float64) string { return m.Format(from) + " → " + m.Format(to) }
	row := func(finding string, cells ...string) {
		fmt.Fprintf(w, "%v\t%s\t%s\n", r.Series.Question, finding, strings.Join(cells, "\t"))
	}
	verdict := func(finding string, worse bool) string {
		if worse {
			return finding + ", worse"
		}
		return finding + ", better"
	}
	for _, s := range r.Steps {
		row(verdict("step", s.Worse), s.First.String(), s.Last.String(), level(s.Before, s.After), percent(s.Ratio),
			interval(s.Low, s.High), chance(s.P), fmt.Sprintf("%d + %d", s.RunsBefore, s.RunsAfter))
	}
	if p := r.Pending; p != nil {
		row(verdict("pending", p.Worse), p.First.String(), p.Last.String(), "", percent(p.Ratio), "", "", fmt.Sprint(p.Runs))
	}
	for _, o := range r.Outliers {
		row("outlier", o.Run.String(), "", "", percent(o.Ratio), "", "", "1")
	}
	switch d := r.Drift; {
	case d != nil && d.Creep:
		row(verdict("creep", d.Worse), d.Since.UTC().Format(time.DateOnly), "", level(d.From, d.To), percent(d.Ratio), interval(d.Low, d.High), chance(d.P), fmt.Sprint(d.Runs))
	case r.TooFew != "":
		row("too few runs")
	case len(r.Steps) == 0 && r.Pending == nil:
		row("none")
	}
}

// notes are what does not fit into a table.
func (k keyHistory) notes() []string {
	var notes []string
	for _, r := range k.reports {
		q := r.Series.Question
		if r.TooFew != "" {
			notes = append(notes, fmt.Sprintf("%v: %s", q, r.TooFew))
		}
		if d := r.Drift; d != nil && d.Anchored {
			notes = append(notes, fmt.Sprintf("%v since the pinned run of %s: %s; without the steps beyond the tolerance %s, %s",
				q, d.Since.UTC().Format(time.DateOnly), percent(d.Total), percent(d.Ratio), interval(d.Low, d.High)))
		}
		if n := len(r.Series.LeftOut); n > 0 {
			notes = append(notes, fmt.Sprintf("%v: left out %s; %v", q, plural(n, "run"), r.Series.LeftOut[0]))
		}
	}
	return notes
}

// percent prints a ratio as a change: "+23 %".
func percent(ratio float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%+.1f", 100*(ratio-1)), ".0") + " %"
}

// interval prints the bounds of a ratio: "+20 % to +26 %".
func interval(low, high float64) string { return percent(low) + " to " + percent(high) }

// chance prints a p-value.
func chance(p float64) string {
	if p < .0001 {
		return "<.0001"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.4f", p), "0")
}

// historySchema names the shape of what --format json prints. Levels are in the unit
// of the metric; ratios are of a level to the one before.
const historySchema = "latgate.history/1"

type historyDocument struct {
	Schema string       `json:"schema"`
	Series []jsonSeries `json:"series"`
}

type jsonSeries struct {
	Key          string            `json:"key"` // the hash of the identity
	Identity     map[string]string `json:"identity"`
	Metric       string            `json:"metric"`
	Unit         string            `json:"unit"`
	HigherBetter bool              `json:"higher_is_better"`
	Quantile     float64           `json:"quantile"` // towards the bad end
	Runs         int               `json:"runs"`
	LeftOut      []string          `json:"left_out,omitempty"`
	TooFew       string            `json:"too_few,omitzero"` // why nothing was looked for
	SD           *float64          `json:"run_sd"`           // of a run around its level, on the log scale
	Steps        []jsonStep        `json:"steps"`
	Pending      *jsonPending      `json:"pending,omitzero"`
	Outliers     []jsonOutlier     `json:"outliers"`
	Drift        *jsonDrift        `json:"drift"`
}

type jsonPoint struct {
	Time     time.Time `json:"time"`
	Commit   string    `json:"commit,omitzero"`
	Value    float64   `json:"value"`
	Requests int       `json:"requests"`
}

type jsonStep struct {
	Last       jsonPoint `json:"last_before"`
	First      jsonPoint `json:"first"`
	RunsBefore int       `json:"runs_before"`
	RunsAfter  int       `json:"runs_after"`
	Before     float64   `json:"before"`
	After      float64   `json:"after"`
	Ratio      float64   `json:"ratio"`
	Low        float64   `json:"low"` // of the 90 % interval
	High       float64   `json:"high"`
	P          float64   `json:"p"`
	Worse      bool      `json:"worse"`
}

type jsonPending struct {
	Last  jsonPoint `json:"last_before"`
	First jsonPoint `json:"first"`
	Runs  int       `json:"runs"`
	Ratio float64   `json:"ratio"`
	Worse bool      `json:"worse"`
}

type jsonOutlier struct {
	Run   jsonPoint `json:"run"`
	Ratio float64   `json:"ratio"`
}

type jsonDrift struct {
	Anchored bool      `json:"anchored"`
	Since    time.Time `json:"since"`
	Runs     int       `json:"runs"`
	From     float64   `json:"from"`
	To       float64   `json:"to"`
	Total    float64   `json:"total"` // ratio
	Ratio    float64   `json:"ratio"` // without the steps beyond the tolerance
	Low      float64   `json:"low"`
	High     float64   `json:"high"`
	P        float64   `json:"p"`
	Slope    float64   `json:"slope_30_days"`
	TrendP   float64   `json:"trend_p"`
	Worse    bool      `json:"worse"`
	Creep    bool      `json:"creep"`
}

func pointOf(p history.Point) jsonPoint {
	return jsonPoint{Time: p.Time.UTC(), Commit: plain(p.Commit), Value: math.Exp(p.Value), Requests: p.Requests}
}

func (p *program) printHistoryJSON(found []keyHistory) error {
	d := historyDocument{Schema: historySchema}
	for _, k := range found {
		identity := make(map[string]string)
		for _, fact := range k.key.Facts() {
			identity[plain(fact.Name)] = plain(fact.Value)
		}
		for _, r := range k.reports {
			s := seriesOf(r)
			s.Key, s.Identity = k.key.Hash(), identity
			d.Series = append(d.Series, s)
		}
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

func seriesOf(r *history.Report) jsonSeries {
	q := r.Series.Question
	out := jsonSeries{
		Metric: q.Metric.Name(), Unit: q.Metric.Unit()[len(q.Metric.Name())+1:], HigherBetter: q.Metric.HigherIsBetter(),
		Quantile: float64(q.Quantile), Runs: len(r.Series.Points), TooFew: r.TooFew, Steps: []jsonStep{}, Outliers: []jsonOutlier{},
	}
	for _, err := range r.Series.LeftOut {
		out.LeftOut = append(out.LeftOut, plain(err.Error()))
	}
	if r.TooFew == "" {
		out.SD = &r.SD
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, jsonStep{
			pointOf(s.Last), pointOf(s.First), s.RunsBefore, s.RunsAfter, s.Before, s.After, s.Ratio, s.Low, s.High, s.P, s.Worse,
		})
	}
	if p := r.Pending; p != nil {
		out.Pending = &jsonPending{pointOf(p.Last), pointOf(p.First), p.Runs, p.Ratio, p.Worse}
	}
	for _, o := range r.Outliers {
		out.Outliers = append(out.Outliers, jsonOutlier{pointOf(o.Run), o.Ratio})
	}
	if d := r.Drift; d != nil {
		out.Drift = &jsonDrift{
			d.Anchored, d.Since.UTC(), d.Runs, d.From, d.To, d.Total, d.Ratio, d.Low, d.High, d.P, d.Slope, d.TrendP, d.Worse, d.Creep,
		}
	}
	return out
}
