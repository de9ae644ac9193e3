package convert

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// vcrFile is the union of what VCR.py, Ruby's VCR and go-vcr write. They all have a
// list of requests and responses; what differs is how a body and a status look.
type vcrFile struct {
	Interactions     []vcrInteraction `yaml:"interactions"`      // VCR.py, go-vcr
	HTTPInteractions []vcrInteraction `yaml:"http_interactions"` // Ruby
}

type vcrInteraction struct {
	Request struct {
		Method  string               `yaml:"method"`
		URI     string               `yaml:"uri"` // VCR.py, Ruby
		URL     string               `yaml:"url"` // go-vcr
		Body    yaml.Node            `yaml:"body"`
		Parsed  yaml.Node            `yaml:"parsed_body"` // of a serializer that is often used with VCR.py
		Headers map[string]yaml.Node `yaml:"headers"`
	} `yaml:"request"`
	Response struct {
		Status   yaml.Node            `yaml:"status"` // {code, message}; "200 OK" with go-vcr
		Code     int                  `yaml:"code"`   // go-vcr
		Proto    string               `yaml:"proto"`
		Version  string               `yaml:"http_version"` // Ruby
		Body     yaml.Node            `yaml:"body"`
		Parsed   yaml.Node            `yaml:"parsed_body"`
		Headers  map[string]yaml.Node `yaml:"headers"`
		Duration string               `yaml:"duration"` // go-vcr: to the response head
	} `yaml:"response"`
}

func readVCR(data []byte, p Profile) (source string, all []converted, err error) {
	var file vcrFile
	if err := yaml.Load(data, &file); err != nil {
		return "", nil, fmt.Errorf("it is no HAR, and no YAML of VCR.py, VCR or go-vcr: %s", providers.Scrub(err.Error()))
	}
	interactions := file.Interactions
	source = "vcr.py"
	switch {
	case len(file.HTTPInteractions) > 0:
		source, interactions = "vcr", file.HTTPInteractions
	case len(interactions) > 0 && interactions[0].Request.URL != "":
		source = "go-vcr"
	case len(interactions) == 0:
		return "", nil, errors.New(`it is no HAR, and no YAML of VCR.py, VCR or go-vcr: it has neither "interactions" nor "http_interactions"`)
	}
	for n, one := range interactions {
		i, err := one.interaction(p)
		if err != nil {
			return "", nil, fmt.Errorf("%s: interaction %d: %w", source, n, err)
		}
		all = append(all, converted{interaction: i})
	}
	return source, all, nil
}

func (v *vcrInteraction) interaction(p Profile) (*cassette.Interaction, error) {
	address := v.Request.URI
	if address == "" {
		address = v.Request.URL
	}
	status, err := v.status()
	if err != nil {
		return nil, err
	}
	proto := v.Response.Proto
	if proto == "" {
		proto = protoOf("HTTP/" + v.Response.Version)
	}
	i, err := newInteraction(v.Request.Method, address, status, providers.Inert(proto))
	if err != nil {
		return nil, err
	}
	i.Request.Header = vcrHeader(v.Request.Headers)
	if i.Request.Body, err = vcrBody(&v.Request.Body, &v.Request.Parsed); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	i.Response.Header = vcrHeader(v.Response.Headers)
	body, err := vcrBody(&v.Response.Body, &v.Response.Parsed)
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	setBody(&i.Response, body)
	if err := plain(i); err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	known := wire.Instant{}
	if d, err := time.ParseDuration(v.Response.Duration); err == nil && d > 0 && d < 24*time.Hour {
		known = wire.At(d)
	}
	synthesise(i, p, known)
	return i, nil
}

// status reads 200, "200 OK" and {code: 200}.
func (v *vcrInteraction) status() (int, error) {
	code := v.Response.Code
	switch node := resolved(&v.Response.Status); node.Kind {
	case yaml.ScalarNode:
		first, _, _ := strings.Cut(strings.TrimSpace(node.Value), " ")
		if n, err := strconv.Atoi(first); err == nil && code == 0 {
			code = n
		}
	case yaml.MappingNode:
		code, _ = strconv.Atoi(member(node, "code").Value)
	}
	if code < 200 || code > 999 {
		return 0, errors.New("response: its status is missing, or none of a final response")
	}
	return code, nil
}

// vcrBody reads a scalar, {string: …}, {base64_string: …} and a body that a serializer
// has parsed.
func vcrBody(body, parsed *yaml.Node) ([]byte, error) {
	if parsed.Kind != 0 {
		var value any
		if err := parsed.Decode(&value); err != nil {
			return nil, errors.New("its parsed body cannot be read")
		}
		out, err := json.Marshal(value)
		if err != nil {
			return nil, errors.New("its parsed body is no JSON")
		}
		return out, nil
	}
	node := resolved(body)
	switch node.Kind {
	case 0:
		return []byte{}, nil
	case yaml.ScalarNode:
		return vcrText(node)
	case yaml.MappingNode:
		if text := member(node, "string"); text.Kind != 0 {
			return vcrText(text)
		}
		if text := member(node, "base64_string"); text.Kind != 0 {
			return unbase64(text.Value)
		}
		return []byte{}, nil
	}
	return nil, errors.New("its body is a list")
}

func vcrText(node *yaml.Node) ([]byte, error) {
	switch node.Tag {
	case "!!binary", "!binary", "tag:yaml.org,2002:binary":
		return unbase64(node.Value)
	case "!!null":
		return []byte{}, nil
	}
	return []byte(node.Value), nil
}

func unbase64(text string) ([]byte, error) {
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errors.New("its body says that it is base64, and is not")
	}
	return body, nil
}

// resolved follows an alias.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

// member returns the value of a key, the zero node without one.
func member(node *yaml.Node, key string) *yaml.Node {
	for k := 0; k+1 < len(node.Content); k += 2 {
		if node.Content[k].Value == key {
			return resolved(node.Content[k+1])
		}
	}
	return &yaml.Node{}
}

// vcrHeader reads values that are lists or scalars.
func vcrHeader(values map[string]yaml.Node) http.Header {
	h := make(http.Header)
	for name, node := range values {
		switch value := resolved(&node); value.Kind {
		case yaml.ScalarNode:
			h.Add(name, value.Value)
		case yaml.SequenceNode:
			for _, one := range value.Content {
				h.Add(name, resolved(one).Value)
			}
		}
	}
	return h
}
