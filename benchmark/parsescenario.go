package benchmark

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/internal/strictyaml"
	"github.com/latgate/latgate/latencytest"
)

func (p *parser) scenario(field string, n *yaml.Node) {
	s := Scenario{line: n.Line, clients: 1, Repetitions: 1}
	var rate float64
	var arrivals, ramp string
	lines := p.Mapping(n, field, strictyaml.Keys{
		"name":        func(field string, n *yaml.Node) { s.Name = p.label(field, n) },
		"prompt":      func(field string, n *yaml.Node) { s.Prompt = p.text(field, n) },
		"prompts":     func(field string, n *yaml.Node) { s.Prompts = p.file.beside(p.text(field, n)) },
		"system":      func(field string, n *yaml.Node) { s.System = p.text(field, n) },
		"max_tokens":  func(field string, n *yaml.Node) { s.MaxTokens = p.whole(field, n, 1) },
		"requests":    func(field string, n *yaml.Node) { s.Requests = p.whole(field, n, 1) },
		"repetitions": func(field string, n *yaml.Node) { s.Repetitions = p.whole(field, n, 1) },
		"concurrency": func(field string, n *yaml.Node) { s.clients = p.whole(field, n, 1) },
		"rate":        func(field string, n *yaml.Node) { rate = p.positive(field, n) },
		"arrivals":    func(field string, n *yaml.Node) { arrivals = p.choice(field, n, "constant", "poisson") },
		"ramp": func(field string, n *yaml.Node) {
			ramp = p.text(field, n)
			if load, err := rampOf(ramp); err == nil {
				s.Load = load
			} else if ramp != "" {
				p.Wrong(n, "%s: want two rates, the latter positive, and a time, as in 1,20,30s, got %q", field, strictyaml.Short(ramp))
			}
		},
		"duration": func(field string, n *yaml.Node) { s.Duration = p.duration(field, n) },
		"pause":    func(field string, n *yaml.Node) { s.Pause = p.duration(field, n) },
		"stream":   func(field string, n *yaml.Node) { s.Unary = !p.truth(field, n) },
		"cache":    func(field string, n *yaml.Node) { s.Cache = p.cache(field, n) },
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	given := func(key string) bool { return lines[key] > 0 }
	wrong := func(key, format string, args ...any) {
		p.Wrong(&yaml.Node{Line: max(lines[key], n.Line)}, "%s.%s: %s", field, key, fmt.Sprintf(format, args...))
	}
	if !given("name") {
		wrong("name", "missing: say what the scenario is called in the results")
	}
	switch {
	case !given("prompt") && !given("prompts"):
		wrong("prompt", "there is nothing to send: write a prompt, or a file of prompts")
	case given("prompt") && given("prompts"):
		wrong("prompts", "there is a prompt already: write one or the other")
	}
	p.oneLoad(given, wrong)
	switch {
	case given("rate") && arrivals == "poisson":
		s.Load = latencytest.Poisson(rate)
	case given("rate"):
		s.Load = latencytest.Open(rate)
	case !given("ramp"):
		s.Load = latencytest.Closed(s.clients)
	}
	if rate > 0 {
		if _, err := latencytest.ParseLoad(s.Load.String()); err != nil {
			wrong("rate", "want at most 1e+06 a second, got %g", rate)
		}
	}
	if given("repetitions") && given("duration") && !given("requests") {
		wrong("repetitions", "needs requests, a number of which is repeated")
	}
	for _, other := range p.file.Scenarios {
		if s.Name != "" && other.Name == s.Name {
			wrong("name", "%q is on line %d already", strictyaml.Short(s.Name), other.line)
		}
	}
	p.file.Scenarios = append(p.file.Scenarios, s)
}

// oneLoad checks that a scenario has one load.
func (p *parser) oneLoad(given func(string) bool, wrong func(key, format string, args ...any)) {
	var loads []string
	for _, key := range []string{"concurrency", "rate", "ramp"} {
		if given(key) {
			loads = append(loads, key)
		}
	}
	if len(loads) > 1 {
		wrong(loads[1], "there is %s already: write one or the other", loads[0])
	}
	if given("arrivals") && !given("rate") {
		wrong("arrivals", "needs rate, of requests that come when they come")
	}
	if given("pause") && (given("rate") || given("ramp")) {
		wrong("pause", "requests at a rate are made when they are due: write concurrency, or lower the rate")
	}
}

func rampOf(text string) (latencytest.LoadModel, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return latencytest.LoadModel{}, fmt.Errorf("%d parts", len(parts))
	}
	return latencytest.ParseLoad(fmt.Sprintf("ramp(%s/s,%s/s,%s)", strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1]), strings.TrimSpace(parts[2])))
}

// requests is how many requests a plan of the scenario has.
func (s Scenario) requests() int {
	if s.Requests == 0 && s.Duration == 0 {
		return 100
	}
	return s.Requests
}
