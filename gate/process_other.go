//go:build !unix

package gate

import "os/exec"

// inGroup does nothing where there are no groups of processes. An interrupt from the
// console reaches all of them there.
func inGroup(*exec.Cmd) {}

func interrupt(*exec.Cmd) error { return nil }

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
