package latgate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module    = "github.com/latgate/latgate"
	testify   = "github.com/stretchr/testify"
	aws       = "github.com/aws"
	benchstat = "golang.org/x/perf/benchstat" // deprecated; the command of that name is not
)

// A room is a package and what it may import: the standard library, rooms on
// lower floors, packages below its own path, and the third-party paths listed.
// A path that ends in /... is a tree of packages that is one room.
type room struct {
	floor      float64 // a half is a storey between two floors of the plan
	path       string
	thirdParty string // space-separated path prefixes; "any" is what it says
	alone      bool   // imports no other room, on whatever floor
}

func (r room) allows(imported string) bool {
	return r.thirdParty == "any" ||
		slices.ContainsFunc(strings.Fields(r.thirdParty), func(root string) bool { return within(imported, root) })
}

var rooms = []room{
	{floor: 0, path: ""}, // the documentation of the module
	{floor: 1, path: "providers/wire"},
	{floor: 2, path: "providers"},
	{floor: 2.5, path: "providers/endpoint"},
	{floor: 3, path: "providers/anthropic"},
	{floor: 3, path: "providers/cohere"},
	{floor: 3, path: "providers/custom", thirdParty: "go.yaml.in/yaml"},
	{floor: 3, path: "providers/gemini"},
	{floor: 3.5, path: "providers/gemini/vertex", thirdParty: "golang.org/x/oauth2"},
	{floor: 3, path: "providers/ollama"},
	{floor: 3, path: "providers/openai"},
	{floor: 3, path: "providers/tgi"},
	{floor: 3, path: "providers/providertest"},       // for tests
	{floor: 3.5, path: "providers/bedrock/protocol"}, // hosts of other vendors' models
	{floor: 3.5, path: "providers/bedrock", thirdParty: aws},
	{floor: 3.5, path: "providers/sagemaker/protocol"},
	{floor: 3.5, path: "providers/sagemaker", thirdParty: aws},
	{floor: 1.5, path: "fakes/memory"},
	{floor: 1.5, path: "fakes/clock", thirdParty: "golang.org/x/sys"},
	{floor: 3, path: "fakes", thirdParty: "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"},
	{floor: 3, path: "fakes/cassette", thirdParty: "github.com/google/go-cmp github.com/klauspost/compress/s2"},
	{floor: 4.5, path: "fakes/cassette/convert", thirdParty: "go.yaml.in/yaml github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"}, // which fakes links
	{floor: 4, path: "latencytest", thirdParty: "golang.org/x/perf golang.org/x/time/rate github.com/cenkalti/backoff/v5 github.com/HdrHistogram/hdrhistogram-go"},
	{floor: 5, path: "baseline/stat", thirdParty: "github.com/aclements/go-moremath", alone: true},
	{floor: 5, path: "baseline", thirdParty: "golang.org/x/perf github.com/aclements/go-moremath github.com/google/go-cmp"},
	{floor: 6, path: "assertions", thirdParty: testify},
	{floor: 5.5, path: "baseline/attribution"},
	{floor: 5.5, path: "baseline/calibrate"},
	{floor: 5.5, path: "baseline/history"},
	{floor: 5.5, path: "baseline/s3store", thirdParty: aws},
	{floor: 5.5, path: "report"},
	{floor: 6, path: "report/bench", thirdParty: "golang.org/x/perf"},
	{floor: 6, path: "report/github"},
	{floor: 6, path: "report/gitlab"},
	{floor: 6, path: "report/junit"},
	{floor: 6, path: "report/markdown"},
	{floor: 6, path: "report/text"},
	{floor: 6, path: "report/reporttest"}, // for tests
	{floor: 6.2, path: "internal/strictyaml", thirdParty: "go.yaml.in/yaml"},
	{floor: 6.5, path: "benchmark", thirdParty: "go.yaml.in/yaml"},
	{floor: 6.5, path: "gate", thirdParty: "go.yaml.in/yaml"},
	{floor: 7, path: "cmd/...", thirdParty: "any"},
	{floor: 8, path: "examples/...", thirdParty: "any"},
	{floor: 8, path: "bench"},                                  // benchmarks of the whole
	{floor: 8, path: "internal/recorded", thirdParty: testify}, // for tests
	{floor: 8, path: "internal/hostile", thirdParty: testify},  // for tests
	{floor: 8, path: "internal/simulation"},                    // for tests
	{floor: 8, path: "internal/madeup"},                        // for tests
}

