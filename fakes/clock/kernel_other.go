//go:build !linux

package clock

import (
	"context"
	"time"
)

type kernelTimer struct{}

func newKernelTimer(context.Context) *kernelTimer { return nil }

func (*kernelTimer) sleep(time.Duration) bool { return false }

func (*kernelTimer) close() {}
