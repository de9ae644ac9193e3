package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/providers"
)

// A Reader reads a file of the name, and collects what is wrong with it.
type Reader struct {
	Name string

	// Unknown, where not nil, may say more of a key that there is not than that, and
	// which there are instead: "" says no more.
	Unknown func(key string, known Keys) string

	errs []error
}

// Wrong complains of a place.
func (r *Reader) Wrong(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.Name, n.Line, fmt.Sprintf(format, args...)))
}

// Err returns all complaints, nil where there is none.
func (r *Reader) Err() error { return errors.Join(r.errs...) }

// Document returns the value of the only document, nil where there are comments at most.
func (r *Reader) Document(data []byte) (*yaml.Node, error) {
	const most = 1 << 20
	if len(data) > most {
		return nil, fmt.Errorf("%s: more than 1 MiB", r.Name)
	}
	documents := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, another yaml.Node
	switch err := documents.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		if at, is := errors.AsType[*yaml.LoadError](err); is && at.Mark.Line > 0 {
			return nil, fmt.Errorf("%s:%d: %s", r.Name, at.Mark.Line, at.Message)
		}
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	if err := documents.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", r.Name)
	}
	if len(document.Content) != 1 || document.Content[0].ShortTag() == "!!null" {
		return nil, nil
	}
	return document.Content[0], nil
}

// Keys are what a mapping can have, with what reads them. A field in messages is the
// whole path of a key, as in workload.scenarios[0].prompt.
type Keys map[string]func(field string, n *yaml.Node)

// Mapping reads the keys of a mapping and returns their lines.
func (r *Reader) Mapping(n *yaml.Node, field string, known Keys) map[string]int {
	lines := make(map[string]int)
	all := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	within, before := "", ""
	if field != "" {
		within, before = field+".", field+": "
	}
	if n.Kind != yaml.MappingNode {
		r.Wrong(n, "%swant keys and values: %s", before, all)
		return lines
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		line, twice := lines[key.Value]
		switch {
		case !ok:
			message := "unknown key; there are " + all
			if r.Unknown != nil {
				if more := r.Unknown(key.Value, known); more != "" {
					message = more
				}
			}
			r.Wrong(key, "%s%s: %s", within, Short(key.Value), message)
		case twice:
			r.Wrong(key, "%s%s: given on line %d already", within, key.Value, line)
		case value.Kind == yaml.AliasNode:
			r.Wrong(value, "%s%s: write it out, there are no aliases here", within, key.Value)
		default:
			read(within+key.Value, value)
		}
		lines[key.Value] = key.Line
	}
	return lines
}

// Short makes what a file says fit to be quoted.
func Short(text string) string {
	const most = 40
	text = providers.Inert(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
