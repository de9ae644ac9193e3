package convert

import (
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/wire"
)

// times are the measured instants of one call, since it was made.
type times struct {
	head, event, first, visible, last, end time.Duration

	phases wire.Phases
}

// timesOf returns the times of a sample. What is not known is as late as what follows
// it. It returns false where they are not in order, which no measurement leaves behind.
func timesOf(s *latencytest.Sample) (times, bool) {
	start, _ := s.Start.Get()
	since := func(i wire.Instant, otherwise time.Duration) time.Duration {
		if at, known := i.Get(); known {
			return at - start
		}
		return otherwise
	}
	var t times
	t.first = since(s.First, 0)
	t.event = since(s.FirstEvent, t.first)
	t.head = since(s.Header, t.event)
	t.last = since(s.Last, t.first)
	t.visible = since(s.FirstVisible, t.last)
	t.end = since(s.End, t.last)
	t.phases = s.Phases
	for _, i := range []*wire.Instant{
		&t.phases.GotConn, &t.phases.DNSStart, &t.phases.DNSDone, &t.phases.ConnectStart, &t.phases.ConnectDone,
		&t.phases.TLSStart, &t.phases.TLSDone, &t.phases.Wrote,
	} {
		*i = i.Add(-start)
	}
	t.phases.Header = wire.At(t.head)
	const most = 365 * 24 * time.Hour
	return t, start >= 0 && 0 <= t.head && t.head <= t.event && t.event <= t.first && t.first <= t.visible &&
		t.visible <= t.last && t.last <= t.end && t.end < most
}

// content returns when the i-th of n content events comes. The first visible one is that
// of a number, 0 or less where nothing is before it, or nothing visible at all. What
// follows the last event comes at the end.
func (t times) content(i, n, visible int) time.Duration {
	switch {
	case i >= n:
		return t.end
	case i == 0:
		return t.first
	case i == n-1:
		return t.last
	case visible <= 0:
		return between(t.first, t.last, i, n-1)
	case i < visible:
		return between(t.first, t.visible, i, visible)
	}
	return between(t.visible, t.last, i-visible, n-1-visible)
}

// between returns the i-th of n equal steps from one time to another.
func between(from, to time.Duration, i, n int) time.Duration {
	d, step, steps := to-from, time.Duration(i), time.Duration(n)
	return from + d/steps*step + d%steps*step/steps
}
