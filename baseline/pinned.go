package baseline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latgate/latgate/latencytest"
)

// A Pinner is a [Store] that keeps a pinned run beside the others: an anchor that
// moves only when somebody means it to. Every comparison is made with it, too, with
// a wider tolerance, so that ten steps of 4 %, each too small for a gate and each in
// time a part of the baseline, do not creep past.
type Pinner interface {
	Store

	// Pinned returns the pinned run of this key, nil where there is none.
	Pinned(Key) (*Run, error)

	// Pin makes a run the pinned one of its key, and returns where it is.
	Pin(*Run) (string, error)
}

// A slow-down against the pinned run is reported from twice the effect that a gate
// reports against the stored runs, and at least from 20 %.
const (
	pinnedFactor = 2
	pinnedEffect = .2
)

// against makes the comparison one with a pinned run. What the stored runs say of
// the variation between runs still holds.
func (n numbers) against(pinned []float64) numbers {
	n.Spread, n.Baseline = n.Baseline, [][]float64{pinned}
	n.MinEffect = max(pinnedEffect, pinnedFactor*n.MinEffect)
	n.RuleOut = max(pinnedFactor*n.MinEffect, n.RuleOut)
	return n
}

// anchor returns the pinned run of a scenario, nil where there is none.
func anchor(store Store, s *latencytest.Scenario) (*Run, error) {
	if p, ok := store.(Pinner); ok {
		return p.Pinned(KeyOf(s))
	}
	return nil, nil
}

// PinnedFile is the name of the anchor beside the baselines of its key, in a directory.
const PinnedFile = "pinned.bench"

func (d directory) Pinned(k Key) (*Run, error) {
	run, err := readRun(filepath.Join(d.Location(k), PinnedFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && run.Key.Hash() != k.Hash():
		return nil, fmt.Errorf("%s: its key is not that of its directory: it was moved or renamed; pin a run of this key", filepath.Join(d.Location(k), PinnedFile))
	}
	return run, err
}

func (d directory) Pin(r *Run) (string, error) {
	data, err := r.content()
	if err != nil {
		return "", err
	}
	dir := d.Location(r.Key)
	temporary, err := writeTemporary(dir, PinnedFile, data)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, PinnedFile)
	return path, os.Rename(temporary, path)
}
