package s3store

import (
	"errors"
	"fmt"
	"strings"
)

// A Verified is what [Store.Verify] found.
type Verified struct {
	Runs   int     // that are whole, those included that no pointer names any more
	Broken []error // one for each run, pointer and list of keys that is not
}

// Verify reads all that the store holds: each run strictly, with the digest in its name
// and in the pointers that name it, and whether it is where its key belongs. A changed
// run is a [*DigestError] among the broken. The error is about the server, or a mirror's
// [ErrUnlisted].
func (s *Store) Verify() (v Verified, err error) {
	ctx, cancel := s.call()
	names, err := s.names(ctx, "baselines/")
	cancel()
	if err != nil {
		return v, err
	}
	var named []entry // read before the runs are listed: a run is written before its pointer
	for _, name := range names {
		more, err := s.verifyDocument(name)
		if down := new(ServerError); errors.As(err, &down) {
			return v, err
		}
		if err != nil {
			v.Broken = append(v.Broken, err)
		}
		named = append(named, more...)
	}
	objects, err := s.runs()
	if err != nil {
		return v, err
	}
	sums, errs := make([]string, len(objects)), make([]error, len(objects))
	_ = together(len(objects), func(i int) error { // each error is for itself
		ctx, cancel := s.call()
		defer cancel()
		_, sums[i], errs[i] = s.stored(ctx, objects[i])
		return nil
	})
	const told = "" // instead of the digest of what is broken itself
	found := make(map[string]string)
	for i, err := range errs {
		if down := new(ServerError); errors.As(err, &down) {
			return v, err
		}
		if err != nil {
			v.Broken = append(v.Broken, err)
			found[objects[i]] = told
			continue
		}
		found[objects[i]] = sums[i]
		v.Runs++
	}
	seen := make(map[entry]bool) // a pinned run is often named twice
	for _, e := range named {
		e.Time = e.Time.UTC()
		switch sum, is := found[e.Object]; {
		case seen[e]:
		case !is:
			v.Broken = append(v.Broken, &DigestError{Object: s.address(e.Object), Want: e.SHA256})
		case sum != told && sum != e.SHA256:
			v.Broken = append(v.Broken, &DigestError{Object: s.address(e.Object), Want: e.SHA256, Got: sum})
		}
		seen[e] = true
	}
	return v, nil
}

// verifyDocument reads a pointer, whose entries it returns, or a list of keys.
func (s *Store) verifyDocument(name string) ([]entry, error) {
	ctx, cancel := s.call()
	defer cancel()
	if l, ok := pointerObject(name); ok {
		p, err := s.pointer(ctx, l)
		if err != nil || p == nil {
			return nil, err
		}
		if p.Pinned != nil {
			p.Runs = append(p.Runs, *p.Pinned)
		}
		return p.Runs, nil
	}
	if !strings.HasSuffix(name, "/keys.json") {
		return nil, nil
	}
	data, _, err := s.fetch(ctx, name, maxDocument)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	if err == nil {
		if _, err = parseKeys(data); err != nil {
			err = fmt.Errorf("%s: %w", s.address(name), err)
		}
	}
	return nil, err
}
