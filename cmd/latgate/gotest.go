package main

import (
	"fmt"
	"slices"
	"strings"
)

// goTest is what go test would be asked for.
type goTest struct {
	packages []string
	build    []string // flags
	run      []string // flags of the test binary
	verbose  bool
}

// What is passed on: flags that build a test, and flags that run it.
var (
	buildFlags     = []string{"tags", "ldflags", "gcflags", "asmflags", "mod", "modfile", "race", "trimpath", "msan", "asan"}
	testFlags      = []string{"run", "skip", "timeout", "cpu", "parallel", "short"}
	booleanGoFlags = []string{"race", "trimpath", "msan", "asan", "short", "v"}
)

// parseGoTest reads the arguments of go test.
func parseGoTest(args []string) (goTest, error) {
	var t goTest
	chosen := false
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			t.packages = append(t.packages, args[i])
			continue
		}
		if args[i] == "-args" || args[i] == "--args" {
			t.run = append(t.run, args[i+1:]...)
			break
		}
		name, value, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		name = strings.TrimPrefix(name, "test.")
		switch {
		case slices.Contains(booleanGoFlags, name):
			if !given {
				value = "true"
			}
		case !slices.Contains(buildFlags, name) && !slices.Contains(testFlags, name):
			return t, fmt.Errorf("-%s: a flag of go test that does not fit here; there are -%s, -v, and -args for those of the tests themselves",
				name, strings.Join(append(slices.Clone(testFlags), buildFlags...), ", -"))
		case !given && i+1 == len(args):
			return t, fmt.Errorf("-%s: a value is missing", name)
		case !given:
			i++
			value = args[i]
		}
		switch {
		case name == "v":
			t.verbose = value == "true"
		case slices.Contains(buildFlags, name):
			t.build = append(t.build, "-"+name+"="+value)
		default:
			chosen = chosen || name == "run"
			t.run = append(t.run, "-test."+name+"="+value)
		}
	}
	if len(t.packages) == 0 {
		t.packages = []string{"."}
	}
	if !chosen {
		t.run = append([]string{"-test.run=Latency"}, t.run...)
	}
	return t, nil
}