// A pkg is what go list says about a package.
type pkg struct {
	ImportPath, Doc                    string
	Imports, TestImports, XTestImports []string
}

func TestFloors(t *testing.T) {
	noteSources(t)
	for _, v := range violations(goList(t)) {
		t.Error(v)
	}
}

// noteSources reads the directories of the module, so that go test does not
// reuse this test's result after a file of any package has changed.
func noteSources(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && (d.Name()[0] == '.' || d.Name() == "testdata") {
			return fs.SkipDir
		}
		return err
	}))
}

// goList returns the packages of the module and all that they depend on.
func goList(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Doc,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	graph := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p pkg
		require.NoError(t, decoder.Decode(&p))
		graph[p.ImportPath] = p
	}
	return graph
}

// violations checks the packages of the module in graph, in order of their
// paths, and says which import breaks which rule.
func violations(graph map[string]pkg) []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(graph)) {
		if !within(path, module) {
			continue
		}
		p := graph[path]
		from, ok := roomOf(path)
		if !ok {
			out = append(out, path+": has no floor: add it to the table of rooms")
			continue
		}
		if p.Doc == "" {
			out = append(out, path+": has no package comment")
		}
		for _, imported := range p.Imports {
			if rule := forbidden(from, path, imported); rule != "" {
				out = append(out, fmt.Sprintf("%s -> %s: %s", path, imported, rule))
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if within(imported, benchstat) {
				out = append(out, fmt.Sprintf("%s (test) -> %s: the benchstat library is deprecated", path, imported))
			}
		}
		rules := notLinked(from)
		for _, root := range slices.Sorted(maps.Keys(rules)) {
			chain := chainTo(graph, path, root)
			if len(chain) <= 2 {
				continue // a direct import at most, reported above
			}
			if next, ok := roomOf(chain[1]); ok && notLinked(next)[root] != "" {
				continue // reported there
			}
			out = append(out, strings.Join(chain, " -> ")+": "+rules[root])
		}
	}
	return out
}

// forbidden returns the rule that a direct import breaks, or "".
func forbidden(from room, path, imported string) string {
	switch {
	case within(imported, module):
		to, ok := roomOf(imported)
		if !ok || to == from || within(imported, path) {
			return "" // a room without a floor is reported as itself
		}
		if from.alone {
			return "the room imports no other room"
		}
		if to.floor >= from.floor {
			return fmt.Sprintf("floor %v imports floor %v: a room imports only rooms on lower floors", from.floor, to.floor)
		}
	case within(imported, "testing") && from.floor < 4 && from.path != "providers/providertest":
		return "floors 1 to 3 do not import testing"
	case within(imported, benchstat):
		return "the benchstat library is deprecated"
	case !standard(imported) && !from.allows(imported):
		return fmt.Sprintf("the room's third-party imports are [%s]", from.thirdParty)
	}
	return ""
}

// notLinked returns what a room must not link, however indirectly, and the rule.
func notLinked(r room) map[string]string {
	rules := map[string]string{benchstat: "the benchstat library is deprecated"}
	if r.floor <= 5 {
		rules[testify] = "floors 1 to 5 do not link testify"
	}
	if r.floor <= 6 && !strings.Contains(r.thirdParty, aws) {
		rules[aws] = "the room links no vendor SDK"
	}
	return rules
}

