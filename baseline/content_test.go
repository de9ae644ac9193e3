package baseline_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// Stores elsewhere write the same bytes, and refuse the same runs.
func TestContentIsWhatADirectoryHolds(t *testing.T) {
	t.Parallel()
	s := scenario(20, 1)
	run := baseline.NewRun(result(s), s, "x")
	path, err := baseline.Dir(t.TempDir()).Add(run)
	require.NoError(t, err)
	stored, err := os.ReadFile(path)
	require.NoError(t, err)
	content, err := run.Content()
	require.NoError(t, err)
	assert.Equal(t, stored, content)

	s = scenario(20, 1, failing(2, providers.Throttled))
	_, err = baseline.NewRun(result(s), s, "x").Content()
	require.ErrorContains(t, err, "2 of 20 requests failed: such a run is no baseline")
	_, err = new(baseline.Run).Content()
	require.ErrorContains(t, err, "nothing to store")
}

func TestAbsorb(t *testing.T) {
	t.Parallel()
	s := scenario(20, 1)
	record := func(reason string, gated ...latencytest.Metric) *baseline.Run {
		return baseline.NewRun(result(s), s, reason, gated...)
	}
	for _, test := range []struct {
		name       string
		other      *baseline.Run
		same, more bool
	}{
		{"the same", record("x"), true, false},
		{"a metric more", record("x", latencytest.StreamEnd), true, true},
		{"another reason", record("y", latencytest.StreamEnd), false, false},
		{"another time", baseline.NewRun(on(started.Add(time.Second), result(s)), s, "x"), false, false},
		{"other values", baseline.NewRun(result(scenario(20, 2)), scenario(20, 2), "x"), false, false},
		{"fewer requests", baseline.NewRun(result(scenario(19, 1)), scenario(19, 1), "x"), false, false},
	} {
		run := record("x")
		same, more := run.Absorb(test.other)
		assert.Equal(t, test.same, same, test.name)
		assert.Equal(t, test.more, more, test.name)
		assert.Equal(t, test.more, len(run.Values(latencytest.StreamEnd)) == 20, test.name)
	}
}
