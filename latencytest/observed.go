package latencytest

import (
	"net"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
)

// observedFacts says what a function's requests turned out to be.
func observedFacts(samples []Sample) providers.Facts {
	var facts providers.Facts
	for _, name := range []struct {
		fact string
		of   func(*Sample) string
	}{
		{"provider", func(s *Sample) string { return s.Provider }},
		{"api", func(s *Sample) string { return s.API }},
		{"model", func(s *Sample) string { return s.Model }},
		{"endpoint", func(s *Sample) string { return hostname(s.Host) }},
	} {
		var seen []string
		for i := range samples {
			if v := name.of(&samples[i]); v != "" && samples[i].Class == providers.OK && !slices.Contains(seen, v) {
				seen = append(seen, v)
			}
		}
		slices.Sort(seen)
		facts = append(facts, providers.Fact{Name: name.fact, Value: strings.Join(seen, "+")})
	}
	return facts
}

// hostname leaves the port out: a test server gets a new one in every run.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return host
}
