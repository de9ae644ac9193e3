package s3store

import "fmt"

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
