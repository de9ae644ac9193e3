package attribution

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/baseline"
)

// A Difference is a fact in which the candidate differs from all stored runs. It
// is no cause by itself.
type Difference struct {
	Name      string   `json:"name"`
	Stored    []string `json:"stored"` // the values there, the newest run's first
	Candidate string   `json:"candidate"`
}

// differences lists what the runs' provenance and their replies tell apart.
func differences(candidate *baseline.Run, stored []*baseline.Run) []Difference {
	newest := slices.Clone(stored)
	slices.SortStableFunc(newest, func(a, b *baseline.Run) int { return b.Header.Time.Compare(a.Header.Time) })
	facts := []struct {
		name string
		of   func(*baseline.Run) string
	}{
		{"commit", func(r *baseline.Run) string { return r.Header.Provenance.Commit }},
		{"uncommitted changes", func(r *baseline.Run) string {
			if r.Header.Provenance.Commit == "" {
				return ""
			}
			return map[bool]string{true: "yes", false: "no"}[r.Header.Provenance.Dirty]
		}},
		{"go", func(r *baseline.Run) string { return r.Header.Provenance.Go }},
		{"os", func(r *baseline.Run) string { return r.Header.Provenance.OS }},
		{"arch", func(r *baseline.Run) string { return r.Header.Provenance.Arch }},
		{"cpus", func(r *baseline.Run) string {
			if r.Header.Provenance.CPUs == 0 {
				return ""
			}
			return strconv.Itoa(r.Header.Provenance.CPUs)
		}},
		{"served model", func(r *baseline.Run) string { return mix(r, func(f baseline.EntryFacts) string { return f.Model }) }},
		{"served profile", func(r *baseline.Run) string { return mix(r, func(f baseline.EntryFacts) string { return f.Served }) }},
		{"connections", func(r *baseline.Run) string {
			return mix(r, func(f baseline.EntryFacts) string { return map[bool]string{true: "new", false: "reused"}[f.New] })
		}},
	}
	var out []Difference
	for _, fact := range facts {
		now := fact.of(candidate)
		var before []string
		for _, run := range newest {
			if v := fact.of(run); v != "" && !slices.Contains(before, v) {
				before = append(before, v)
			}
		}
		if now != "" && len(before) > 0 && !slices.Contains(before, now) {
			out = append(out, Difference{fact.name, before, now})
		}
	}
	return out
}

// mix returns the value that all answered requests have, or how many tenths of them
// have which: "optimized 70 %, standard 30 %". Values that are not told are left out.
func mix(r *baseline.Run, of func(baseline.EntryFacts) string) string {
	counts := make(map[string]int)
	told := 0
	for _, e := range r.Entries {
		if v := of(e.Facts); v != "" && e.Facts.Class == "" {
			counts[v]++
			told++
		}
	}
	var values []string
	for v := range counts {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	if len(values) == 1 {
		return values[0]
	}
	var parts []string
	for _, v := range values {
		if tenths := (10*counts[v] + told/2) / told; tenths > 0 {
			parts = append(parts, fmt.Sprintf("%s %d0 %%", v, tenths))
		}
	}
	return strings.Join(parts, ", ")
}
