package s3store

import (
	"context"
	"errors"
	"fmt"

	"github.com/latgate/latgate/baseline"
)

// attempts is how often a writer that lost the race tries again.
const attempts = 40

// Add writes the run, and then the pointer that names it. Where a record of the
// same measurement under the same reason is stored already, what it lacks is
// added to it. That also holds for the run itself: when the server's answer was
// lost, Add can be called again.
func (s *Store) Add(r *baseline.Run) (string, error) {
	object, err := s.write(r, s.add)
	if err != nil {
		return "", fmt.Errorf("the baseline was not written: %w", err)
	}
	return s.address(object), nil
}

// write has a run written, and returns its object, if the store can be written to and
// the run is one.
func (s *Store) write(r *baseline.Run, how func(context.Context, *baseline.Run) (object string, err error)) (string, error) {
	if err := s.writable(); err != nil {
		return "", err
	}
	if _, err := r.Content(); err != nil {
		return "", err
	}
	ctx, cancel := s.call()
	defer cancel()
	if err := s.probe(ctx); err != nil {
		return "", err
	}
	return how(ctx, r)
}

func (s *Store) add(ctx context.Context, r *baseline.Run) (string, error) {
	l := layoutOf(r.Key)
	var object string
	err := s.change(ctx, l, func(p *pointer) (bool, error) {
		e, changed, err := s.place(ctx, p, r)
		object = e.Object
		return changed, err
	})
	if err != nil {
		return "", err
	}
	return object, s.enlist(ctx, l, r.Key)
}

// writable returns an error for a mirror.
func (s *Store) writable() error {
	if _, ok := s.objects.(*mirror); ok {
		return fmt.Errorf("%s: %w", s.address(""), ErrReadOnly)
	}
	return nil
}

// change replaces the pointer of a key by what edit makes of it, of an empty one where
// there is none. Edit reports whether it has changed anything, and may be called again.
func (s *Store) change(ctx context.Context, l layout, edit func(*pointer) (changed bool, err error)) error {
	return s.update(ctx, l.pointer(), func(old []byte) ([]byte, error) {
		p := new(pointer)
		if old != nil {
			var err error
			if p, err = parsePointer(old, l); err != nil {
				return nil, fmt.Errorf("%s: %w", s.address(l.pointer()), err)
			}
		}
		if changed, err := edit(p); err != nil || !changed {
			return nil, err
		}
		return p.format()
	})
}

// update replaces an object by what change makes of it, of nil where there is
// none; when another writer was faster, of what that one wrote. A result of nil
// leaves the object as it is.
func (s *Store) update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	var lost *lostError
	for attempt := range attempts {
		if err := pause(ctx, attempt); err != nil {
			return s.ended(err)
		}
		old, etag, err := s.settled(ctx, name)
		switch {
		case errors.Is(err, errMissing):
			old, etag = nil, ""
		case err != nil:
			return err
		}
		data, err := change(old)
		if err != nil || data == nil {
			return err
		}
		if err = s.put(ctx, name, data, etag); !errors.As(err, &lost) {
			return err
		}
	}
	return fmt.Errorf("%s: %d attempts, and every time another writer was faster: add the run again when fewer jobs write (%w)", s.address(name), attempts, lost)
}

// place writes the run's object and puts it into the pointer. It returns the
// run's entry there, and whether the pointer has changed.
func (s *Store) place(ctx context.Context, p *pointer, r *baseline.Run) (entry, bool, error) {
	for i, e := range p.Runs {
		if !e.Time.Equal(r.Header.Time) {
			continue
		}
		stored, err := s.run(ctx, e, r.Key)
		if server := new(ServerError); errors.As(err, &server) {
			return entry{}, false, err
		}
		if err != nil {
			continue // a broken run is for those to report who compare with it
		}
		same, more := stored.Absorb(r)
		if !same {
			continue
		}
		if more {
			e, err = s.upload(ctx, stored)
			p.Runs[i] = e
		}
		return e, more, err
	}
	e, err := s.upload(ctx, r)
	p.add(e)
	return e, true, err
}

// upload writes a run's object. Its name holds its digest, so one that is there
// already is the same: an earlier attempt has written it.
func (s *Store) upload(ctx context.Context, r *baseline.Run) (entry, error) {
	data, err := r.Content()
	if err != nil {
		return entry{}, err
	}
	e := entry{SHA256: digest(data), Time: r.Header.Time}
	e.Object = layoutOf(r.Key).run(r, e.SHA256)
	var lost *lostError
	for attempt := range attempts {
		if err := pause(ctx, attempt); err != nil {
			return e, s.ended(err)
		}
		if err = s.put(ctx, e.Object, data, ""); !errors.As(err, &lost) {
			return e, err
		}
		there, _, err := s.fetch(ctx, e.Object, maxRun)
		switch {
		case errors.Is(err, errMissing): // a conflict, and the other writer failed
		case err != nil:
			return e, err
		case digest(there) != e.SHA256:
			return e, &DigestError{Object: s.address(e.Object), Want: e.SHA256, Got: digest(there)}
		default:
			return e, nil
		}
	}
	return e, lost
}

// enlist enters a key into the list of its scenario's keys.
func (s *Store) enlist(ctx context.Context, l layout, k baseline.Key) error {
	if _, ok := s.listed.Load(l.pointer()); ok {
		return nil
	}
	err := s.update(ctx, l.keys(), func(old []byte) ([]byte, error) {
		list := new(keyList)
		if old != nil {
			var err error
			if list, err = parseKeys(old); err != nil {
				return nil, fmt.Errorf("%s: %w", s.address(l.keys()), err)
			}
		}
		if !list.add(k) {
			return nil, nil
		}
		return list.format()
	})
	if err == nil {
		s.listed.Store(l.pointer(), true)
	}
	return err
}