// chainTo returns a shortest chain of imports from path to a package within
// root, or nil.
func chainTo(graph map[string]pkg, path, root string) []string {
	chains := map[string][]string{path: {path}}
	for queue := []string{path}; len(queue) > 0; queue = queue[1:] {
		chain := chains[queue[0]]
		for _, imported := range graph[queue[0]].Imports {
			if _, seen := chains[imported]; seen {
				continue
			}
			chains[imported] = append(slices.Clone(chain), imported)
			if within(imported, root) {
				return chains[imported]
			}
			queue = append(queue, imported)
		}
	}
	return nil
}

func roomOf(path string) (room, bool) {
	relative := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	i := slices.IndexFunc(rooms, func(r room) bool {
		tree, isTree := strings.CutSuffix(r.path, "/...")
		return r.path == relative || isTree && within(relative, tree)
	})
	if i < 0 {
		return room{}, false
	}
	return rooms[i], true
}

// within reports whether path is root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func standard(path string) bool { return !strings.Contains(strings.Split(path, "/")[0], ".") }

func TestFloorsCanFail(t *testing.T) {
	tests := []struct {
		name, path string
		imports    []string
		want       string // "" is no violation
	}{
		{"lower floor", "latencytest", []string{module + "/providers/wire"}, ""},
		{"higher floor", "providers", []string{module + "/latencytest"}, "providers -> github.com/latgate/latgate/latencytest: floor 2 imports floor 4"},
		{"same floor", "fakes", []string{module + "/providers/openai"}, "floor 3 imports floor 3"},
		{"part of the same room", "providers/bedrock", []string{module + "/providers/bedrock/protocol"}, ""},
		{"whole from its part", "providers/bedrock/protocol", []string{module + "/providers/bedrock"}, "floor 3.5 imports floor 3.5"},
		{"alone", "baseline/stat", []string{module + "/providers/wire"}, "the room imports no other room"},
		{"unlisted room", "novelty", nil, "github.com/latgate/latgate/novelty: has no floor"},
		{"tree", "examples/a/b", []string{module + "/examples/c", testify + "/assert", aws + "/x"}, ""},
		{"standard library only", "providers/wire", []string{"net/http", "golang.org/x/net/http2"}, "wire -> golang.org/x/net/http2: the room's third-party imports are []"},
		{"testing", "fakes", []string{"testing/synctest"}, "fakes -> testing/synctest: floors 1 to 3 do not import testing"},
		{"testify", "baseline", []string{testify + "/assert"}, "third-party"},
		{"other AWS in fakes", "fakes", []string{aws + "/smithy-go"}, "third-party"},
		{"AWS in the decoder", "providers/bedrock/protocol", []string{aws + "/smithy-go"}, "third-party"},
		{"AWS through a room", "latencytest", []string{module + "/providers/bedrock"}, "latencytest -> github.com/latgate/latgate/providers/bedrock -> github.com/aws/sdk: the room links no vendor SDK"},
		{"AWS through a module", "latencytest", []string{"golang.org/x/perf/cloud"}, "golang.org/x/perf/cloud -> github.com/aws/sdk: the room links no vendor SDK"},
		{"benchstat", "cmd/latgate", []string{benchstat}, "deprecated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := module + "/" + test.path
			graph := map[string]pkg{
				module + "/providers/bedrock": {Doc: "d", Imports: []string{aws + "/sdk"}},
				"golang.org/x/perf/cloud":     {Imports: []string{aws + "/sdk"}},
			}
			graph[path] = pkg{Doc: "d", Imports: slices.Concat(test.imports, graph[path].Imports)}
			got := strings.Join(violations(graph), "\n")
			require.Contains(t, got, test.want)
			require.Equal(t, test.want == "", got == "", got)
		})
	}
	silent := violations(map[string]pkg{module + "/fakes": {XTestImports: []string{benchstat}}})
	require.Regexp(t, "no package comment\n.* \\(test\\) -> .*deprecated", strings.Join(silent, "\n"))
}
