package clock

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A kernelTimer is a timerfd(2). It is read through the poller of the runtime, so that
// waiting takes no thread.
type kernelTimer struct {
	fd      int // of file, which must not be asked for it: that would make it block
	file    *os.File
	release func() bool
}

// newKernelTimer returns nil where the system has no timer to give: too many files are
// open, say.
func newKernelTimer(ctx context.Context) *kernelTimer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), "timer")
	past := time.Unix(1, 0)
	if file.SetReadDeadline(time.Time{}) != nil { // the poller does not know it
		file.Close()
		return nil
	}
	return &kernelTimer{
		fd: fd, file: file,
		release: context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(past) }),
	}
}

// sleep returns true after d, and false when the context is done or the timer fails.
func (k *kernelTimer) sleep(d time.Duration) bool {
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	if unix.TimerfdSettime(k.fd, 0, &once, nil) != nil {
		return false
	}
	var expirations [8]byte
	_, err := k.file.Read(expirations[:])
	return err == nil
}

func (k *kernelTimer) close() {
	k.release()
	k.file.Close()
}
