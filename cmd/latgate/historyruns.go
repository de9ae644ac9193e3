package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/latgate/latgate/baseline"
)

// storedRuns are the runs of one key.
type storedRuns struct {
	key    baseline.Key
	runs   []*baseline.Run
	pinned *baseline.Run // nil where none is
	where  map[*baseline.Run]string
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

// readArchive reads the runs below a directory of baselines and below others, by key,
// ordered by name. One broken file is an error: a history with a hole in it shows
// steps that never were. Of a remote store it reads all runs that were ever stored.
func readArchive(ctx context.Context, baselines string, more []string) ([]storedRuns, error) {
	all := make(runsByKey)
	var errs []error
	for i, name := range append([]string{baselines}, more...) {
		if isRemote(name) {
			errs = append(errs, all.addStore(ctx, name, i == 0))
			continue
		}
		err := all.addDirectory(name, i == 0)
		if i == 0 && errors.Is(err, fs.ErrNotExist) && len(more) > 0 {
			continue // there is an archive, and no baseline yet
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, storeFailed(err)
	}
	return all.sorted(baselines)
}

// readBaselines reads the runs that others are compared with: those below a directory, or
// those that the pointers of a remote store name.
func readBaselines(ctx context.Context, name string) ([]storedRuns, error) {
	if !isRemote(name) {
		return readArchive(ctx, name, nil)
	}
	store, err := openRemote(ctx, name)
	if err != nil {
		return nil, err
	}
	baselines, err := store.Baselines()
	if err != nil {
		return nil, storeFailed(err)
	}
	all := make(runsByKey)
	for _, b := range baselines {
		for _, r := range b.Runs {
			all.add(r.Run, r.Address, false)
		}
		if b.Pinned != nil {
			all.add(b.Pinned.Run, b.Pinned.Address, true)
		}
	}
	return all.sorted(name)
}

// runsByKey are stored runs by the hash of their key.
type runsByKey map[string]storedRuns

func (all runsByKey) add(r *baseline.Run, where string, pinned bool) {
	s := all[r.Key.Hash()]
	if s.key = r.Key; s.where == nil {
		s.where = make(map[*baseline.Run]string)
	}
	if s.where[r] = where; pinned {
		s.pinned = r
	} else {
		s.runs = append(s.runs, r)
	}
	all[r.Key.Hash()] = s
}

// addDirectory adds the runs in files. Those of baselines may be pinned.
func (all runsByKey) addDirectory(dir string, baselines bool) error {
	files, err := runFiles(dir)
	errs := []error{err}
	for _, file := range files {
		run, err := readStoredRun(file)
		if errs = append(errs, err); err == nil {
			all.add(run, file, baselines && filepath.Base(file) == baseline.PinnedFile)
		}
	}
	return errors.Join(errs...)
}

// addStore adds all runs of a remote store.
func (all runsByKey) addStore(ctx context.Context, address string, baselines bool) error {
	store, err := openRemote(ctx, address)
	if err != nil {
		return err
	}
	runs, err := store.Archive()
	if err != nil {
		return err
	}
	keys := make(map[string]baseline.Key)
	for _, r := range runs {
		all.add(r.Run, r.Address, false)
		keys[r.Key.Hash()] = r.Key
	}
	if !baselines {
		return nil
	}
	for _, k := range keys {
		pinned, err := store.Pinned(k)
		if err != nil {
			return err
		}
		if pinned != nil {
			all.add(pinned, store.Location(k), true)
		}
	}
	return nil
}

func (all runsByKey) sorted(baselines string) ([]storedRuns, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no runs: accept some as a baseline first, or name a directory of nightly runs with --runs", baselines)
	}
	return slices.SortedFunc(maps.Values(all), func(a, b storedRuns) int { return cmp.Compare(a.name(), b.name()) }), nil
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
