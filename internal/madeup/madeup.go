// Package madeup makes up measured requests for tests: the same for the same seed,
// as good or bad as a test wants them.
//
//	slower := madeup.Scenario(identity, 200, 1, madeup.Later(1.3))
package madeup

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Limit is the time limit of a made-up request.
const Limit = 30 * time.Second

// An Edit changes the request at a position of its scenario.
type Edit func(i int, s *latencytest.Sample)

// Scenario makes up n requests with lognormal times: 400 ms to the first content
// (P90 is near 517 ms), 40 tokens in the second after it.
func Scenario(identity providers.Facts, n int, seed uint64, edits ...Edit) *latencytest.Scenario {
	random := rand.New(rand.NewPCG(seed, 0))
	lognormal := func(median, sd float64) time.Duration {
		return time.Duration(median * math.Exp(sd*random.NormFloat64()))
	}
	s := &latencytest.Scenario{Name: "all", Identity: identity}
	for i := range n {
		one := Sample(4+i, lognormal(400e6, .2), lognormal(1e9, .05))
		for _, change := range edits {
			change(i, &one)
		}
		s.Samples = append(s.Samples, one)
	}
	return s
}

// Sample is a request that went well: its first content came after ttft, its last
// window later, 40 tokens after the first.
func Sample(number int, ttft, window time.Duration) latencytest.Sample {
	const ms = time.Millisecond
	return latencytest.Sample{
		Number: number, Scenario: "all", Prompt: "refund", Class: providers.OK, Calls: 1,
		Phases: wire.Phases{GotConn: wire.At(ms), Wrote: wire.At(2 * ms), Header: wire.At(ttft - ms), Reused: true},
		Body:   wire.At(ttft), FirstEvent: wire.At(ttft), First: wire.At(ttft), FirstVisible: wire.At(ttft),
		Last: wire.At(ttft + window), End: wire.At(ttft + window + ms), ContentEvents: 41,
		Usage: providers.Usage{Input: providers.CountOf(19), Output: providers.CountOf(41)},
	}
}

// Later multiplies the time to the first content and leaves the stream after it
// as long as it was.
func Later(factor float64) Edit {
	return func(_ int, s *latencytest.Sample) { *s = restarted(s, factor, 1) }
}

// Longer multiplies the time from the first content to the last: tokens come slower.
func Longer(factor float64) Edit {
	return func(_ int, s *latencytest.Sample) { *s = restarted(s, 1, factor) }
}

func restarted(s *latencytest.Sample, ttft, window float64) latencytest.Sample {
	first, _ := s.First.Get()
	last, _ := s.Last.Get()
	return Sample(s.Number, time.Duration(float64(first)*ttft), time.Duration(float64(last-first)*window))
}

// Failing replaces the first requests of a scenario by ones that failed without a
// reply.
func Failing(count int, class providers.Class) Edit {
	return func(i int, s *latencytest.Sample) {
		if i < count {
			*s = latencytest.Sample{Number: s.Number, Scenario: s.Scenario, Prompt: s.Prompt, Class: class, Calls: 1}
			if class == providers.Timeout {
				s.Limit = wire.At(Limit)
			}
		}
	}
}
