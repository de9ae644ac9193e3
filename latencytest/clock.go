package latencytest

import (
	"runtime"
	"time"

	"github.com/latgate/latgate/fakes/clock"
)

// Virtual reports whether the caller runs in virtual time, inside a synctest bubble.
func Virtual() bool { return clock.Virtual() }

// Now returns the wall-clock time in UTC. In virtual time, where a date would
// say nothing, that is the time at which the process started.
func Now() time.Time {
	if Virtual() {
		return clock.ProcessStart().UTC()
	}
	return time.Now().UTC()
}

// settle lets a nanosecond of virtual time pass, which it does only when everything
// in the bubble waits for it: requests that would start at one moment start one
// after the other and find the connections of the pool in an order of their own,
// not in the scheduler's. It does nothing in real time.
func settle() {
	if Virtual() {
		time.Sleep(time.Nanosecond)
	}
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
