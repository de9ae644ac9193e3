package gate

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// A Stratum is what is measured in itself: a mode, from one region where there are
// several. Runs of different strata are never pooled: each has baselines of its own.
type Stratum struct {
	Mode   report.Mode
	Region string
}

// String returns "stored", or "stored@eu-west-1". Directories of merged builds have
// these names.
func (s Stratum) String() string {
	if s.Region == "" {
		return string(s.Mode)
	}
	return string(s.Mode) + "@" + s.Region
}

// ParseStratum reads what String writes.
func ParseStratum(text string) (Stratum, error) {
	mode, region, regional := strings.Cut(text, "@")
	for _, m := range modes {
		if string(m) == mode && (!regional || latencytest.IsRegion(region)) {
			return Stratum{m, region}, nil
		}
	}
	return Stratum{}, fmt.Errorf("want replay, stored, ab or track, and the region where there are several, as in stored@eu-west-1, got %.80q", text)
}

func compareStrata(a, b Stratum) int {
	return cmp.Or(cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Region, b.Region))
}

// stratum is that of the manifest.
func (m *Manifest) stratum() Stratum { return Stratum{m.Mode, m.Region} }

// strataIn are those that the directories in a directory are named after, in order.
func strataIn(dir string) ([]Stratum, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Stratum
	for _, e := range entries {
		if s, err := ParseStratum(e.Name()); err == nil && e.Type() == fs.ModeDir {
			all = append(all, s)
		}
	}
	return all, nil
}
