package benchmark

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// Schema names the shape of a [Document]. Members are only ever added to it.
const Schema = "latgate.profile/1"

// A Document is results as JSON. What is not known is null or left out, never 0. Times
// are in nanoseconds.
type Document struct {
	Schema     string      `json:"schema"`
	Metrics    string      `json:"metrics"`        // the version of their definitions
	File       string      `json:"file,omitzero"`  // the benchmark file
	Time       time.Time   `json:"time,omitzero"`  // of its execution, which {timestamp} stands for
	Notes      []string    `json:"notes,omitzero"` // what it did otherwise than a reader of it might think
	Error      string      `json:"error,omitzero"`
	Saturation *int        `json:"saturation_clients,omitzero"` // of a sweep that found it
	Runs       []RunRecord `json:"runs"`                        // one, or one for each step of a sweep or run of a file

	// Of a benchmark file.
	Unmeasured  []UnmeasuredRecord `json:"unmeasured,omitzero"` // runs of which there is nothing
	Comparisons []ComparisonRecord `json:"comparisons,omitzero"`
}

// A RunRecord is a run.
type RunRecord struct {
	*Combination                        // of a benchmark file
	Error        string                 `json:"error,omitzero"` // why it was not measured to its end
	Started      time.Time              `json:"started"`
	Environment  string                 `json:"environment"`
	Provenance   latencytest.Provenance `json:"provenance"`
	Requests     int                    `json:"requests"` // planned, of each scenario; 0: without limit
	Warmup       int                    `json:"warmup"`
	Load         string                 `json:"load"` // such as "closed(4)"
	Seed         uint64                 `json:"seed"`
	Ended        string                 `json:"ended,omitzero"`   // what ended it before its requests were made
	Samples      string                 `json:"samples,omitzero"` // the sample file
	Scenarios    []ScenarioRecord       `json:"scenarios"`
}

// A ScenarioRecord is the requests of a run that are alike: all of them, but where
// prompts have models of their own.
type ScenarioRecord struct {
	Name      string                    `json:"name"`
	Identity  map[string]string         `json:"identity"` // provider, model, region, ...
	Attempts  int                       `json:"attempts"`
	Ends      map[providers.Class]int   `json:"ends"`              // how many attempts ended in each class; "ok" is always there
	Duration  *float64                  `json:"duration,omitzero"` // from the first request to the end of the last reply
	Completed *float64                  `json:"requests_completed_per_minute"`
	Sent      *float64                  `json:"requests_sent_per_minute"`
	Tokens    *float64                  `json:"output_tokens_per_second"`
	Usage     *UsageRecord              `json:"usage,omitzero"`
	Cost      *CostRecord               `json:"cost,omitzero"`
	HitRate   *float64                  `json:"prompt_cache_hit_rate"` // of 1
	Invalid   string                    `json:"invalid,omitzero"`      // why the numbers are not those of the endpoint
	Values    map[string]map[string]any `json:"metrics"`               // by name: unit, higher_is_better, hdr (exact to 3 digits only), n, min, mean, std, p50 to p99.9, max
}

// A UsageRecord is the tokens of all attempts that the provider counted, failed ones
// included.
type UsageRecord struct {
	Input   int64 `json:"input_tokens"`
	Output  int64 `json:"output_tokens"`
	Unknown int   `json:"unknown"` // attempts whose tokens are not known
}

// A CostRecord is what the attempts cost.
type CostRecord struct {
	Dollars float64 `json:"dollars"`
	Unknown int     `json:"unknown"` // replies whose cost is not known
}

// An UnmeasuredRecord is a run of which there is nothing, and why.
type UnmeasuredRecord struct {
	Combination
	Status Status `json:"status"`
	Reason string `json:"reason"`
}

// Percentiles are the quantiles that are told of a metric, whichever direction is
// better.
var Percentiles = []struct {
	Name string
	P    float64
}{{"min", 0}, {"p50", .5}, {"p90", .9}, {"p95", .95}, {"p99", .99}, {"p99.9", .999}, {"max", 1}}

// Metrics lists the metrics that say something about a scenario: those of an open load
// only where there was one.
func Metrics(s *latencytest.Scenario) []latencytest.Metric {
	open := s.Summary(latencytest.ScheduleLag).N > 0
	var metrics []latencytest.Metric
	for _, m := range latencytest.Metrics {
		if open || m != latencytest.TTFTSched && m != latencytest.E2ESched {
			metrics = append(metrics, m)
		}
	}
	return metrics
}

