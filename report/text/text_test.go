package text_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/reporttest"
	"github.com/latgate/latgate/report/text"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	b := reporttest.Build()
	b.Relaxed = []string{"tampered: by LATGATE_FAIL_ON"}
	b.Rows = b.Rows[:8]
	reporttest.Golden(t, "report.txt", func(w io.Writer) error { return text.Write(w, b) })
}

func TestAllPassed(t *testing.T) {
	t.Parallel()
	b := &report.Build{Mode: report.Replay, Requests: 200, Rows: []report.Row{{Test: "TestX", Gate: "ErrorRate(1 %)", Verdict: baseline.Pass, Text: "details"}}}
	var out bytes.Buffer
	require.NoError(t, text.Write(&out, b))
	assert.NotContains(t, out.String(), "details")
	assert.Contains(t, out.String(), "\nreplay (the provider was not measured): 1 passed; 200 requests, 0 failed\n")
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.Close()
	require.ErrorIs(t, text.Write(w, reporttest.Build()), io.ErrClosedPipe)
}
