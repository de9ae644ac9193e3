package custom

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// How much of a shape is shown, and looked for.
const (
	maxShape      = 12 // paths
	maxShapeDepth = 8
	maxShapeName  = 40  // bytes
	maxShapeItems = 200 // frames, and items of a list
)

// explain says of a reply without content what the file leads to, and what there
// is instead. A whole one is not what the file says; one that is not whole may just
// have been cut early.
func (d *decoding) explain() {
	what, where := "event", d.text[0].text
	if d.framing == ndjson {
		what = "line"
	}
	for _, p := range d.text[1:] {
		where += " or " + p.text
	}
	detail := fmt.Sprintf("paths.text: no %s has %s", what, where)
	if d.framing == wholeJSON {
		detail = "paths.text: the reply does not have " + where
	}
	if d.wrong != "" {
		detail = fmt.Sprintf("paths.text: %s is %s, not text", where, d.wrong)
	}
	if !d.finished && d.finish.isSet() && d.done == "" {
		detail += ", and none ends the reply with paths.finish, " + d.finish.text
	}
	detail += "; what there is: " + strings.Join(d.shape(), ", ")
	switch {
	case d.finished:
		d.Class, d.Detail = providers.Parse, detail
	case d.Detail == "" && d.Exchange.Ending == wire.EndEOF:
		d.Detail = detail
	}
}

// shape returns the paths that lead to something in the frames: names, never values.
func (d *decoding) shape() []string {
	found := make(map[string]bool)
	note := func(data []byte) {
		if v, err := parse(data); err == nil {
			leaves(v, "", 0, found)
		}
	}
	body := d.Exchange.Body
	switch d.framing {
	case sse:
		for events, n := wire.NewSSEReader(bytes.NewReader(body)), 0; n < maxShapeItems; n++ {
			e, err := events.Next()
			if err != nil {
				break
			}
			note(e.Data)
		}
	case ndjson:
		for lines, n := wire.NewLineReader(bytes.NewReader(body)), 0; n < maxShapeItems; n++ {
			line, err := lines.Next()
			if err != nil {
				break
			}
			note(line.Data)
		}
	default:
		note(body)
	}
	paths := slices.Sorted(maps.Keys(found))
	if more := len(paths) - maxShape; more > 0 {
		paths = append(paths[:maxShape], fmt.Sprintf("and %d more", more))
	}
	if len(paths) == 0 {
		paths = []string{"nothing"}
	}
	return paths
}

// leaves finds the paths of what is neither an object nor a list.
func leaves(v any, at string, depth int, found map[string]bool) {
	if len(found) > 10*maxShape {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && depth < maxShapeDepth {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				leaves(v[name], join(at, name), depth+1, found)
			}
			return
		}
		at += " (an object)"
	case []any:
		if len(v) > 0 && depth < maxShapeDepth {
			for _, item := range v[:min(len(v), maxShapeItems)] {
				leaves(item, at+"[*]", depth+1, found)
			}
			return
		}
		at += " (a list)"
	case nil:
		at += " (null)"
	}
	if at == "" {
		at = "$"
	}
	found[strings.TrimSpace(at)] = true
}

// join writes a path as a file would.
func join(at, name string) string {
	if len(name) > maxShapeName {
		name = strings.ToValidUTF8(name[:maxShapeName], "") + "…"
	}
	if step, rest, err := parseName(name); err != nil || rest != "" || step.name != providers.Inert(name) {
		return at + "[" + strconv.QuoteToASCII(name) + "]"
	}
	if at == "" {
		return name
	}
	return at + "." + name
}

// jsonKind names the kind of a JSON value.
func jsonKind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}
