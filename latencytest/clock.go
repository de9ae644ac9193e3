package latencytest

import (
	"runtime"
	"time"
)

// processStart is a moment of the real clock: inside a synctest bubble the clock
// starts in the year 2000, before any process that could run it.
var processStart = time.Now()

// Virtual reports whether the caller runs in virtual time, inside a synctest bubble.
func Virtual() bool { return time.Now().Before(processStart) }

// Now returns the wall-clock time in UTC. In virtual time, where a date would
// say nothing, that is the time at which the process started.
func Now() time.Time {
	if Virtual() {
		return processStart.UTC()
	}
	return time.Now().UTC()
}

// environment is the default of Plan.Environment.
func environment(runnerClass string) string {
	if Virtual() {
		return "virtual"
	}
	name := runtime.GOOS + "/" + runtime.GOARCH
	if runnerClass != "" {
		name += "/" + runnerClass
	}
	return name
}
