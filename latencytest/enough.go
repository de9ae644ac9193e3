package latencytest

import (
	"fmt"
	"iter"
	"slices"
)

// firstLook is the number of requests after which [Plan.Enough] is asked first, and
// whose doubles it is asked after from then on: the logarithms of quantiles of fewer
// are not normal enough to predict anything.
const firstLook = 50

// isLook reports whether Enough is asked after so many requests.
func isLook(n int) bool {
	for look := firstLook; look <= n; look *= 2 {
		if look == n {
			return true
		}
	}
	return false
}

// looks asks Plan.Enough at its times, and knows which scenarios it has ended.
type looks struct {
	plan      Plan
	scenarios map[string]*looked
}

type looked struct {
	scenario *Scenario
	soFar    []Sample
}

func newLooks(p Plan, scenarios []*Scenario) *looks {
	if p.Enough == nil {
		return nil
	}
	l := &looks{plan: p, scenarios: make(map[string]*looked)}
	for _, s := range scenarios {
		l.scenarios[s.Name] = &looked{scenario: s}
	}
	return l
}

// note takes a sample that has ended, one at a time.
func (l *looks) note(s *Sample) {
	if l == nil || s.Warmup {
		return
	}
	of := l.scenarios[s.Scenario]
	of.soFar = append(of.soFar, *s)
	planned := l.plan.Requests * l.plan.Repetitions
	n := len(of.soFar)
	if of.scenario.Stopped != "" || !isLook(n) || planned > 0 && n >= planned {
		return
	}
	soFar := *of.scenario
	soFar.Samples = slices.SortedFunc(slices.Values(of.soFar), func(a, b Sample) int { return a.Number - b.Number })
	reason := l.plan.Enough(&soFar, planned)
	if reason == "" {
		return
	}
	if planned > 0 {
		reason += fmt.Sprintf(" (after %d of %d requests", n, planned)
		if dollars, unknown := soFar.Cost(); unknown < n {
			reason += fmt.Sprintf(", which saves about $%.2g", dollars/float64(n-unknown)*float64(planned-n))
		}
		reason += ")"
	}
	of.scenario.Stopped = reason
}

// left leaves out the turns of scenarios that have ended. Those under way at that
// time still count.
func (r *run) left(turns iter.Seq[turn]) iter.Seq[turn] {
	if r.looks == nil {
		return turns
	}
	return func(yield func(turn) bool) {
		for t := range turns {
			over, all := r.ended(t.scenario)
			if all {
				return
			}
			if !over && !yield(t) {
				return
			}
		}
	}
}

// ended reports whether a scenario has been ended, and whether all have.
func (r *run) ended(scenario string) (over, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all = true
	for _, l := range r.looks.scenarios {
		all = all && l.scenario.Stopped != ""
	}
	return r.looks.scenarios[scenario].scenario.Stopped != "", all
}
