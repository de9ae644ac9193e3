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
	object, err := s.write(r, s.pin)
	if err != nil {
		return "", fmt.Errorf("nothing was pinned: %w", err)
	}
	return s.address(object), nil
}

func (s *Store) pin(ctx context.Context, r *baseline.Run) (string, error) {
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
