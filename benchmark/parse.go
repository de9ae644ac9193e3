package benchmark

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/internal/strictyaml"
	"github.com/latgate/latgate/latencytest"
)

// Parse reads a benchmark file of that name. The error tells of each key and value that
// is wrong, with its line and what to write instead.
func Parse(data []byte, name string) (*File, error) {
	p := parser{reader: newReader(name), file: &File{Path: name, Execution: Execution{Timeout: 2 * time.Minute}}}
	top, err := p.document(data)
	if err != nil {
		return nil, err
	}
	lines := p.Mapping(top, "", strictyaml.Keys{
		"providers": func(field string, n *yaml.Node) { p.list(field, n, p.provider) },
		"workload": func(field string, n *yaml.Node) {
			lines := p.Mapping(n, field, strictyaml.Keys{
				"scenarios": func(field string, n *yaml.Node) { p.list(field, n, p.scenario) },
			})
			if n.Kind == yaml.MappingNode && lines["scenarios"] == 0 {
				p.Wrong(n, "%s.scenarios: there are none: write at least one, with a name and a prompt", field)
			}
		},
		"execution": p.execution,
		"output": func(field string, n *yaml.Node) {
			p.Mapping(n, field, strictyaml.Keys{
				"export": func(field string, n *yaml.Node) { p.list(field, n, p.export) },
			})
		},
	})
	if top.Kind == yaml.MappingNode {
		if lines["providers"] == 0 {
			p.Wrong(top, "providers: there are none: write at least one, as in providers: [{name: openai, models: [gpt-5-mini]}]")
		}
		if lines["workload"] == 0 {
			p.Wrong(top, "workload: there is none: write its scenarios, each with a name and a prompt")
		}
	}
	if e := p.file.Execution; e.Budget > 0 && e.Prices == "" {
		p.Wrong(p.budget, "execution.budget: needs execution.prices, a file of what a token costs")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	return p.file, nil
}

// A parser reads a benchmark file.
type parser struct {
	reader
	file   *File
	budget *yaml.Node
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	variable     = regexp.MustCompile(`\$\{[^{}]+\}`)
	headerName   = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	placeholder  = regexp.MustCompile(`\{[^{}]*\}`)
)

// credentialHeaders are those that hold keys.
var credentialHeaders = []string{"authorization", "api-key", "x-api-key", "x-goog-api-key", "proxy-authorization", "cookie"}

func (p *parser) provider(field string, n *yaml.Node) {
	at := Provider{line: n.Line}
	number := func(to **float64) func(string, *yaml.Node) {
		return func(field string, n *yaml.Node) {
			v := p.number(field, n, 0, "a number of 0 or more")
			*to = &v
		}
	}
	text := func(to *string) func(string, *yaml.Node) {
		return func(field string, n *yaml.Node) { *to = p.label(field, n) }
	}
	at.lines = p.Mapping(n, field, strictyaml.Keys{
		"name":   text(&at.Name),
		"label":  text(&at.Label),
		"models": func(field string, n *yaml.Node) { at.Models = p.models(field, n) },

		"base_url": text(&at.BaseURL),
		"region":   text(&at.Region),
		"project":  text(&at.Project),
		"api_version": func(field string, n *yaml.Node) {
			if p.scalar(field, n, "a version, such as 2024-10-21", "!!str", "!!timestamp") { // a date, to YAML
				at.APIVersion = n.Value
			}
		},
		"family":   text(&at.Family),
		"endpoint": func(field string, n *yaml.Node) { at.Endpoint = p.file.beside(p.text(field, n)) },
		"latency":  func(field string, n *yaml.Node) { at.Latency = p.choice(field, n, "standard", "optimized") },
		"key_env": func(field string, n *yaml.Node) {
			if at.KeyEnv = p.text(field, n); at.KeyEnv != "" && !variableName.MatchString(at.KeyEnv) {
				p.Wrong(n, "%s: want the name of an environment variable, such as OPENAI_API_KEY", field) // it may be a key
			}
		},
		"headers": func(field string, n *yaml.Node) { at.Headers = p.headers(field, n) },

		"temperature": number(&at.Temperature),
		"top_p":       number(&at.TopP),
		"top_k": func(field string, n *yaml.Node) {
			k := p.whole(field, n, 1)
			at.TopK = &k
		},
		"max_tokens":      func(field string, n *yaml.Node) { at.MaxTokens = p.whole(field, n, 1) },
		"thinking_budget": func(field string, n *yaml.Node) { at.ThinkingBudget = p.whole(field, n, 1) },
		"rate_limit":      func(field string, n *yaml.Node) { at.RateLimit = p.positive(field, n) },
		"fields": func(field string, n *yaml.Node) {
			members, is := p.value(field, n).(map[string]any)
			if !is {
				p.Wrong(n, "%s: want members of the request body, as in {seed: 7}", field)
			}
			at.Fields = members
		},
	})
	if n.Kind == yaml.MappingNode && at.lines["name"] == 0 {
		p.Wrong(n, "%s.name: missing: say whose API it is, as in name: openai", field)
	}
	if at.Label == "" {
		at.Label = at.Name
	}
	for _, other := range p.file.Providers {
		shared := slices.ContainsFunc(at.Models, func(m string) bool { return slices.Contains(other.Models, m) })
		if at.Label != "" && other.Label == at.Label && (shared || len(at.Models)+len(other.Models) == 0) {
			p.Wrong(n, "%s: %s with the same model is on line %d already: give one of them a label", field, strictyaml.Short(at.Label), other.line)
		}
	}
	p.file.Providers = append(p.file.Providers, at)
}

func (p *parser) models(field string, n *yaml.Node) []string {
	var models []string
	p.list(field, n, func(field string, n *yaml.Node) {
		model := p.label(field, n)
		if slices.Contains(models, model) {
			p.Wrong(n, "%s: %s is in the list already", field, strictyaml.Short(model))
		}
		models = append(models, model)
	})
	return models
}

// headers reads a mapping of names to values. Messages do not show values, which may be
// secret.
func (p *parser) headers(field string, n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode {
		p.Wrong(n, "%s: want names and values, as in {X-Team: chat}", field)
		return nil
	}
	headers := make(map[string]string)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		switch _, twice := headers[name]; {
		case !headerName.MatchString(name):
			p.Wrong(key, "%s: %q is no name of a header", field, strictyaml.Short(name))
		case twice:
			p.Wrong(key, "%s.%s: given twice", field, name)
		case value.Kind != yaml.ScalarNode || value.ShortTag() != "!!str" || strings.ContainsAny(value.Value, "\r\n\x00"):
			p.Wrong(value, "%s.%s: want a text of one line, in quotes where YAML takes it for something else", field, name)
		case slices.Contains(credentialHeaders, strings.ToLower(name)) && !variable.MatchString(value.Value):
			p.Wrong(value, "%s.%s: it holds a key, and keys are not for files: put it into an environment variable, as in %s: ${MY_KEY}", field, name, name)
		}
		headers[name] = value.Value
	}
	return headers
}

