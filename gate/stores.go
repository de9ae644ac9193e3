package gate

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
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

// storeDown is how a check says that the server of its store has not answered, or with an
// error; see s3store.ServerError.
var storeDown = regexp.MustCompile(`\[latgate\] .*(?:s3|https?)://\S+: \w+: (?:no answer|HTTP \d{3}\b)`)

// withoutStore are rows for tests that failed as the server of their store did not answer.
// It may have done so by now; what the test would have measured a second time is lacking
// all the same. The records are told as well, which say nothing else of why it failed.
func (m *Manifest) withoutStore(records []*assertions.Record) (rows []report.Row) {
	records = m.own(records)
	for _, t := range m.Tests {
		if t.Outcome != Failed || !storeDown.MatchString(t.Output) || t.explained(records) {
			continue
		}
		row := report.Row{
			Package: t.Dir, Test: t.Test, Region: m.Region, Gate: "baseline", Verdict: baseline.Infrastructure, Reason: "the server of its store did not answer the test",
			Text: fmt.Sprintf("%s: %s: the server of its store did not answer the test\n    %s", t.Test, baseline.Infrastructure, strings.ReplaceAll(t.Output, "\n", "\n    ")),
		}
		rows = append(rows, row)
		for _, r := range records {
			if of, _, _ := strings.Cut(r.Test, "/"); r.Package == t.Dir && of == t.Test {
				r.Rows = append(r.Rows, row)
			}
		}
	}
	return rows
}

func (s *stores) close() {
	if s.base != "" {
		os.RemoveAll(s.base)
	}
}
