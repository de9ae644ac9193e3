package gate

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
)

// stores opens the stores of a build's checks, each once.
type stores struct {
	Options
	base      string          // a directory with the files of the base commit; empty before it is needed
	extracted map[string]bool // directories of these
	remote    map[string]baseline.Store
}

// A storeError says why a check has no store to be judged by.
type storeError struct {
	verdict baseline.Verdict
	reason  string
}

func (e *storeError) Error() string { return e.reason }

// input returns a record with the stores that it is judged by. A [*storeError] is about
// this check alone.
func (s *stores) input(ctx context.Context, r *assertions.Record) (assertions.Input, error) {
	in := assertions.Input{Record: r}
	if r.Store == "" {
		return in, nil
	}
	if u, err := url.Parse(r.Store); err == nil && u.Scheme != "" && u.Host != "" {
		store, err := s.open(ctx, r.Store)
		in.Store = &watched{Store: store}
		return in, err
	}
	native := filepath.FromSlash(r.Store)
	dir := path.Join(r.Package, r.Store)
	absolute := filepath.IsAbs(native) || path.IsAbs(r.Store)
	switch {
	case absolute && s.Base == "":
		in.Store = &watched{Store: baseline.Dir(native)}
	case absolute || !filepath.IsLocal(filepath.FromSlash(dir)):
		return in, &storeError{baseline.Incomparable, fmt.Sprintf("its store %.80q is outside of the module, where no commit has it", r.Store)}
	case s.Base == "":
		in.Store = &watched{Store: baseline.Dir(filepath.Join(s.Root, filepath.FromSlash(dir)))}
	default:
		base, err := s.ofBase(ctx, dir)
		if err != nil {
			return in, err
		}
		in.Store = &watched{Store: base}
		in.Proposed = baseline.Dir(filepath.Join(s.Root, filepath.FromSlash(dir)))
	}
	return in, nil
}

func (s *stores) open(ctx context.Context, url string) (baseline.Store, error) {
	if store, ok := s.remote[url]; ok {
		return store, nil
	}
	if s.Open == nil {
		return nil, &storeError{baseline.Missing, "its store is remote, which nobody here can open"}
	}
	store, err := s.Open(ctx, url)
	if err != nil {
		return nil, &storeError{baseline.Infrastructure, "its store cannot be opened: " + err.Error()}
	}
	if s.remote == nil {
		s.remote = make(map[string]baseline.Store)
	}
	s.remote[url] = &remembered{Store: store, read: make(map[string]reading)}
	return s.remote[url], nil
}

// ofBase is a directory of the repository as it was in the base commit.
func (s *stores) ofBase(ctx context.Context, dir string) (baseline.Store, error) {
	if s.base == "" {
		base, err := os.MkdirTemp("", "latgate-base-")
		if err != nil {
			return nil, err
		}
		s.base, s.extracted = base, make(map[string]bool)
	}
	into := filepath.Join(s.base, filepath.FromSlash(dir))
	if s.extracted[dir] {
		return baseline.Dir(into), nil
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return nil, err
	}
	if err := extract(ctx, s.Root, s.Base, dir, into); err != nil {
		return nil, err
	}
	s.extracted[dir] = true
	return baseline.Dir(into), nil
}

// shown gives the files of the base commit the names that git knows them by.
func (s *stores) shown(text string) string {
	if s.base == "" {
		return text
	}
	return strings.ReplaceAll(text, s.base+string(filepath.Separator), fmt.Sprintf("%.12s:", s.Base))
}

func (s *stores) close() {
	if s.base != "" {
		os.RemoveAll(s.base)
	}
}
