package gitlab_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/gitlab"
	"github.com/latgate/latgate/report/reporttest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	reporttest.Golden(t, "metrics.txt", func(w io.Writer) error { return gitlab.Metrics(w, reporttest.Build()) })
	b := reporttest.Build()
	b.Rows = b.Rows[1:4]
	reporttest.Golden(t, "codequality.json", func(w io.Writer) error { return gitlab.CodeQuality(w, b) })
}

func metrics(t *testing.T, rows ...report.Row) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, gitlab.Metrics(&out, &report.Build{Rows: rows}))
	return out.String()
}

func row(metric, unit string, head, runSD float64) report.Row {
	return report.Row{
		Test: "T", Quantity: &report.Quantity{Metric: metric, Unit: unit, Quantile: .9}, Comparison: &report.Comparison{Head: head, RunSD: runSD},
	}
}

// TestRounding prints values of runs that differ by noise.
func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit        string
		head, runSD float64
		want        string
	}{
		{"ns", 753e6, .031, "0.75"}, // to .05
		{"ns", 760e6, .031, "0.75"},
		{"ns", 745e6, .031, "0.75"},
		{"ns", 753e6, 0, "0.76"}, // to .02
		{"ns", 753e6, .2, "0.8"}, // to .2
		{"ns", 753e6, 90, "1.0"}, // to .5
		{"ns", 12.3e9, .03, "12.5"},
		{"ns", 1234e9, .03, "1250"},
		{"ns", 1.5e6, .03, "0.00150"},
		{"tok/s", 45.93, .03, "46"},
		{"tok", 181, .03, "180"},
		{"furlongs", 1e300, .03, "1e+300"},
		{"ns", 1e-290, .03, "1e-299"},
	} {
		assert.Regexp(t, ` `+strings.ReplaceAll(c.want, "+", `\+`)+"\n# EOF\n$", metrics(t, row("m", c.unit, c.head, c.runSD)), c)
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "# EOF\n", metrics(t))
	assert.Equal(t, "# EOF\n", metrics(t, report.Row{Test: "T"}, row("m", "ns", 0, 0)))
	twice := row("ttft", "ns", 1e9, .03)
	twice.Comparison = &report.Comparison{Head: 2e9}
	assert.Equal(t, `# TYPE latgate_otps_tokens_per_second gauge
latgate_otps_tokens_per_second{test="T",quantile="0.9"} 40
# TYPE latgate_output_tokens gauge
latgate_output_tokens{test="T",quantile="0.9"} 100
# TYPE latgate_queue_depth__requests_ gauge
latgate_queue_depth__requests_{test="T",quantile="0.9"} 7.0
# TYPE latgate_ttft_seconds gauge
latgate_ttft_seconds{test="T",quantile="0.9"} 1.00
# EOF
`, metrics(t, row("ttft", "ns", 1e9, .03), row("otps", "tok/s", 40, .03), twice, row("output_tokens", "tok", 100, .03), row("queue-depth", "{requests}", 7, .03)),
		"a series is there once")
}

func TestLabels(t *testing.T) {
	t.Parallel()
	r := row("m", "ns", 1e9, .03)
	r.Scenario = "a\"b\\c\nd}"
	assert.Contains(t, metrics(t, r), `scenario="a\"b\\c d}"`)
}

// A finding is what GitLab reads of one.
type finding struct {
	Description, Fingerprint, Severity string
	CheckName                          string `json:"check_name"`
	Location                           struct {
		Path  string
		Lines struct{ Begin int }
	}
}

func findings(t *testing.T, rows ...report.Row) []finding {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, gitlab.CodeQuality(&out, &report.Build{Rows: rows}))
	var list []finding
	require.NoError(t, json.Unmarshal(out.Bytes(), &list))
	require.NotNil(t, list, "[] and not null")
	return list
}

func TestSeverities(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[baseline.Verdict]string{
		baseline.Tampered: "critical", baseline.Regression: "major", baseline.OverBudget: "major", baseline.Missing: "minor",
		baseline.Incomparable: "minor", baseline.CassetteMiss: "minor", baseline.Infrastructure: "info", baseline.Inconclusive: "info",
	} {
		list := findings(t, report.Row{Verdict: verdict})
		require.Len(t, list, 1)
		assert.Equal(t, want, list[0].Severity, verdict)
		assert.Equal(t, "go.mod", list[0].Location.Path, "GitLab leaves out what is nowhere")
		assert.Equal(t, 1, list[0].Location.Lines.Begin)
	}
	assert.Empty(t, findings(t, report.Row{Verdict: baseline.Pass}, report.Row{Verdict: baseline.Accepted}, report.Row{Verdict: baseline.Improved}))
}

// TestFingerprints moves and changes a finding: it stays the same one.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	print := func(change func(*report.Row)) string {
		r := reporttest.Build().Rows[1]
		change(&r)
		list := findings(t, r)
		require.Len(t, list, 1)
		return list[0].Fingerprint
	}
	want := print(func(*report.Row) {})
	for name, change := range map[string]func(*report.Row){
		"line":                              func(r *report.Row) { r.Line++ },
		"file":                              func(r *report.Row) { r.File = "internal/chat/other_test.go" },
		"value":                             func(r *report.Row) { r.Comparison = nil },
		"limit":                             func(r *report.Row) { r.Gate = "NoRegression(P90 ttft, MinEffect(0.05))" },
		"reason":                            func(r *report.Row) { r.Reason, r.Text = "another", "another" },
		"now it is another kind of trouble": func(r *report.Row) { r.Verdict = baseline.Incomparable },
	} {
		assert.Equal(t, want, print(change), name)
	}
	for name, change := range map[string]func(*report.Row){
		"package":  func(r *report.Row) { r.Package = "internal/other" },
		"test":     func(r *report.Row) { r.Test = "TestOther" },
		"plan":     func(r *report.Row) { r.Plan = "other" },
		"scenario": func(r *report.Row) { r.Scenario = "other" },
		"metric":   func(r *report.Row) { r.Quantity = &report.Quantity{Metric: "ttlt", Unit: "ns", Quantile: .9} },
		"quantile": func(r *report.Row) { r.Quantity = &report.Quantity{Metric: "ttft", Unit: "ns", Quantile: .5} },
		"anchor":   func(r *report.Row) { r.Gate = "NoRegression(P90 ttft, pinned)" },
		"gate":     func(r *report.Row) { r.Gate = "Below(ttft, P90, 3 s)" },
	} {
		assert.NotEqual(t, want, print(change), name)
	}
	rate := report.Row{Test: "T", Gate: "ErrorRate(1 %)", Verdict: baseline.Regression}
	looser := rate
	looser.Gate = "ErrorRate(2 %)"
	assert.Len(t, findings(t, rate, looser), 1, "a fingerprint is there once")
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.Close()
	require.ErrorIs(t, gitlab.Metrics(w, reporttest.Build()), io.ErrClosedPipe)
	require.ErrorIs(t, gitlab.CodeQuality(w, reporttest.Build()), io.ErrClosedPipe)
}
