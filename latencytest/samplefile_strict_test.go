package latencytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/latencytest"
)

// Small, but a sample file: three samples of two scenarios.
const smallFile = `{"run":{"schema":"latgate.samples/1","metrics":"metrics/1","test":"TestX","requests":1,"warmup":1,"load":"closed(1)","timeout":"2m0s","seed":1,"environment":"virtual","started":"2026-11-21T00:00:00Z","provenance":{"go":"go1.26","os":"linux","arch":"amd64","cpus":2},"scenarios":[{"name":"a","identity":[]},{"name":"b","identity":[]}]}}
{"sample":{"number":0,"warmup":true,"scenario":"a","prompt":"p","time":"2026-11-21T00:00:00Z","class":"ok","first":5000000}}
{"sample":{"number":2,"scenario":"b","prompt":"p","time":"2026-11-21T00:00:01Z","class":"throttled"}}
{"sample":{"number":1,"scenario":"a","prompt":"p","time":"2026-11-21T00:00:02Z","class":"ok","first":7000000}}
{"end":{"samples":3,"scenarios":[{"name":"a","identity":[{"name":"model","value":"m"}]},{"name":"b","identity":[]}]}}
`

func load(t *testing.T, content string) (*latencytest.Result, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	res, err := latencytest.Load(path)
	return res, path, err
}

func TestLoadSmallFile(t *testing.T) {
	t.Parallel()
	res, _, err := load(t, smallFile)
	require.NoError(t, err)
	require.Len(t, res.Samples, 3)
	assert.Equal(t, []int{0, 1, 2}, []int{res.Samples[0].Number, res.Samples[1].Number, res.Samples[2].Number}, "in request order")
	assert.Equal(t, "m", res.Scenario("a").Identity.Get("model"), "what was learnt during the run counts")
	assert.Equal(t, []float64{7e6}, res.Scenario("a").Values(latencytest.TTFT))
	assert.Equal(t, "0/1 ok, throttled 1", res.Scenario("b").Ends())
}

// Of a run that was killed, everything up to the last whole line is good.
func TestLoadInterruptedFile(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(smallFile, "\n")
	first := len(lines[0])
	whole := len(smallFile)
	for n := range whole {
		if end := smallFile[max(0, n-2):min(whole, n+2)]; n%23 != 0 && !strings.Contains(end, "\n") {
			continue // every byte around the end of a line, some of the others
		}
		res, path, err := load(t, smallFile[:n])
		require.ErrorContains(t, err, path)
		if n < first {
			require.Nil(t, res)
			require.ErrorContains(t, err, "no run record")
			continue
		}
		require.ErrorIs(t, err, latencytest.ErrInterrupted)
		samples := strings.Count(smallFile[:n], "\n") - 1
		require.Len(t, res.Samples, samples)
		require.ErrorContains(t, err, "the file has no end record after ")
	}
}

// Everything else is an error that says where. A file is never read as something
// else than it is.
func TestLoadIsStrict(t *testing.T) {
	t.Parallel()
	edit := func(from, to string) string {
		require.Contains(t, smallFile, from)
		return strings.Replace(smallFile, from, to, 1)
	}
	for _, c := range []struct{ name, content, want string }{
		{"unknown field of a sample", edit(`"class":"throttled"`, `"class":"throttled","colour":"red"`), `:3: json: unknown field "colour"`},
		{"unknown field of the run", edit(`"seed":1`, `"seed":1,"colour":"red"`), `:1: json: unknown field "colour"`},
		{"unknown record", edit(`{"sample":{"number":2`, `{"simple":{"number":2`), `:3: json: unknown field "simple"`},
		{"newer schema", edit("latgate.samples/1", "latgate.samples/2"), `:1: schema "latgate.samples/2" is not "latgate.samples/1": the file was written by another version of latgate`},
		{"newer schema with new fields", edit(`"schema":"latgate.samples/1"`, `"schema":"latgate.samples/2","colour":"red"`), `:1: schema "latgate.samples/2"`},
		{"no schema", edit(`"schema":"latgate.samples/1",`, ``), `:1: schema "" is not "latgate.samples/1"`},
		{"other metrics", edit("metrics/1", "metrics/2"), `:1: the metrics are those of "metrics/2", not of "metrics/1"`},
		{"a sample was removed", edit(`{"sample":{"number":2,"scenario":"b","prompt":"p","time":"2026-11-21T00:00:01Z","class":"throttled"}}`+"\n", ""), ": the end record counts 3 samples, the file holds 2: it was edited"},
		{"a count was changed", edit(`"samples":3`, `"samples":4`), ": the end record counts 4 samples, the file holds 3: it was edited"},
		{"garbage", edit(`{"sample":{"number":2`, `garbage{"number":2`), ":3: invalid character 'g'"},
		{"garbage behind a sample", edit(`"class":"throttled"}}`, `"class":"throttled"}} {}`), ":3: more than one JSON value on the line"},
		{"garbage behind the end", smallFile + "garbage\n", ":6: a line after the end record"},
		{"half a line behind the end", smallFile + `{"sample":{"num`, ":6: a line after the end record"},
		{"a sample behind the end", smallFile + strings.SplitAfter(smallFile, "\n")[1], ":6: a line after the end record"},
		{"an empty line", edit("\n{\"end\"", "\n\n{\"end\""), ":5: EOF"},
		{"an empty record", edit("\n{\"end\"", "\n{}\n{\"end\""), ":5: neither a sample nor an end record"},
		{"two runs", smallFile[:strings.Index(smallFile, "\n")+1] + smallFile, ":2: neither a sample nor an end record"},
		{"no run", smallFile[strings.Index(smallFile, "\n")+1:], ":1: the first line is not a run record"},
		{"another kind of file", "BenchmarkX 1 2 ns/op\n", ":1: invalid character 'B'"},
		{"empty", "", ": no run record: not a sample file of latgate"},
		{"bad timeout", edit(`"2m0s"`, `"soon"`), `:1: time: invalid duration "soon"`},
		{"bad load", edit(`"closed(1)"`, `"open(1)"`), `:1: load: "open(1)" is no load`},
		{"bad class", edit(`"throttled"`, `"slow"`), `:3: class "slow" is none that there is`},
		{"a scenario that is not there", edit(`"scenario":"b"`, `"scenario":"c"`), `:3: scenario "c" is not in the run record`},
		{"no scenario", edit(`"scenarios":[{"name":"a","identity":[]},`, `"scenarios":[null,`), `:1: scenarios: null`},
		{"other scenarios at the end", edit(`{"name":"b","identity":[]}]}}`+"\n{\"sample\"", `{"name":"c","identity":[]}]}}`+"\n{\"sample\""), `:3: scenario "b" is not in the run record`},
		{"fewer scenarios at the end", edit(`{"name":"a","identity":[{"name":"model","value":"m"}]},`, ``), `:5: the end record has other scenarios than the run record`},
		{"null scenario at the end", edit(`{"name":"a","identity":[{"name":"model","value":"m"}]},`, `null,`), `:5: the end record has other scenarios than the run record`},
		{"a fraction of a nanosecond", edit(`"first":7000000`, `"first":7.5`), ":4: json: cannot unmarshal number 7.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, path, err := load(t, c.content)
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), path+c.want), "%v", err)
			assert.NotErrorIs(t, err, latencytest.ErrInterrupted)
		})
	}
	_, err := latencytest.Load(filepath.Join(t.TempDir(), "nothing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
