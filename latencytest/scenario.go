package latencytest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/providers"
)

// A Scenario is the part of a run whose requests are alike: one model, region
// and profile under one load.
type Scenario struct {
	Name string `json:"name"`

	// Identity is everything that must be equal for two runs to be compared.
	Identity providers.Facts `json:"identity"`

	// Stopped says why the scenario was ended before its requests were made, see
	// [Plan.Enough]. It is empty where it was not.
	Stopped string `json:"stopped,omitzero"`

	// Untimed says why the times of a replay are nobody's: those of the recording were
	// made up, or its reads had been buffered. It is empty where they are good.
	Untimed string `json:"untimed,omitzero"`

	// Samples are the measured attempts in request order, failed ones included;
	// warm-up is left out. A run in low memory keeps none, see [Plan.LowMemory].
	Samples []Sample `json:"-"`

	summary *summary // of a run in low memory
}

// A summary is what a run in low memory keeps of a scenario.
type summary struct {
	tally
	distributions map[Metric]*hdr
}

func newSummary() *summary {
	s := &summary{distributions: make(map[Metric]*hdr)}
	for _, m := range Metrics {
		s.distributions[m] = newHDR(m)
	}
	return s
}

func (u *summary) add(s *Sample) {
	u.tally.add(s)
	if !s.OK() {
		return
	}
	for m, d := range u.distributions {
		if v, ok := m.Of(s); ok {
			d.add(v)
		}
	}
}

// tally returns what is counted over the samples.
func (s *Scenario) tally() *tally {
	if s.summary != nil {
		return &s.summary.tally
	}
	t := new(tally)
	for i := range s.Samples {
		t.add(&s.Samples[i])
	}
	return t
}

// distribution returns the metric's values for asking quantiles.
func (s *Scenario) distribution(m Metric) distribution {
	if s.summary != nil {
		return s.summary.distributions[m]
	}
	return &exact{fresh: s.Values(m)}
}

// Values returns the metric's values in request order, of samples that ended OK.
// Of a run in low memory there are none.
func (s *Scenario) Values(m Metric) []float64 {
	values := make([]float64, 0, len(s.Samples))
	for i := range s.Samples {
		if v, ok := m.Of(&s.Samples[i]); ok && s.Samples[i].OK() {
			values = append(values, v)
		}
	}
	return values
}

// Quantile returns the type-7 quantile of the metric, in its direction's bad
// tail (see [Quantile]). It is NaN without values. Of a run in low memory it is
// that of an HDR histogram, exact to 3 significant digits.
func (s *Scenario) Quantile(m Metric, q Quantile) float64 {
	return s.distribution(m).quantile(q.Rank(m))
}

// Adjusted returns the same quantile over all attempts, with each that has no
// value counted as endless: an endpoint that sheds its slow requests does not gain
// by it. It is +Inf where the quantile falls among those.
func (s *Scenario) Adjusted(m Metric, q Quantile) float64 {
	if s.summary != nil {
		d := s.summary.distributions[m]
		return d.adjusted(q.Rank(m), s.summary.attempts-d.n(), m.HigherIsBetter())
	}
	values := s.Values(m)
	worst := math.Inf(1)
	if m.HigherIsBetter() {
		worst = 0
	}
	for len(values) < len(s.Samples) {
		values = append(values, worst)
	}
	return Type7(values, q.Rank(m))
}

// Attempts returns how many measured attempts there are, however they ended.
func (s *Scenario) Attempts() int { return s.tally().attempts }

// Counts returns how many attempts ended in each class.
func (s *Scenario) Counts() map[providers.Class]int { return s.tally().classes }

// Failed returns how many attempts did not end OK.
func (s *Scenario) Failed() int {
	t := s.tally()
	return t.attempts - t.classes[providers.OK]
}

// Ends says how the attempts ended: "198/200 ok, throttled 2".
func (s *Scenario) Ends() string { return s.tally().ends() }

// Rates returns the rates over the measured attempts.
func (s *Scenario) Rates() Rates { return s.tally().rates() }

// Cost returns what the measured attempts cost, in dollars, and how many replies
// there are whose cost is not known.
func (s *Scenario) Cost() (dollars float64, unknown int) {
	t := s.tally()
	return t.dollars, t.unpriced
}

// HitRate returns the share of input tokens that the provider read from a prompt
// cache, over the replies that tell; NaN where none does.
func (s *Scenario) HitRate() float64 { return s.tally().hitRate() }

// defaultScenario names the scenario of a plan that has only one.
const defaultScenario = "all"

// groupPrompts divides prompts into scenarios by what the target says of them.
// A scenario is named after the facts in which the scenarios differ.
func groupPrompts(prompts []providers.Prompt, describe func(providers.Prompt) providers.Facts) []group {
	var groups []group
	index := make(map[string]int)
	for _, p := range prompts {
		facts := describe(p)
		key := facts.String()
		g, ok := index[key]
		if !ok {
			g = len(groups)
			index[key] = g
			groups = append(groups, group{facts: facts})
		}
		groups[g].prompts = append(groups[g].prompts, p)
	}
	for g := range groups {
		groups[g].name = scenarioName(groups, g)
	}
	return groups
}

func scenarioName(groups []group, g int) string {
	if len(groups) == 1 {
		return defaultScenario
	}
	var parts []string
	for _, name := range factNames(groups) {
		value := groups[g].facts.Get(name)
		differs := slices.ContainsFunc(groups, func(other group) bool {
			return other.facts.Get(name) != value
		})
		if differs {
			parts = append(parts, providers.Inert(orNone(value))) // names are printed
		}
	}
	return strings.Join(parts, ",")
}

// factNames lists the facts that any group states, in the order they come up.
func factNames(groups []group) []string {
	var names []string
	for _, g := range groups {
		for _, fact := range g.facts {
			if !slices.Contains(names, fact.Name) {
				names = append(names, fact.Name)
			}
		}
	}
	return names
}

func orNone(value string) string {
	if value == "" {
		return "default"
	}
	return value
}

// identity completes what the target says of a scenario with what the plan
// decides. The number of requests is no part of it: runs of unequal length are
// compared at the shorter one's resolution.
func (p Plan) identity(test string, g group, recording string) providers.Facts {
	facts := providers.Facts{
		{Name: "metrics", Value: MetricsVersion},
		{Name: "test", Value: test},
		{Name: "scenario", Value: g.name},
	}
	if p.Name != "" {
		facts = append(facts, providers.Fact{Name: "plan", Value: p.Name})
	}
	facts = append(facts, g.facts...)
	facts = append(facts,
		providers.Fact{Name: "prompts", Value: digest(g.prompts)},
		providers.Fact{Name: "load", Value: p.Load.String()},
		providers.Fact{Name: "warmup", Value: strconv.Itoa(p.Warmup)},
		providers.Fact{Name: "timeout", Value: p.Timeout.String()},
		providers.Fact{Name: "prompt-cache", Value: string(p.Cache)},
		providers.Fact{Name: "environment", Value: p.Environment},
	)
	if recording != "" {
		facts = append(facts, providers.Fact{Name: RecordingFact, Value: recording})
	}
	if p.DialAnew {
		facts = append(facts, providers.Fact{Name: "connections", Value: "new"})
	}
	return facts
}

// digest identifies a set of prompts by what is sent, in any order.
func digest(prompts []providers.Prompt) string {
	lines := make([]string, len(prompts))
	for i, p := range prompts {
		p.ID = ""                  // a name of ours, not sent
		line, _ := json.Marshal(p) // strings, numbers and booleans: cannot fail
		lines[i] = string(line)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:6])
}
