package history

import (
	"fmt"
	"math"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// String renders the report for people, a line for each finding, such as
//
//	P90 ttft, 40 runs from 2026-10-01 to 2026-11-09, sd of a run 3.1 %
//	  step 2026-10-20 at 9f3c1a2, after 4f1c2ab: 612 → 753 ms, ratio 1.23 [1.20, 1.26], p <.0001, worse, 19 runs before and 20 from it on
//	  outlier 2026-10-28 at 77aa01c: 1.90 times its level
//	  drift from the anchor of 2026-09-01, without the steps beyond +20 %: ratio 1.04 [0.99, 1.09], no creep
func (r *Report) String() string {
	q := r.Series.Question
	lines := []string{r.headline()}
	say := func(format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }
	for _, err := range r.Series.LeftOut {
		say("left out: %v", err)
	}
	if r.TooFew != "" {
		say("%s", r.TooFew)
		return strings.Join(lines, "\n")
	}
	for _, s := range r.Steps {
		say("step %s", s.describe(q.Metric))
	}
	if p := r.Pending; p != nil {
		say("pending since %s: the last %s %.2f times the level before, a step needs %d", p.First, isOrAre(p.Runs), p.Ratio, held)
	}
	for _, o := range r.Outliers {
		say("outlier %s: %.2f times its level", o.Run, o.Ratio)
	}
	if len(r.Steps) == 0 {
		say("no step")
	}
	if r.Drift != nil {
		say("%s", r.Drift.describe(q.Metric, r.Options))
	}
	return strings.Join(lines, "\n")
}

func (r *Report) headline() string {
	points := r.Series.Points
	line := fmt.Sprintf("%v, %d runs", r.Series.Question, len(points))
	if len(points) > 0 {
		first, last := points[0].Time, points[0].Time
		for _, p := range points {
			if p.Time.Before(first) {
				first = p.Time
			}
			if p.Time.After(last) {
				last = p.Time
			}
		}
		line += fmt.Sprintf(" from %s to %s", first.UTC().Format(dateOnly), last.UTC().Format(dateOnly))
	}
	if r.TooFew == "" {
		line += fmt.Sprintf(", sd of a run %.1f %%", 100*r.SD)
	}
	return line
}

const dateOnly = "2006-01-02"

// String returns "2026-10-20 at 9f3c1a2".
func (p Point) String() string {
	text := p.Time.UTC().Format(dateOnly)
	if p.Commit != "" {
		text += " at " + p.Commit
	}
	return text
}

func (s Step) describe(m latencytest.Metric) string {
	text := s.First.String()
	if s.Last.Commit != "" {
		text += ", after " + s.Last.Commit
	}
	return fmt.Sprintf("%s: %s, ratio %.2f [%.2f, %.2f], p %s, %s, %d runs before and %d from it on",
		text, change(m, s.Before, s.After), s.Ratio, s.Low, s.High, probability(s.P), worseOrBetter(s.Worse), s.RunsBefore, s.RunsAfter)
}

func (d *Drift) describe(m latencytest.Metric, o Options) string {
	from := "the first runs, of "
	if d.Anchored {
		from = "the anchor of "
	}
	text := fmt.Sprintf("drift from %s%s: %s", from, d.Since.UTC().Format(dateOnly), change(m, d.From, d.To))
	if math.Abs(d.Total-d.Ratio) > 1e-9 {
		text += fmt.Sprintf(", ratio %.2f; without the steps beyond %.3g %%", d.Total, 100*o.Tolerance)
	}
	text += fmt.Sprintf(", ratio %.2f [%.2f, %.2f]", d.Ratio, d.Low, d.High)
	if d.TrendP <= o.Alpha && d.Slope != 0 {
		text += fmt.Sprintf(", %+.1f %% in 30 days", 100*d.Slope)
	}
	if !d.Creep {
		return text + ": no creep"
	}
	return fmt.Sprintf("%s, p %s: creep, %s", text, probability(d.P), worseOrBetter(d.Worse))
}

func worseOrBetter(worse bool) string {
	if worse {
		return "worse"
	}
	return "better"
}

func isOrAre(runs int) string {
	if runs == 1 {
		return "run is"
	}
	return fmt.Sprintf("%d runs are", runs)
}

// change prints "612 → 753 ms", or "9940 ms → 10.2 s" where the units differ.
func change(m latencytest.Metric, from, to float64) string {
	before, after := m.Format(from), m.Format(to)
	if number, unit, ok := strings.Cut(before, " "); ok && strings.HasSuffix(after, " "+unit) {
		before = number
	}
	return before + " → " + after
}

// probability prints a p-value as statisticians do: ".002".
func probability(p float64) string {
	switch {
	case p < .0001:
		return "<.0001"
	case p < .001:
		return strings.TrimPrefix(fmt.Sprintf("%.4f", p), "0")
	case p >= .9995:
		return "1"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
}
