package baseline_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
)

func init() {
	helpers["add with small files"] = addWithSmallFiles
	helpers["add on a small disk"] = addOnASmallDisk
}

// addWithSmallFiles stores a run in a process that cannot write files of its
// size: the write breaks off in the middle, as on a disk that is full.
func addWithSmallFiles(dir, name string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 4096, Max: 4096}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return addRuns(os.Stdout, dir, name, 1, 1)
}

// addOnASmallDisk stores runs on a disk of 64 KiB until it is full, and checks
// there what must be true of it then.
func addOnASmallDisk(dir, name string) error {
	if err := syscall.Mount("latgate", dir, "tmpfs", 0, "size=64k"); err != nil {
		fmt.Println("cannot mount:", err)
		return nil
	}
	full := addRuns(io.Discard, dir, name, 1000, 1000)
	var files int
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err == nil {
			_, err = baseline.Parse(data, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("a file is not whole: %w", err)
	}
	return fmt.Errorf("%d whole files, then: %w", files, full)
}

func TestAWriteThatBreaksOffLeavesTheOldFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, addRuns(io.Discard, dir, "old", baseline.Keep, 1))
	before := tree(t, dir)
	require.Len(t, before, baseline.Keep)

	output, err := helper(t, "add with small files", dir, "new").CombinedOutput()
	require.Error(t, err, "%s", output)
	assert.Contains(t, string(output), "the baseline was not written, what was stored before is untouched")
	assert.Contains(t, string(output), syscall.EFBIG.Error())
	assert.True(t, maps.Equal(before, tree(t, dir)), "the directory was changed")
}

func TestAFullDiskLeavesTheOldFiles(t *testing.T) {
	t.Parallel()
	cmd := helper(t, "add on a small disk", t.TempDir(), "new")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // its mount is nobody else's
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		t.Skipf("SKIPPED: no disk of 64 KiB could be mounted: %s", output)
	case !assert.ErrorAs(t, err, &exit):
		t.Skipf("SKIPPED: no disk of its own for the test: %v", err)
	}
	assert.Regexp(t, `[1-9]\d* whole files, then: `, string(output))
	assert.Contains(t, string(output), "the baseline was not written, what was stored before is untouched")
	assert.Contains(t, string(output), syscall.ENOSPC.Error())
}