func (p *parser) execution(field string, n *yaml.Node) {
	e := &p.file.Execution
	p.Mapping(n, field, strictyaml.Keys{
		"max_concurrency": func(field string, n *yaml.Node) { e.MaxConcurrency = p.whole(field, n, 1) },
		"warmup_requests": func(field string, n *yaml.Node) { e.Warmup = p.whole(field, n, 0) },
		"retry": func(field string, n *yaml.Node) {
			p.Mapping(n, field, strictyaml.Keys{
				"max_attempts": func(field string, n *yaml.Node) { e.Retries = max(0, p.whole(field, n, 1)-1) },
				"initial_backoff_ms": func(field string, n *yaml.Node) {
					e.Backoff = time.Duration(p.whole(field, n, 1)) * time.Millisecond
				},
			})
		},
		"timeout":   func(field string, n *yaml.Node) { e.Timeout = p.duration(field, n) },
		"dial_anew": func(field string, n *yaml.Node) { e.DialAnew = p.truth(field, n) },
		"order":     func(field string, n *yaml.Node) { e.Shuffled = p.choice(field, n, "file", "shuffled") == "shuffled" },
		"seed":      func(field string, n *yaml.Node) { e.Seed = uint64(p.whole(field, n, 1)) },
		"budget": func(field string, n *yaml.Node) {
			e.Budget, p.budget = p.positive(field, n), n
		},
		"prices": func(field string, n *yaml.Node) { e.Prices = p.file.beside(p.text(field, n)) },
	})
}

func (p *parser) export(field string, n *yaml.Node) {
	var e Export
	lines := p.Mapping(n, field, strictyaml.Keys{
		"format": func(field string, n *yaml.Node) { e.Format = p.choice(field, n, exportFormats...) },
		"path": func(field string, n *yaml.Node) {
			e.Path = p.text(field, n)
			for _, found := range placeholder.FindAllString(e.Path, -1) {
				if found != timestampPlaceholder {
					p.Wrong(n, "%s: there is no %s, only %s", field, strictyaml.Short(found), timestampPlaceholder)
				}
			}
			if strings.HasSuffix(e.Path, "/") || filepath.Base(e.Path) == "." || filepath.Base(e.Path) == ".." {
				p.Wrong(n, "%s: want the name of a file", field)
			}
		},
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, key := range []string{"format", "path"} {
		if lines[key] == 0 {
			p.Wrong(n, "%s.%s: missing, as in {format: json, path: results/benchmark_%s.json}", field, key, timestampPlaceholder)
		}
	}
	for _, other := range p.file.Exports {
		if e.Path != "" && filepath.Clean(other.Path) == filepath.Clean(e.Path) {
			p.Wrong(n, "%s.path: another export goes to %s already", field, strictyaml.Short(e.Path))
		}
	}
	p.file.Exports = append(p.file.Exports, e)
}

var exportFormats = []string{"json", "csv", "jsonl"}

const timestampPlaceholder = "{timestamp}"

// ExportTo returns the export to a file whose name says which format it is in.
func ExportTo(path string) (Export, error) {
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if !slices.Contains(exportFormats, format) {
		return Export{}, fmt.Errorf("want a file that ends in .json, .csv or .jsonl (samples), got %q", path)
	}
	for _, found := range placeholder.FindAllString(path, -1) {
		if found != timestampPlaceholder {
			return Export{}, fmt.Errorf("there is no %s in names of files, only %s", strictyaml.Short(found), timestampPlaceholder)
		}
	}
	return Export{Format: format, Path: path}, nil
}

// cache reads a policy for the prompt cache.
func (p *parser) cache(field string, n *yaml.Node) latencytest.CachePolicy {
	return latencytest.CachePolicy(p.choice(field, n, string(latencytest.AsIsCache), string(latencytest.BustCache), string(latencytest.WarmCache)))
}
