package assertions

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// leaveDetail writes what is behind a check that is red or undecided to the test's
// artifacts: its record, with all rows, as check-1.json, and the samples that were
// checked, unless they are gathered in LATGATE_OUT, where the next run of the test does
// not replace them. It returns the path of the record.
//
// It writes nothing where go test keeps no artifacts: their directory would be gone by
// the end of the test.
func (m made) leaveDetail(t listener) (path string, err error) {
	test, has := t.(interface{ ArtifactDir() string })
	if !has || !keepsArtifacts() || m.of == nil || !slices.ContainsFunc(m.answers, answer.unsettled) {
		return "", nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("the details of the check cannot be kept: %w", err)
		}
	}()
	r, err := m.record()
	if err != nil {
		return "", err
	}
	dir := test.ArtifactDir()
	settings, err := latencytest.ReadSettings()
	if err != nil {
		return "", err
	}
	for _, samples := range []struct {
		path *string // from the directory of the samples
		as   string
	}{{&r.Samples, fileName(r.Samples)}, {&r.Against, fileName(r.Against)}, {&r.Second, "second." + fileName(r.Second)}} {
		file := filepath.Join(filepath.Dir(m.of.Plan.SampleFile), filepath.FromSlash(*samples.path))
		switch {
		case *samples.path == "":
		case settings.Out != "" && isBelow(settings.Out, file):
			*samples.path, err = relativeTo(dir, file)
		default:
			*samples.path, err = copied(file, dir, samples.as)
		}
		if err != nil {
			return "", err
		}
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		path = filepath.Join(dir, fmt.Sprintf("check-%d.json", n)) // not RecordSuffix: it is judged once
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return path, report.WriteFile(path, append(data, '\n'))
		}
	}
}

// keepsArtifacts reports whether the tests run with -artifacts.
func keepsArtifacts() bool {
	f := flag.Lookup("test.artifacts")
	return f != nil && f.Value.String() == "true"
}

// unsettled reports whether somebody may want to look behind the answer.
func (a answer) unsettled() bool { return a.fails || a.warns || a.Verdict == baseline.Inconclusive }

// copied copies a file to a directory, and returns its name there. One that does not
// exist, of a result that was put together by hand, has none.
func copied(file, dir, name string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return name, report.WriteFile(filepath.Join(dir, name), data)
}

// isBelow reports whether a file is in a directory, or below it.
func isBelow(dir, file string) bool {
	relative, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(relative)
}

// relativeTo is a file from a directory.
func relativeTo(dir, file string) (string, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(dir, absolute)
	return filepath.ToSlash(relative), err
}
