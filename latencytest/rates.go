package latencytest

import (
	"time"

	"github.com/latgate/latgate/providers"
)

// Rates are what a whole scenario achieved. A rate is 0 where its window is too
// short to have one.
type Rates struct {
	// Completed is completed requests per minute: 60·n/(last t_end − first t_call).
	Completed float64

	// Sent is requests sent per minute: 60·(n−1)/(last t_call − first t_call). n
	// sends have n−1 gaps; dividing n by the window would flatter short runs.
	Sent float64

	// Tokens is output tokens per second over the window of Completed.
	Tokens float64
}

// Rates returns the rates over the measured attempts.
func (s *Scenario) Rates() Rates {
	var first, last, end time.Time
	var completed, sent int
	var tokens int64
	for i := range s.Samples {
		sample := &s.Samples[i]
		if sample.Time.IsZero() { // no request was made
			continue
		}
		sent++
		if first.IsZero() || sample.Time.Before(first) {
			first = sample.Time
		}
		if sample.Time.After(last) {
			last = sample.Time
		}
		if took, ok := sample.End.Get(); ok && sample.Time.Add(took).After(end) {
			end = sample.Time.Add(took)
		}
		if sample.Class == providers.OK {
			completed++
			n, _ := sample.Usage.Output.Get()
			tokens += n
		}
	}
	var r Rates
	if window := end.Sub(first).Seconds(); window > 0 {
		r.Completed, r.Tokens = 60*float64(completed)/window, float64(tokens)/window
	}
	if window := last.Sub(first).Seconds(); window > 0 {
		r.Sent = 60 * float64(sent-1) / window
	}
	return r
}
