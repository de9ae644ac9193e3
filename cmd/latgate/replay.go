package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
)

type replayFlags struct {
	listen            string
	speed, ttft, gaps float64
	ordered, repeat   bool

	throttle, cut bool
	stall         time.Duration
	retryAfter    time.Duration
	event, every  int
}

func (p *program) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Serve a recording over loopback, to a client in any language",
		Long: `Replay answers requests from a cassette, in real time: the recorded bytes, each read
when it came then. The base URL is the only line of the standard output. A request is
answered by a recording of the same method, path, query and body; a key may be anything.

A request that no recording answers gets the status 404 and is told on the standard
error, with what is different. An interrupt (Ctrl-C) ends it, with 0, or with 17 where
there were such requests.

--speed, --ttft and --gaps ask what would be if the endpoint were faster or slower,
--throttle, --stall and --cut what would be if it failed: all requests, or each Nth with
--every N.`,
		Example: `  # for an application that is told where its endpoint is, by
  # OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=any
  latgate replay answer.cassette.jsonl

  # the first token takes half as long again
  latgate replay --ttft 1.5 answer.cassette.jsonl

  # each tenth request is throttled; each stops for 2 s before its sixth event
  latgate replay --throttle --retry-after 1s --every 10 answer.cassette.jsonl
  latgate replay --stall 2s --event 5 answer.cassette.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.replay(cmd.Context(), f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "the `address` to listen at; port 0 is any that is free")
	flags.Float64Var(&f.speed, "speed", 1, "how many times as `fast` everything comes")
	flags.Float64Var(&f.ttft, "ttft", 1, "how many times as `long` the first content takes, and all before it")
	flags.Float64Var(&f.gaps, "gaps", 1, "how many times as `long` the gaps after it are")
	flags.BoolVar(&f.ordered, "ordered", false, "want the requests in the order in which they were recorded")
	flags.BoolVar(&f.repeat, "repeat", true, "begin anew with the first recording of a request when all were used")
	flags.BoolVar(&f.throttle, "throttle", false, "answer 429 instead")
	flags.DurationVar(&f.retryAfter, "retry-after", 0, "the `time` that --throttle asks to wait, in whole seconds")
	flags.DurationVar(&f.stall, "stall", 0, "hold a stream back for that `time`")
	flags.BoolVar(&f.cut, "cut", false, "break the connection off in the stream")
	flags.IntVar(&f.event, "event", 0, "the `event` of a stream, from 0, that --stall and --cut are at")
	flags.IntVar(&f.every, "every", 1, "throttle, stall or cut each `Nth` request only")
	cmd.MarkFlagsMutuallyExclusive("throttle", "stall", "cut")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		return positive(cmd.Flags(), "speed", "ttft", "gaps", "every")
	}
	return cmd
}

// options returns how the cassette is to be replayed.
func (f replayFlags) options() (cassette.ReplayOptions, error) {
	o := cassette.ReplayOptions{
		Pace:    cassette.Pace{Speed: f.speed, TTFT: f.ttft, Gaps: f.gaps, Content: latencytest.Protocols()},
		Ordered: f.ordered, Repeat: f.repeat,
	}
	switch {
	case f.event < 0:
		return o, fmt.Errorf("--event: want 0 or more, got %d", f.event)
	case f.stall < 0 || f.retryAfter < 0:
		return o, errors.New("--stall, --retry-after: want no time below 0")
	}
	var effect cassette.Effect
	switch {
	case f.throttle:
		effect = cassette.Throttle{RetryAfter: f.retryAfter}
	case f.stall > 0:
		effect = cassette.Stall{From: cassette.AtEvent(f.event), For: f.stall}
	case f.cut:
		effect = cassette.Cut{At: cassette.AtEvent(f.event)}
	case f.every > 1 || f.event > 0 || f.retryAfter > 0:
		return o, errors.New("--every, --event, --retry-after: say what goes wrong as well: --throttle, --stall or --cut")
	default:
		return o, nil
	}
	nth := func(request int, _ *cassette.Interaction) bool { return request%f.every == f.every-1 }
	o.Faults = []cassette.Fault{{On: nth, Effect: effect}}
	return o, nil
}

func (p *program) replay(ctx context.Context, f replayFlags, file string) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	recording, err := cassette.Read(file)
	if err != nil {
		return err
	}
	player, err := recording.Handler(options)
	if err != nil {
		return err
	}
	told := &journal{out: p.stderr}
	if reason, made := recording.Synthesised(); made {
		told.say("the recording has no times of its own: %s", reason)
	} else if reason, buffered := recording.Buffered(); buffered {
		told.say("the recording was buffered, its gaps are nobody's: %s", reason)
	}
	watched := &missWatch{player: player, told: told}
	if err := p.listen(ctx, f.listen, watched, told); err != nil {
		return err
	}
	if unused := len(player.Unused()); unused > 0 {
		told.say("%d of %d recordings were not asked for", unused, recording.Len())
	}
	if err := player.Err(); err != nil {
		return &exitError{cassette.ExitMiss, fmt.Errorf("%d requests were not recorded", watched.count())}
	}
	return nil
}

// A missWatch tells of each request that no recording answered.
type missWatch struct {
	player *cassette.Player
	told   *journal

	mu     sync.Mutex
	missed int // requests
	shown  int // misses that were told
}

// mostMisses bounds how many are told in full: a load test may miss with each request.
const mostMisses = 20

func (m *missWatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.player.ServeHTTP(w, r)
	if w.Header().Get(cassette.MissHeader) == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.missed++
	misses := m.player.Misses()
	for ; m.shown < min(len(misses), mostMisses); m.shown++ {
		m.told.say("%v", misses[m.shown])
		if m.shown == mostMisses-1 {
			m.told.say("further ones are counted only")
		}
	}
}

func (m *missWatch) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.missed
}
