package gate

import (
	"slices"
	"sync"

	"github.com/latgate/latgate/baseline"
)

// A remembered store is asked once for what it holds of a key: a build is judged by one
// state of it, and a server that is down keeps nobody waiting twice.
type remembered struct {
	baseline.Store
	read map[string]reading // by the location of the key
}

// A reading is what a store says of a key.
type reading struct {
	runs   func() ([]*baseline.Run, error)
	keys   func() ([]baseline.Key, error)
	pinned func() (*baseline.Run, error)
}

func (s *remembered) reading(k baseline.Key) reading {
	at := s.Location(k)
	r, ok := s.read[at]
	if !ok {
		r = reading{
			runs:   sync.OnceValues(func() ([]*baseline.Run, error) { return s.Store.Runs(k) }),
			keys:   sync.OnceValues(func() ([]baseline.Key, error) { return s.Store.Keys(k) }),
			pinned: sync.OnceValues(func() (*baseline.Run, error) { return pinned(s.Store, k) }),
		}
		s.read[at] = r
	}
	return r
}

// Runs returns a list of its own each time: who compares takes runs out of it.
func (s *remembered) Runs(k baseline.Key) ([]*baseline.Run, error) {
	runs, err := s.reading(k).runs()
	return slices.Clone(runs), err
}

func (s *remembered) Keys(k baseline.Key) ([]baseline.Key, error) {
	keys, err := s.reading(k).keys()
	return slices.Clone(keys), err
}

func (s *remembered) Pinned(k baseline.Key) (*baseline.Run, error) { return s.reading(k).pinned() }

func (s *remembered) Pin(*baseline.Run) (string, error) { return "", errUnchanged }

// pinned is the pinned run of a store, of one that pins nothing, too.
func pinned(s baseline.Store, k baseline.Key) (*baseline.Run, error) {
	if p, ok := s.(baseline.Pinner); ok {
		return p.Pinned(k)
	}
	return nil, nil
}
