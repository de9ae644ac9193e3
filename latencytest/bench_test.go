package latencytest_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// brisk answers in a few milliseconds of real time: a benchmark's clock is real.
var brisk = fakes.Script{TTFT: fakes.Constant(5 * ms), Gap: fakes.Constant(ms), OutputTokens: 5}

// counted is a loopback fake that counts its requests.
func counted(tb testing.TB, script fakes.Script) (*bedrock.Target, *atomic.Int64) {
	requests := new(atomic.Int64)
	h := fakes.Bedrock(script)
	server := fakes.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	return bedrock.ConverseStream(client(server.Client().Transport, func(o *bedrockruntime.Options) { o.BaseEndpoint = &server.URL }), model), requests
}

func BenchmarkLoopback(b *testing.B) {
	target, _ := counted(b, brisk)
	latencytest.Bench(b, target, latencytest.Plan{Prompts: promptSet(3), Load: latencytest.Closed(4)})
}

// benchtime sets -test.benchtime for one test, which must not be parallel.
func benchtime(t *testing.T, value string) {
	t.Helper()
	f := flag.Lookup("test.benchtime")
	saved := f.Value.String()
	t.Cleanup(func() { require.NoError(t, f.Value.Set(saved)) })
	require.NoError(t, f.Value.Set(value))
}

// The count is the benchmark's, one request an iteration, after a warm-up that
// does not count.
func TestBenchMakesOneRequestAnIteration(t *testing.T) { // not parallel: -benchtime is the process's
	benchtime(t, "37x")
	target, requests := counted(t, brisk)
	result := testing.Benchmark(func(b *testing.B) {
		latencytest.Bench(b, target, latencytest.Plan{Prompts: promptSet(3), Requests: 9999, Load: latencytest.Closed(4)})
	})
	assert.Equal(t, 37, result.N)
	assert.EqualValues(t, 4+37, requests.Load())
	assert.ElementsMatch(t, []string{
		"ns/op", "p50-ttft-ns", "p90-ttft-ns", "p50-ttlt-ns", "p90-ttlt-ns", "p50-otps-tok/s", "p10-otps-tok/s",
	}, keys(result.Extra))
	assert.Zero(t, result.Extra["ns/op"], "it would say nothing")
	assert.NotContains(t, result.String(), "ns/op")
	assert.GreaterOrEqual(t, result.Extra["p50-ttft-ns"], 5e6)
	assert.GreaterOrEqual(t, result.Extra["p90-ttft-ns"], result.Extra["p50-ttft-ns"])
	assert.GreaterOrEqual(t, result.Extra["p50-ttlt-ns"], 9e6)
	assert.LessOrEqual(t, result.Extra["p10-otps-tok/s"], result.Extra["p50-otps-tok/s"], "the P90 of a speed is its bad tail")
}

func keys(m map[string]float64) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// Failures are counted, and enter no quantile.
func TestBenchCountsFailures(t *testing.T) { // not parallel: -benchtime is the process's
	benchtime(t, "20x")
	script := brisk
	script.Faults = []fakes.Fault{{On: fakes.Every(5), Effect: fakes.Refuse{}}}
	target, _ := counted(t, script)
	result := testing.Benchmark(func(b *testing.B) { latencytest.Bench(b, target, latencytest.Plan{Prompts: promptSet(1)}) })
	assert.Equal(t, 20, result.N)
	assert.EqualValues(t, 4, result.Extra["failed-req"])
	assert.GreaterOrEqual(t, result.Extra["p50-ttft-ns"], 5e6)
}

// What cannot be one number is none.
func TestBenchRefuses(t *testing.T) { // not parallel: -benchtime is the process's
	benchtime(t, "2x")
	target, _ := counted(t, brisk)
	for name, plan := range map[string]latencytest.Plan{
		"several scenarios": {Prompts: append(promptSet(1), providers.Prompt{ID: "o", Text: "x", Profile: "optimized"})},
		"no prompts":        {},
	} {
		result := testing.Benchmark(func(b *testing.B) { latencytest.Bench(b, target, plan) })
		assert.Zero(t, result.N, "%s: the benchmark failed", name)
	}
}

// What go test -bench prints is what benchstat reads: from outside, since the unit
// lines go to the standard output.
func TestBenchOutputIsTheBenchmarkFormat(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$", "-test.bench=^BenchmarkLoopback$", "-test.benchtime=12x", "-test.count=2")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "a P90 of 12 requests says little: give -benchtime 29x or more")

	results, units := 0, make(map[string]string)
	for r := benchfmt.NewReader(bytes.NewReader(out), "out"); r.Scan(); {
		switch record := r.Result().(type) {
		case *benchfmt.Result:
			results++
			assert.Equal(t, 12, record.Iters)
			assert.True(t, strings.HasPrefix(string(record.Name), "Loopback"))
			for _, unit := range []string{"p50-ttft-sec", "p90-ttft-sec", "p50-ttlt-sec", "p50-otps-tok/s", "p10-otps-tok/s"} {
				v, ok := record.Value(unit)
				assert.True(t, ok, unit)
				assert.Positive(t, v, unit)
			}
		case *benchfmt.UnitMetadata:
			units[record.OrigUnit] = record.Value
		case *benchfmt.SyntaxError:
			t.Error(record)
		}
	}
	assert.Equal(t, 2, results)
	assert.Equal(t, map[string]string{
		"p50-ttft-ns": "lower", "p90-ttft-ns": "lower", "p50-ttlt-ns": "lower", "p90-ttlt-ns": "lower",
		"p50-otps-tok/s": "higher", "p10-otps-tok/s": "higher",
	}, units)
}
