package gate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// A Waiver accepts a regression up to a limit and a date. It stands in a commit's
// message as a trailer:
//
//	Latency-Accept: TestLatencyChat/short p90-ttft <=+35% until=2026-12-31 | two-step tool call
//
// The name is that of the test, followed by that of the scenario where it has more
// than one.
type Waiver struct {
	Name     string
	Quantile latencytest.Quantile
	Metric   string
	AtMost   float64 // ratio towards the worse: 1.35
	Until    time.Time
	Reason   string
	Commit   string
	By       string
}

var trailer = regexp.MustCompile(`^(\S+) +[pP]([0-9.]+)-([a-z0-9_]+) +<=\+([0-9.]+)% +until=(\d{4}-\d{2}-\d{2}) *\| *(\S.*)$`)

// ParseWaiver reads the value of a trailer.
func ParseWaiver(text string) (Waiver, error) {
	part := trailer.FindStringSubmatch(strings.TrimSpace(text))
	if part == nil {
		return Waiver{}, fmt.Errorf("Latency-Accept: want %q, got %.120q", "Test/scenario p90-ttft <=+35% until=2026-12-31 | reason", text)
	}
	percentile, err := strconv.ParseFloat(part[2], 64)
	percent, err2 := strconv.ParseFloat(part[4], 64)
	until, err3 := time.Parse(time.DateOnly, part[5])
	if err := errors.Join(err, err2, err3); err != nil {
		return Waiver{}, fmt.Errorf("Latency-Accept: %w", err)
	}
	return Waiver{
		Name: part[1], Quantile: latencytest.Quantile(percentile / 100), Metric: part[3], AtMost: 1 + percent/100,
		Until: until.AddDate(0, 0, 1), Reason: part[6],
	}, nil
}

// Waivers reads the trailers of the commits after base up to head: those of a change,
// and no others. Broken are those that cannot be read.
func Waivers(ctx context.Context, root, base, head string) (waivers []Waiver, broken []error, err error) {
	if base, err = Commit(ctx, root, base); err != nil {
		return nil, nil, err
	}
	if head, err = Commit(ctx, root, head); err != nil {
		return nil, nil, err
	}
	log, err := git(ctx, root, "log", "-z", "--format=%H%n%an%n%(trailers:key=Latency-Accept,valueonly,unfold)", base+".."+head)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range strings.Split(string(log), "\x00") {
		lines := strings.Split(entry, "\n")
		for _, line := range lines[min(2, len(lines)):] {
			if strings.TrimSpace(line) == "" {
				continue
			}
			w, err := ParseWaiver(line)
			if err != nil {
				broken = append(broken, fmt.Errorf("commit %.12s: %w", lines[0], err))
				continue
			}
			w.Commit, w.By = lines[0], lines[1]
			waivers = append(waivers, w)
		}
	}
	return waivers, broken, nil
}

// matches reports whether the waiver is about a row.
func (w Waiver) matches(r report.Row) bool {
	return r.Comparison != nil && r.Quantity != nil && r.Quantity.Metric == w.Metric &&
		math.Abs(r.Quantity.Quantile-float64(w.Quantile)) < 1e-9 && (w.Name == r.Test || w.Name == path.Join(r.Test, r.Scenario))
}

// waive accepts the regressions that the waivers are about. A waiver that has run out,
// or that is about nothing, or about more than one thing, is a row of its own; one that
// is exceeded accepts nothing.
func waive(rows []report.Row, waivers []Waiver, at time.Time) (more []report.Row) {
	for _, w := range waivers {
		about, names := w.about(rows)
		last := w.Until.AddDate(0, 0, -1).Format(time.DateOnly)
		broken := ""
		switch {
		case len(names) == 0:
			broken = fmt.Sprintf("names %s p%v-%s, which nothing has measured", w.Name, 100*float64(w.Quantile), w.Metric)
		case len(names) > 1:
			broken = fmt.Sprintf("names %s, which could be each of %s: say which, or accept a new baseline", w.Name, strings.Join(names, ", "))
		case at.After(w.Until):
			broken = fmt.Sprintf("has run out: %s was its last day", last)
		}
		if broken != "" {
			more = append(more, wholeBuild(baseline.Tampered, fmt.Sprintf("the trailer Latency-Accept of commit %.12s %s", w.Commit, broken)))
			continue
		}
		for _, r := range about {
			switch {
			case r.Verdict != baseline.Regression:
			case worse(r) > w.AtMost:
				r.Reason += fmt.Sprintf("; the trailer of commit %.12s accepts +%.0f %% at most", w.Commit, 100*(w.AtMost-1))
			default:
				r.Verdict = baseline.Accepted
				r.Accepted = &report.Acceptance{Reason: w.Reason, By: w.By, Until: last, Source: w.Commit}
			}
		}
	}
	return more
}

// about are the rows that the waiver is about, and what they are of: one thing, or the
// waiver is not clear.
func (w Waiver) about(rows []report.Row) (about []*report.Row, names []string) {
	for i := range rows {
		r := &rows[i]
		if !w.matches(*r) {
			continue
		}
		about = append(about, r)
		anywhere := *r
		anywhere.Region = "" // of the same in several regions, all are meant
		if name := strings.TrimPrefix(r.Package+" "+anywhere.Name(), ". "); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return about, names
}

// worse is the ratio of a comparison towards the worse.
func worse(r *report.Row) float64 {
	if r.Quantity.HigherIsBetter && r.Comparison.Ratio > 0 {
		return 1 / r.Comparison.Ratio
	}
	return r.Comparison.Ratio
}
