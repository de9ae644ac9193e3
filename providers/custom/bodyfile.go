package custom

import (
	"math"

	"go.yaml.in/yaml/v4"
)

// Limits of a request body, which aliases could make endless.
const (
	maxDepth = 100
	maxNodes = 100_000
)

// body reads the template of a request body.
func (f *file) body(to *body) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		if k := resolve(n).Kind; k != yaml.MappingNode && k != yaml.SequenceNode {
			f.errorf(n, "%s: want a mapping or a list, got %s", key, kindOf(resolve(n)))
			return
		}
		to.uses = make(map[string]bool)
		to.root = f.template(key, n, to.uses, 0)
	}
}

// template returns a part of a body.
func (f *file) template(key string, n *yaml.Node, uses map[string]bool, depth int) any {
	if f.nodes++; f.nodes > maxNodes || depth > maxDepth {
		if f.nodes != math.MaxInt/2 { // said once
			f.errorf(n, "%s: more than %d values, or deeper than %d", key, maxNodes, maxDepth)
			f.nodes = math.MaxInt / 2
		}
		return nil
	}
	n = resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		object := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			if _, twice := object[name.Value]; twice || name.Kind != yaml.ScalarNode || name.Tag == "!!merge" {
				f.errorf(name, "%s: want names that are texts, each of them once", key)
				continue
			}
			object[name.Value] = f.template(key+"."+name.Value, n.Content[i+1], uses, depth+1)
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			list = append(list, f.template(key, item, uses, depth+1))
		}
		return list
	}
	return f.scalar(key, n, uses)
}

// scalar returns a text with its placeholders, a number, a truth value or nil.
func (f *file) scalar(key string, n *yaml.Node, uses map[string]bool) any {
	switch n.Tag {
	case "!!null", "!!bool", "!!int", "!!float":
		var v any
		err := n.Decode(&v)
		if number, is := v.(float64); err != nil || is && (math.IsNaN(number) || math.IsInf(number, 0)) {
			f.errorf(n, "%s: %s cannot be written in JSON", key, n.Value)
			return nil
		}
		return v
	}
	t, err := parseText(n.Value)
	if err != nil {
		f.errorf(n, "%s: %v", key, err)
	}
	for _, name := range t.names {
		uses[name] = true
	}
	return t
}
