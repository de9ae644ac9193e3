package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/reporttest"
)

// marshal returns a build as a file has it, changed in places: old, new, old, new.
func marshal(t testing.TB, changes ...string) []byte {
	t.Helper()
	data, err := json.Marshal(reporttest.Build())
	require.NoError(t, err)
	for i := 0; i < len(changes); i += 2 {
		require.Contains(t, string(data), changes[i])
		data = []byte(strings.Replace(string(data), changes[i], changes[i+1], 1))
	}
	return data
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "verdict.json")
	want := reporttest.Build()
	want.Schema = "" // Write says which
	require.NoError(t, want.Write(path))
	got, err := report.Read(path)
	require.NoError(t, err)
	assert.Equal(t, reporttest.Build(), got)

	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 1, "nothing is left beside the file")
}

func TestWriteLeavesTheFileAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "verdict.json")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o644))
	b := reporttest.Build()
	b.Rows = nil
	require.ErrorContains(t, b.Write(path), "there are no rows: nothing was judged")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "before", string(data))
}

func TestReadErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "verdict.json")
	_, err := report.Read(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	_, err = report.Read(path)
	require.ErrorContains(t, err, path+": no JSON: ")
}

// TestForgedFiles reads what a stranger's build may have written.
func TestForgedFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, want string }{
		{"newer schema", `latgate.verdict/1`, `latgate.verdict/2`, `schema "latgate.verdict/2", this version of latgate reads "latgate.verdict/1"`},
		{"newer schema with new members", `"schema":"latgate.verdict/1"`, `"schema":"latgate.verdict/2","colour":"red"`, `schema "latgate.verdict/2"`},
		{"no schema", `"schema":"latgate.verdict/1",`, ``, `schema ""`},
		{"unknown member", `"tool"`, `"body":"<b>","tool"`, `unknown field "body"`},
		{"unknown member of a row", `"test"`, `"markdown":"x","test"`, `unknown field "markdown"`},
		{"of another type", `"exit_code":16`, `"exit_code":"16"`, `cannot unmarshal string`},
		{"a second verdict", `{"schema"`, `{}{"schema"`, "no JSON"},
		{"something after it", `{"schema"`, `[]`, "no JSON"},
		{"unknown verdict", `"verdict":"tampered"`, `"verdict":"fine"`, `there is no verdict "fine"`},
		{"unknown verdict of a row", `"verdict":"regression"`, `"verdict":"fine"`, `row 1: there is no verdict "fine"`},
		{"no verdict", `"verdict":"tampered",`, ``, `there is no verdict ""`},
		{"better than its rows", `"verdict":"tampered"`, `"verdict":"pass"`, `the verdict is pass, the worst of the rows is "tampered"`},
		{"passes in silence", `"exit_code":16`, `"exit_code":0`, `the exit code passes tampered, and nothing says what allowed that`},
		{"unknown exit code", `"exit_code":16`, `"exit_code":3`, `there is no exit code 3`},
		{"unknown mode", `"mode":"stored"`, `"mode":"::error::"`, `there is no mode "::error::"`},
		{"file above the module", `internal/chat/latency_test.go`, `../../etc/passwd`, `row 0: the file "../../etc/passwd" is no path from the root of the module`},
		{"absolute file", `internal/chat/latency_test.go`, `/etc/passwd`, `the file "/etc/passwd"`},
		{"file of Windows", `internal/chat/latency_test.go`, `..\\..\\passwd`, `the file "..\\..\\passwd"`},
		{"file on a drive", `internal/chat/latency_test.go`, `c:passwd`, `the file "c:passwd"`},
		{"hidden way up", `internal/chat/latency_test.go`, `a/../../passwd`, `the file "a/../../passwd"`},
		{"no quantile", `"quantile":0.9`, `"quantile":90`, `row 1: there is no quantile 90`},
		{"more failures than requests", `"failed":3`, `"failed":3000`, `3000 of 2080 requests failed`},
		{"no number", `"dollars":1.12`, `"dollars":NaN`, `no JSON`},
		{"number too large", `"dollars":1.12`, `"dollars":1e999`, `cannot unmarshal`},
		{"long name", `"tool"`, `"` + strings.Repeat("x", 1<<20) + `":1,"tool"`, `unknown field "xxx`},
		{"long text", `"verdict":"tampered"`, `"verdict":"` + strings.Repeat("x", 1<<20) + `"`, `there is no verdict "xxx`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := report.Parse(marshal(t, c.old, c.new))
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, got)
			assert.Less(t, len(err.Error()), 600)
		})
	}
}

func TestLargeFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "verdict.json")
	file, err := os.Create(path)
	require.NoError(t, err)
	_, err = file.Write(marshal(t))
	require.NoError(t, err)
	require.NoError(t, file.Truncate(50<<20))
	require.NoError(t, file.Close())
	_, err = report.Read(path)
	require.ErrorContains(t, err, "more than 8 MiB: this is no verdict that latgate wrote")
}

func TestWhatMayPass(t *testing.T) {
	t.Parallel()
	_, err := report.Parse(marshal(t, `"exit_code":16`, `"exit_code":0`, `"mode":"stored"`, `"mode":"track"`))
	require.NoError(t, err, "track never blocks")
	_, err = report.Parse(marshal(t, `"exit_code":16`, `"exit_code":0,"relaxed":["tampered: LATGATE_FAIL_ON"]`))
	require.NoError(t, err, "it is said what allowed it")
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, code := range map[baseline.Verdict]int{
		baseline.Pass: 0, baseline.Improved: 0, baseline.Accepted: 0,
		baseline.Regression: 10, baseline.OverBudget: 11, baseline.Missing: 12, baseline.Incomparable: 13, baseline.Inconclusive: 14,
		baseline.Infrastructure: 15, baseline.Tampered: 16, baseline.CassetteMiss: 17,
		"": 1, "fine": 1,
	} {
		assert.Equal(t, code, report.ExitCode(verdict), verdict)
		assert.Equal(t, code != 0 && code != 14, report.Fails(verdict), verdict)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	order := []baseline.Verdict{
		baseline.Pass, baseline.Improved, baseline.Accepted, baseline.Inconclusive, baseline.CassetteMiss, baseline.Missing,
		baseline.Incomparable, baseline.Infrastructure, baseline.Regression, baseline.OverBudget, baseline.Tampered,
	}
	for i := range order {
		assert.Equal(t, order[i], report.Worst(order[:i+1]...))
		assert.Equal(t, order[i], report.Worst(order[i], order[max(0, i-1)]))
	}
	assert.Empty(t, report.Worst())
}

// FuzzParse checks that what is read can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add(marshal(f))
	f.Add([]byte(`{"schema":"latgate.verdict/1","rows":[null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := report.Parse(data)
		if err != nil {
			assert.Nil(t, b)
			return
		}
		path := filepath.Join(t.TempDir(), "verdict.json")
		require.NoError(t, b.Write(path))
		again, err := report.Read(path)
		require.NoError(t, err)
		assert.Equal(t, b.Headline(), again.Headline())
	})
}
