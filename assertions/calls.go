package assertions

import (
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// Calls demands that no operation of [latencytest.RunFunc] that ended OK makes more
// than so many model calls, retries left out: the guard rail that somebody adds and
// the loop that asks once more are seen without any noise.
func Calls(atMost int) Gate { return calls(atMost) }

type calls int

func (c calls) String() string { return fmt.Sprintf("Calls(%d)", int(c)) }

func (c calls) addTo(g *gates) error {
	if c < 1 {
		return fmt.Errorf("want a positive number")
	}
	g.calls = append(g.calls, c)
	return nil
}

func (c calls) record() GateRecord { return GateRecord{Gate: "Calls", Limit: float64(c)} }

func (c calls) judge(res *latencytest.Result) (answers []answer) {
	for _, s := range res.Scenarios {
		a := answer{Row: report.Row{Scenario: s.Name, Gate: c.String(), Verdict: baseline.Pass, Limit: float64(c)}}
		values := s.Values(latencytest.ModelCalls)
		more := 0
		for _, n := range values {
			a.Measured = max(a.Measured, n)
			if n > float64(c) {
				more++
			}
		}
		a.Reason = fmt.Sprintf("%.0f model calls at most, limit %d", a.Measured, int(c))
		switch {
		case baseline.NotRecorded(s) != "":
			a.Verdict, a.Reason = baseline.CassetteMiss, baseline.NotRecorded(s)
		case len(values) == 0:
			a.Verdict, a.Reason = baseline.Infrastructure, "no operation ended well: only those of RunFunc have a number of calls"
		case more > 0:
			a.Verdict = baseline.OverBudget
			a.Reason += fmt.Sprintf(": %d of %d operations make more", more, len(values))
		}
		a.fails = a.Verdict != baseline.Pass
		a.Text = fmt.Sprintf("%s: %v: %s: %s", s.Name, c, a.Verdict, a.Reason)
		answers = append(answers, a)
	}
	return answers
}
