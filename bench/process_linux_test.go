package bench

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used so far, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the most that has been resident of this process, in MB of 10⁶ bytes.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		panic(err)
	}
	return kib * 1024 / 1e6
}

// machine names the machine and what else it has to do.
func machine() string {
	model := "unknown CPU"
	info, _ := os.ReadFile("/proc/cpuinfo")
	if _, after, found := strings.Cut(string(info), "model name"); found {
		line, _, _ := strings.Cut(after, "\n")
		model = strings.TrimLeft(line, "\t: ")
	}
	load, _ := os.ReadFile("/proc/loadavg")
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	average := strings.Fields(string(load) + " ? ? ?")
	return fmt.Sprintf("%s, Linux %s, load average %s", model, strings.TrimSpace(string(release)), strings.Join(average[:3], " "))
}

// needFiles skips a size for which the process may not open enough files. Go raises
// the soft limit to the hard one by itself.
func needFiles(b *testing.B, streams int) {
	b.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	if need := uint64(streams) + 200; limit.Max < need {
		b.Skipf("!!!! NOT MEASURED: %d streams need %d open files, ulimit -Hn is %d !!!!", streams, need, limit.Max)
	}
}

// endWithParent has the kernel end a child when the benchmark is killed.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// sleepUntil returns at that time of the clock, within some microseconds. A sleep
// of the runtime's would end up to a millisecond late in an idle process. The caller
// has its thread for itself.
func (c sharedClock) sleepUntil(due int64) {
	for wait := due - c.now(); wait > 0; wait = due - c.now() {
		t := syscall.NsecToTimespec(wait)
		_ = syscall.Nanosleep(&t, nil) // a signal ends it early
	}
}

// sleepExactly lifts the kernel's habit of ending this thread's sleeps 50 µs late.
func sleepExactly() {
	const setTimerSlack = 29
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
}

// sizeOf is the size of a file, in MB of 10⁶ bytes.
func sizeOf(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	return float64(info.Size()) / 1e6
}
