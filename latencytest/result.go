package latencytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/latgate/latgate/providers"
)

// A Result is what a run measured.
type Result struct {
	Test       string // the test's name; empty for Measure
	Plan       Plan   // with its defaults filled in
	Started    time.Time
	Virtual    bool // measured in virtual time
	Provenance Provenance
	Ended      string // what ended the run before its requests were made; empty when nothing did

	Scenarios []*Scenario
	Samples   []Sample // every attempt, warm-up included, in request order

	again func(ctx context.Context, scenarios []string) (*Result, error) // nil when loaded
}

// Again measures scenarios once more, as the plan says and with its warm-up, in
// the process that measured the result; none means all. The samples are those of a
// session of their own, but for what a process carries over: connections, caches,
// its clock. The endpoint must still be there. A result that was read from a file
// cannot be measured again.
func (r *Result) Again(ctx context.Context, scenarios ...string) (*Result, error) {
	if r.again == nil {
		return nil, errors.New("the result was read from a file, nobody knows how it was measured")
	}
	return r.again(ctx, scenarios)
}

// Scenario returns the scenario of this name, or nil.
func (r *Result) Scenario(name string) *Scenario {
	for _, s := range r.Scenarios {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Full returns the result with its samples: r itself or, of a run in low memory,
// what its sample file holds.
func (r *Result) Full() (*Result, error) {
	if !r.Plan.LowMemory {
		return r, nil
	}
	if r.Plan.SampleFile == "" {
		return nil, errors.New("a run in low memory keeps no samples, and has no Plan.SampleFile to read them from")
	}
	full, err := Load(r.Plan.SampleFile)
	if err != nil {
		return nil, err
	}
	full.Plan.Prompts, full.Plan.SampleFile = r.Plan.Prompts, r.Plan.SampleFile
	return full, nil
}

// keep takes a finished sample, and reports whether it is kept in memory.
func (r *Result) keep(s *Sample) bool {
	scenario := r.Scenario(s.Scenario)
	if s.Warmup || scenario.summary == nil {
		return true
	}
	scenario.summary.add(s)
	return false
}

// distribute hands the measured samples to their scenarios.
func (r *Result) distribute() {
	for i := range r.Samples {
		if s := r.Scenario(r.Samples[i].Scenario); s != nil && !r.Samples[i].Warmup {
			s.Samples = append(s.Samples, r.Samples[i])
		}
	}
}

// String renders the results table: for each scenario the ends of its attempts
// and the quantiles (type 7) of its metrics.
func (r *Result) String() string {
	var b strings.Builder
	warmup := 0
	for i := range r.Samples {
		if r.Samples[i].Warmup {
			warmup++
		}
	}
	measured := 0
	for _, s := range r.Scenarios {
		measured += s.Attempts()
	}
	fmt.Fprintf(&b, "%d requests after %d of warm-up, %v, seed %d, %s\n", measured, warmup, r.Plan.Load, r.Plan.Seed, providers.Scrub(r.Plan.Environment))
	if r.Ended != "" {
		fmt.Fprintf(&b, "no further requests: %s\n", providers.Inert(r.Ended))
	}
	for _, s := range r.Scenarios {
		s.table(&b)
	}
	return strings.TrimRight(b.String(), "\n")
}

// tableMetrics are the rows of the results table.
var tableMetrics = []Metric{OperationTTFT, OperationTime, OperationApp, ModelCalls, TTFT, TTFTSched, TTFTVisible, TTFB, TTLT, ScheduleLag, OTPS, ICLP50, Stall, InputTokens, OutputTokens}

func (s *Scenario) table(b *strings.Builder) {
	t := s.tally()
	fmt.Fprintf(b, "%s: %s", providers.Scrub(s.Name), t.ends())
	for _, name := range []string{"model", "region", "profile"} {
		if v := s.Identity.Get(name); v != "" {
			fmt.Fprintf(b, ", %s %s", name, providers.Scrub(v))
		}
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "metric\tn\tmin\tP50\tP90\tP99\tmax\t")
	undefined := 0
	for _, m := range tableMetrics {
		d := s.distribution(m)
		if m == OTPS {
			undefined = t.classes[providers.OK] - d.n()
		}
		if d.n() == 0 || m == TTFTSched && s.distribution(ScheduleLag).n() == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t", m, d.n())
		for _, p := range []float64{0, .5, .9, .99, 1} {
			fmt.Fprintf(w, "%s\t", m.Format(d.quantile(p)))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if reason := s.Invalid(); reason != "" {
		fmt.Fprintf(b, "INVALID: %s\n", reason)
	}
	if s.Stopped != "" {
		fmt.Fprintf(b, "stopped early: %s\n", providers.Inert(s.Stopped))
	}
	if s.summary != nil {
		b.WriteString("quantiles of an HDR histogram, exact to 3 significant digits\n")
	}
	if p10 := s.Quantile(OTPS, P90); p10 == p10 {
		fmt.Fprintf(b, "bad tail of otps (its 10th percentile, otps_p10): %s\n", OTPS.Format(p10))
	}
	if undefined > 0 {
		fmt.Fprintf(b, "otps_undefined: %d replies were buffered, too short or without a token count: they have no speed\n", undefined)
	}
	if failed := t.attempts - t.classes[providers.OK]; failed > 0 {
		fmt.Fprintf(b, "P90 ttft with the %d failed attempts counted as endless (p90_adj): %s\n", failed, endless(s.Adjusted(TTFT, P90)))
	}
	t.remarks(b, s.Identity.Get("profile"))
}

func endless(ttft float64) string {
	if math.IsInf(ttft, 1) || math.IsNaN(ttft) {
		return "endless"
	}
	return TTFT.Format(ttft)
}
