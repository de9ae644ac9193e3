package baseline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// Keep is how many runs of a key a store holds; when one more comes, the oldest goes.
const Keep = 10

// A Store holds accepted runs by key.
type Store interface {
	// Runs returns the runs of this key, oldest first; none is no error.
	Runs(Key) ([]*Run, error)

	// Keys returns the keys under which the test and scenario of this key have
	// runs: what there is to compare with, when Runs finds nothing.
	Keys(Key) ([]Key, error)

	// Add stores a run under its key and returns where. It is safe against other
	// processes that do the same: neither run is lost, and no reader sees half of one.
	Add(*Run) (string, error)

	// Location says where the runs of a key are, for people.
	Location(Key) string
}

// Dir returns the store in a directory: each key's runs are the files
// <TestName>/<scenario>@<hash>/<time>-<commit>.bench below it, those of one second
// numbered after the first.
func Dir(path string) Store { return directory(path) }

type directory string

func (d directory) String() string { return filepath.ToSlash(string(d)) }

func (d directory) Location(k Key) string {
	return filepath.Join(d.scenario(k), scenarioPrefix(k)+k.Hash())
}

// scenario is the directory that a test's scenarios share.
func (d directory) scenario(k Key) string {
	return filepath.Join(string(d), latencytest.FileName(k.Get("test")))
}

func scenarioPrefix(k Key) string {
	return latencytest.FileName(strings.TrimPrefix(k.Get("plan")+"-", "-")+k.Get("scenario")) + "@"
}

func (d directory) Runs(k Key) ([]*Run, error) {
	names, err := runFiles(d.Location(k))
	if err != nil {
		return nil, err
	}
	names = names[max(0, len(names)-Keep):] // two branches may have brought more together
	var runs []*Run
	var errs []error
	for _, name := range names {
		run, err := readRun(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another process dropped it just now
		case err != nil:
			errs = append(errs, err)
		case run.Key.Hash() != k.Hash():
			errs = append(errs, fmt.Errorf("%s: its key is not that of its directory: it was moved or renamed; move it back, or delete it", name))
		default:
			runs = append(runs, run)
		}
	}
	return runs, errors.Join(errs...)
}

// runFiles lists the run files of a directory, oldest first: their names start
// with their time. Other files are none of them.
func runFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".bench" && e.Name()[0] >= '0' && e.Name()[0] <= '9' {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil // ReadDir sorts
}

func readRun(name string) (*Run, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(data, name)
}

func (d directory) Keys(k Key) ([]Key, error) {
	entries, err := os.ReadDir(d.scenario(k))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scenarioPrefix(k)) {
			continue
		}
		dir := filepath.Join(d.scenario(k), e.Name())
		names, err := runFiles(dir)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			continue
		}
		newest, err := readRun(names[len(names)-1])
		if err != nil {
			return nil, err
		}
		inPlace := dir == d.Location(newest.Key)
		switch {
		case !inPlace && newest.Key.Hash() == k.Hash():
			return nil, fmt.Errorf("%s: it holds what belongs in %s: it was moved or renamed; move it back, or delete it", dir, d.Location(k))
		case !inPlace || sameScenario(newest.Key, k):
			keys = append(keys, newest.Key)
		}
	}
	return keys, nil
}

// sameScenario tells scenarios apart whose names look alike on disk.
func sameScenario(a, b Key) bool {
	return a.Get("test") == b.Get("test") && a.Get("plan") == b.Get("plan") && a.Get("scenario") == b.Get("scenario")
}

func (d directory) Add(r *Run) (string, error) {
	data, err := r.content()
	if err != nil {
		return "", err
	}
	dir := d.Location(r.Key)
	if path, err := addAgain(dir, r); path != "" || err != nil {
		return path, err
	}
	stem := r.Header.Time.Format("2006-01-02T150405Z")
	if commit := r.Header.Provenance.Commit; commit != "" {
		stem += "-" + latencytest.FileName(commit)
	}
	path, err := writeNew(dir, stem, data)
	if err != nil {
		return "", fmt.Errorf("the baseline was not written, what was stored before is untouched: %w", err)
	}
	return path, prune(dir, path)
}

// addAgain looks for a record of the same measurement, under the same reason, and
// returns where it is, "" if nowhere. Metrics that it lacks are added to it.
func addAgain(dir string, r *Run) (string, error) {
	names, err := runFiles(dir)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		stored, err := readRun(name)
		if err != nil || stored.Header.Reason != r.Header.Reason || !stored.sameMeasurement(r) {
			continue // a broken file is for those to report who read it
		}
		if !stored.adopt(r) {
			return name, nil
		}
		data, err := stored.content()
		if err != nil {
			return "", err
		}
		temporary, err := writeTemporary(dir, filepath.Base(name), data)
		if err != nil {
			return "", err
		}
		return name, os.Rename(temporary, name)
	}
	return "", nil
}

func writeTemporary(dir, stem string, data []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(dir, stem+".*.partial")
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// writeNew writes a file of a name not taken yet, whole or not at all: a hard
// link makes the finished temporary file appear under its name, and fails when
// another process has been faster with the same one.
func writeNew(dir, stem string, data []byte) (path string, err error) {
	temporary, err := writeTemporary(dir, stem, data)
	if err != nil {
		return "", err
	}
	defer os.Remove(temporary)
	n, err := nextNumber(dir, stem)
	if err != nil {
		return "", err
	}
	for ; ; n++ {
		path = filepath.Join(dir, stem+".bench")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s_%03d.bench", stem, n))
		}
		err = os.Link(temporary, path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = renameNew(temporary, path)
		}
		if !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

// nextNumber returns one more than the highest number of the stem's files. One
// that prune freed is not used again: names sort by age.
func nextNumber(dir, stem string) (int, error) {
	names, err := runFiles(dir)
	next := 1
	for _, name := range names {
		if number, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".bench"), stem); ok {
			n, _ := strconv.Atoi(strings.TrimPrefix(number, "_")) // the first has none
			next = max(next, n+1, 2)
		}
	}
	return next, err
}

// renameNew is for file systems without hard links, where two processes that
// look in the same instant could take one name.
func renameNew(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// prune drops the oldest runs beyond Keep, never the one just added.
func prune(dir, added string) error {
	names, err := runFiles(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == added })
	for ; len(names) > Keep-1; names = names[1:] {
		if err := os.Remove(names[0]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
