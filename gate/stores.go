package gate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
)

// stores opens the stores of a build's checks, each once.
type stores struct {
	Options
	base   string // a directory with the files of the base commit; empty before it is needed
	remote map[string]baseline.Store
}

// input returns a record with the stores that it is judged by.
func (s *stores) input(ctx context.Context, r *assertions.Record) (assertions.Input, error) {
	in := assertions.Input{Record: r}
	var err error
	switch u, parseErr := url.Parse(r.Store); {
	case r.Store == "":
	case parseErr == nil && u.Scheme != "" && u.Host != "":
		in.Store, err = s.open(ctx, r.Store)
	case !filepath.IsLocal(filepath.FromSlash(path.Join(r.Package, r.Store))):
		err = fmt.Errorf("the store %.80q is outside of the module", r.Store)
	case s.Base == "":
		in.Store = baseline.Dir(filepath.Join(s.Root, filepath.FromSlash(r.Package), filepath.FromSlash(r.Store)))
	default:
		dir := path.Join(r.Package, r.Store)
		in.Store, err = s.ofBase(ctx, dir)
		in.Proposed = baseline.Dir(filepath.Join(s.Root, filepath.FromSlash(dir)))
	}
	if err != nil {
		return in, fmt.Errorf("%s %s: %w", r.Package, r.Test, err)
	}
	return in, nil
}

func (s *stores) open(ctx context.Context, url string) (baseline.Store, error) {
	if store, ok := s.remote[url]; ok {
		return store, nil
	}
	if s.Open == nil {
		return nil, errors.New("its store is remote, which nobody here can open")
	}
	store, err := s.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	if s.remote == nil {
		s.remote = make(map[string]baseline.Store)
	}
	s.remote[url] = store
	return store, nil
}

// ofBase is a directory of the repository as it was in the base commit.
func (s *stores) ofBase(ctx context.Context, dir string) (baseline.Store, error) {
	if s.base == "" {
		base, err := os.MkdirTemp("", "latgate-base-")
		if err != nil {
			return nil, err
		}
		s.base = base
	}
	into := filepath.Join(s.base, filepath.FromSlash(dir))
	if _, err := os.Stat(into); err == nil {
		return baseline.Dir(into), nil
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return nil, err
	}
	if err := extract(ctx, s.Root, s.Base, dir, into); err != nil {
		return nil, err
	}
	return baseline.Dir(into), nil
}

func (s *stores) close() {
	if s.base != "" {
		os.RemoveAll(s.base)
	}
}
