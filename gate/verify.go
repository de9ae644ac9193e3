package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/latgate/latgate/baseline"
)

// A Verified is what [Verify] found.
type Verified struct {
	Runs   int     // stored runs, pinned ones included, that are whole
	Broken []error // one for each that is not
}

// ofKey is how the directory of a key's runs ends.
var ofKey = regexp.MustCompile(`@[0-9a-f]{8}$`)

// Verify reads every stored run below a directory: strictly, with its checksum, and
// whether it is where its key belongs. The error is about the directory itself.
func Verify(dir string) (Verified, error) {
	var v Verified
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		parent := filepath.Dir(path)
		switch {
		case d.IsDir() && (d.Name() == ".git" || d.Name() == marker):
			return fs.SkipDir
		case d.IsDir(), filepath.Ext(path) != ".bench", !ofKey.MatchString(filepath.Base(parent)):
			return nil
		}
		if err := verifyRun(path, parent); err != nil {
			v.Broken = append(v.Broken, err)
			return nil
		}
		v.Runs++
		return nil
	})
	return v, err
}

func verifyRun(path, parent string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: it is no file", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	run, err := baseline.Parse(data, path)
	if err != nil {
		return err
	}
	root := filepath.Dir(filepath.Dir(parent))
	if belongs := baseline.Dir(root).Location(run.Key); belongs != parent {
		return fmt.Errorf("%s: by its key it belongs in %s: it was moved, or renamed", path, belongs)
	}
	return nil
}

// A watched store remembers whether it could be read: what a store holds is no fault
// of who asks it.
type watched struct {
	baseline.Store
	failed error
}

func (w *watched) Runs(k baseline.Key) ([]*baseline.Run, error) {
	runs, err := w.Store.Runs(k)
	w.fail(err)
	return runs, err
}

func (w *watched) Keys(k baseline.Key) ([]baseline.Key, error) {
	keys, err := w.Store.Keys(k)
	w.fail(err)
	return keys, err
}

// fail adds an error to those that the store had, unless it is told already.
func (w *watched) fail(err error) {
	if err != nil && (w.failed == nil || !strings.Contains(w.failed.Error(), err.Error())) {
		w.failed = errors.Join(w.failed, err)
	}
}

// Pinned makes every store a [baseline.Pinner], one without a pinned run if need be.
func (w *watched) Pinned(k baseline.Key) (*baseline.Run, error) {
	run, err := pinned(w.Store, k)
	w.fail(err)
	return run, err
}

func (w *watched) Pin(*baseline.Run) (string, error) { return "", errUnchanged }

var errUnchanged = errors.New("a store that is judged by is not changed")
