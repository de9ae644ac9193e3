package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/report/bench"
)

// runOf is a run of a scenario in which everything takes so many times as long.
func runOf(scenario string, factor float64, more ...providers.Fact) *baseline.Run {
	facts := append(providers.Facts{{Name: "metrics", Value: "metrics/1"}, {Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: scenario}}, more...)
	r := &baseline.Run{Key: baseline.NewKey(facts), Header: baseline.Header{Schema: baseline.Schema, Time: time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC)}}
	for n := range 40 {
		ttft := factor * (400e6 + 1e6*float64(n*37%40))
		r.Entries = append(r.Entries, baseline.Entry{
			Values: map[latencytest.Metric]float64{latencytest.TTFT: ttft, latencytest.OTPS: 50 / factor},
			Facts:  baseline.EntryFacts{Number: n, Prompt: "p"},
		})
	}
	return r
}

func formatted(t *testing.T, runs ...*baseline.Run) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, bench.Format(&out, runs...))
	return &out
}

func compared(t *testing.T, base, head string) string {
	t.Helper()
	tables, err := bench.Compare([]bench.Source{bench.File("base.bench", strings.NewReader(base))}, []bench.Source{bench.File("head.bench", strings.NewReader(head))})
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, tables.WriteText(&out))
	return out.String()
}

func TestTable(t *testing.T) {
	t.Parallel()
	base := formatted(t, runOf("short", 1), runOf("short", 1.001)).String()
	head := formatted(t, runOf("short", 1.3)).String()
	assert.Equal(t, `metrics: metrics/1
test: TestLatencyChat
scenario: short
ttft-sec            base          head          vs base
LatencyChat/short   419.7m ± 1%   545.4m ± 2%   +29.94% (p=0.000 n=80+40)

otps-tok/s          base         head         vs base
LatencyChat/short   49.98 ± 0%   38.46 ± 0%   -23.04% (n=80+40)

`+bench.Sentence+"\n", compared(t, base, head))
}

// Both sides of each scenario are in one table; a key of one run does not leak into
// the next, which would part the sides.
func TestSidesOfSeveralScenarios(t *testing.T) {
	t.Parallel()
	planned := providers.Fact{Name: "plan", Value: "nightly"}
	base := formatted(t, runOf("short", 1, planned), runOf("long", 2)).String()
	head := formatted(t, runOf("long", 2.6), runOf("short", 1, planned)).String()
	assert.Contains(t, base, "\nplan:\n")
	text := compared(t, base, head)
	assert.Equal(t, 4, strings.Count(text, "vs base"), text)
	assert.NotContains(t, text, "–", "each has both sides")
	assert.Contains(t, text, "~ (p=1.000 n=40)")

	// What one side does not have stands alone.
	text = compared(t, base, formatted(t, runOf("short", 1, planned)).String())
	assert.Contains(t, text, "–")
	assert.Contains(t, compared(t, "", ""), "nothing to compare")
}

// The command of that name reads both files, pairs them in one table, and says the same.
func TestAsTheCommand(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("THE COMMAND BENCHSTAT IS NOT ASKED: -short")
	}
	dir := t.TempDir()
	base, head := formatted(t, runOf("short", 1), runOf("long", 2)), formatted(t, runOf("short", 1.3), runOf("long", 2))
	text := compared(t, base.String(), head.String())
	for name, content := range map[string]*bytes.Buffer{"base.bench": base, "head.bench": head} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content.Bytes(), 0o644))
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile="+filepath.Join(root, ".github/tools/go.mod"), "benchstat",
		"base="+filepath.Join(dir, "base.bench"), "head="+filepath.Join(dir, "head.bench"))
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	spaces := regexp.MustCompile(`[ │]+`)
	cells := func(text string) (rows []string) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "LatencyChat/") {
				rows = append(rows, strings.TrimSpace(spaces.ReplaceAllString(line, " ")))
			}
		}
		return rows
	}
	assert.Len(t, cells(text), 4)
	theirs := strings.ReplaceAll(string(out), " ¹", "") // a note: all samples are equal
	assert.ElementsMatch(t, cells(theirs), cells(text))
}

// Output of go test -bench joins the runs.
func TestBenchOutput(t *testing.T) {
	t.Parallel()
	output := func(p90 float64) string {
		text := "goos: linux\nUnit p90-ttft-ns better=lower\n"
		for n := range 10 {
			text += fmt.Sprintf("BenchmarkLatencyChat-2 100 %v p90-ttft-ns\n", p90+float64(n))
		}
		return text + "PASS\nok  \texample.com/chat\t12.1s\n"
	}
	sources := func(run *baseline.Run, text string) []bench.Source {
		return []bench.Source{bench.File("runs", formatted(t, run)), bench.File("output", strings.NewReader(text))}
	}
	tables, err := bench.Compare(sources(runOf("short", 1), output(5e8)), sources(runOf("short", 1), output(6e8)))
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, tables.WriteText(&text))
	assert.Contains(t, text.String(), "LatencyChat/short")
	assert.Regexp(t, `LatencyChat-2 +500\.0m ± 0% +600\.0m ± 0% +\+20\.00% \(p=0\.000 n=10\)`, text.String())

	_, err = bench.Compare(nil, []bench.Source{bench.File("broken.txt", strings.NewReader("BenchmarkX 1 fast ns/op\n"))})
	assert.ErrorContains(t, err, "broken.txt:1: ")
}

// Names are a stranger's: nothing leaves the line, nor the fence.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	hostile := "BenchmarkX::error::`````</details>@acme/team 1 5 ns/op\n"
	tables, err := bench.Compare(nil, []bench.Source{bench.File("x", strings.NewReader("note: ::set-output name=a::b\n"+hostile))})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, tables.WriteMarkdown(&text))
	assert.NotContains(t, text.String(), "::")
	assert.True(t, strings.HasPrefix(text.String(), "<details><summary>benchstat</summary>\n\n``````\n"), text.String())
	assert.True(t, strings.HasSuffix(text.String(), "\n``````\n\n</details>\n"))
}
