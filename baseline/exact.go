package baseline

import (
	"cmp"
	"fmt"
	"math"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// Replays of one recording in virtual time are exact: the same code takes the same
// times, to the nanosecond, so whatever moved was moved by the code. No statistics are
// needed, one stored run is enough, and a quantile's ratio is what it is.

// exactEffect is the smallest change of a replay that is reported where nothing else is
// said, as a ratio.
const exactEffect = .03

// replay reports whether a scenario was replayed from a recording in virtual time.
func (c Case) replay(s *latencytest.Scenario) bool {
	return s.Identity.Get(latencytest.RecordingFact) != "" && c.Result.Virtual
}

// exactly compares a replay with the newest stored run.
func (c Case) exactly(to *Comparison, s *latencytest.Scenario, runs []*Run) error {
	stored := runs[len(runs)-1]
	now := NewRun(c.Result, s, "", to.Metric)
	before, after := stored.Values(to.Metric), now.Values(to.Metric)
	r := &stat.Result{
		Scenario: s.Name, Metric: to.Metric.Name(), Q: float64(to.Quantile), HigherIsBetter: to.Metric.HigherIsBetter(),
		MinEffect: cmp.Or(c.MinEffect, exactEffect), K: 1, Sessions: 1, BaselineN: []int{len(before)}, N: []int{len(after)},
	}
	r.RuleOut = r.MinEffect
	to.Result, to.Exact = r, true
	if len(before) != len(after) {
		to.Verdict = Incomparable
		to.Reason = fmt.Sprintf("the stored replay has %d requests, this one %d: make them equal, or store this one", len(before), len(after))
		return nil
	}
	quantile := func(values []float64) stat.Quantile {
		v := latencytest.Type7(values, to.Quantile.Rank(to.Metric))
		return stat.Quantile{HarrellDavis: v, Type7: v}
	}
	r.Baseline, r.Candidate = quantile(before), quantile(after)
	r.Ratio = r.Candidate.Type7 / r.Baseline.Type7
	if r.HigherIsBetter {
		r.Ratio = 1 / r.Ratio
	}
	r.D = math.Log(r.Ratio)
	r.Low, r.High = r.Ratio, r.Ratio
	moved := movedRequests(stored, now, to.Metric)
	switch {
	case r.Ratio >= 1+r.MinEffect:
		to.Verdict, to.Reason = Regression, fmt.Sprintf("exactly %.3f times worse, %s", r.Ratio, moved)
	case 1/r.Ratio >= 1+r.MinEffect:
		to.Verdict, to.Reason = Improved, fmt.Sprintf("exactly %.3f times better, %s", 1/r.Ratio, moved)
	default:
		to.Verdict, to.Reason = Pass, fmt.Sprintf("exactly %.3f times what is stored, %s", r.Ratio, moved)
	}
	r.Verdict, r.Reason = stat.Verdict(to.Verdict), to.Reason
	if to.Verdict != Pass {
		to.Candidate, to.Against = []*Run{now}, []*Run{stored}
	}
	return nil
}

// movedRequests says how many requests of a replay took another time than the stored
// ones of the same place, and which moved most.
func movedRequests(stored, now *Run, m latencytest.Metric) string {
	before := make(map[int]float64)
	for _, e := range stored.Entries {
		if v, ok := e.Values[m]; ok {
			before[e.Facts.Number] = v
		}
	}
	moved, paired := 0, 0
	most, number, prompt := 0., 0, ""
	for _, e := range now.Entries {
		v, ok := e.Values[m]
		was, stored := before[e.Facts.Number]
		if !ok || !stored {
			continue
		}
		paired++
		if v != was {
			moved++
		}
		if math.Abs(v-was) > math.Abs(most) {
			most, number, prompt = v-was, e.Facts.Number, e.Facts.Prompt
		}
	}
	if moved == 0 {
		return fmt.Sprintf("none of %d requests moved", paired)
	}
	sign := "+"
	if most < 0 {
		sign = "−"
	}
	return fmt.Sprintf("%d of %d requests moved, number %d (prompt %s) most: %s%s", moved, paired, number, prompt, sign, m.Format(math.Abs(most)))
}
