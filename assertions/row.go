package assertions

import (
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

func quantity(m latencytest.Metric, q latencytest.Quantile) *report.Quantity {
	return &report.Quantity{Metric: m.Name(), Unit: unitOf(m), Quantile: float64(q), HigherIsBetter: m.HigherIsBetter()}
}

// unitOf is what the metric's values are in: ns, tok/s.
func unitOf(m latencytest.Metric) string { return strings.TrimPrefix(m.Unit(), m.Name()+"-") }

// rowOf is a comparison as it is reported.
func rowOf(c baseline.Comparison) report.Row {
	row := report.Row{
		Scenario: c.Scenario, Gate: "NoRegression(" + c.Question.String() + ")", Verdict: c.Verdict, Reason: c.Reason, Text: c.String(),
		Quantity: quantity(c.Metric, c.Quantile), Baseline: c.Stored,
	}
	if c.Pinned != nil {
		row.Gate = "NoRegression(" + c.Question.String() + ", pinned)"
	}
	r := c.Result
	if r == nil {
		return row
	}
	for _, w := range r.Warnings {
		row.Warnings = append(row.Warnings, w.Error())
	}
	row.Comparison = &report.Comparison{
		Base: r.Baseline.HarrellDavis, Head: r.Candidate.HarrellDavis,
		BaseType7: r.Baseline.Type7, HeadType7: r.Candidate.Type7,
		Ratio: r.Ratio, Low: r.Low, High: r.High, P: r.P, HolmP: r.HolmP,
		HeadN: r.N, BaseN: r.BaselineN, RunSD: r.Tau, Detectable: r.Detectable, MinEffect: r.MinEffect, RuleOut: r.RuleOut,
	}
	if r.HigherIsBetter && r.Ratio > 0 { // of the values, not towards the worse
		n := row.Comparison
		n.Ratio, n.Low, n.High = 1/r.Ratio, 1/r.High, 1/r.Low
	}
	return row
}
