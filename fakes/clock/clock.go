package clock

import (
	"context"
	"time"
)

// processStart is a moment of the real clock: inside a synctest bubble the clock
// starts in the year 2000, before any process that could run it.
var processStart = time.Now()

// Virtual reports whether the caller runs in virtual time, inside a synctest bubble.
func Virtual() bool { return time.Now().Before(processStart) }

// ProcessStart returns the real time at which the process started.
func ProcessStart() time.Time { return processStart }

// An Alarm waits for one moment after the other. It is for one goroutine.
type Alarm struct {
	ctx    context.Context
	kernel *kernelTimer // nil in virtual time, and where the system has none
	timer  *time.Timer
}

// NewAlarm returns an alarm that ends with ctx. [Alarm.Stop] frees it.
func NewAlarm(ctx context.Context) *Alarm {
	a := &Alarm{ctx: ctx}
	if !Virtual() {
		a.kernel = newKernelTimer(ctx)
	}
	return a
}

// Wait returns true at that time, at once where it has passed; and false when the
// context of the alarm is done before.
func (a *Alarm) Wait(at time.Time) bool {
	left := time.Until(at)
	if left <= 0 || a.ctx.Err() != nil {
		return a.ctx.Err() == nil
	}
	if a.kernel != nil && a.kernel.sleep(left) {
		return true
	}
	if a.timer == nil {
		a.timer = time.NewTimer(time.Until(at))
	} else {
		a.timer.Reset(time.Until(at))
	}
	select {
	case <-a.timer.C:
		return a.ctx.Err() == nil
	case <-a.ctx.Done():
		return false
	}
}

// Stop frees what the alarm holds. It must not be waiting.
func (a *Alarm) Stop() {
	if a.kernel != nil {
		a.kernel.close()
	}
	if a.timer != nil {
		a.timer.Stop()
	}
}
