package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func stored(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.samples.jsonl")
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, chat+serve(t, quick()).URL+" --model m -n 5 --output "+file), h.err.String())
	return file
}

func TestShow(t *testing.T) {
	t.Parallel()
	file := stored(t)
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "show --percentiles "+file))
	assert.Contains(t, h.out.String(), "5 requests after 1 of warm-up, closed(1), seed 1")
	assert.Contains(t, h.out.String(), "P99.9")
	assert.Contains(t, h.out.String(), "samples: "+file+"\n")
	assert.Empty(t, h.err.String())

	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "show --heat-map ttft "+file))
	assert.Contains(t, h.out.String(), "P90 ttft by input tokens (down) and output tokens (right)")
	h = newHarness(nil)
	assert.Equal(t, exitUsage, h.call(t, "show --heat-map speed "+file))
	assert.Contains(t, h.err.String(), `there is no metric "speed"`)
}

// Of a run that was killed the samples are good; of an edited file nothing is.
func TestShowOfDamagedFiles(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(stored(t))
	require.NoError(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	require.Len(t, lines, 9, "a run, six samples, an end, and nothing")

	killed := write(t, "run.samples.jsonl.partial", strings.Join(lines[:4], "")+lines[4][:50])
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "show "+killed))
	assert.Contains(t, h.out.String(), "all: 2/2 ok")
	assert.Equal(t, "latgate: "+killed+": the run ended early: the file has no end record after 3 samples\n", h.err.String())

	edited := write(t, "edited.jsonl", strings.Join(append(lines[:3:3], lines[7]), ""))
	h = newHarness(nil)
	require.Equal(t, exitUsage, h.call(t, "show "+edited))
	assert.Equal(t, "latgate: "+edited+": the end record counts 6 samples, the file holds 2: it was edited\n", h.err.String())
	assert.Empty(t, h.out.String())

	hostile := write(t, "hostile.jsonl", strings.Join(lines[:7], "")+strings.Replace(lines[7], `"samples":6`, `"ended":"\u001b[2J\u009b","samples":6`, 1))
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "show "+hostile), h.err.String())
	assert.Contains(t, h.out.String(), "no further requests:")
	assert.NotRegexp(t, control, h.out.String())

	h = newHarness(nil)
	assert.Equal(t, exitUsage, h.call(t, "show --format xml "+killed))
	assert.Equal(t, "latgate: --format: want table or json, got \"xml\"\n", h.err.String())
}
