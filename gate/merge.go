package gate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/report"
)

// Expected says how many shards there have to be of a stratum; an empty mode is whichever
// they all have.
type Expected struct {
	Stratum
	Shards int
}

// ParseExpected reads "replay=1,stored=3", "stored@eu-west-1=3,stored@us-east-1=3",
// "auto=3" or "3".
func ParseExpected(text string) ([]Expected, error) {
	var all []Expected
	seen := make(map[Stratum]bool)
	for part := range strings.SplitSeq(text, ",") {
		name, number, both := strings.Cut(strings.TrimSpace(part), "=")
		if !both {
			name, number = "auto", name
		}
		n, err := strconv.Atoi(number)
		e := Expected{Shards: n}
		var unknown error
		if name != "auto" {
			e.Stratum, unknown = ParseStratum(name)
		}
		if err != nil || n < 1 || unknown != nil || seen[e.Stratum] {
			return nil, fmt.Errorf("want modes and how many shards they have, as in replay=1,stored=3, stored@eu-west-1=3 or auto=3, got %.80q", text)
		}
		seen[e.Stratum] = true
		all = append(all, e)
	}
	if seen[Stratum{}] && len(all) > 1 {
		return nil, errors.New("auto is whichever mode all shards have: there is no other beside it")
	}
	return all, nil
}

var modes = []report.Mode{report.Replay, report.Stored, report.AB, report.Track}

// Merge puts the shards of a build together that are in directories or below them, as
// one process would have left their results, in the directory out. Of several strata each
// goes into a directory of its own there.
//
// The shards must be of one run, base, head, version and plan, each be there once and
// in one attempt, and hold the tests that fall to it: shards of which only the latest
// attempts count would select the lucky ones. What does not fit is an
// [*IncomparableError].
func Merge(out string, expected []Expected, dirs ...string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	shards, err := findShards(dirs)
	if err != nil {
		return err
	}
	groups, err := group(shards, expected)
	if err != nil {
		return err
	}
	for _, s := range shards {
		if inside, err := filepath.Rel(out, s.dir); err == nil && (inside == "." || filepath.IsLocal(inside)) {
			return fmt.Errorf("the shard in %s is inside of %s, which is emptied first: name another directory to merge into", s.dir, out)
		}
	}
	if err := prepareOut(out); err != nil {
		return err
	}
	if len(groups) > 1 { // no stratum may look like the whole build
		if err := beginUnfinished(out); err != nil {
			return err
		}
	}
	for _, stratum := range slices.SortedFunc(maps.Keys(groups), compareStrata) {
		into := out
		if len(groups) > 1 {
			into = filepath.Join(out, stratum.String())
		}
		if err := mergeInto(into, groups[stratum]); err != nil {
			return err
		}
	}
	if len(groups) > 1 {
		return endUnfinished(out)
	}
	return nil
}

// A foundShard is a shard's directory and what it says.
type foundShard struct {
	*Manifest
	dir string
}

func (s foundShard) shard() Shard { return Shard{s.Manifest.Shard, s.Shards} }

// findShards finds the manifests in directories and below them.
func findShards(dirs []string) ([]foundShard, error) {
	var shards []foundShard
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			m, err := ReadManifest(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return &IncomparableError{err.Error()}
			}
			absolute, err := filepath.Abs(path)
			shards = append(shards, foundShard{m, absolute})
			return cmp.Or(err, fs.SkipDir)
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(shards, func(a, b foundShard) int {
		return cmp.Or(compareStrata(a.stratum(), b.stratum()), cmp.Compare(a.Manifest.Shard, b.Manifest.Shard), cmp.Compare(a.Attempt, b.Attempt))
	})
	return shards, nil
}

// group sorts shards by stratum, each group complete.
func group(shards []foundShard, expected []Expected) (map[Stratum][]foundShard, error) {
	incomparable := func(format string, args ...any) error { return &IncomparableError{fmt.Sprintf(format, args...)} }
	if len(shards) == 0 {
		return nil, incomparable("there is no shard: not one directory holds a %s", ManifestName)
	}
	groups := make(map[Stratum][]foundShard)
	for _, s := range shards {
		if difference := s.differs(shards[0].Manifest); difference != "" {
			return nil, incomparable("%s and %s are not of one build: %s", shards[0].dir, s.dir, difference)
		}
		groups[s.stratum()] = append(groups[s.stratum()], s)
	}
	strata := slices.SortedFunc(maps.Keys(groups), compareStrata)
	want := make(map[Stratum]int)
	for _, e := range expected {
		if e.Mode == "" {
			if len(groups) > 1 {
				return nil, incomparable("the shards have different modes or regions: %v", strata)
			}
			e.Stratum = strata[0]
		}
		want[e.Stratum] = e.Shards
		if groups[e.Stratum] == nil {
			return nil, incomparable("all %d shards of mode %v are missing", e.Shards, e.Stratum)
		}
	}
	for _, stratum := range strata {
		if want[stratum] == 0 {
			return nil, incomparable("there is a shard of mode %v, which is not expected: %s", stratum, groups[stratum][0].dir)
		}
	}
	for _, stratum := range strata {
		if err := complete(groups[stratum], want[stratum]); err != nil {
			return nil, incomparable("mode %v: %v", stratum, err)
		}
	}
	return groups, nil
}

