package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/latgate/latgate/baseline"
)

// storedRuns are the runs of one key.
type storedRuns struct {
	key    baseline.Key
	runs   []*baseline.Run
	pinned *baseline.Run // nil where none is
}

// name is "TestLatencyChat all @9f3c1a2b".
func (s storedRuns) name() string {
	test := cmp.Or(s.key.Get("test"), "no test")
	if plan := s.key.Get("plan"); plan != "" {
		test += " " + plan
	}
	return fmt.Sprintf("%s %s @%s", test, s.key.Get("scenario"), s.key.Hash())
}

func names(archive []storedRuns) []string {
	var all []string
	for _, s := range archive {
		all = append(all, s.name())
	}
	return all
}

// pinnedFile is the name of the anchor beside the baselines of its key.
const pinnedFile = "pinned.bench"

// readArchive reads the runs below a directory of baselines and below others, by key,
// ordered by name. One broken file is an error: a history with a hole in it shows
// steps that never were.
func readArchive(baselines string, more []string) ([]storedRuns, error) {
	byKey := make(map[string]storedRuns)
	var errs []error
	for i, dir := range append([]string{baselines}, more...) {
		files, err := runFiles(dir)
		if i == 0 && errors.Is(err, fs.ErrNotExist) && len(more) > 0 {
			continue // there is an archive, and no baseline yet
		}
		errs = append(errs, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			run, err := baseline.Parse(data, file)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			s := byKey[run.Key.Hash()]
			s.key = run.Key
			if i == 0 && filepath.Base(file) == pinnedFile {
				s.pinned = run
			} else {
				s.runs = append(s.runs, run)
			}
			byKey[run.Key.Hash()] = s
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(byKey) == 0 {
		return nil, fmt.Errorf("%s holds no runs: accept some as a baseline first, or name a directory of nightly runs with --runs", baselines)
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b storedRuns) int { return cmp.Compare(a.name(), b.name()) }), nil
}

// runFiles lists the .bench files below a directory.
func runFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".bench" {
			files = append(files, path)
		}
		return err
	})
	return files, err
}
