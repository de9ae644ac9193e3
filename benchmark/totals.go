package benchmark

import (
	"time"

	"github.com/latgate/latgate/latencytest"
)

// Totals are sums over the attempts of a scenario, failed ones included: they are paid
// for. There are none of a run in low memory, which keeps no samples.
type totals struct {
	attempts      int
	input, output int64
	counted       int // attempts with both counts

	dollars      float64
	priced       int   // attempts whose cost is known
	pricedTokens int64 // of these

	first, last time.Time
}

func totalsOf(s *latencytest.Scenario) totals {
	t := totals{attempts: len(s.Samples)}
	for i := range s.Samples {
		sample := &s.Samples[i]
		input, told := sample.Usage.Input.Get()
		output, finished := sample.Usage.Output.Get()
		if told && finished {
			t.counted++
			t.input += input
			t.output += output
		}
		if sample.Cost != nil {
			t.priced++
			t.dollars += *sample.Cost
			t.pricedTokens += input + output
		}
		if sample.Time.IsZero() { // no request was made
			continue
		}
		if t.first.IsZero() || sample.Time.Before(t.first) {
			t.first = sample.Time
		}
		if took, ended := sample.End.Get(); ended && sample.Time.Add(took).After(t.last) {
			t.last = sample.Time.Add(took)
		}
	}
	return t
}

// duration is the time from the first request to the end of the last reply, 0 where
// nothing has ended.
func (t totals) duration() time.Duration {
	if t.last.IsZero() {
		return 0
	}
	return t.last.Sub(t.first)
}

// usage returns nil where no token was counted.
func (t totals) usage() *UsageRecord {
	if t.counted == 0 {
		return nil
	}
	return &UsageRecord{Input: t.input, Output: t.output, Unknown: t.attempts - t.counted}
}
