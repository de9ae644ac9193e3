package latencytest

import (
	"fmt"
	"math"
	"slices"
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

	Scenarios []*Scenario
	Samples   []Sample // every attempt, warm-up included, in request order
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
	fmt.Fprintf(&b, "%d requests after %d of warm-up, %v, seed %d, %s\n", len(r.Samples)-warmup, warmup, r.Plan.Load, r.Plan.Seed, providers.Scrub(r.Plan.Environment))
	for _, s := range r.Scenarios {
		s.table(&b)
	}
	return strings.TrimRight(b.String(), "\n")
}

// tableMetrics are the rows of the results table.
var tableMetrics = []Metric{TTFT, TTFTVisible, TTFB, TTLT, OTPS, ICLP50, Stall, InputTokens, OutputTokens}

func (s *Scenario) table(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s", providers.Scrub(s.Name), s.Ends())
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
		values := s.Values(m)
		if m == OTPS {
			undefined = s.Counts()[providers.OK] - len(values)
		}
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		fmt.Fprintf(w, "%s\t%d\t", m, len(values))
		for _, p := range []float64{0, .5, .9, .99, 1} {
			fmt.Fprintf(w, "%s\t", m.Format(type7(values, p)))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if r := s.Rates(); r.Completed > 0 {
		fmt.Fprintf(b, "%.4g requests completed a minute, %.4g sent a minute, %.4g output tokens/s\n", r.Completed, r.Sent, r.Tokens)
	}
	if p10 := s.Quantile(OTPS, P90); p10 == p10 {
		fmt.Fprintf(b, "bad tail of otps (its 10th percentile, otps_p10): %s\n", OTPS.Format(p10))
	}
	if undefined > 0 {
		fmt.Fprintf(b, "otps_undefined: %d replies were buffered, too short or without a token count: they have no speed\n", undefined)
	}
	if failed := s.Failed(); failed > 0 {
		fmt.Fprintf(b, "P90 ttft with the %d failed attempts counted as endless (p90_adj): %s\n", failed, endless(s.Adjusted(TTFT, P90)))
	}
	s.fallbacks(b)
}

func endless(ttft float64) string {
	if math.IsInf(ttft, 1) || math.IsNaN(ttft) {
		return "endless"
	}
	return TTFT.Format(ttft)
}

// Ends says how the attempts ended: "198/200 ok, throttled 2".
func (s *Scenario) Ends() string {
	counts := s.Counts()
	text := fmt.Sprintf("%d/%d ok", counts[providers.OK], len(s.Samples))
	for _, class := range providers.Classes[1:] {
		if counts[class] > 0 {
			text += fmt.Sprintf(", %s %d", class, counts[class])
		}
	}
	return text
}

// fallbacks reports requests that another performance configuration served than
// the one asked for: Bedrock falls back without a word.
func (s *Scenario) fallbacks(b *strings.Builder) {
	asked := s.Identity.Get("profile")
	if asked == "" {
		return
	}
	served := make(map[string]int)
	for i := range s.Samples {
		if got := s.Samples[i].Served; got != "" && got != asked {
			served[got]++
		}
	}
	for _, profile := range []string{"standard", "optimized"} {
		if n := served[profile]; n > 0 {
			fmt.Fprintf(b, "%s inference was asked for, %d of %d requests were served as %s\n", asked, n, len(s.Samples), profile)
		}
	}
}
