package baseline_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sheet is what the gate has to keep, and what it was found to do.
type sheet struct {
	figures []figure
	again   map[string]tally // of the cells that were measured anew
}

// A figure is the worst of the cells that it is about, in percent or points.
type figure struct {
	section string // of the plan of the gate
	what    string
	limit   float64
	least   bool // the figure must not be below limit, rather than not above it
	of      func(tally) float64
	cells   []cell
}

// A cell is what was measured, and how to measure it anew with other data and more
// of them. nil is not worth the time.
type cell struct {
	name    string
	counted tally
	again   func() (tally, error)
}

func (f *figure) met() bool {
	if f.least {
		return f.value() >= f.limit
	}
	return f.value() <= f.limit
}

func (f *figure) bound() string {
	if f.least {
		return fmt.Sprintf(">= %g", f.limit)
	}
	return fmt.Sprintf("<= %g", f.limit)
}

// value is that of the worst cell, which is the first.
func (f *figure) value() float64 { return f.of(f.cells[0].counted) }

func (f *figure) sort(cells []cell) {
	slices.SortStableFunc(cells, func(x, y cell) int {
		if f.least {
			x, y = y, x
		}
		return cmp.Compare(f.of(y.counted), f.of(x.counted))
	})
}

func (s *sheet) most(section, what string, limit float64, c cell, of func(tally) float64) {
	s.enter(figure{section, what, limit, false, of, []cell{c}})
}

func (s *sheet) least(section, what string, limit float64, c cell, of func(tally) float64) {
	s.enter(figure{section, what, limit, true, of, []cell{c}})
}

func (s *sheet) enter(f figure) {
	i := slices.IndexFunc(s.figures, func(have figure) bool { return have.what == f.what })
	if i < 0 {
		s.figures = append(s.figures, f)
		return
	}
	s.figures[i].cells = append(s.figures[i].cells, f.cells...)
}

// settle measures the three worst cells of each figure anew. The worst of some
// hundred cells has been picked for its bad luck, and looks worse than it is.
func (s *sheet) settle() error {
	if s.again == nil {
		s.again = make(map[string]tally)
	}
	for i := range s.figures {
		f := &s.figures[i]
		f.sort(f.cells)
		worst := f.cells[:min(3, len(f.cells))]
		for j := range worst {
			c := &worst[j]
			if c.again == nil {
				continue
			}
			if _, ok := s.again[c.name]; !ok {
				counted, err := c.again()
				if err != nil {
					return err
				}
				s.again[c.name] = counted
			}
			c.counted = s.again[c.name]
		}
		f.sort(worst)
	}
	slices.SortStableFunc(s.figures, func(x, y figure) int { return cmp.Compare(x.section, y.section) })
	return nil
}

// report gives every figure a line of the benchmark, and prints them as a table.
func (s *sheet) report(b *testing.B) {
	if testing.Short() {
		fmt.Fprintln(os.Stdout, "The figures of so few replications mean nothing: what the gate has to keep is not checked with -short.")
		return
	}
	require.NoError(b, s.settle())
	for _, f := range s.figures {
		b.Run("figure="+strings.ReplaceAll(f.what, " ", "_"), func(b *testing.B) {
			for b.Loop() {
			}
			b.ReportMetric(f.value(), "found")
			b.ReportMetric(f.limit, "limit")
			b.ReportMetric(0, "ns/op")
		})
	}
	fmt.Fprintf(os.Stdout, "\n%s", s)
}

func (s *sheet) String() string {
	var out strings.Builder
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	missed := 0
	fmt.Fprintln(t, "section\tfigure\tfound\tlimit\tmet\tworst of\treplications")
	for _, f := range s.figures {
		met := "yes"
		if !f.met() {
			met = "NO"
			missed++
		}
		c := f.cells[0]
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\t%s\t%d: %s\t%d\n", f.section, f.what, f.value(), f.bound(), met, len(f.cells), c.name, c.counted.replications)
	}
	t.Flush()
	fmt.Fprintf(&out, "%d of %d figures met\n", len(s.figures)-missed, len(s.figures))
	return out.String()
}

func TestSheet(t *testing.T) {
	t.Parallel()
	count := func(n int) tally { return tally{200, map[event]int{red: n}} }
	rate := func(t tally) float64 { return t.rate(red) }
	var s sheet
	again := 0
	unlucky := func() (tally, error) {
		again++
		return count(8), nil
	}
	s.least("6.3", "power", 84, cell{"a", count(180), nil}, rate)
	s.least("6.3", "power", 84, cell{"b", count(168), nil}, rate)
	s.most("6.2", "false alarms", 7, cell{"a", count(2), nil}, rate)
	s.most("6.2", "false alarms", 7, cell{"b", count(10), nil}, rate)
	s.most("6.2", "false alarms", 7, cell{"c", count(20), unlucky}, rate)
	s.most("6.2", "too many", 4, cell{"c", count(20), unlucky}, rate)
	s.most("6.2", "too many", 4, cell{"d", count(10), nil}, rate)
	require.NoError(t, s.settle())
	assert.Equal(t, 1, again, "once, for all figures")
	assert.Equal(t, `section  figure        found  limit  met  worst of  replications
6.2      false alarms  5.0    <= 7   yes  3: b      200
6.2      too many      5.0    <= 4   NO   2: d      200
6.3      power         84.0   >= 84  yes  2: b      200
2 of 3 figures met
`, s.String())
}
