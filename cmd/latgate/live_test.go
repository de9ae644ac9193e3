package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// course is how a run went.
var course = []latencytest.Progress{
	{Warmup: true, Planned: 400, Scenarios: []latencytest.Running{{Name: "all"}}},
	{
		Elapsed: 34 * time.Second, Left: 80 * time.Second, Done: 120, Planned: 400,
		Scenarios: []latencytest.Running{{
			Name: "all", Counts: map[providers.Class]int{providers.OK: 117, providers.Throttled: 2, providers.Timeout: 1},
			Rates: latencytest.Rates{Completed: 212, Sent: 214, Tokens: 42.1}, Cost: .0123,
			Quantiles: []latencytest.RunningQuantiles{{Metric: latencytest.TTFT, P50: 402e6, P90: 633e6}, {Metric: latencytest.OTPS, P50: 48.2, P90: 31}},
		}},
	},
	{
		Elapsed: 60 * time.Second, Done: 130,
		Scenarios: []latencytest.Running{{Name: "fast", Rates: latencytest.Rates{Completed: 130}}, {Name: "lar\x1b[2Jge::x::"}},
	},
	{Elapsed: 61 * time.Second, Done: 131, Last: true, Scenarios: []latencytest.Running{{Name: "all"}}},
}

func terminalOf(width, height int) func() (int, int, bool) {
	return func() (int, int, bool) { return width, height, true }
}

func TestLiveViewOnATerminal(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	v := &view{out: &h.err, size: terminalOf(90, 40)}
	assert.Equal(t, 250*time.Millisecond, v.every())
	var frames []string
	for _, p := range course {
		h.err.Reset()
		v.show(p)
		frames = append(frames, h.err.String())
	}
	assert.Equal(t, []string{
		"\r\x1b[Jwarming up\n",
		"\x1b[1A\r\x1b[J" + `[========>                     ] 120/400 requests, 34s, about 1m20s left
212 requests/min, 42.1 tok/s, $0.0123
  ttft P50 402 ms P90 633 ms, otps P50 48.2 tok/s P90 31 tok/s
  failed: throttled 2, timeout 1
`,
		"\x1b[4A\r\x1b[J" + `130 requests, 1m0s
fast: 130 requests/min, 0 tok/s
lar [2Jge: :x: : : 0 requests/min, 0 tok/s
`,
		"\x1b[3A\r\x1b[J",
	}, frames, "the last one leaves nothing behind")
	v.say("too late")
	assert.True(t, strings.HasSuffix(h.err.String(), "latgate: too late\n"))
}

// A line never takes two, or the view would climb; nor more of them than there are.
func TestLiveViewFits(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	v := &view{out: &h.err, size: terminalOf(20, 4)}
	v.show(course[1])
	assert.Equal(t, "\r\x1b[J[========>         \n212 requests/min, 4\n  ttft P50 402 ms P\n", h.err.String())
	assert.Equal(t, "日本", cut("日本語", 5))
	assert.Equal(t, "abc", cut("abc", 3))
	assert.Empty(t, cut("abc", 0))
	v = &view{out: &h.err, size: terminalOf(0, 0)}
	v.show(course[1]) // a terminal that does not tell
}

func TestLiveViewNotice(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	v := &view{out: &h.err, size: terminalOf(90, 40)}
	v.show(course[0])
	v.say("interrupted")
	assert.True(t, strings.HasSuffix(h.err.String(), "\x1b[1A\r\x1b[Jwarming up\ninterrupted\n"))
	v.show(course[1])
	assert.Contains(t, h.err.String(), "\x1b[2A\r\x1b[J[====")
	assert.True(t, strings.HasSuffix(h.err.String(), "timeout 1\ninterrupted\n"), "it stays")
}

// Where there is no terminal, the same comes as lines of a log.
func TestLiveViewInALog(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	v := &view{out: &h.err, size: h.terminal}
	assert.Equal(t, 10*time.Second, v.every())
	for _, p := range course {
		v.show(p)
	}
	assert.Equal(t, `warming up
120/400, 1m20s left: 212 requests/min, 42.1 tok/s, ttft P50 402 ms P90 633 ms, otps P50 48.2 tok/s P90 31 tok/s, $0.0123, throttled 2, timeout 1
130 requests
  fast: 130 requests/min, 0 tok/s
  lar [2Jge: :x: : : 0 requests/min, 0 tok/s
`, h.err.String())

	h = newHarness(nil)
	quiet := &view{out: &h.err, size: terminalOf(90, 40), quiet: true}
	quiet.show(course[1])
	assert.Empty(t, h.err.String())
	quiet.say("interrupted")
	assert.Equal(t, "latgate: interrupted\n", h.err.String())
}

// A whole run on a terminal: the table comes after the view, which is gone by then.
func TestLiveViewOfARun(t *testing.T) {
	t.Parallel()
	server := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 4, TTFT: fakes.Constant(20 * time.Millisecond)}))
	h := newHarness(nil)
	h.terminal = terminalOf(90, 40)
	h.stdout = &h.err // as it is for a user
	require.Equal(t, exitOK, h.call(t, "profile --provider openai --prompt Hi --model m -n 20 --live ttft --base-url "+server.URL))
	screen := h.err.String()
	assert.Contains(t, screen, "] ")
	assert.Contains(t, screen, "/20 requests, ")
	assert.Regexp(t, "\x1b\\[\\dA\r\x1b\\[J20 requests after 1 of warm-up", screen)
	assert.NotContains(t, screen, "\x1b[?", "no mode of the terminal is changed")
}
