package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/latgate/latgate/baseline/calibrate"
)

// printCalibration prints the noise of each quantile, what each tolerance needs, and
// what a reader should know of both.
func (p *program) printCalibration(r *calibrate.Report, c *calibration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sessions from %s to %s\n\n", r.Sessions, r.First.UTC().Format(minute), r.Last.UTC().Format(minute))
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\tquantile\tlevel\trequests\tsd of them\tsd between sessions\tnoise floor\tsuspects\tfalse alarms")
	for i := range r.Noise {
		writeNoise(w, &r.Noise[i], c.design)
	}
	w.Flush()
	fmt.Fprintf(&b, "\nto see a slow-down in 9 of 10 builds, against %s (sessions and stored runs as long as these):\n", plural(c.design.StoredRuns, "stored run"))
	w = tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\tquantile\tslow-down\trequests\tor in 2 sessions\tor sessions\tor stored runs")
	for i := range r.Noise {
		writeNeeds(w, &r.Noise[i], c)
	}
	w.Flush()
	b.WriteByte('\n')
	for _, note := range calibrationNotes(r) {
		fmt.Fprintln(&b, note)
	}
	_, err := fmt.Fprint(p.stdout, plain(b.String()))
	return err
}

const minute = "2006-01-02 15:04"

func writeNoise(w io.Writer, n *calibrate.Noise, d calibrate.Design) {
	if n.TooFew != "" {
		fmt.Fprintf(w, "%s\t%v\ttoo few sessions\n", plain(n.Scenario), n.Question)
		return
	}
	floor, low, high := n.Floor(d)
	fmt.Fprintf(w, "%s\t%v\t%s\t%d\t%s\t%s [%s, %s]\t%s [%s, %s]\t%s\t%s\n", plain(n.Scenario), n.Question,
		n.Question.Metric.Format(n.Quantile), n.Requests, sharePercent(n.RequestSD),
		sharePercent(n.SD), sharePercent(n.Low), sharePercent(n.High), sharePercent(floor), sharePercent(low), sharePercent(high),
		rate(n.Suspects), rate(n.Alarms))
}

func writeNeeds(w io.Writer, n *calibrate.Noise, c *calibration) {
	if n.TooFew != "" {
		return
	}
	orNone := func(number int) string {
		if number == 0 {
			return "–"
		}
		return fmt.Sprint(number)
	}
	twice := c.design
	twice.Sessions = 2
	for _, tolerance := range c.tolerances {
		need := n.Needs(tolerance, c.design)
		fmt.Fprintf(w, "%s\t%v\t%s\t%s\t%s\t%s\t%s\n", plain(n.Scenario), n.Question, percent(1+tolerance),
			orNone(need.Requests), orNone(n.Needs(tolerance, twice).Requests), orNone(need.Sessions), orNone(need.StoredRuns))
	}
}

// sharePercent prints a part of one: "3.1 %".
func sharePercent(part float64) string { return fmt.Sprintf("%.2g %%", 100*part) }

// rate prints "0/8 [0, 31 %]".
func rate(r calibrate.Rate) string {
	if r.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d/%d [%.2g, %.2g %%]", r.Count, r.Of, 100*r.Low, 100*r.High)
}

// calibrationNotes are what a reader of the tables should know.
func calibrationNotes(r *calibrate.Report) []string {
	var notes []string
	for _, n := range r.Noise {
		name := fmt.Sprintf("%s: %v", n.Scenario, n.Question)
		if n.TooFew != "" {
			notes = append(notes, name+": "+n.TooFew)
		}
		for _, err := range n.LeftOut {
			notes = append(notes, fmt.Sprintf("%s: left out: %v", name, err))
		}
	}
	if r.Builds.Of > 0 {
		notes = append(notes, fmt.Sprintf("the gate, with confirmations, called %s builds out of the sessions red although nothing had changed; the comparisons share their sessions, so the truth is less certain than the interval", rate(r.Builds)))
	} else {
		notes = append(notes, "no false alarms were counted: that takes 5 sessions, each long enough for a verdict (30 requests or more)")
	}
	if r.Sessions < enoughSessions {
		notes = append(notes, fmt.Sprintf("the sd of %d sessions is a rough number: its interval says how rough; better %d", r.Sessions, enoughSessions))
	}
	if apart := r.Last.Sub(r.First); apart < 24*time.Hour {
		notes = append(notes, fmt.Sprintf("the sessions began within %v: runs of other hours and days vary more, and the floor is higher then", apart.Round(time.Second)))
	}
	return notes
}

const enoughSessions = 8

