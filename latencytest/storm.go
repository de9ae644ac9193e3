package latencytest

import (
	"fmt"
	"sync"

	"github.com/latgate/latgate/providers"
)

// A StormError ends a run in which nearly every request fails: the endpoint is
// down, or refuses a load that is above its limits. Measuring on would cost money
// and say nothing.
type StormError struct {
	Failed, Of int             // the last requests
	Class      providers.Class // how most of them ended
	Example    string          // what the last of these said
}

func (e *StormError) Error() string {
	advice := "is it up, and does it take such requests?"
	if e.Class == providers.Throttled {
		advice = "the load is above its limits: lower Plan.Load, or set Plan.RateLimit"
	}
	return fmt.Sprintf("%d of the last %d requests failed, mostly as %s (%s): %s", e.Failed, e.Of, e.Class, e.Example, advice)
}

// stormWindow is how many requests a storm is seen in.
const stormWindow = 20

// A barometer watches the last requests for a storm.
type barometer struct {
	limit float64 // the share of failures that is one

	mu   sync.Mutex
	last [stormWindow]Sample // only Class and Error
	seen int
}

// note takes a finished sample, and returns a [StormError] when it ends the run.
func (b *barometer) note(s *Sample) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[b.seen%stormWindow] = Sample{Class: s.Class, Error: s.Error}
	if b.seen++; b.seen < stormWindow || b.limit < 0 {
		return nil
	}
	counts := make(map[providers.Class]int)
	for _, sample := range b.last {
		counts[sample.Class]++
	}
	failed := stormWindow - counts[providers.OK] - counts[providers.NotRecorded] // no endpoint is harmed
	if float64(failed) < b.limit*stormWindow {
		return nil
	}
	e := &StormError{Failed: failed, Of: stormWindow}
	for _, class := range providers.Classes[1:] {
		if counts[class] > counts[e.Class] {
			e.Class = class
		}
	}
	for _, sample := range b.last {
		if sample.Class == e.Class && sample.Error != "" {
			e.Example = sample.Error
		}
	}
	return e
}
