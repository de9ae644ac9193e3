package junit_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/junit"
	"github.com/latgate/latgate/report/reporttest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	b := reporttest.Build()
	b.Rows = b.Rows[1:4] // a failure, one that is accepted, one that is skipped
	reporttest.Golden(t, "junit.xml", func(w io.Writer) error { return junit.Write(w, b) })
}

// A file is what a CI system reads of one.
type file struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Tests int    `xml:"tests,attr"`
		Cases []struct {
			Name       string `xml:"name,attr"`
			Properties []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"properties>property"`
			Failure *element `xml:"failure"`
			Error   *element `xml:"error"`
			Skipped *element `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type element struct {
	Message string `xml:"message,attr"`
}

func read(t *testing.T, b *report.Build) file {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, junit.Write(&out, b))
	var f file
	require.NoError(t, xml.Unmarshal(out.Bytes(), &f))
	return f
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[baseline.Verdict]string{
		baseline.Pass: "", baseline.Improved: "", baseline.Accepted: "",
		baseline.Regression: "failure", baseline.OverBudget: "failure", baseline.Inconclusive: "skipped",
		baseline.Infrastructure: "error", baseline.Tampered: "error", baseline.Missing: "error", baseline.Incomparable: "error",
		baseline.CassetteMiss: "error", "fine": "error",
	} {
		f := read(t, &report.Build{Rows: []report.Row{{Package: "internal/chat", Test: "TestX", Gate: "g", Verdict: verdict, Reason: "why"}}})
		c := f.Suites[0].Cases[0]
		got := ""
		for name, e := range map[string]*element{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
			if e != nil {
				got += name
				assert.Equal(t, string(verdict)+": why", e.Message)
			}
		}
		assert.Equal(t, want, got, verdict)
		assert.Equal(t, []int{1, 1}, []int{f.Tests, f.Suites[0].Tests})
		assert.Equal(t, want == "failure", f.Failures == 1)
		assert.Equal(t, want == "error", f.Errors == 1)
		assert.Equal(t, want == "skipped", f.Skipped == 1)
	}
}

func TestNumbersAreProperties(t *testing.T) {
	t.Parallel()
	f := read(t, reporttest.Build())
	require.Len(t, f.Suites, 1)
	assert.Equal(t, "internal/chat.TestLatencyChat", f.Suites[0].Name)
	c := f.Suites[0].Cases[1]
	assert.Equal(t, "short NoRegression(P90 ttft)", c.Name)
	values := make(map[string]string)
	for _, p := range c.Properties {
		values[p.Name] = p.Value
	}
	for name, want := range map[string]string{
		"metric": "ttft", "quantile": "0.9", "base": "6.12e+08", "head": "7.53e+08", "ratio": "1.23039", "low": "1.12", "high": "1.35",
		"base_n": "200 200 200 200 200", "head_n": "200", "verdict": "regression",
	} {
		assert.Equal(t, want, values[name], name)
	}
}

func TestTestsOfTheSameNameInTwoPackages(t *testing.T) {
	t.Parallel()
	f := read(t, &report.Build{Rows: []report.Row{
		{Package: "a", Test: "TestX", Verdict: baseline.Pass},
		{Package: "b", Test: "TestX", Verdict: baseline.Pass},
		{Package: "a", Test: "TestX", Verdict: baseline.Regression},
		{Test: "TestX", Verdict: baseline.Pass},
	}})
	require.Len(t, f.Suites, 3)
	assert.Equal(t, []string{"a.TestX", "b.TestX", "TestX"}, []string{f.Suites[0].Name, f.Suites[1].Name, f.Suites[2].Name})
	assert.Equal(t, []int{2, 4}, []int{f.Suites[0].Tests, f.Tests})
}

// FuzzWrite checks that any text leaves the XML well-formed, and no row out.
func FuzzWrite(f *testing.F) {
	for _, attack := range reporttest.Attacks {
		f.Add(attack[:min(len(attack), 200)])
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := reporttest.Hostile(text)
		got := read(t, b)
		assert.Equal(t, len(b.Rows), got.Tests)
		cases := 0
		for _, s := range got.Suites {
			cases += len(s.Cases)
		}
		assert.Equal(t, len(b.Rows), cases)
		assert.Equal(t, 2, got.Failures)
		assert.Equal(t, 1, got.Skipped)
	})
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.Close()
	require.ErrorIs(t, junit.Write(w, reporttest.Build()), io.ErrClosedPipe)
}