// calibrateSchema names the shape of what --format json prints. Standard deviations are
// on the log scale (0.03 is 3 %), floors and tolerances are ratios less 1, intervals
// hold the truth in 90 %. What is not reachable, or not known, is null.
const calibrateSchema = "latgate.calibrate/1"

type calibrateDocument struct {
	Schema   string      `json:"schema"`
	Error    string      `json:"error,omitzero"`
	Sessions int         `json:"sessions"`
	First    time.Time   `json:"first"`
	Last     time.Time   `json:"last"`
	Builds   *jsonRate   `json:"red_builds"`
	Noise    []jsonNoise `json:"noise"`
	Notes    []string    `json:"notes"`
}

type jsonRate struct {
	Count int     `json:"count"`
	Of    int     `json:"of"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

type jsonNoise struct {
	Scenario     string        `json:"scenario"`
	Metric       string        `json:"metric"`
	Unit         string        `json:"unit"`
	HigherBetter bool          `json:"higher_is_better"`
	Quantile     float64       `json:"quantile"` // towards the bad end
	TooFew       string        `json:"too_few,omitzero"`
	LeftOut      []string      `json:"left_out,omitempty"`
	Level        float64       `json:"level,omitzero"`
	Requests     int           `json:"requests,omitzero"` // of the shortest session
	RequestSD    *float64      `json:"request_sd"`
	SD           *estimate     `json:"session_sd"`
	Floor        *estimate     `json:"noise_floor"`
	Suspects     *jsonRate     `json:"suspects"`
	Alarms       *jsonRate     `json:"false_alarms"`
	Sessions     []jsonSession `json:"sessions"`
	Needs        []jsonNeed    `json:"needs"`
}

type estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

type jsonSession struct {
	Time     time.Time `json:"time"`
	Requests int       `json:"requests"`
	Quantile float64   `json:"quantile"`
	Type7    float64   `json:"type7"`
}

type jsonNeed struct {
	Tolerance  float64 `json:"tolerance"`
	Requests   *int    `json:"requests"`
	Confirmed  *int    `json:"requests_in_2_sessions"`
	Sessions   *int    `json:"sessions"`
	StoredRuns *int    `json:"stored_runs"`
}

func rateOf(r calibrate.Rate) *jsonRate {
	if r.Of == 0 {
		return nil
	}
	return &jsonRate{r.Count, r.Of, r.Low, r.High}
}

// reachable returns nil for what is not.
func reachable(number int) *int {
	if number == 0 {
		return nil
	}
	return &number
}

func (p *program) printCalibrationJSON(r *calibrate.Report, c *calibration, outcome error) error {
	d := calibrateDocument{
		Schema: calibrateSchema, Sessions: r.Sessions, First: r.First.UTC(), Last: r.Last.UTC(), Builds: rateOf(r.Builds),
	}
	if outcome != nil {
		d.Error = plain(outcome.Error())
	}
	for i := range r.Noise {
		d.Noise = append(d.Noise, noiseOf(&r.Noise[i], c))
	}
	for _, note := range calibrationNotes(r) {
		d.Notes = append(d.Notes, plain(note))
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

func noiseOf(n *calibrate.Noise, c *calibration) jsonNoise {
	m := n.Question.Metric
	out := jsonNoise{
		Scenario: plain(n.Scenario), Metric: m.Name(), Unit: m.Unit()[len(m.Name())+1:], HigherBetter: m.HigherIsBetter(),
		Quantile: float64(n.Question.Quantile), TooFew: n.TooFew, Sessions: []jsonSession{}, Needs: []jsonNeed{},
	}
	for _, err := range n.LeftOut {
		out.LeftOut = append(out.LeftOut, plain(err.Error()))
	}
	if n.TooFew != "" {
		return out
	}
	floor, low, high := n.Floor(c.design)
	out.Level, out.Requests, out.RequestSD = n.Quantile, n.Requests, &n.RequestSD
	out.SD, out.Floor = &estimate{n.SD, n.Low, n.High}, &estimate{floor, low, high}
	out.Suspects, out.Alarms = rateOf(n.Suspects), rateOf(n.Alarms)
	for _, s := range n.Sessions {
		out.Sessions = append(out.Sessions, jsonSession{s.Time.UTC(), s.Requests, s.Quantile, s.Type7})
	}
	twice := c.design
	twice.Sessions = 2
	for _, tolerance := range c.tolerances {
		need := n.Needs(tolerance, c.design)
		out.Needs = append(out.Needs, jsonNeed{
			tolerance, reachable(need.Requests), reachable(n.Needs(tolerance, twice).Requests), reachable(need.Sessions), reachable(need.StoredRuns),
		})
	}
	return out
}
