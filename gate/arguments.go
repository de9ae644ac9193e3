package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Arguments are what go test is called with, taken apart as far as they decide which
// tests run.
type arguments struct {
	all  []string // as they were given
	rest []string // without run and skip, those after -args left out
	args []string // from -args on
	run  string   // the pattern of -run
	skip string   // the pattern of -skip
}

// withValue are the flags of go test and of go build whose value may be the next
// argument. Those of a test binary's own need a "=", as go test itself asks for.
var withValue = strings.Fields(`asmflags bench benchtime blockprofile blockprofilerate buildmode buildvcs C compiler
	count covermode coverpkg coverprofile cpu cpuprofile exec fuzz fuzzminimizetime fuzztime gccgoflags gcflags
	installsuffix ldflags list memprofile memprofilerate mod modfile mutexprofile mutexprofilefraction o outputdir
	overlay p parallel pgo pkgdir run shuffle skip tags timeout toolexec trace vet latgate.reason latgate.requests latgate.seed`)

// reserved are flags that are latgate's own affair, or that run no test.
var reserved = []string{"C", "bench", "c", "count", "exec", "fuzz", "json", "list", "o"}

// parseArguments takes the arguments of go test apart.
func parseArguments(all []string) (arguments, error) {
	a := arguments{all: all}
	for i := 0; i < len(all); i++ {
		word := all[i]
		if word == "-args" || word == "--args" {
			a.args = all[i:]
			break
		}
		name, isFlag := strings.CutPrefix(word, "-")
		if !isFlag {
			a.rest = append(a.rest, word)
			continue
		}
		name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "test.")
		name, value, whole := strings.Cut(name, "=")
		if slices.Contains(reserved, name) {
			return a, fmt.Errorf("-%s: latgate calls go test itself, with -json -count=1: leave it out", name)
		}
		words := []string{word}
		if !whole && slices.Contains(withValue, name) {
			if i++; i == len(all) {
				return a, fmt.Errorf("-%s: there is no value", name)
			}
			value = all[i]
			words = append(words, value)
		}
		switch name {
		case "run":
			a.run = value
		case "skip":
			a.skip = value
		default:
			a.rest = append(a.rest, words...)
		}
	}
	for flag, pattern := range map[string]string{"run": a.run, "skip": a.skip} {
		for _, part := range splitPattern(pattern) {
			if _, err := regexp.Compile(part); err != nil {
				return a, fmt.Errorf("-%s: %w", flag, err)
			}
		}
	}
	if slices.Contains(a.rest, "--") {
		return a, errors.New("--: go test knows none")
	}
	return a, nil
}

// packages are the arguments that are no flags.
func (a arguments) packages() []string {
	var packages []string
	for i := 0; i < len(a.rest); i++ {
		name, isFlag := strings.CutPrefix(a.rest[i], "-")
		if !isFlag {
			packages = append(packages, a.rest[i])
			continue
		}
		name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "test.")
		if slices.Contains(withValue, name) {
			i++
		}
	}
	return packages
}

// flags are the arguments that are flags.
func (a arguments) flags() []string {
	packages := a.packages()
	return slices.DeleteFunc(slices.Clone(a.rest), func(word string) bool { return slices.Contains(packages, word) })
}

// writing are the flags that say which files go test writes, or where.
var writing = strings.Fields("artifacts outputdir blockprofile coverprofile cpuprofile memprofile mutexprofile trace")

// keeping are the flags that have tests keep their artifacts (testing.T.ArtifactDir) in a
// directory. Where the user says which files are written, there are none: -outputdir is
// about all of them.
func (a arguments) keeping(dir string) []string {
	for _, word := range a.rest {
		name, isFlag := strings.CutPrefix(word, "-")
		name, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(name, "-"), "test."), "=")
		if isFlag && slices.Contains(writing, name) {
			return nil
		}
	}
	return []string{"-artifacts", "-outputdir=" + dir}
}

// top is the part of a pattern that top-level tests are matched with, and rest what
// their subtests are, with its slash.
func top(pattern string) (first, rest string) {
	parts := splitPattern(pattern)
	if len(parts) == 0 {
		return "", ""
	}
	return parts[0], pattern[len(parts[0]):]
}

// splitPattern splits a pattern at its slashes as package testing does: those in
// brackets are none.
func splitPattern(pattern string) []string {
	if pattern == "" {
		return nil
	}
	var parts []string
	square, round, begin := 0, 0, 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '[':
			square++
		case ']':
			square = max(0, square-1)
		case '(':
			if square == 0 {
				round++
			}
		case ')':
			if square == 0 {
				round--
			}
		case '\\':
			i++
		case '/':
			if square == 0 && round == 0 {
				parts = append(parts, pattern[begin:i])
				begin = i + 1
			}
		}
	}
	return append(parts, pattern[begin:])
}
