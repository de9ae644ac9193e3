package cassette

import (
	"fmt"
	"math"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A timeline is when a replay sends what, since the request.
type timeline struct {
	head  time.Duration
	reads []wire.Mark
	end   time.Duration
	cut   bool // the connection breaks off at the end
	hold  bool // the recording ended because the client did: leave it the first move
}

// grace is how long a replay leaves a client that ended the recorded stream itself to
// do so again. It then ends the body: a client that waits for that has changed.
const grace = time.Millisecond

// timelineOf returns the times of an interaction as they were recorded. The reads are
// those of the interaction.
func timelineOf(r *Response) timeline {
	t := timeline{head: r.headAt(), reads: r.Reads, end: r.Ended()}
	switch r.Ending {
	case wire.EndFailed, wire.EndNoReply, wire.EndTooLarge:
		t.cut = true
	case wire.EndClosed, wire.EndTerminal:
		t.hold = true
	case wire.EndContext:
		t.hold, t.cut = true, true
	}
	return t
}

// A Pace changes the times of a replay: what if the endpoint were faster, or slower?
// The zero Pace leaves them as they were recorded.
type Pace struct {
	// Speed divides all times: at 2 everything comes twice as fast, at infinity at
	// once. 0 means 1.
	Speed float64

	// TTFT multiplies the time to the first content, and to all before it. 0 means 1.
	TTFT float64

	// Gaps multiplies the times between reads, from the first content on, and that to
	// the end. 0 means 1.
	Gaps float64

	// Content finds the first content of a reply: a [providers.Decoder] or
	// [providers.Decoders]. Nil takes the first read for it, which it is not where a
	// role or a ping comes first.
	Content interface {
		Decode(*wire.Exchange) *providers.Response
	}
}

func (p Pace) validate() error {
	for name, factor := range map[string]float64{"Speed": p.Speed, "TTFT": p.TTFT, "Gaps": p.Gaps} {
		if math.IsNaN(factor) || factor < 0 || math.IsInf(factor, 0) && name != "Speed" {
			return fmt.Errorf("cassette: Pace.%s is %v: it must be a positive factor", name, factor)
		}
	}
	return nil
}

func orOne(factor float64) float64 {
	if factor == 0 {
		return 1
	}
	return factor
}

// apply scales a timeline of i. Times that stay are the very same.
func (p Pace) apply(t timeline, i *Interaction) timeline {
	ttft, gaps, speed := orOne(p.TTFT), orOne(p.Gaps), orOne(p.Speed)
	if ttft == 1 && gaps == 1 && speed == 1 {
		return t
	}
	first := 0
	if p.Content != nil && ttft != gaps {
		if r := p.Content.Decode(i.Exchange(time.Time{})); len(r.Events) > 0 {
			first = max(0, r.Events[0].Read)
		}
	}
	scaled := timeline{cut: t.cut, hold: t.hold, reads: make([]wire.Mark, len(t.reads))}
	before, now := time.Duration(0), time.Duration(0) // as recorded and as scaled, of the last read
	for k, m := range t.reads {
		factor := gaps
		if k <= first {
			factor = ttft
		}
		now += times(m.At-before, factor)
		before = m.At
		scaled.reads[k] = wire.Mark{End: m.End, At: times(now, 1/speed)}
	}
	scaled.head = times(times(t.head, ttft), 1/speed)
	factor := gaps
	if len(t.reads) == 0 {
		factor = ttft
	}
	scaled.end = times(now+times(t.end-before, factor), 1/speed)
	return scaled
}

// times returns d by a factor, to the nanosecond.
func times(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d
	}
	scaled := float64(d) * factor
	if scaled > math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return time.Duration(math.Round(scaled))
}
