package main

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// profileSchema names the shape of what --format json prints, which follows. What is
// not known is null or left out, never 0. Times are in nanoseconds.
const profileSchema = "latgate.profile/1"

type document struct {
	Schema     string    `json:"schema"`
	Metrics    string    `json:"metrics"` // the version of their definitions
	Error      string    `json:"error,omitzero"`
	Saturation *int      `json:"saturation_clients,omitzero"` // of a sweep that found it
	Runs       []jsonRun `json:"runs"`                        // one, or one for each step of a sweep
}

type jsonRun struct {
	Started     time.Time              `json:"started"`
	Environment string                 `json:"environment"`
	Provenance  latencytest.Provenance `json:"provenance"`
	Requests    int                    `json:"requests"` // planned, of each scenario; 0: without limit
	Warmup      int                    `json:"warmup"`
	Load        string                 `json:"load"` // such as "closed(4)"
	Seed        uint64                 `json:"seed"`
	Ended       string                 `json:"ended,omitzero"`   // what ended it before its requests were made
	Samples     string                 `json:"samples,omitzero"` // the sample file
	Scenarios   []jsonScenario         `json:"scenarios"`
}

type jsonScenario struct {
	Name      string                    `json:"name"`
	Identity  map[string]string         `json:"identity"` // provider, model, region, ...
	Attempts  int                       `json:"attempts"`
	Ends      map[providers.Class]int   `json:"ends"` // how many attempts ended in each class; "ok" is always there
	Completed *float64                  `json:"requests_completed_per_minute"`
	Sent      *float64                  `json:"requests_sent_per_minute"`
	Tokens    *float64                  `json:"output_tokens_per_second"`
	Cost      *cost                     `json:"cost,omitzero"`
	HitRate   *float64                  `json:"prompt_cache_hit_rate"` // of 1
	Invalid   string                    `json:"invalid,omitzero"`      // why the numbers are not those of the endpoint
	Values    map[string]map[string]any `json:"metrics"`               // by name: unit, higher_is_better, hdr (exact to 3 digits only), n, min, mean, std, p50 to p99.9, max
}

type cost struct {
	Dollars float64 `json:"dollars"`
	Unknown int     `json:"unknown"` // replies whose cost is not known
}

// print prints results, and then where their samples are.
func (p *program) print(o outputFlags, results []*latencytest.Result, sweep *latencytest.SweepResult, files []string, outcome error) error {
	if o.format == "json" {
		return p.printJSON(results, sweep, files, outcome)
	}
	var text string
	switch {
	case sweep != nil:
		text = sweep.String()
	default:
		text = results[0].String() + "\n"
	}
	if o.percentiles {
		for _, res := range results {
			for _, s := range res.Scenarios {
				text += fmt.Sprintf("\n%v, %s\n", res.Plan.Load, percentileTable(s))
			}
		}
	}
	if m, ok := latencytest.MetricNamed(o.heatMap); ok {
		for _, res := range results {
			for _, s := range res.Scenarios {
				text += fmt.Sprintf("\n%s: %v\n", s.Name, s.HeatMap(m, latencytest.P90))
			}
		}
	}
	for _, file := range files {
		text += fmt.Sprintf("samples: %s\n", file)
	}
	_, err := fmt.Fprint(p.stdout, plain(text))
	return err
}

func (p *program) printJSON(results []*latencytest.Result, sweep *latencytest.SweepResult, files []string, outcome error) error {
	d := document{Schema: profileSchema, Metrics: latencytest.MetricsVersion}
	if outcome != nil {
		d.Error = plain(outcome.Error())
	}
	if sweep != nil {
		if clients, reached := sweep.Saturation(); reached {
			d.Saturation = &clients
		}
	}
	for i, res := range results {
		r := jsonRun{
			Started: res.Started.UTC(), Environment: plain(res.Plan.Environment), Provenance: res.Provenance,
			Requests: res.Plan.Requests, Warmup: res.Plan.Warmup, Load: res.Plan.Load.String(), Seed: res.Plan.Seed,
			Ended: plain(res.Ended),
		}
		if i < len(files) {
			r.Samples = files[i]
		}
		for _, s := range res.Scenarios {
			r.Scenarios = append(r.Scenarios, scenarioOf(s))
		}
		d.Runs = append(d.Runs, r)
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

func scenarioOf(s *latencytest.Scenario) jsonScenario {
	rates := s.Rates()
	out := jsonScenario{
		Name: plain(s.Name), Identity: make(map[string]string), Attempts: s.Attempts(), Ends: map[providers.Class]int{providers.OK: 0},
		Completed: known(rates.Completed), Sent: known(rates.Sent), Tokens: known(rates.Tokens), HitRate: finite(s.HitRate()),
		Invalid: plain(s.Invalid()), Values: make(map[string]map[string]any),
	}
	for _, fact := range s.Identity {
		out.Identity[plain(fact.Name)] = plain(fact.Value)
	}
	for class, n := range s.Counts() {
		out.Ends[class] = n
	}
	if dollars, unknown := s.Cost(); unknown < out.Ends[providers.OK] || dollars > 0 {
		out.Cost = &cost{dollars, unknown}
	}
	for _, m := range metricsOf(s) {
		u := s.Summary(m)
		if u.N == 0 {
			continue
		}
		values := map[string]any{
			"unit": m.Unit()[len(m.Name())+1:], "higher_is_better": m.HigherIsBetter(),
			"n": u.N, "mean": finite(u.Mean), "std": finite(u.SD), "hdr": u.HDR,
		}
		for _, q := range percentiles {
			values[q.name] = finite(u.Percentile(q.p))
		}
		out.Values[m.Name()] = values
	}
	return out
}

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
