package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/latgate/latgate/latencytest"
)

// An abSession runs the tests of two builds by turns.
type abSession struct {
	commands
	tests    goTest
	blocks   int
	requests int    // of each scenario in a turn
	dir      string // where the samples go
	seed     uint64
}

// seed is that of the first pair of turns.
func (p *program) seed() uint64 {
	text, _ := p.lookup("LATGATE_SEED")
	if seed, err := strconv.ParseUint(text, 10, 64); err == nil && seed > 0 {
		return seed
	}
	return 1
}

// A measuredTest is what a test's plan measured on both sides.
type measuredTest struct {
	dir  string // of the package, from the root of the repository
	pair *latencytest.Pair
}

// measure takes the turns of all packages, one package after the other, so that the
// turns of a pair stay neighbours.
func (s abSession) measure(packages []*testPackage) ([]measuredTest, error) {
	var all []measuredTest
	for i, pkg := range packages {
		turns := make(map[string]*[2][]*latencytest.Result) // by the sample file's name
		var names []string
		for pair := range 2 * s.blocks {
			order := []int{sideBase, sideHead}
			if pair%2 == 1 {
				order = []int{sideHead, sideBase}
			}
			for _, side := range order {
				if !pkg.has[side] {
					continue
				}
				dir := filepath.Join(s.dir, fmt.Sprintf("%d-%s", i, filepath.Base(pkg.in[side])), fmt.Sprintf("%02d-%s", pair, sideNames[side]))
				files, err := s.turn(pkg, side, pair, dir)
				if err != nil {
					return nil, err
				}
				for _, file := range files {
					res, err := latencytest.Load(file)
					if err != nil {
						return nil, &exitError{exitEndpoint, err}
					}
					name, err := filepath.Rel(dir, file)
					if err != nil {
						return nil, err
					}
					if turns[name] == nil {
						turns[name] = new([2][]*latencytest.Result)
						names = append(names, name)
					}
					turns[name][side] = append(turns[name][side], res)
				}
			}
		}
		slices.Sort(names)
		for _, name := range names {
			m, err := s.joined(pkg, name, *turns[name])
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// turn runs the tests of one side once and returns the files of their samples.
func (s abSession) turn(pkg *testPackage, side, pair int, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &exitError{exitInternal, err}
	}
	fmt.Fprintf(s.log, "%s: turn %d of %d, %s\n", plain(pkg.dir), pair+1, 2*s.blocks, sideNames[side])
	env := []string{
		latencytest.SessionVariable + "=" + latencytest.Session{Dir: dir}.String(),
		fmt.Sprintf("LATGATE_REQUESTS=%d", s.requests),
		// Both turns of a pair send the same prompts in the same order.
		fmt.Sprintf("LATGATE_SEED=%d", s.seed+uint64(pair)),
		"LATGATE_UPDATE=", "LATGATE_OUT=",
	}
	args := append([]string{"-test.count=1", "-test.v", "-test.paniconexit0"}, s.tests.run...)
	out, err := s.output(pkg.in[side], env, pkg.binary[side], args...)
	if s.tests.verbose {
		fmt.Fprint(s.log, plain(out))
	}
	if err != nil {
		return nil, &exitError{exitEndpoint, fmt.Errorf("the tests of the %s in %s failed: they only measure here, so it is not for being slow: %w", sideNames[side], pkg.dir, err)}
	}
	return filepath.Glob(filepath.Join(dir, "*", "*.samples.jsonl"))
}

// joined puts the turns of a test's plan together.
func (s abSession) joined(pkg *testPackage, file string, turns [2][]*latencytest.Result) (measuredTest, error) {
	for side, n := range [2]int{len(turns[sideBase]), len(turns[sideHead])} {
		if n != 0 && n != 2*s.blocks {
			return measuredTest{}, &exitError{exitEndpoint, fmt.Errorf("%s: %s was measured in %d of the %d turns of the %s only", pkg.dir, file, n, 2*s.blocks, sideNames[side])}
		}
	}
	pair, err := latencytest.PairOf(turns[sideBase], turns[sideHead])
	if err != nil {
		return measuredTest{}, &exitError{exitEndpoint, errors.New(pkg.dir + ": " + err.Error())}
	}
	return measuredTest{pkg.dir, pair}, nil
}
