package gate

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/report"
)

// Turns are what two builds of the tests came to that were measured by turns, as latgate
// ab does: the base commit, and the working tree.
type Turns struct {
	Root string // of the module
	Base string // the commit that the working tree is compared with

	// Judged is what came of it, see [assertions.JudgeRevisions]. Nil means that nothing
	// could be judged, and Unmeasured says why.
	Judged     *assertions.Judgement
	Unmeasured *Unmeasured

	Started, Ended time.Time
	Reason         string // how it was measured
	Tool           string // the version of latgate

	// FailOn are the verdicts that fail the build. Nil means those of the base commit's
	// configuration; where that says nothing, all that do not pass.
	FailOn []baseline.Verdict
}

// Unmeasured says why two builds could not be measured: one could not be built
// ([baseline.Incomparable]), tests failed ([baseline.Infrastructure]), nothing was
// measured ([baseline.Missing]).
type Unmeasured struct {
	Verdict baseline.Verdict
	Reason  string // the first line is enough for a table
}

// JudgeTurns is [Judge] for two builds that were measured by turns. Trailers
// Latency-Accept of the change accept regressions here, too; those that are about
// something else than what was compared are left to other modes.
func JudgeTurns(ctx context.Context, t Turns) (*report.Build, error) {
	j := judge{Options: Options{Root: t.Root, Base: t.Base, FailOn: t.FailOn, Tool: t.Tool}}
	if err := j.prepareBase(ctx); err != nil {
		return nil, err
	}
	if j.FailOn == nil {
		j.FailOn = j.config.failOn()
		if j.config.silentOnDoubt() {
			j.FailOn = append(slices.Clone(j.FailOn), baseline.Inconclusive)
		}
	}
	head, err := Commit(ctx, t.Root, "HEAD")
	if err != nil {
		return nil, err
	}
	build := &report.Build{
		Tool: t.Tool, Mode: report.AB, ModeReason: t.Reason, Base: j.Base, Head: head,
		Started: t.Started.UTC(), Ended: t.Ended.UTC(), Rows: j.rows,
	}
	if judged := t.Judged; judged != nil {
		build.Requests, build.Failed, build.Dollars = judged.Requests, judged.Failed, judged.Dollars
		waivers := slices.DeleteFunc(j.Waivers, func(w Waiver) bool {
			about, _ := w.about(judged.Rows)
			return len(about) == 0
		})
		rows := slices.Clone(judged.Rows)
		broken := waive(rows, waivers, time.Now())
		build.Rows = slices.Concat(rows, broken, build.Rows)
	}
	if t.Unmeasured != nil {
		build.Rows = append(build.Rows, t.Unmeasured.row(t.Root))
	}
	order(build.Rows)
	j.conclude(build)
	return build, nil
}

// row is about the whole build, without secrets and the names of local directories.
func (u *Unmeasured) row(root string) report.Row {
	lines := strings.Split(withoutDir(u.Reason, root), "\n")
	for i, line := range lines {
		lines[i] = providers.Scrub(line)
	}
	row := wholeBuild(u.Verdict, lines[0])
	row.Text = strings.Join(append([]string{row.Text}, lines[1:]...), "\n")
	return row
}
