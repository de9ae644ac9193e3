package bench

import (
	"syscall"
	"time"
	"unsafe"
)

// A sharedClock is CLOCK_MONOTONIC, in nanoseconds since the machine's start: the
// clock that Go's own monotonic times are read from. It is one clock for all
// processes, and nobody sets it. Go does not show its readings, only their
// differences, so the first one is taken by a system call, between two readings of
// time.Now that are as close as they come.
type sharedClock struct {
	base time.Time
	at   int64 // what the clock showed at base
}

func newSharedClock() sharedClock {
	var c sharedClock
	closest := time.Hour
	for range 1000 {
		before := time.Now()
		at := monotonic()
		after := time.Now()
		if width := after.Sub(before); width < closest {
			closest = width
			c = sharedClock{base: before.Add(width / 2), at: at}
		}
	}
	return c
}

func monotonic() int64 {
	const clockMonotonic = 1
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(errno)
	}
	return t.Nano()
}

func (c sharedClock) now() int64 { return c.at + int64(time.Since(c.base)) }

// of returns what the clock showed at t, which must come from time.Now.
func (c sharedClock) of(t time.Time) int64 { return c.at + int64(t.Sub(c.base)) }