// NewDocument returns a document of these runs. Samples are where the samples of each
// are, as far as there are any.
func NewDocument(runs []*latencytest.Result, samples []string) *Document {
	d := &Document{Schema: Schema, Metrics: latencytest.MetricsVersion}
	for i, res := range runs {
		r := recordOf(res)
		if i < len(samples) {
			r.Samples = samples[i]
		}
		d.Runs = append(d.Runs, r)
	}
	return d
}

// Document returns the results as they are stored.
func (r *Results) Document() *Document {
	d := NewDocument(nil, nil)
	d.File, d.Time, d.Runs = inert(r.File.Path), r.Time, []RunRecord{}
	if err := r.Err(); err != nil {
		d.Error = inert(err.Error())
	}
	for _, note := range r.Notes {
		d.Notes = append(d.Notes, inert(note))
	}
	for _, o := range r.Outcomes {
		of := Combination{inert(o.Provider), inert(o.Model), inert(o.Combination.Scenario)}
		if o.Result == nil {
			d.Unmeasured = append(d.Unmeasured, UnmeasuredRecord{of, o.Status, inert(o.Reason)})
			continue
		}
		run := recordOf(o.Result)
		run.Combination, run.Error, run.Samples = &of, inert(o.Reason), o.Samples
		d.Runs = append(d.Runs, run)
	}
	for _, c := range r.Comparisons {
		d.Comparisons = append(d.Comparisons, c.record())
	}
	return d
}

// JSON returns the document as it is printed and stored.
func (d *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return b.Bytes(), err
}

// inert is [providers.Inert] line by line.
func inert(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = providers.Inert(lines[i])
	}
	return strings.Join(lines, "\n")
}

func recordOf(res *latencytest.Result) RunRecord {
	r := RunRecord{
		Started: res.Started.UTC(), Environment: inert(res.Plan.Environment), Provenance: res.Provenance,
		Requests: res.Plan.Requests, Warmup: res.Plan.Warmup, Load: res.Plan.Load.String(), Seed: res.Plan.Seed,
		Ended: inert(res.Ended),
	}
	for _, s := range res.Scenarios {
		r.Scenarios = append(r.Scenarios, scenarioOf(s))
	}
	return r
}

func scenarioOf(s *latencytest.Scenario) ScenarioRecord {
	rates := s.Rates()
	totals := totalsOf(s)
	out := ScenarioRecord{
		Name: inert(s.Name), Identity: make(map[string]string), Attempts: s.Attempts(), Ends: map[providers.Class]int{providers.OK: 0},
		Completed: known(rates.Completed), Sent: known(rates.Sent), Tokens: known(rates.Tokens), HitRate: finite(s.HitRate()),
		Usage: totals.usage(), Duration: known(float64(totals.duration())),
		Invalid: inert(s.Invalid()), Values: make(map[string]map[string]any),
	}
	for _, fact := range s.Identity {
		out.Identity[inert(fact.Name)] = inert(fact.Value)
	}
	for class, n := range s.Counts() {
		out.Ends[class] = n
	}
	if dollars, unknown := s.Cost(); unknown < out.Ends[providers.OK] || dollars > 0 {
		out.Cost = &CostRecord{dollars, unknown}
	}
	for _, m := range Metrics(s) {
		u := s.Summary(m)
		if u.N == 0 {
			continue
		}
		values := map[string]any{
			"unit": unitOf(m), "higher_is_better": m.HigherIsBetter(),
			"n": u.N, "mean": finite(u.Mean), "std": finite(u.SD), "hdr": u.HDR,
		}
		for _, q := range Percentiles {
			values[q.Name] = finite(u.Percentile(q.P))
		}
		out.Values[m.Name()] = values
	}
	return out
}

// unitOf is what a metric's values are in: "ns", "tok/s".
func unitOf(m latencytest.Metric) string { return m.Unit()[len(m.Name())+1:] }

// finite returns nil for what is no number.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// known returns nil for a rate that has no window.
func known(rate float64) *float64 {
	if rate == 0 {
		return nil
	}
	return &rate
}
