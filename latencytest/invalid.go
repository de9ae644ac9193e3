package latencytest

import (
	"fmt"
	"time"
)

// Invalid says why the run did not measure what it set out to measure: the client
// could not keep an open load, the prompt cache that was to be warm was not, or what
// was replayed has no times. It is empty where nothing is wrong.
func (s *Scenario) Invalid() string {
	if s.Untimed != "" {
		return s.Untimed
	}
	if late := s.late(); late != "" {
		return late
	}
	if s.Identity.Get("prompt-cache") == string(WarmCache) && !(s.HitRate() > 0) {
		return "the prompt cache was to be warm, and no input token was read from it: are the prompts long enough, and marked to be cached?"
	}
	return ""
}

// late says why the times of an open load are the client's and not the endpoint's:
// the P99 of [ScheduleLag] is above 5 ms, and above 1 % of the median [TTFT].
func (s *Scenario) late() string {
	lags := s.distribution(ScheduleLag)
	if lags.n() == 0 {
		return ""
	}
	lag := lags.quantile(.99)
	limit := float64(5 * time.Millisecond)
	if median := s.Quantile(TTFT, P50); median > 0 {
		limit = max(limit, .01*median)
	}
	if lag <= limit {
		return ""
	}
	return fmt.Sprintf("the client was the bottleneck: the P99 of schedule_lag is %s, at most %s is valid; lower the load or give the client more CPU",
		ScheduleLag.Format(lag), ScheduleLag.Format(limit))
}
