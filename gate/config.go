package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/internal/strictyaml"
	"github.com/latgate/latgate/report"
)

// ConfigName is the name of the configuration, at the root of the module.
const ConfigName = "latgate.yaml"

// A Config is what a team says once for all builds of a module. The zero value is that
// of a file that says nothing.
type Config struct {
	FailOn       []baseline.Verdict // that fail a build; nil: the usual ones
	Inconclusive string             // "warn", "fail"; empty is warn
	Require      []*regexp.Regexp   // each must match the "package test" of a check
	Credentials  []string           // variables that a live mode needs; nil: any known one
	Store        string             // of the commands about baselines: a directory of the module, or an address as s3store knows them
	MaxUSD       float64            // of a build, over all shards; 0: no limit
	MaxRequests  int                // the same

	// Of NoRegression gates that do not say it themselves; 0: the usual value.
	MinEffect, RuleOut, Alpha float64
}

// ReadConfig reads the configuration of a module; one that is not there says nothing.
func ReadConfig(root string) (Config, error) {
	path := filepath.Join(root, ConfigName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, err
	}
	return ParseConfig(data, path)
}

// ParseConfig reads a configuration. The error tells of each key and value that is
// wrong, with its line.
func ParseConfig(data []byte, name string) (Config, error) {
	r := configReader{Reader: strictyaml.Reader{Name: name}}
	document, err := r.Document(data)
	if err != nil {
		return Config{}, err
	}
	if document != nil {
		r.config(document)
	}
	return r.Config, r.Err()
}

// A configReader reads a configuration.
type configReader struct {
	strictyaml.Reader
	Config
}

func (r *configReader) config(n *yaml.Node) {
	r.Mapping(n, "", strictyaml.Keys{
		"fail_on": func(key string, n *yaml.Node) {
			r.FailOn = []baseline.Verdict{}
			r.list(key, n, func(n *yaml.Node) {
				verdict, err := ParseVerdict(n.Value)
				if err != nil {
					r.Wrong(n, "%s: %v", key, err)
				}
				r.FailOn = append(r.FailOn, verdict)
			})
		},
		"inconclusive": func(key string, n *yaml.Node) {
			if r.Inconclusive = n.Value; n.Value != "warn" && n.Value != "fail" {
				r.Wrong(n, "%s: want warn or fail, got %.40q", key, n.Value)
			}
		},
		"require": func(key string, n *yaml.Node) {
			r.list(key, n, func(n *yaml.Node) {
				pattern, err := regexp.Compile(n.Value)
				if err != nil {
					r.Wrong(n, "%s: %v", key, err)
				}
				r.Require = append(r.Require, pattern)
			})
		},
		"credentials": func(key string, n *yaml.Node) {
			r.Credentials = []string{}
			r.list(key, n, func(n *yaml.Node) {
				if !variableName.MatchString(n.Value) {
					r.Wrong(n, "%s: want the name of an environment variable, got %.40q", key, n.Value)
				}
				r.Credentials = append(r.Credentials, n.Value)
			})
		},
		"store": func(key string, n *yaml.Node) {
			scheme, _, remote := strings.Cut(n.Value, "://")
			switch r.Store = n.Value; {
			case n.Kind != yaml.ScalarNode || n.Value == "":
				r.Wrong(n, "%s: want a directory or a URL", key)
			case remote && scheme != "s3" && scheme != "https" && scheme != "http": // the address may hold a secret by mistake
				r.Wrong(n, "%s: want a directory, s3://bucket/prefix, or https://host/path for a mirror", key)
			}
		},
		"budgets": func(key string, n *yaml.Node) {
			r.Mapping(n, key, strictyaml.Keys{
				"max_usd": func(key string, n *yaml.Node) { r.MaxUSD = r.number(key, n, math.MaxFloat64) },
				"max_requests": func(key string, n *yaml.Node) {
					requests := r.number(key, n, 1e12)
					if r.MaxRequests = int(requests); float64(r.MaxRequests) != requests {
						r.Wrong(n, "%s: want a whole number, got %.40q", key, n.Value)
					}
				},
			})
		},
		"min_effect": func(key string, n *yaml.Node) { r.MinEffect = r.number(key, n, 10) },
		"rule_out":   func(key string, n *yaml.Node) { r.RuleOut = r.number(key, n, 10) },
		"alpha":      func(key string, n *yaml.Node) { r.Alpha = r.number(key, n, .5) },
	})
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// list reads the texts of a list.
func (r *configReader) list(key string, n *yaml.Node, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.Wrong(n, "%s: want a list", key)
		return
	}
	for _, element := range n.Content {
		if element.Kind != yaml.ScalarNode || element.Value == "" {
			r.Wrong(element, "%s: want a text", key)
			continue
		}
		read(element)
	}
}

// number reads a positive number.
func (r *configReader) number(key string, n *yaml.Node, most float64) float64 {
	text, percent := strings.CutSuffix(n.Value, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if percent {
		v /= 100
	}
	if n.Kind != yaml.ScalarNode || err != nil || !(v > 0) || v > most {
		r.Wrong(n, "%s: want a positive number, of at most %g, got %.40q", key, most, n.Value)
		return 0
	}
	return v
}

// ParseVerdict reads the name of a verdict that can fail a build.
func ParseVerdict(name string) (baseline.Verdict, error) {
	v := baseline.Verdict(strings.TrimSpace(name))
	code := report.ExitCode(v)
	if code == report.ExitPass || code == report.ExitInternal {
		return "", fmt.Errorf("want some of %v, got %.40q", append(slices.Clone(failing), baseline.Inconclusive), name)
	}
	return v, nil
}

// silentOnDoubt reports whether the configuration does not say what an open question does.
func (c Config) silentOnDoubt() bool { return c.FailOn == nil && c.Inconclusive == "" }

// failOn are the verdicts that fail a build.
func (c Config) failOn() []baseline.Verdict {
	verdicts := c.FailOn
	if verdicts == nil {
		verdicts = failing
	}
	if c.Inconclusive == "fail" && !slices.Contains(verdicts, baseline.Inconclusive) {
		verdicts = append(slices.Clone(verdicts), baseline.Inconclusive)
	}
	return verdicts
}
