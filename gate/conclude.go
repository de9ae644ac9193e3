package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// conclude gives the build its verdict: the worst of its rows, and the exit code of the
// worst that fails it.
func (j *judge) conclude(build *report.Build) {
	if len(build.Rows) == 0 {
		build.Rows = append(build.Rows, wholeBuild(baseline.Missing, "nothing was judged"))
	}
	failOn := slices.Clone(j.FailOn)
	if build.Mode == report.Track {
		failOn = slices.DeleteFunc(failOn, func(v baseline.Verdict) bool { return v != baseline.Tampered && v != baseline.Infrastructure })
	}
	var all, red []baseline.Verdict
	for _, row := range build.Rows {
		all = append(all, row.Verdict)
		if slices.Contains(failOn, row.Verdict) || row.Verdict == baseline.Inconclusive && (j.decisive(row) || j.doubtFails && row.Comparison != nil) {
			red = append(red, row.Verdict)
		}
	}
	build.Verdict = report.Worst(all...)
	build.ExitCode = report.ExitPass
	if len(red) > 0 {
		build.ExitCode = report.ExitCode(report.Worst(red...))
	}
	for _, v := range failing {
		switch {
		case slices.Contains(failOn, v) || !slices.Contains(all, v):
		case build.Mode == report.Track:
			build.Relaxed = append(build.Relaxed, fmt.Sprintf("%s does not fail this build: mode track never blocks", v))
		default:
			build.Relaxed = append(build.Relaxed, fmt.Sprintf("%s does not fail this build: fail_on leaves it out", v))
		}
	}
}

// decisive reports whether the row's check asks that doubt fails: Inconclusive(Fail).
func (j *judge) decisive(row report.Row) bool {
	return row.Comparison != nil && !strings.HasSuffix(row.Gate, ", pinned)") &&
		slices.ContainsFunc(j.records, func(r *assertions.Record) bool {
			return r.Package == row.Package && r.Test == row.Test && r.Plan == row.Plan && failsInDoubt(r)
		})
}
