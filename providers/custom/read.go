package custom

import (
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Load reads a description from a file. See [Read].
func Load(file string) (*Endpoint, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, file)
}

// Read reads the description of an endpoint; the documentation of the package says
// what is in one. Environment variables are read here and now. The error names the
// line and the key of everything that is wrong, as in "acme.yaml:7: paths.text: ...";
// name is what it calls the file.
func Read(r io.Reader, name string) (*Endpoint, error) {
	f := &file{name: name}
	root, err := f.parse(r)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{api: "custom", method: http.MethodPost, header: make(http.Header)}
	f.endpoint(root, e)
	if err := errors.Join(f.errs...); err != nil {
		return nil, err
	}
	if e.model == "" {
		e.model = e.name
	}
	return e.Through(nil), nil
}

// plainName is what may stand in tables and file names.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (f *file) endpoint(root *yaml.Node, e *Endpoint) {
	var url string
	f.mapping(root, "", keys{
		"name":    f.text(&e.name),
		"api":     f.text(&e.api),
		"model":   f.text(&e.model),
		"method":  f.oneOf(&e.method, http.MethodPost, http.MethodPut),
		"url":     f.expanded(&url),
		"headers": f.headers(e.header),
		"body":    f.body(&e.body),

		"framing":           f.oneOf(&e.framing, sse, ndjson, wholeJSON),
		"paths":             f.contentPaths(&e.reply),
		"finish_equals":     f.finishValues(&e.reply),
		"done":              f.text(&e.done),
		"ends_with_body":    f.flag(&e.endsWithBody),
		"usage":             f.usage(&e.usage),
		"server_latency":    f.latency(&e.latency),
		"request_id_header": f.text(&e.requestIDHeader),
	})
	if root.Kind != yaml.MappingNode {
		return
	}
	for _, name := range []struct{ key, value string }{{"name", e.name}, {"api", e.api}} {
		if name.value != "" && !plainName.MatchString(name.value) {
			f.errorf(root, "%s: want letters, digits, dots, hyphens and underscores, got %q", name.key, name.value)
		}
	}
	f.required(root, e)
	if url == "" {
		return
	}
	var err error
	if e.address, err = parseAddress(url); err != nil {
		f.errorf(valueOf(root, "url"), "url: %v", err)
	}
	if host := e.header.Get("Host"); host != "" {
		e.address.host = host
	}
	if (e.uses["model"] || e.address.hasModel()) && e.model == "" {
		f.errorf(root, "model: is missing, and {model} is used")
	}
}

// required checks that what an endpoint cannot do without is there.
func (f *file) required(root *yaml.Node, e *Endpoint) {
	for _, key := range []string{"name", "url", "framing", "body"} {
		if valueOf(root, key) == nil {
			f.errorf(root, "%s: is missing", key)
		}
	}
	if e.root != nil && !e.uses["prompt"] {
		f.errorf(valueOf(root, "body"), "body: has no {prompt}")
	}
	if len(e.text) == 0 {
		f.errorf(root, "paths.text: is missing")
	}
	if !e.finish.isSet() && len(e.finishEquals) > 0 {
		f.errorf(root, "finish_equals: needs paths.finish")
	}
	ends := 0
	for _, given := range []bool{e.finish.isSet(), e.done != "", e.endsWithBody} {
		if given {
			ends++
		}
	}
	switch {
	case e.framing == wholeJSON && (e.done != "" || e.endsWithBody):
		f.errorf(root, "framing: a reply that is one JSON value needs neither done nor ends_with_body")
	case e.framing != wholeJSON && e.framing != "" && ends == 0:
		f.errorf(root, "want paths.finish, done or ends_with_body, to know a whole reply from one that was cut")
	case e.endsWithBody && e.done != "":
		f.errorf(root, "done: a reply ends either with it or with the body (ends_with_body)")
	}
}

// valueOf returns the value of a key, nil where there is none.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func (f *file) headers(h http.Header) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		known := make(keys)
		if n = resolve(n); n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				name := n.Content[i].Value
				known[name] = func(key string, value *yaml.Node) {
					var expanded string
					f.expanded(&expanded)(key, value)
					if !headerName.MatchString(name) || strings.ContainsAny(expanded, "\r\n\x00") {
						f.errorf(value, "%s: cannot be the name and the value of a header", key)
						return
					}
					h.Set(name, expanded)
				}
			}
		}
		f.mapping(n, key+".", known)
	}
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func (f *file) contentPaths(r *reply) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		f.mapping(n, key+".", keys{
			"text":       f.paths(&r.text),
			"reasoning":  f.paths(&r.reasoning),
			"refusal":    f.paths(&r.refusal),
			"tool":       f.paths(&r.tool),
			"finish":     f.path(&r.finish),
			"stop":       f.path(&r.stop),
			"model":      f.path(&r.modelPath),
			"request_id": f.path(&r.requestID),
			"error":      f.failure(&r.failure),
		})
	}
}

// failure reads the path of an error, or a mapping with those of its parts.
func (f *file) failure(to *failure) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		if resolve(n).Kind != yaml.MappingNode {
			f.path(&to.path)(key, n)
			return
		}
		f.mapping(n, key+".", keys{"path": f.path(&to.path), "code": f.path(&to.code), "message": f.path(&to.message)})
		if !to.path.isSet() {
			f.errorf(n, "%s.path: is missing", key)
		}
	}
}

func (f *file) finishValues(r *reply) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		f.each(key, n, func(n *yaml.Node) {
			var value string
			f.text(&value)(key, n)
			r.finishEquals = append(r.finishEquals, value)
		})
	}
}

func (f *file) usage(u *usage) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		f.mapping(n, key+".", keys{
			"input":                     f.path(&u.input),
			"output":                    f.path(&u.output),
			"cached":                    f.path(&u.cached),
			"cache_write":               f.path(&u.cacheWrite),
			"reasoning":                 f.path(&u.reasoning),
			"input_excludes_cache":      f.flag(&u.inputExcludesCache),
			"output_excludes_reasoning": f.flag(&u.outputExcludesReasoning),
		})
	}
}

var units = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
}

func (f *file) latency(to *latency) func(string, *yaml.Node) {
	return func(key string, n *yaml.Node) {
		unit := ""
		f.mapping(n, key+".", keys{
			"path":   f.path(&to.path),
			"header": f.text(&to.header),
			"unit":   f.oneOf(&unit, "ns", "us", "ms", "s"),
		})
		to.unit = units[unit]
		if unit == "" || to.path.isSet() == (to.header != "") {
			f.errorf(n, "%s: want a path or a header, and a unit", key)
		}
	}
}
