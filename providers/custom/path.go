package custom

import (
	"fmt"
	"strconv"
	"strings"
)

// A path leads from a JSON value to the values below it that it names:
//
//	choices[*].delta.content
//	outputs[0].text
//	["x.meta"].id
//
// The zero path leads nowhere.
type path struct {
	text  string
	steps []pathStep
}

// A pathStep is a member's name, or an item of a list.
type pathStep struct {
	name  string
	index int // of the item; every for all of them, member for none
}

const (
	every  = -1
	member = -2
)

// parsePath reads a path. "$" is the value itself, and may open any path.
func parsePath(text string) (path, error) {
	p := path{text: text}
	rest := strings.TrimPrefix(text, "$")
	if text == "" {
		return path{}, fmt.Errorf("empty path")
	}
	for first := len(rest) == len(text); rest != ""; first = false {
		var step pathStep
		var err error
		switch {
		case rest[0] == '[':
			step, rest, err = parseBrackets(rest)
		case rest[0] == '.' && !first:
			step, rest, err = parseName(rest[1:])
		case first:
			step, rest, err = parseName(rest)
		default:
			err = fmt.Errorf("want a dot or a bracket before %q", rest)
		}
		if err != nil {
			return path{}, fmt.Errorf("bad path %q: %w", text, err)
		}
		p.steps = append(p.steps, step)
	}
	return p, nil
}

func parseName(rest string) (pathStep, string, error) {
	end := strings.IndexAny(rest, ".[")
	if end < 0 {
		end = len(rest)
	}
	name := rest[:end]
	if name == "" {
		return pathStep{}, "", fmt.Errorf("a name is missing")
	}
	if strings.ContainsAny(name, "]*\"' \t") {
		return pathStep{}, "", fmt.Errorf(`%q is no name: write ["..."] around an unusual one`, name)
	}
	return pathStep{name: name, index: member}, rest[end:], nil
}

// parseBrackets reads [0], [*] or ["name"].
func parseBrackets(rest string) (pathStep, string, error) {
	if quoted, err := strconv.QuotedPrefix(rest[1:]); err == nil && quoted[0] == '"' {
		after, closed := strings.CutPrefix(rest[1+len(quoted):], "]")
		name, err := strconv.Unquote(quoted)
		if !closed || err != nil {
			return pathStep{}, "", fmt.Errorf("a bracket is not closed")
		}
		return pathStep{name: name, index: member}, after, nil
	}
	inside, after, closed := strings.Cut(rest[1:], "]")
	if !closed {
		return pathStep{}, "", fmt.Errorf("a bracket is not closed")
	}
	if inside == "*" {
		return pathStep{index: every}, after, nil
	}
	index, err := strconv.ParseUint(inside, 10, 31)
	if err != nil {
		return pathStep{}, "", fmt.Errorf(`want [0], [*] or ["name"], got [%s]`, inside)
	}
	return pathStep{index: int(index)}, after, nil
}

// isSet reports whether there is a path at all.
func (p path) isSet() bool { return p.text != "" }

// each calls f for every value the path leads to, in order, null included.
func (p path) each(v any, f func(any)) {
	if p.isSet() {
		walk(p.steps, v, f)
	}
}

func walk(steps []pathStep, v any, f func(any)) {
	for i, step := range steps {
		switch {
		case step.index == member:
			object, _ := v.(map[string]any)
			next, there := object[step.name]
			if !there {
				return
			}
			v = next
		case step.index == every:
			list, _ := v.([]any)
			for _, item := range list {
				walk(steps[i+1:], item, f)
			}
			return
		default:
			list, _ := v.([]any)
			if step.index >= len(list) {
				return
			}
			v = list[step.index]
		}
	}
	f(v)
}

// first returns the first value that is there and says something: not null, not
// false, not "".
func (p path) first(v any) (found any) {
	p.each(v, func(value any) {
		if found == nil && says(value) {
			found = value
		}
	})
	return found
}

func says(v any) bool { return v != nil && v != false && v != "" }

// mark returns a name that occurs in the JSON of a value which the path leads into,
// "" where there is none that is always written the same.
func (p path) mark() string {
	for i := len(p.steps) - 1; i >= 0; i-- {
		if name := p.steps[i].name; p.steps[i].index == member && plainName.MatchString(name) {
			return name
		}
	}
	return ""
}
