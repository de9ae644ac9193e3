package latencytest

import (
	"net"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
)

// sightings collect what a function's requests turned out to be.
type sightings struct {
	provider, api, model, endpoint []string // what was seen, each once
}

func (o *sightings) add(s *Sample) {
	if s.Class != providers.OK {
		return
	}
	for _, property := range []struct {
		seen  *[]string
		value string
	}{
		{&o.provider, s.Provider}, {&o.api, s.API}, {&o.model, s.Model}, {&o.endpoint, hostname(s.Host)},
	} {
		if property.value != "" && !slices.Contains(*property.seen, property.value) {
			*property.seen = append(*property.seen, property.value)
			slices.Sort(*property.seen)
		}
	}
}

func (o *sightings) facts() providers.Facts {
	return providers.Facts{
		{Name: "provider", Value: strings.Join(o.provider, "+")},
		{Name: "api", Value: strings.Join(o.api, "+")},
		{Name: "model", Value: strings.Join(o.model, "+")},
		{Name: "endpoint", Value: strings.Join(o.endpoint, "+")},
	}
}

// hostname leaves the port out: a test server gets a new one in every run.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return host
}
