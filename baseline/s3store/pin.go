package s3store

import (
	"context"
	"fmt"

	"github.com/latgate/latgate/baseline"
)

var _ baseline.Pinner = (*Store)(nil)

// Pinned reads the pinned run of a key, and compares it with its digest.
func (s *Store) Pinned(k baseline.Key) (*baseline.Run, error) {
	ctx, cancel := s.call()
	defer cancel()
	p, err := s.pointer(ctx, layoutOf(k))
	if err != nil || p == nil || p.Pinned == nil {
		return nil, err
	}
	return s.run(ctx, *p.Pinned, k)
}

// Pin has the pointer name a run as the pinned one, and returns where the run is: the
// object that it was stored as, or one of its own where it is none of the store's.
// What others write at the same time stays.
func (s *Store) Pin(r *baseline.Run) (string, error) {
	if err := s.writable(); err != nil {
		return "", err
	}
	if _, err := r.Content(); err != nil {
		return "", err
	}
	ctx, cancel := s.call()
	defer cancel()
	object, err := s.pin(ctx, r)
	if err != nil {
		return "", fmt.Errorf("nothing was pinned: %w", err)
	}
	return s.address(object), nil
}

func (s *Store) pin(ctx context.Context, r *baseline.Run) (string, error) {
	if err := s.probe(ctx); err != nil {
		return "", err
	}
	l := layoutOf(r.Key)
	pinned, err := s.upload(ctx, r)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, l, func(p *pointer) (bool, error) {
		if p.Pinned != nil && p.Pinned.Object == pinned.Object {
			return false, nil
		}
		p.Pinned = &pinned
		return true, nil
	})
	if err != nil {
		return "", err
	}
	return pinned.Object, s.enlist(ctx, l, r.Key)
}

// Prune has every pointer name its newest runs only, so many, and returns where those
// are that it no longer names. Nothing is deleted: they are compared with no more, and
// can still be read. A pinned run stays. No run is read, so that a broken one can go,
// too. A trial changes nothing.
func (s *Store) Prune(keep int, trial bool) (dropped []string, err error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	if keep < 1 {
		return nil, fmt.Errorf("%d runs of each key are to be kept: want one at least", keep)
	}
	pointers, err := s.pointers()
	if err != nil {
		return nil, err
	}
	for _, l := range pointers {
		out, err := s.prune(l, keep, trial)
		for _, e := range out {
			dropped = append(dropped, s.address(e.Object))
		}
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

func (s *Store) prune(l layout, keep int, trial bool) (out []entry, err error) {
	ctx, cancel := s.call()
	defer cancel()
	older := func(p *pointer) []entry { return p.Runs[:max(0, len(p.Runs)-keep)] }
	if trial {
		p, err := s.pointer(ctx, l)
		if err != nil || p == nil {
			return nil, err
		}
		return older(p), nil
	}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	err = s.change(ctx, l, func(p *pointer) (bool, error) {
		out = older(p)
		p.Runs = p.Runs[len(out):]
		return len(out) > 0, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: no run was dropped: %w", s.address(l.pointer()), err)
	}
	return out, nil
}
