package baseline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/simulation"
)

// BenchmarkCalibration measures by simulation how often the gate is wrong, and how
// often two simpler gates are on the same data. docs/calibration.md has the figures
// and says how to read them.
//
//	go test ./baseline -run '^$' -bench Calibration -benchtime 1x -timeout 2h
//
// It ends with a table of what the gate has to keep. A cell draws its data from a
// generator of its own, so that the same code gives the same figures, on any number
// of processors. LATGATE_CALIBRATION=10000 takes as many replications a cell instead
// of 2000. With -short there are few cells and replications, whose figures mean
// nothing.
func BenchmarkCalibration(b *testing.B) {
	var s sheet
	b.Run("single", func(b *testing.B) { calibrateSingle(b, &s) })
	b.Run("power", func(b *testing.B) { calibratePower(b, &s) })
	b.Run("unequal", func(b *testing.B) { calibrateUnequal(b, &s) })
	b.Run("build", func(b *testing.B) { calibrateBuilds(b, &s) })
	s.report(b)
}

// TestCalibration is a short form of the benchmark.
func TestCalibration(t *testing.T) {
	t.Parallel()
	const reps = 600
	lognormal, mixture := distribution("LN.45"), distribution("MIX5x4")

	same := mustMeasure(t, single{World: simulation.World{Distribution: lognormal, SessionSD: .03, N: 200, K: 5}}, reps)
	assert.LessOrEqual(t, same.rate(regression), 7.0, "false alarms")
	assert.InDelta(t, same.rate(regression), same.rate(improved), 2.5, "as many false improvements as false alarms")
	assert.LessOrEqual(t, same.rate(confirmedRegression), 4.0, "false alarms, confirmed")
	assert.GreaterOrEqual(t, same.rate(pass), 78.0, "A/A that pass")
	assert.GreaterOrEqual(t, same.rate(naivePooled), 3.0, "the simple gate is no better")

	slow := mustMeasure(t, single{World: simulation.World{Distribution: lognormal, SessionSD: .03, N: 200, K: 5, Effect: 1.2}}, reps)
	assert.GreaterOrEqual(t, slow.rate(regression), 77.0, "power at +20 %")
	assert.GreaterOrEqual(t, slow.rate(confirmedRegression), 74.0, "power at +20 %, confirmed")
	assert.LessOrEqual(t, slow.rate(pass), 6.0, "+20 % that pass")

	tail := mustMeasure(t, single{World: simulation.World{Distribution: lognormal, SessionSD: .03, N: 200, K: 5, Effect: 1.3, Tail: true}}, reps)
	assert.GreaterOrEqual(t, tail.rate(regression), 85.0, "power at +30 % of the tail alone")
	assert.LessOrEqual(t, tail.rate(benchstat), 40.0, "a test of the median does not see it")

	unequal := mustMeasure(t, single{World: simulation.World{Distribution: mixture, N: 50, StoredN: 500, K: 5}}, reps/2)
	assert.LessOrEqual(t, unequal.rate(regression), 9.0, "false alarms of a short candidate")

	build := builds{simulation.Build{Scenarios: 3, SessionSD: .03, N: 200, K: 5}}
	family, err := build.measure(reps / 6)
	require.NoError(t, err)
	assert.LessOrEqual(t, family.rate(red), 6.0, "red builds")
	assert.LessOrEqual(t, family.rate(earlyRed), 6.0, "red builds, stopped early")
	assert.LessOrEqual(t, build.plan(family, earlyRequests), 75.0, "requests of a build that is stopped early")
	assert.GreaterOrEqual(t, family.rate(naiveRed), 20.0, "the simple gate is red more often")
}

func mustMeasure(t *testing.T, cell single, reps int) tally {
	t.Helper()
	counted, err := cell.measure(reps)
	require.NoError(t, err)
	return counted
}
