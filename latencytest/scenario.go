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

	// Samples are the measured attempts in request order, failed ones included;
	// warm-up is left out.
	Samples []Sample `json:"-"`
}

// Values returns the metric's values in request order, of samples that ended OK.
func (s *Scenario) Values(m Metric) []float64 {
	var values []float64
	for i := range s.Samples {
		if v, ok := m.Of(&s.Samples[i]); ok && s.Samples[i].OK() {
			values = append(values, v)
		}
	}
	return values
}

// Quantile returns the type-7 quantile of the metric, in its direction's bad
// tail (see [Quantile]). It is NaN without values.
func (s *Scenario) Quantile(m Metric, q Quantile) float64 {
	return Type7(s.Values(m), q.Rank(m))
}

// Adjusted returns the same quantile over all attempts, with each that has no
// value counted as endless: an endpoint that sheds its slow requests does not gain
// by it. It is +Inf where the quantile falls among those.
func (s *Scenario) Adjusted(m Metric, q Quantile) float64 {
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

// Counts returns how many attempts ended in each class.
func (s *Scenario) Counts() map[providers.Class]int {
	counts := make(map[providers.Class]int)
	for i := range s.Samples {
		counts[s.Samples[i].Class]++
	}
	return counts
}

// Failed returns how many attempts did not end OK.
func (s *Scenario) Failed() int { return len(s.Samples) - s.Counts()[providers.OK] }

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
func (p Plan) identity(test string, g group) providers.Facts {
	facts := providers.Facts{
		{Name: "metrics", Value: MetricsVersion},
		{Name: "test", Value: test},
		{Name: "scenario", Value: g.name},
	}
	if p.Name != "" {
		facts = append(facts, providers.Fact{Name: "plan", Value: p.Name})
	}
	facts = append(facts, g.facts...)
	return append(facts,
		providers.Fact{Name: "prompts", Value: digest(g.prompts)},
		providers.Fact{Name: "load", Value: p.Load.String()},
		providers.Fact{Name: "warmup", Value: strconv.Itoa(p.Warmup)},
		providers.Fact{Name: "timeout", Value: p.Timeout.String()},
		providers.Fact{Name: "prompt-cache", Value: "asis"},
		providers.Fact{Name: "environment", Value: p.Environment},
	)
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
