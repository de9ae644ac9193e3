package custom

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
)

// The placeholders of a request body.
var placeholders = []string{"prompt", "context", "system", "model", "max_tokens"}

// braced matches a placeholder, and what is written to have its text instead.
var braced = regexp.MustCompile(`\{\{[a-z_]+\}\}|\{[a-z_]+\}`)

// A text is a string of a request body: what comes before a placeholder, its name,
// and so on, and what comes after the last.
type text struct {
	source   string   // as it stands in the file
	literals []string // one more than names
	names    []string
}

// MarshalJSON implements [json.Marshaler].
func (t text) MarshalJSON() ([]byte, error) { return json.Marshal(t.source) }

// parseText finds the placeholders of s.
func parseText(s string) (text, error) {
	t := text{source: s}
	var literal strings.Builder
	for {
		at := braced.FindStringIndex(s)
		if at == nil {
			literal.WriteString(s)
			t.literals = append(t.literals, literal.String())
			return t, nil
		}
		literal.WriteString(s[:at[0]])
		found := s[at[0]:at[1]]
		s = s[at[1]:]
		if strings.HasPrefix(found, "{{") {
			literal.WriteString(found[1 : len(found)-1])
			continue
		}
		name := found[1 : len(found)-1]
		if !slices.Contains(placeholders, name) {
			return text{}, fmt.Errorf("there is no placeholder %s, only {%s}; write {%s} for these characters themselves",
				found, strings.Join(placeholders, "}, {"), found)
		}
		t.literals = append(t.literals, literal.String())
		t.names = append(t.names, name)
		literal.Reset()
	}
}

// alone reports whether the text is one placeholder and nothing else.
func (t text) alone() bool { return len(t.names) == 1 && t.literals[0] == "" && t.literals[1] == "" }

// values are what placeholders stand for. One that is missing has none.
type values map[string]any

// fill returns what the text says: a string, or the value of the placeholder that
// it consists of. There is none where that value is missing.
func (t text) fill(v values) (any, bool) {
	if t.alone() {
		value, there := v[t.names[0]]
		return value, there
	}
	var b strings.Builder
	for i, name := range t.names {
		b.WriteString(t.literals[i])
		if value, there := v[name]; there {
			fmt.Fprint(&b, value)
		}
	}
	b.WriteString(t.literals[len(t.names)])
	return b.String(), true
}

// A body is a template of JSON: map[string]any, []any, text, and values that stand
// for themselves.
type body struct {
	root any
	uses map[string]bool // placeholders
}

// digest names the body without showing it.
func (b body) digest() string {
	data, err := json.Marshal(b.root) // members in the order of their names
	if err != nil {
		return "not-json"
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256(data))
}

// fill returns the body with values in the place of placeholders. What is nothing
// but a placeholder whose value is missing is left out, and with it the item that
// it is part of where there is a list around it: a message without content is no
// message.
func (b body) fill(v values) any {
	filled, _, _ := fill(b.root, v)
	return filled
}

// fill reports whether there is anything left of node, and whether it is whole.
func fill(node any, v values) (filled any, there, whole bool) {
	switch node := node.(type) {
	case text:
		value, there := node.fill(v)
		return value, there, there
	case map[string]any:
		object, whole := make(map[string]any, len(node)), true
		for name, below := range node {
			value, there, wholly := fill(below, v)
			whole = whole && wholly
			if there {
				object[name] = value
			}
		}
		return object, len(object) > 0 || len(node) == 0, whole
	case []any:
		list := make([]any, 0, len(node))
		for _, below := range node {
			if value, there, whole := fill(below, v); there && whole {
				list = append(list, value)
			}
		}
		there := len(list) > 0 || len(node) == 0
		return list, there, there
	}
	return node, true, true
}

// valuesOf returns what the placeholders of the body stand for. A context that has
// no place of its own goes before the prompt's text.
func (b body) valuesOf(p providers.Prompt, model string) values {
	v := values{"prompt": p.Text, "model": model, "max_tokens": p.Limit()}
	if p.System != "" {
		v["system"] = p.System
	}
	switch {
	case p.CachedContext == "":
	case b.uses["context"]:
		v["context"] = p.CachedContext
	default:
		v["prompt"] = p.CachedContext + "\n\n" + p.Text
	}
	return v
}
