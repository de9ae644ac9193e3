package baseline_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

var update = flag.Bool("update", false, "write testdata/golden.bench anew")

// tiny is a run with one request of every kind.
func tiny() *baseline.Run {
	s := &latencytest.Scenario{Name: "all", Identity: identity()}
	add := func(one latencytest.Sample) *latencytest.Sample {
		one.Number = 4 + len(s.Samples)
		s.Samples = append(s.Samples, one)
		return &s.Samples[len(s.Samples)-1]
	}
	add(sample(0, 310747974, 954000001))

	buffered := add(sample(0, 402*ms, 0))
	buffered.ContentEvents = 1
	buffered.Reused = false
	buffered.Usage.CachedRead = providers.CountOf(0)

	retried := add(sample(0, 2512*ms, 910*ms))
	retried.Prompt, retried.Served = "outage: \"why\"\n<b>", "standard"
	retried.Calls, retried.Retries = 3, 2
	retried.Model = "claude-haiku-4-5"
	retried.Start, retried.Retrying = wire.At(1900*ms), wire.At(1500*ms)
	retried.Gaps = latencytest.Gaps{N: 40, P50: wire.At(22 * ms), Longest: wire.At(205 * ms)}

	add(latencytest.Sample{Prompt: "refund", Class: providers.Throttled, Code: "ThrottlingException", Calls: 1})
	add(latencytest.Sample{Prompt: "refund", Class: providers.Timeout, Limit: wire.At(limit), Calls: 1})
	hung := add(sample(0, 512*ms, 2*time.Second))
	hung.Class, hung.Limit, hung.End = providers.Timeout, wire.At(limit), wire.At(limit)

	return baseline.NewRun(result(s), s, "first run\n# of <many>", latencytest.TTFB, latencytest.TTFT)
}

func format(t testing.TB, r *baseline.Run) []byte {
	t.Helper()
	data, err := r.Format()
	require.NoError(t, err)
	return data
}

// sameRun compares what a file holds, not where it was read from.
var sameRun = cmp.Options{
	cmpopts.IgnoreUnexported(baseline.Run{}),
	cmpopts.EquateComparable(latencytest.Metric{}, wire.Instant{}, providers.Count{}),
	cmp.Comparer(func(a, b baseline.Key) bool { return cmp.Equal(a.Facts(), b.Facts()) }),
}

func TestFormatGolden(t *testing.T) {
	t.Parallel()
	got := format(t, tiny())
	golden := filepath.Join("testdata", "golden.bench")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("files of this schema are read by every later version: is the change right? Then go test -update (-want +got):\n%s", diff)
	}
}

func TestParseReadsWhatFormatWrote(t *testing.T) {
	t.Parallel()
	want := tiny()
	got, err := baseline.Parse(format(t, want), "golden.bench")
	require.NoError(t, err)
	if diff := cmp.Diff(want, got, sameRun); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	assert.Equal(t, 3, got.Failed())
	assert.Equal(t, want.Key.Hash(), got.Key.Hash())
}

// Git writes CRLF on some machines.
func TestParseAcceptsCRLF(t *testing.T) {
	t.Parallel()
	want := tiny()
	got, err := baseline.Parse(bytes.ReplaceAll(format(t, want), []byte("\n"), []byte("\r\n")), "golden.bench")
	require.NoError(t, err)
	if diff := cmp.Diff(want, got, sameRun); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every metric survives the file, and so does every number bit for bit.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	numbers := []float64{1, 3, 310747974, 1<<53 - 1, float64(30 * 24 * time.Hour), 62.87, 1.0 / 3, math.Pi * 1e-7, math.SmallestNonzeroFloat64, math.MaxFloat64}
	want := &baseline.Run{Key: baseline.NewKey(identity()), Header: baseline.Header{Schema: baseline.Schema, Time: started, Seed: math.MaxUint64}}
	for i := range numbers {
		e := baseline.Entry{Values: make(map[latencytest.Metric]float64), Facts: baseline.EntryFacts{Number: i}}
		for j, m := range latencytest.Metrics {
			e.Values[m] = numbers[(i+j)%len(numbers)]
		}
		want.Entries = append(want.Entries, e)
	}
	got, err := baseline.Parse(format(t, want), "exact.bench")
	require.NoError(t, err)
	if diff := cmp.Diff(want, got, sameRun); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	assert.Equal(t, want.Values(latencytest.ITL), got.Values(latencytest.ITL))
}

// The format belongs to the Go project: its reader understands every line.
func TestBenchfmtReadsTheFile(t *testing.T) {
	t.Parallel()
	run := tiny()
	reader := benchfmt.NewReader(bytes.NewReader(format(t, run)), "golden.bench")
	results := 0
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Error(record)
		case *benchfmt.Result:
			results++
			assert.Equal(t, "LatencyChat/all", string(record.Name))
			assert.Len(t, record.Config, len(run.Key.Facts()))
			for _, f := range run.Key.Facts() {
				assert.Equal(t, f.Value, record.GetConfig(f.Name))
			}
			ttft, ok := record.Value("ttft-sec")
			assert.True(t, ok && ttft > .3 && ttft < 3, "ttft %v s", ttft)
		}
	}
	require.NoError(t, reader.Err())
	assert.Equal(t, 3, results, "failed requests have no benchmark line")
	assert.Equal(t, "lower", reader.Units().Get("ttft-ns", "better").Value)
	assert.Equal(t, "higher", reader.Units().Get("otps-tok/s", "better").Value)
}

// signed gives a body, the lines of a file before its last, the last line that
// says nobody has touched it.
func signed(body string, requests int) []byte {
	sum := sha256.Sum256([]byte(body))
	return fmt.Appendf(nil, "%s# {\"requests\":%d,\"sha256\":%q}\n", body, requests, hex.EncodeToString(sum[:]))
}

// bodyOf is a file without its last line.
func bodyOf(file []byte) string {
	last := bytes.LastIndexByte(bytes.TrimSuffix(file, []byte("\n")), '\n')
	return string(file[:last+1])
}

func TestSignedIsWhatFormatWrites(t *testing.T) {
	t.Parallel()
	file := format(t, tiny())
	assert.Equal(t, string(file), string(signed(bodyOf(file), 6)))
}
