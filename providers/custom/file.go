package custom

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds the bytes of a description.
const maxFile = 1 << 20

// A file is a description being read. It collects what is wrong with it.
type file struct {
	name  string
	nodes int // of the body, with those that aliases repeat
	errs  []error
}

// parse returns the one document of the file.
func (f *file) parse(r io.Reader) (*yaml.Node, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than 1 MiB", f.name)
	}
	documents := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, another yaml.Node
	if err := documents.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: there is nothing in it", f.name)
		}
		var at *yaml.LoadError
		if errors.As(err, &at) && at.Mark.Line > 0 {
			return nil, fmt.Errorf("%s:%d: %s", f.name, at.Mark.Line, at.Message)
		}
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	if err := documents.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", f.name)
	}
	return document.Content[0], nil
}

func (f *file) errorf(n *yaml.Node, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s:%d: %s", f.name, n.Line, fmt.Sprintf(format, args...)))
}

// resolve returns the node that an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// keys are the keys of a mapping, and what reads their values.
type keys map[string]func(key string, n *yaml.Node)

// mapping reads a mapping. Within is what its keys are written after in messages:
// "", or the mapping's own key and a dot.
func (f *file) mapping(n *yaml.Node, within string, known keys) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		f.errorf(n, "%swant a mapping, got %s", colon(strings.TrimSuffix(within, ".")), kindOf(n))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch line, twice := seen[key.Value]; {
		case !ok:
			f.errorf(key, "%s%s: unknown key; there are %s", within, key.Value, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case twice:
			f.errorf(key, "%s%s: given on line %d already", within, key.Value, line)
		default:
			read(within+key.Value, value)
		}
		seen[key.Value] = key.Line
	}
}

func colon(key string) string {
	if key == "" {
		return ""
	}
	return key + ": "
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return n.Value
}

// text reads a text that is not empty.
func (f *file) text(to *string) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		n = resolve(n)
		if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" {
			f.errorf(n, "%s: want a text, got %s", key, kindOf(n))
			return
		}
		*to = n.Value
	}
}

// expanded reads a text with environment variables in it.
func (f *file) expanded(to *string) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		var raw string
		if f.text(&raw)(key, n); raw == "" {
			return
		}
		expanded, err := expand(raw)
		if err != nil {
			f.errorf(n, "%s: %v", key, err)
		}
		*to = expanded
	}
}

// oneOf reads one of some words.
func (f *file) oneOf(to *string, words ...string) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		n = resolve(n)
		if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
			f.errorf(n, "%s: want %s, got %s", key, strings.Join(words, ", "), kindOf(n))
			return
		}
		*to = n.Value
	}
}

// flag reads true or false.
func (f *file) flag(to *bool) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		if err := resolve(n).Decode(to); err != nil {
			f.errorf(n, "%s: want true or false, got %s", key, kindOf(resolve(n)))
		}
	}
}

// path reads a path.
func (f *file) path(to *path) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		var raw string
		if f.text(&raw)(key, n); raw == "" {
			return
		}
		p, err := parsePath(raw)
		if err != nil {
			f.errorf(n, "%s: %v", key, err)
		}
		*to = p
	}
}

// paths reads a path, or a list of them.
func (f *file) paths(to *[]path) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		f.each(key, n, func(n *yaml.Node) {
			var p path
			f.path(&p)(key, n)
			*to = append(*to, p)
		})
	}
}

// each reads a value, or each of a list of them.
func (f *file) each(key string, n *yaml.Node, read func(*yaml.Node)) {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		read(n)
		return
	}
	if len(n.Content) == 0 {
		f.errorf(n, "%s: an empty list", key)
	}
	for _, item := range n.Content {
		read(item)
	}
}
