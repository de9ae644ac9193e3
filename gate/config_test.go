package gate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
)

const wholeConfig = `# of the team
fail_on: [regression, budget, tampered]
inconclusive: fail
require:
  - ^internal/chat TestLatency
credentials: [LLM_API_KEY]
store: s3://bucket/prefix
budgets:
  max_usd: 2.50
  max_requests: 5000
min_effect: 15%
rule_out: .3
alpha: 0.01
`

func TestConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := gate.ReadConfig(dir)
	require.NoError(t, err)
	assert.Equal(t, gate.Config{}, c, "there is none")
	require.NoError(t, os.WriteFile(filepath.Join(dir, gate.ConfigName), []byte(wholeConfig), 0o644))
	c, err = gate.ReadConfig(dir)
	require.NoError(t, err)
	require.Len(t, c.Require, 1)
	assert.True(t, c.Require[0].MatchString("internal/chat TestLatencyChat"))
	c.Require = nil
	assert.Equal(t, gate.Config{
		FailOn: []baseline.Verdict{baseline.Regression, baseline.OverBudget, baseline.Tampered}, Inconclusive: "fail",
		Credentials: []string{"LLM_API_KEY"}, Store: "s3://bucket/prefix", MaxUSD: 2.5, MaxRequests: 5000,
		MinEffect: .15, RuleOut: .3, Alpha: .01,
	}, c)
	for _, empty := range []string{"", "# nothing\n", "---\n"} {
		_, err := gate.ParseConfig([]byte(empty), "latgate.yaml")
		require.NoError(t, err, empty)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"fail_on: [red]":                       `latgate.yaml:1: fail_on: want some of`,
		"fail_on: [pass]":                      `latgate.yaml:1: fail_on: want some of`,
		"fail_on: regression":                  `latgate.yaml:1: fail_on: want a list`,
		"\n\nfailon: []":                       `latgate.yaml:3: failon: unknown key; there are alpha, budgets, credentials, fail_on`,
		"alpha: 0.1\nalpha: 0.2":               `alpha`,
		"inconclusive: rerun":                  `latgate.yaml:1: inconclusive: want warn or fail, got "rerun"`,
		"require: ['(']":                       `latgate.yaml:1: require: error parsing regexp`,
		"require: [[a]]":                       `latgate.yaml:1: require: want a text`,
		"credentials: ['A B']":                 `latgate.yaml:1: credentials: want the name of an environment variable`,
		"store: []":                            `latgate.yaml:1: store: want a directory or a URL`,
		"budgets:\n  max_usd: -1":              `latgate.yaml:2: budgets.max_usd: want a positive number`,
		"budgets:\n  max_dollars: 1":           `latgate.yaml:2: budgets.max_dollars: unknown key; there are max_requests, max_usd`,
		"budgets:\n  max_requests: 2.5":        `latgate.yaml:2: budgets.max_requests: want a whole number`,
		"budgets: 5":                           `latgate.yaml:1: budgets: want keys and values`,
		"min_effect: ten":                      `latgate.yaml:1: min_effect: want a positive number`,
		"alpha: 0.9":                           `latgate.yaml:1: alpha: want a positive number, of at most 0.5`,
		"- a":                                  `latgate.yaml:1: want keys and values`,
		"a: &x 1\nalpha: *x":                   `latgate.yaml:2: alpha: write it out`,
		"alpha: 0.1\n---\nalpha: 0.2":          `more than one document`,
		"alpha: [":                             `latgate.yaml`,
		"# " + strings.Repeat("x", 1<<20+1):    `more than 1 MiB`,
		"fail_on: [red]\nstore: []\nbudget: 1": `latgate.yaml:3: budget: unknown key`,
	} {
		_, err := gate.ParseConfig([]byte(content), "latgate.yaml")
		require.ErrorContains(t, err, want, content[:min(40, len(content))])
	}
}

// Every key is documented, and no other.
func TestConfigIsDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/config.md")
	require.NoError(t, err)
	_, err = gate.ParseConfig([]byte("unknown: 1\nbudgets:\n  unknown: 1\n"), "latgate.yaml")
	require.Error(t, err)
	for line := range strings.Lines(err.Error()) {
		_, keys, _ := strings.Cut(line, "there are ")
		for _, key := range strings.Split(strings.TrimSpace(keys), ", ") {
			assert.Contains(t, string(data), "`"+key+"`")
		}
	}
	_, example, found := strings.Cut(string(data), "```yaml\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	_, err = gate.ParseConfig([]byte(example), "docs/config.md")
	require.NoError(t, err)
}

func TestParseWaiver(t *testing.T) {
	t.Parallel()
	w, err := gate.ParseWaiver(" TestLatencyChat/short p99.9-ttft <=+35% until=2026-12-31 | two-step tool call ")
	require.NoError(t, err)
	assert.InDelta(t, .999, float64(w.Quantile), 1e-12)
	w.Quantile = 0
	assert.Equal(t, gate.Waiver{
		Name: "TestLatencyChat/short", Metric: "ttft", AtMost: 1.35, Reason: "two-step tool call", Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}, w)
	for _, text := range []string{
		"", "TestX p90-ttft <=+35% until=2026-12-31", "TestX p90-ttft <=+35% until=2026-12-31 |", "TestX p90-ttft <=+35% | x", "TestX p90-ttft until=2026-12-31 | x",
		"TestX p90-ttft <=+35% until=2026-02-31 | x", "TestX p9.0.0-ttft <=+35% until=2026-12-31 | x", "* p90-ttft <=+35% | x",
	} {
		_, err := gate.ParseWaiver(text)
		require.ErrorContains(t, err, "Latency-Accept: ", text)
	}
}
