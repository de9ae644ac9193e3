package latencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// events are content events at these times in ms, each of which came in the read
// of that number.
func events(pairs ...int) []providers.Event {
	var es []providers.Event
	for i := 0; i < len(pairs); i += 2 {
		es = append(es, providers.Event{At: time.Duration(pairs[i]) * time.Millisecond, Read: pairs[i+1], Frame: i, Bytes: 1})
	}
	return es
}

func TestGapsAreBetweenReads(t *testing.T) {
	t.Parallel()
	at := func(ms float64) wire.Instant { return wire.At(time.Duration(ms * float64(time.Millisecond))) }
	for _, c := range []struct {
		name      string
		events    []providers.Event
		want      Gaps
		coalesced int
	}{
		{"no content", nil, Gaps{}, 0},
		{"one event", events(100, 3), Gaps{}, 0},
		{"two events of two reads", events(100, 3, 130, 4), Gaps{N: 1, P50: at(30), P90: at(30), P99: at(30), Longest: at(30)}, 0},
		{"two events of one read have no gap, not one of 0", events(100, 3, 100, 3), Gaps{}, 1},
		{"a whole answer in one read", events(9, 0, 9, 0, 9, 0, 9, 0), Gaps{}, 3},
		{"coalesced events are left out", events(100, 3, 100, 3, 130, 4, 130, 4, 130, 4, 170, 5), Gaps{N: 2, P50: at(35), P90: at(39), P99: at(39.9), Longest: at(40)}, 3},
		{"reads in between that brought no content make no gap", events(100, 3, 140, 9), Gaps{N: 1, P50: at(40), P90: at(40), P99: at(40), Longest: at(40)}, 0},
		{"two reads at one moment are a gap of 0", events(100, 3, 100, 4, 130, 5, 130, 6, 160, 7), Gaps{N: 4, P50: at(15), P90: at(30), P99: at(30), Longest: at(30), ZeroShare: .5}, 0},
		{"one stall among many", events(0, 0, 10, 1, 20, 2, 30, 3, 40, 4, 1040, 5, 1050, 6, 1060, 7, 1070, 8, 1080, 9, 1090, 10), Gaps{N: 10, P50: at(10), P90: at(109), P99: at(910.9), Longest: at(1000)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, coalesced := gaps(c.events)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.coalesced, coalesced)
		})
	}
}
