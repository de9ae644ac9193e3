package attribution

import (
	"math"
	"slices"
	"strings"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A Change is a number of the stored runs and of the candidate.
type Change struct {
	Name string  `json:"name"`
	Unit string  `json:"unit,omitzero"` // "ns", "%" or none
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// evidence returns what belongs to a phase: what it is counted by, or else its own
// median and the quantile that was asked for.
func (c *comparison) evidence(p Phase) []Change {
	base := slices.Concat(c.base...)
	average := func(name, unit string, value func(request) float64) []Change {
		return []Change{{name, unit, mean(base, value), mean(c.cand, value)}}
	}
	switch p {
	case Coincidence, TimeLimit:
		return nil
	case Retries:
		return average("retries per request", "", func(r request) float64 { return r.retries })
	case EarlierCalls:
		made := average("calls per request", "", func(r request) float64 { return r.calls - r.retries })
		serial := func(r request) float64 { return r.serial }
		if mean(base, serial) == 0 || mean(c.cand, serial) == 0 {
			return made
		}
		return append(made, average("on the critical path", "", serial)...)
	case Connection:
		own, dialled := c.quantiles(base, p), average("new connections", "%", func(r request) float64 { return 100 * r.dialled })
		if math.Abs(dialled[0].To-dialled[0].From) < 1 {
			return own
		}
		return append(own, dialled...)
	case CacheMisses:
		return average("input read from the cache", "%", func(r request) float64 { return 100 * r.cached / max(r.input, 1) })
	case InputTokens:
		return average("input tokens", "", func(r request) float64 { return r.input })
	case OutputTokens:
		return average("tokens after the first", "", func(r request) float64 { return r.tokens })
	}
	return c.quantiles(base, p)
}

// quantiles returns the median and the asked quantile of the phase's own times.
func (c *comparison) quantiles(base []request, p Phase) []Change {
	of := func(list []request, q latencytest.Quantile) float64 {
		times := make([]float64, len(list))
		for i, r := range list {
			times[i] = r.own(p)
		}
		slices.Sort(times)
		return stat.Type7(times, float64(q))
	}
	var out []Change
	for _, q := range []latencytest.Quantile{latencytest.P50, max(c.question.Quantile, latencytest.P90)} {
		name := q.String()
		if p == DecodeSpeed {
			name += " per token"
		}
		out = append(out, Change{name, "ns", of(base, q), of(c.cand, q)})
	}
	return out
}

// own is a request's time in a phase; of the stream, its time per token.
func (r request) own(p Phase) float64 {
	switch {
	case p == DecodeSpeed && r.window > 0:
		return (r.window - r.stall) / max(r.tokens, 1)
	case p == Stalls && r.window > 0:
		return r.stall
	}
	return r.parts[p]
}

// String returns "calls per request 1 → 2" and the like.
func (c Change) String() string {
	format := func(v float64) string {
		switch c.Unit {
		case "ns":
			return latencytest.TTFT.Format(v)
		case "%":
			return latencytest.OutputTokens.Format(v) + " %"
		}
		return latencytest.OutputTokens.Format(v)
	}
	from, to := format(c.From), format(c.To)
	if number, unit, ok := strings.Cut(from, " "); ok && strings.HasSuffix(to, " "+unit) {
		from = number
	}
	return c.Name + " " + from + " → " + to
}
