package latencytest

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/fakes/clock"
)

func TestVirtualTimeIsToldFromReal(t *testing.T) {
	t.Parallel()
	assert.False(t, Virtual())
	assert.WithinDuration(t, time.Now(), Now(), time.Minute)
	assert.Equal(t, time.UTC, Now().Location())
	synctest.Test(t, func(*testing.T) {
		assert.True(t, Virtual())
		assert.Equal(t, clock.ProcessStart().UTC(), Now(), "the bubble's year 2000 would say nothing")
		time.Sleep(100 * 24 * time.Hour)
		assert.True(t, Virtual(), "after a hundred virtual days")
	})
}

// Requests that would start at one moment are put in order in virtual time, and
// nothing waits in real time.
func TestSettle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		start := time.Now()
		var ran atomic.Bool
		go ran.Store(true)
		settle()
		assert.True(t, ran.Load(), "whatever can run has run")
		assert.Equal(t, time.Nanosecond, time.Since(start))
	})
}

func TestProvenance(t *testing.T) {
	t.Parallel()
	p := provenance()
	assert.Equal(t, runtime.Version(), p.Go)
	assert.Equal(t, runtime.GOOS, p.OS)
	assert.Equal(t, runtime.GOARCH, p.Arch)
	assert.Positive(t, p.CPUs)
	if p.Commit != "" { // the sources may have come without their repository
		assert.Regexp(t, "^[0-9a-f]{7,}$", p.Commit)
	}
}
