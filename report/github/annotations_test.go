package github_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/github"
	"github.com/latgate/latgate/report/reporttest"
)

func annotations(t *testing.T, b *report.Build) []string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, github.Annotations(&out, b))
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	const at = "file=internal/chat/latency_test.go,line=42,"
	assert.Equal(t, []string{
		"::error " + at + "title=NoRegression(P90 ttft)::TestLatencyChat/edited: tampered: 2026-11-20T031705Z-4f1c2ab.bench was changed by hand",
		"::error " + at + "title=P99 ttft (limit 3000 ms)::TestLatencyChat/budget: budget: the bound 3310 ms is beyond the limit",
		"::error " + at + "title=P90 ttft +23 %25 [+12%2C +35] (limit +10 %25)::TestLatencyChat/short: regression: at least 1.12 times worse",
		"::error " + at + "title=NoRegression(P90 ttft)::TestLatencyChat/down: infrastructure: 18 of 20 requests failed: throttled (not your change)",
		"::error " + at + "title=NoRegression(P90 ttft)::TestLatencyChat/renamed: incomparable: max_tokens: 60 there, 80 here",
		"::error " + at + "title=NoRegression(P90 ttft)::TestLatencyChat/new: missing: there is no baseline for this environment",
		"::error " + at + "title=NoRegression(P90 ttft)::TestLatencyChat/replayed: cassette-miss: max_tokens differs from the recording",
		"::warning " + at + "title=P90 ttft +7 %25 [−6%2C +22] (limit +10 %25)::TestLatencyChat/long: inconclusive: needs ≈ 640 requests to settle +20 %25",
	}, annotations(t, reporttest.Build()))
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	got := annotations(t, &report.Build{Rows: []report.Row{{
		Test: "TestX", Scenario: "50%,a:b\nc\rd", Gate: "G%(a,b:c\n)", Reason: "100%0A::error::x", Verdict: baseline.Regression, File: "a,b:c%.go", Line: 3,
	}}})
	assert.Equal(t, []string{"::error file=a%2Cb%3Ac%25.go,line=3,title=G%25(a%2Cb%3Ac )::TestX/50%25,a:b c d: regression: 100%250A: :error: :x"}, got)
}

func TestNinePlusOne(t *testing.T) {
	t.Parallel()
	b := new(report.Build)
	for i := range 12 {
		b.Rows = append(b.Rows,
			report.Row{Test: "TestX", Gate: "g", Verdict: baseline.Regression, Comparison: &report.Comparison{Ratio: 1 + float64(i)}},
			report.Row{Test: "TestX", Gate: "g", Verdict: baseline.Inconclusive},
			report.Row{Test: "TestX", Gate: "g", Verdict: baseline.Pass})
	}
	got := annotations(t, b)
	require.Len(t, got, 20)
	assert.Contains(t, got[0], "+1100 %25", "the worst first")
	assert.Equal(t, "::error title=Latency::3 more are in the summary of the run", got[9])
	assert.Equal(t, "::warning title=Latency::3 more are in the summary of the run", got[19])
}

func TestNothingToAnnotate(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{""}, annotations(t, &report.Build{Rows: []report.Row{{Verdict: baseline.Pass}, {Verdict: baseline.Accepted}}}))
	r, w := io.Pipe()
	r.Close()
	require.ErrorIs(t, github.Annotations(w, reporttest.Build()), io.ErrClosedPipe)
}
