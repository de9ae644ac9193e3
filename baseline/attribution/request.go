package attribution

import (
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A request is one stored request in parts. Times are nanoseconds.
type request struct {
	prompt string
	total  float64           // the metric, as a time
	parts  map[Phase]float64 // that add up to it, where there is no stream in it

	// Of the stream, where the metric has one.
	window float64 // t_last − t_first
	stall  float64 // of it, 0 where it is not known
	tokens float64 // after the first; 0 where they are not known

	input, cached float64 // tokens; input is 0 where it is not known

	calls, retries float64
	serial         float64 // calls on the critical path; 0 where that is not known
	dialled        float64 // 1 where it set up its connection
}

// requestsOf takes the requests of a run apart that have a value of the metric.
func requestsOf(r *baseline.Run, m latencytest.Metric) []request {
	var list []request
	for _, e := range r.Entries {
		if v, ok := e.Values[m]; ok && v > 0 {
			list = append(list, requestOf(e, m, v))
		}
	}
	return list
}

func requestOf(e baseline.Entry, m latencytest.Metric, v float64) request {
	r := request{prompt: e.Facts.Prompt, total: v, parts: make(map[Phase]float64)}
	if m.HigherIsBetter() {
		r.total = float64(time.Second) / v // a speed becomes the time per token
	}
	input, _ := e.Facts.Input.Get()
	cached, _ := e.Facts.CachedRead.Get()
	r.input, r.cached = float64(input), float64(min(cached, input))
	r.calls, r.retries = float64(calls(e.Facts)), float64(e.Facts.Retries)
	r.serial = float64(e.Facts.Serial)
	if e.Facts.New {
		r.dialled = 1
	}
	first, last := e.Values[latencytest.TTFT], e.Values[latencytest.TTLT]
	switch m {
	case latencytest.TTFT:
		r.begin(e, v)
	case latencytest.TTFTVisible:
		r.begin(e, min(first, v))
		r.rest(e, Reasoning, v)
	case latencytest.OperationTTFT:
		before, _ := e.Facts.Before.Get()
		held, _ := e.Facts.Held.Get()
		r.parts[AppBefore] = min(float64(before), v)
		r.parts[HeldBack] = min(float64(held), v-r.parts[AppBefore])
		r.begin(e, min(first, v-r.parts[AppBefore]-r.parts[HeldBack]))
		r.rest(e, Reasoning, v)
	case latencytest.TTFTSched:
		r.begin(e, min(first, v))
		r.parts[ScheduleLag] = max(0, v-first)
	case latencytest.TTLT, latencytest.StreamEnd, latencytest.E2ESched:
		r.begin(e, min(first, v))
		r.stream(e, max(first, min(last, v)))
		switch m {
		case latencytest.StreamEnd:
			r.rest(e, StreamEnd, v)
		case latencytest.E2ESched:
			r.parts[ScheduleLag] = max(0, v-last)
		}
	case latencytest.OTPS, latencytest.TPOT, latencytest.ITL:
		r.stream(e, last)
		share := 0.
		if r.window > 0 {
			share = r.stall / r.window
		}
		r.parts[Stalls] = r.total * share
		r.parts[DecodeSpeed] = r.total - r.parts[Stalls]
		r.window = 0
	default: // a phase by itself
		r.parts[partsOf(m)[0]] = v
	}
	return r
}

// begin divides the time to the first content. Where an instant is not known, its
// phase is a part of the one after it.
func (r *request) begin(e baseline.Entry, first float64) {
	f := e.Facts
	until := func(i wire.Instant, from float64) float64 {
		at, known := i.Get()
		if !known {
			return from
		}
		return min(max(float64(at), from), first)
	}
	start := until(f.Start, 0)
	if calls(f) > 1 && !f.Start.Known() {
		start = until(f.Connect, 0)
	}
	connected := until(f.Connect, start)
	header := until(f.Header, connected)
	hung := f.Class == providers.Timeout && first == e.Values[latencytest.TTLT] // before its first content
	if !f.Header.Known() && !hung {
		header = first
	}
	wrote := min(until(f.Wrote, connected), header) // a server may answer before it has heard all

	retrying, known := f.Retrying.Get()
	switch {
	case known:
	case f.Retries >= calls(f)-1 && f.Retries > 0:
		retrying = time.Duration(start)
	case f.Retries > 0:
		retrying = time.Duration(start * float64(f.Retries) / float64(calls(f)-1))
	}
	r.parts[Retries] = min(float64(retrying), start)
	r.parts[EarlierCalls] = start - r.parts[Retries]
	r.parts[Connection] = connected - start
	r.parts[Sending] = wrote - connected
	r.parts[FirstByte] = header - wrote
	if hung {
		r.parts[TimeLimit] = first - header
	} else {
		r.parts[FirstToken] = first - header
	}
}

// calls is how many HTTP attempts a request made.
func calls(f baseline.EntryFacts) int { return max(f.Calls, 1) }

// rest gives a phase what the parts so far leave of the metric. Of a request that
// hit its time limit it is time waited in vain.
func (r *request) rest(e baseline.Entry, p Phase, v float64) {
	if e.Facts.Class == providers.Timeout {
		p = TimeLimit
	}
	left := v - r.window
	for _, part := range r.parts {
		left -= part
	}
	r.parts[p] += max(0, left)
}

// stream takes the time from the first content to the last apart, which ended so
// long after t_call.
func (r *request) stream(e baseline.Entry, last float64) {
	if e.Facts.Class == providers.Timeout {
		r.rest(e, TimeLimit, r.total)
		return
	}
	r.window = max(0, last-e.Values[latencytest.TTFT])
	r.tokens = tokensAfterFirst(e, r.window)
	longest, known := e.Facts.LongestGap.Get()
	if others := float64(e.Facts.Events - 2); known && others > 0 {
		gap := min(float64(longest), r.window)
		r.stall = max(0, gap-(r.window-gap)/others)
	}
}

// tokensAfterFirst returns N − n₁. It follows from the speed, which was computed
// from it; a reply without one has the server's count to go by.
func tokensAfterFirst(e baseline.Entry, window float64) float64 {
	if speed, ok := e.Values[latencytest.OTPS]; ok && window > 0 {
		return speed * window / float64(time.Second)
	}
	for _, m := range []latencytest.Metric{latencytest.TPOT, latencytest.ITL} {
		if pace, ok := e.Values[m]; ok && window > 0 {
			return window / pace
		}
	}
	n, _ := e.Facts.Output.Get()
	return float64(max(0, n-1))
}
