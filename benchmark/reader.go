package benchmark

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/internal/strictyaml"
)

// A reader reads the values of a benchmark file.
type reader struct{ strictyaml.Reader }

func newReader(name string) reader {
	return reader{strictyaml.Reader{Name: name, Unknown: unknownKey}}
}

// unknownKey says what to do with a key of an API.
func unknownKey(key string, known strictyaml.Keys) string {
	secret := slices.Contains([]string{"key", "api_key", "apikey", "token", "secret", "password"}, strings.ToLower(key))
	if !secret || known["key_env"] == nil {
		return ""
	}
	return "keys are not for files: write the name of the environment variable that holds it, as in key_env: MY_KEY"
}

// document returns the only document's value.
func (r *reader) document(data []byte) (*yaml.Node, error) {
	document, err := r.Document(data)
	if err == nil && document == nil {
		err = fmt.Errorf("%s: there is nothing in it: want providers and workload", r.Name)
	}
	return document, err
}

// list reads the elements of a list, of which there must be one.
func (r *reader) list(field string, n *yaml.Node, read func(field string, n *yaml.Node)) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.Wrong(n, "%s: want a list with at least one element", field)
		return
	}
	for i, element := range n.Content {
		if element.Kind == yaml.AliasNode {
			r.Wrong(element, "%s[%d]: write it out, there are no aliases here", field, i)
			continue
		}
		read(fmt.Sprintf("%s[%d]", field, i), element)
	}
}

// scalar reports whether a value is one of these types, and complains otherwise.
func (r *reader) scalar(field string, n *yaml.Node, want string, tags ...string) bool {
	if n.Kind == yaml.ScalarNode && slices.Contains(tags, n.ShortTag()) {
		return true
	}
	r.Wrong(n, "%s: want %s, got %s", field, want, kind(n))
	return false
}

func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	case n.ShortTag() == "!!str":
		return fmt.Sprintf("the text %q", strictyaml.Short(n.Value))
	}
	return strictyaml.Short(n.Value)
}

// text reads a text that is not blank.
func (r *reader) text(field string, n *yaml.Node) string {
	if !r.scalar(field, n, "a text, in quotes where YAML takes it for something else", "!!str") {
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		r.Wrong(n, "%s: want a text that is not blank", field)
	}
	return n.Value
}

// label reads a text of one line, which names something.
func (r *reader) label(field string, n *yaml.Node) string {
	const most = 200
	text := r.text(field, n)
	if len(text) > most || strings.ContainsAny(text, "\r\n\x00") {
		r.Wrong(n, "%s: want a name, of one line and at most %d bytes", field, most)
	}
	return text
}

// choice reads one of some words.
func (r *reader) choice(field string, n *yaml.Node, words ...string) string {
	if r.scalar(field, n, strings.Join(words, " or "), "!!str") && !slices.Contains(words, n.Value) {
		r.Wrong(n, "%s: want %s, got %q", field, strings.Join(words, " or "), strictyaml.Short(n.Value))
	}
	return n.Value
}

func (r *reader) truth(field string, n *yaml.Node) bool {
	return r.scalar(field, n, "true or false", "!!bool") && strings.EqualFold(n.Value, "true")
}

// number reads a finite number of at least least.
func (r *reader) number(field string, n *yaml.Node, least float64, want string) float64 {
	if !r.scalar(field, n, want, "!!int", "!!float") {
		return 0
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64)
	if err != nil || !(v >= least) || math.IsInf(v, 0) {
		r.Wrong(n, "%s: want %s, got %s", field, want, strictyaml.Short(n.Value))
		return 0
	}
	return v
}

// positive reads a number above 0.
func (r *reader) positive(field string, n *yaml.Node) float64 {
	return r.number(field, n, math.SmallestNonzeroFloat64, "a positive number")
}

// whole reads a whole number of at least least.
func (r *reader) whole(field string, n *yaml.Node, least int) int {
	want := fmt.Sprintf("a whole number of at least %d", least)
	if !r.scalar(field, n, want, "!!int", "!!float") {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < least {
		r.Wrong(n, "%s: want %s, got %s", field, want, strictyaml.Short(n.Value))
		return 0
	}
	return v
}

func (r *reader) duration(field string, n *yaml.Node) time.Duration {
	const want = "a time with its unit, such as 30s or 10m"
	if !r.scalar(field, n, want, "!!str") {
		return 0
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil || d <= 0 {
		r.Wrong(n, "%s: want %s, got %q", field, want, strictyaml.Short(n.Value))
	}
	return d
}

// value reads anything that JSON has.
func (r *reader) value(field string, n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		members := make(map[string]any)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			name := r.text(field, key)
			if _, twice := members[name]; twice {
				r.Wrong(key, "%s.%s: given twice", field, strictyaml.Short(name))
			}
			members[name] = r.value(field+"."+strictyaml.Short(name), n.Content[i+1])
		}
		return members
	case yaml.SequenceNode:
		elements := []any{}
		for i, element := range n.Content {
			elements = append(elements, r.value(fmt.Sprintf("%s[%d]", field, i), element))
		}
		return elements
	case yaml.AliasNode:
		r.Wrong(n, "%s: write it out, there are no aliases here", field)
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return r.truth(field, n)
	case "!!int", "!!float":
		return r.number(field, n, -math.MaxFloat64, "a number that JSON has")
	case "!!str":
		return n.Value
	}
	r.Wrong(n, "%s: want what JSON has: a text (in quotes), a number, true, false or null, got %s", field, strictyaml.Short(n.Value))
	return nil
}
