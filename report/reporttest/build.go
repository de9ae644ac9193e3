package reporttest

import (
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

const ms = 1e6 // nanoseconds

// Build returns a build with one row of each verdict, and a failure rate that passed.
func Build() *report.Build {
	b := &report.Build{
		Schema: report.Schema, Tool: "v0.3.1",
		Mode: report.Stored, ModeReason: "asked for by LATGATE_MODE",
		Base:    "4f1c2ab0d9e8c7b6a5f4e3d2c1b0a9f8e7d6c5b4",
		Head:    "9d03e77aa1b2c3d4e5f60718293a4b5c6d7e8f90",
		Started: time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC),
		Ended:   time.Date(2026, 11, 20, 3, 21, 47, 500e6, time.UTC),
		Verdict: baseline.Tampered, ExitCode: report.ExitTampered,
		Requests: 2080, Failed: 3, Dollars: 1.12,
		Rows: []report.Row{
			gate("short", baseline.Pass, ttft(.5), 394, 398, .97, 1.06),
			gate("short", baseline.Regression, ttft(.9), 612, 753, 1.12, 1.35),
			gate("tools", baseline.Accepted, ttft(.9), 1100, 1408, 1.19, 1.36),
			gate("long", baseline.Inconclusive, ttft(.9), 1900, 2033, .94, 1.22),
			gate("cached", baseline.Improved, ttft(.9), 480, 360, .71, .79),
			gate("throughput", baseline.Pass, &report.Quantity{Metric: "otps", Unit: "tok/s", Quantile: .9, HigherIsBetter: true}, 46.7/ms, 45.9/ms, .95, 1.02),
			whole("budget", baseline.OverBudget, "Below(ttft, P99, 3000 ms)", "the bound 3310 ms is beyond the limit"),
			whole("errors", baseline.Pass, "ErrorRate(1 %)", ""),
			whole("new", baseline.Missing, "NoRegression(P90 ttft)", "there is no baseline for this environment"),
			whole("renamed", baseline.Incomparable, "NoRegression(P90 ttft)", "max_tokens: 60 there, 80 here"),
			whole("down", baseline.Infrastructure, "NoRegression(P90 ttft)", "18 of 20 requests failed: throttled"),
			whole("edited", baseline.Tampered, "NoRegression(P90 ttft)", "2026-11-20T031705Z-4f1c2ab.bench was changed by hand"),
			whole("replayed", baseline.CassetteMiss, "NoRegression(P90 ttft)", "max_tokens differs from the recording"),
		},
	}
	b.Rows[1].Attribution = []string{"time to first byte +139 ms of +141 ms", "output tokens equal"}
	b.Rows[2].Accepted = &report.Acceptance{Reason: "two-step tool call", By: "@team-chat", Until: "2026-12-31", Source: "testdata/latgate/TestLatencyChat/tools@9f3c1a2b/2026-11-20T031705Z-9d03e77.bench"}
	b.Rows[3].Warnings = []string{"the model served was m-1-2026-10-01, in the baseline m-1-2026-08-01"}
	b.Rows[6].Quantity, b.Rows[6].Measured, b.Rows[6].Limit = ttft(.99), 3422*ms, 3000*ms
	b.Rows[7].Measured, b.Rows[7].Limit = .0014, .01
	return b
}

func ttft(q float64) *report.Quantity {
	return &report.Quantity{Metric: "ttft", Unit: "ns", Quantile: q}
}

func gate(scenario string, verdict baseline.Verdict, q *report.Quantity, base, head, low, high float64) report.Row {
	r := whole(scenario, verdict, "NoRegression("+q.String()+")", "")
	r.Quantity = q
	r.Comparison = &report.Comparison{
		Base: base * ms, Head: head * ms, BaseType7: base * ms, HeadType7: head * ms,
		Ratio: head / base, Low: low, High: high, P: .002, HolmP: .018,
		HeadN: []int{200}, BaseN: []int{200, 200, 200, 200, 200}, RunSD: .031, Detectable: .17, MinEffect: .1, RuleOut: .2,
	}
	switch verdict {
	case baseline.Regression:
		r.Reason = "at least 1.12 times worse"
		r.Accept = r.Again + " -latgate.update -latgate.reason='why this is right'"
	case baseline.Inconclusive:
		r.Reason = "needs ≈ 640 requests to settle +20 %"
	}
	r.Text = scenario + ": " + q.String() + ": " + string(verdict)
	return r
}

func whole(scenario string, verdict baseline.Verdict, gate, reason string) report.Row {
	return report.Row{
		Package: "internal/chat", Test: "TestLatencyChat", Scenario: scenario, Gate: gate, Verdict: verdict, Reason: reason,
		Text: scenario + ": " + gate + ": " + string(verdict), File: "internal/chat/latency_test.go", Line: 42,
		Baseline: "testdata/latgate/TestLatencyChat/" + scenario + "@9f3c1a2b", Samples: "testdata/latgate/TestLatencyChat/latest.samples.jsonl",
		Again: "go test ./internal/chat -run '^TestLatencyChat$' -count=1 -v",
	}
}
