package latencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

func TestRates(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	var s Scenario
	for i := range 4 {
		s.Samples = append(s.Samples, Sample{
			Class: providers.OK, Time: start.Add(time.Duration(i) * 10 * time.Second), End: wire.At(30 * time.Second),
			Usage: providers.Usage{Output: providers.CountOf(90)},
		})
	}
	s.Samples[3].Class = providers.Throttled // its tokens and its completion do not count, its time does
	s.Samples = append(s.Samples, Sample{Class: providers.Connect})
	assert.Equal(t, Rates{Completed: 3, Sent: 6, Tokens: 4.5}, s.Rates())
	assert.Equal(t, Rates{}, (&Scenario{}).Rates())
	one := Scenario{Samples: s.Samples[:1]}
	assert.Equal(t, Rates{Completed: 2, Tokens: 3}, one.Rates(), "one request has no rate of sending")
}
