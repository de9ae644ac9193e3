package attribution

import (
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// A comparison is the requests of the runs that are compared.
type comparison struct {
	question  baseline.Question
	candidate *baseline.Run
	stored    []*baseline.Run // that have a value of the metric
	cand      []request
	base      [][]request
}

const fewest = 5 // requests: package stat estimates nothing from less

func newComparison(candidate *baseline.Run, stored []*baseline.Run, q baseline.Question) (*comparison, error) {
	if !(q.Quantile > 0 && q.Quantile < 1) {
		return nil, fmt.Errorf("the quantile is %v, want a number between 0 and 1", float64(q.Quantile))
	}
	c := &comparison{question: q, candidate: candidate, cand: requestsOf(candidate, q.Metric)}
	if len(c.cand) < fewest {
		return nil, fmt.Errorf("the candidate has %d requests with a value of %v, want %d or more", len(c.cand), q.Metric, fewest)
	}
	for _, run := range stored {
		if list := requestsOf(run, q.Metric); len(list) >= fewest {
			c.base = append(c.base, list)
			c.stored = append(c.stored, run)
		}
	}
	if len(c.base) == 0 {
		return nil, fmt.Errorf("none of %d stored runs has %d or more requests with a value of %v", len(stored), fewest, q.Metric)
	}
	return c, nil
}

// runs are all requests, the candidate's last.
func (c *comparison) runs() [][]request { return append(slices.Clone(c.base), c.cand) }

// spends reports whether a run spent time in the phase.
func (c *comparison) spends(p Phase) bool {
	for _, list := range c.runs() {
		for _, r := range list {
			switch p {
			case OutputTokens:
				if r.window > 0 {
					return true
				}
			case DecodeSpeed:
				if r.window > 0 || r.parts[p] != 0 {
					return true
				}
			case Stalls:
				if r.window > 0 && r.stall > 0 || r.parts[p] != 0 {
					return true
				}
			default:
				if r.parts[p] != 0 {
					return true
				}
			}
		}
	}
	return false
}

// countTokens reports whether the replies of every run tell their tokens, but for a
// few.
func (c *comparison) countTokens() bool {
	for _, list := range c.runs() {
		streams, known := 0, 0
		for _, r := range list {
			if r.window > 0 {
				streams++
				if r.tokens > 0 {
					known++
				}
			}
		}
		if float64(known) < .9*float64(streams) {
			return false
		}
	}
	return true
}

// tellGaps reports whether the replies of every run tell their longest gap: files
// of earlier versions do not.
func (c *comparison) tellGaps() bool {
	return c.every(func(e baseline.Entry) (asked, told bool) {
		streamed := e.Values[latencytest.TTLT] > e.Values[latencytest.TTFT]
		return e.Facts.Class == "" && e.Facts.Events > 2 && streamed, e.Facts.LongestGap.Known()
	})
}

// tellStarts reports whether the requests of several calls tell in every run when
// the last one began.
func (c *comparison) tellStarts() bool {
	return c.every(func(e baseline.Entry) (asked, told bool) {
		return e.Facts.Class == "" && calls(e.Facts) > 1, e.Facts.Start.Known()
	})
}

// every reports whether in each run that has entries to be asked one of them tells.
func (c *comparison) every(ask func(baseline.Entry) (asked, told bool)) bool {
	for _, run := range append(slices.Clone(c.stored), c.candidate) {
		anyAsked, anyTold := false, false
		for _, e := range run.Entries {
			asked, told := ask(e)
			anyAsked, anyTold = anyAsked || asked, anyTold || asked && told
		}
		if anyAsked && !anyTold {
			return false
		}
	}
	return true
}

// forgetStarts makes the connection of the last of several calls a part of those
// before it, in all runs.
func (c *comparison) forgetStarts() {
	for _, list := range c.runs() {
		for _, r := range list {
			if r.calls > 1 {
				r.parts[EarlierCalls] += r.parts[Connection]
				r.parts[Connection] = 0
			}
		}
	}
}

// forgetStalls makes stalls a part of the decode speed in all runs.
func (c *comparison) forgetStalls() {
	for _, list := range c.runs() {
		for i := range list {
			list[i].stall = 0
			list[i].parts[DecodeSpeed] += list[i].parts[Stalls]
			delete(list[i].parts, Stalls)
		}
	}
}