// differs says what two shards of one build would have in common, and have not.
func (s foundShard) differs(o *Manifest) string {
	for _, fact := range []struct{ name, a, b string }{
		{"run", o.Run, s.Run},
		{"base", o.Base, s.Base},
		{"head", o.Head, s.Head},
		{"version of latgate", o.Tool, s.Tool},
	} {
		if fact.a != fact.b {
			return fmt.Sprintf("the %s is %.80q here and %.80q there", fact.name, fact.a, fact.b)
		}
	}
	return ""
}

// complete reports what is wrong with the shards of a stratum, which are sorted.
func complete(shards []foundShard, want int) error {
	here := make(map[int]foundShard)
	of := make(map[string]int) // the shard of each test
	for _, s := range shards {
		i := s.Manifest.Shard
		first := shards[0]
		switch before, twice := here[i]; {
		case s.Shards != want:
			return fmt.Errorf("%s is one of %d shards, and not of %d", s.dir, s.Shards, want)
		case twice:
			return fmt.Errorf("shard %d of %d is there twice, as attempts %d and %d, in %s and %s: the one that counts cannot be chosen afterwards; run all shards again",
				i, want, before.Attempt, s.Attempt, before.dir, s.dir)
		case s.Attempt != first.Attempt:
			return fmt.Errorf("shard %d is of attempt %d, shard %d of attempt %d: shards that are repeated alone select their luck; run all of them again",
				first.Manifest.Shard, first.Attempt, i, s.Attempt)
		case !slices.Equal(s.Planned, first.Planned):
			return fmt.Errorf("shards %d and %d have different plans: %d and %d tests", first.Manifest.Shard, i, len(first.Planned), len(s.Planned))
		}
		here[i] = s
		part := s.shard().part(s.Planned)
		for _, t := range s.Tests {
			name := t.Package + " " + t.Test
			if other, twice := of[name]; twice {
				return fmt.Errorf("the shards %d and %d both ran %s", other, i, name)
			}
			of[name] = i
			if slices.Contains(s.Planned, name) && !slices.Contains(part, name) {
				return fmt.Errorf("shard %d ran %s, which falls to another", i, name)
			}
		}
	}
	var missing []string
	for i := range want {
		if _, ok := here[i]; !ok {
			missing = append(missing, strconv.Itoa(i))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("of %d shards there are missing: %s", want, strings.Join(missing, ", "))
	}
	return nil
}

// mergeInto writes the files of a stratum's shards, and last their common manifest.
func mergeInto(out string, shards []foundShard) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	into, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer into.Close()
	for _, s := range shards {
		if err := copyResults(into, s.dir); err != nil {
			return err
		}
	}
	return joined(shards).Write(out)
}

// copyResults copies the files of a shard. Who has made them may be a stranger.
func copyResults(into *os.Root, dir string) error {
	from, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer from.Close()
	return fs.WalkDir(from.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == spentDir:
			return fs.SkipDir
		case d.IsDir(), name == ManifestName, name == marker:
			return nil
		case !d.Type().IsRegular():
			return &IncomparableError{fmt.Sprintf("%s: %s is no file", dir, name)}
		}
		path := filepath.FromSlash(name)
		if err := into.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		source, err := from.Open(path)
		if err != nil {
			return err
		}
		defer source.Close()
		target, err := into.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return &IncomparableError{fmt.Sprintf("%s: another shard has the file %s, too", dir, name)}
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(target, source)
		return errors.Join(err, target.Close())
	})
}

// joined is the manifest of a build in one piece.
func joined(shards []foundShard) *Manifest {
	m := *shards[0].Manifest
	m.Shard, m.Shards, m.Packages, m.Tests = 0, 1, nil, nil
	packages := make(map[string]Ran)
	for _, s := range shards {
		if s.Started.Before(m.Started) {
			m.Started = s.Started
		}
		if s.Ended.After(m.Ended) {
			m.Ended = s.Ended
		}
		m.Tests = append(m.Tests, s.Tests...)
		for _, p := range s.Packages {
			before, twice := packages[p.Package]
			if twice {
				p.Cached = p.Cached || before.Cached
				if before.Outcome == Failed || p.Outcome == Skipped {
					p.Outcome, p.Output = before.Outcome, before.Output
				}
			}
			packages[p.Package] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		m.Packages = append(m.Packages, packages[name])
	}
	slices.SortStableFunc(m.Tests, func(a, b Ran) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Test, b.Test))
	})
	return &m
}
