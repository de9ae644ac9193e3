package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// interrupting sends an interrupt when that request arrives, and then has it answered.
func interrupting(h *harness, at int64, next http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == at {
			h.signals <- os.Interrupt
		}
		next.ServeHTTP(w, r)
	})
}

// An interrupt lets the request under way end, and keeps all there is.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	server := serve(t, interrupting(h, 6, fakes.OpenAI(fakes.Script{OutputTokens: 8, TTFT: fakes.Constant(50 * time.Millisecond)})))
	file := filepath.Join(t.TempDir(), "run.samples.jsonl")
	require.NoError(t, os.WriteFile(file+".1.partial", nil, 0o644)) // of an earlier one
	require.Equal(t, exitInterrupted, h.call(t, chat+server.URL+" --model m -n 1000 --output "+file), h.err.String())
	assert.Contains(t, h.out.String(), "all: 5/5 ok, model m", "the sixth with the warm-up")
	assert.Equal(t, "latgate: interrupted: requests under way have 10 s to end; once more ends them at once\n"+
		"latgate: the run ended early, after 6 requests: interrupted\n", h.err.String())
	assert.NoFileExists(t, file)

	_, partial, found := strings.Cut(h.out.String(), "samples: ")
	require.True(t, found)
	partial = strings.TrimSpace(partial)
	assert.True(t, strings.HasPrefix(partial, file+".") && strings.HasSuffix(partial, ".partial") && partial != file+".1.partial", partial)
	res, err := latencytest.Load(partial)
	require.ErrorIs(t, err, latencytest.ErrInterrupted)
	assert.Len(t, res.Samples, 6)

	again := newHarness(nil)
	require.Equal(t, exitOK, again.call(t, "show "+partial))
	assert.Equal(t, h.out.String(), again.out.String())
	assert.Equal(t, "latgate: "+partial+": the run ended early: the file has no end record after 6 samples\n", again.err.String())
}

// A second one ends what is under way: here, what would never end.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	hang := fakes.OpenAI(fakes.Script{OutputTokens: 8, Faults: []fakes.Fault{{On: fakes.Request(3), Effect: fakes.Hang{}}}})
	server := serve(t, interrupting(h, 4, interrupting(h, 4, hang)))
	begin := time.Now()
	require.Equal(t, exitInterrupted, h.call(t, chat+server.URL+" --model m -n 1000"), h.err.String())
	assert.Less(t, time.Since(begin), 9*time.Second, "before the grace was over")
	assert.Contains(t, h.out.String(), "all: 2/3 ok, cancelled 1")
}

// The end of the context is an interrupt too.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	next := quick()
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 4 {
			cancel()
		}
		next.ServeHTTP(w, r)
	}))
	code := h.program.run(ctx, strings.Fields(chat+server.URL+" --model m -n 1000 --format json"))
	assert.Equal(t, exitInterrupted, code)
	d := decode(t, h.out.Bytes())
	assert.Equal(t, "the run ended early, after 4 requests: context canceled", d.Error)
	assert.Equal(t, 3, d.Runs[0].Scenarios[0].Attempts)
}

func TestInterruptOfASweep(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	server := serve(t, interrupting(h, 8, fakes.OpenAI(fakes.Script{OutputTokens: 8, TTFT: fakes.Constant(20 * time.Millisecond)})))
	dir := t.TempDir()
	require.Equal(t, exitInterrupted, h.call(t, chat+server.URL+" --model m -n 4 --sweep 1,2,4 --output "+dir+"/s.samples.jsonl"), h.err.String())
	assert.Contains(t, h.out.String(), "samples: "+dir+"/s.1-clients.samples.jsonl\n")
	assert.Regexp(t, `samples: .*/s\.2-clients\.samples\.jsonl\.\d+\.partial\n`, h.out.String())
	assert.Contains(t, h.err.String(), "Sweep: 2 clients: the run ended early")
}

// What ends a job of a CI system counts as an interrupt.
func TestSignals(t *testing.T) {
	t.Parallel()
	received, stop := signals()
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Skip(err) // Windows sends none
	}
	assert.Equal(t, syscall.SIGTERM, <-received)
}
