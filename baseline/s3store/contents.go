package s3store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/baseline"
)

// A Stored run is one that the store holds.
type Stored struct {
	*baseline.Run
	Address string
}

// A Baseline is what a store holds of a key.
type Baseline struct {
	Key    baseline.Key
	Runs   []Stored // those that others are compared with, oldest first
	Pinned *Stored  // nil where none is
}

// Baselines reads the baselines of all keys, in the order of their addresses. A mirror
// returns [ErrUnlisted].
func (s *Store) Baselines() ([]Baseline, error) {
	pointers, err := s.pointers()
	if err != nil {
		return nil, err
	}
	var all []Baseline
	var errs []error
	for _, l := range pointers {
		b, err := s.baseline(l)
		if errs = append(errs, err); err == nil && (len(b.Runs) > 0 || b.Pinned != nil) {
			all = append(all, b)
		}
	}
	return all, errors.Join(errs...)
}

// baseline reads what a pointer names.
func (s *Store) baseline(l layout) (b Baseline, err error) {
	ctx, cancel := s.call()
	defer cancel()
	p, err := s.pointer(ctx, l)
	if err != nil || p == nil {
		return b, err
	}
	entries := slices.Clone(p.newest())
	if p.Pinned != nil {
		entries = append(entries, *p.Pinned)
	}
	stored := make([]Stored, len(entries))
	err = together(len(entries), func(i int) error {
		run, err := s.named(ctx, entries[i])
		if err == nil && layoutOf(run.Key) != l {
			err = s.misplaced(entries[i].Object, run)
		}
		stored[i] = Stored{run, s.address(entries[i].Object)}
		return err
	})
	if err != nil || len(stored) == 0 {
		return b, err
	}
	b.Key, b.Runs = stored[0].Key, stored
	if last := len(stored) - 1; p.Pinned != nil {
		b.Runs, b.Pinned = stored[:last], &stored[last]
	}
	return b, nil
}

func (s *Store) misplaced(object string, run *baseline.Run) error {
	return fmt.Errorf("%s: by its key it belongs below %s: it was moved, or renamed", s.address(object), s.address(layoutOf(run.Key).runs()))
}

// Archive reads all runs that were ever stored, oldest first, those too that no pointer
// names any more. A mirror returns [ErrUnlisted].
func (s *Store) Archive() ([]Stored, error) {
	objects, err := s.runs()
	if err != nil {
		return nil, err
	}
	all := make([]Stored, len(objects))
	err = together(len(objects), func(i int) error {
		run, err := s.Stored(objects[i])
		all[i] = Stored{run, s.address(objects[i])}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Stored) int { return a.Header.Time.Compare(b.Header.Time) })
	return all, nil
}

// Stored reads the run of an object, as [SplitRun] names it: one that a pointer names,
// or did once. Its name holds the first digits of its digest.
func (s *Store) Stored(object string) (*baseline.Run, error) {
	ctx, cancel := s.call()
	defer cancel()
	run, _, err := s.stored(ctx, object)
	return run, err
}

func (s *Store) stored(ctx context.Context, object string) (run *baseline.Run, sum string, err error) {
	l, want, ok := runObject(object)
	if !ok {
		return nil, "", fmt.Errorf("%s: no run is called so: want runs/<TestName>/<scenario>@<hash>/<time>-<commit>-<digest>.bench", quoted(object))
	}
	data, _, err := s.fetch(ctx, object, maxRun)
	if errors.Is(err, errMissing) {
		return nil, "", fmt.Errorf("%s: %w", s.address(object), err)
	}
	if err != nil {
		return nil, "", err
	}
	if sum = digest(data); !strings.HasPrefix(sum, want) {
		return nil, sum, &DigestError{Object: s.address(object), Want: want, Got: sum}
	}
	if run, err = baseline.Parse(data, s.address(object)); err == nil && layoutOf(run.Key) != l {
		err = s.misplaced(object, run)
	}
	return run, sum, err
}

// pointers are the layouts of all keys that have a pointer.
func (s *Store) pointers() (all []layout, err error) {
	ctx, cancel := s.call()
	defer cancel()
	names, err := s.names(ctx, "baselines/")
	for _, name := range names {
		if l, ok := pointerObject(name); ok {
			all = append(all, l)
		}
	}
	return all, err
}

// runs are the objects of all runs.
func (s *Store) runs() ([]string, error) {
	ctx, cancel := s.call()
	defer cancel()
	names, err := s.names(ctx, "runs/")
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".bench") }), err
}
