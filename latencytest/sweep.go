package latencytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/latgate/latgate/providers"
)

// A SweepResult is the same plan under one closed load after the other.
type SweepResult struct {
	Steps []*Result // in the order of the numbers of clients; their Plan.Load tells
}

// Sweep measures the plan with each number of clients, in the order given, and
// stops at the first run that ends early. The plan's own Load is not used. Each
// run has a sample file of its own, named after the plan's.
func Sweep(ctx context.Context, target providers.Target, plan Plan, clients ...int) (*SweepResult, error) {
	if len(clients) == 0 {
		return nil, fmt.Errorf("Sweep: no number of clients is given")
	}
	sweep := new(SweepResult)
	file := plan.SampleFile
	for _, n := range clients {
		plan.Load = Closed(n)
		if file != "" {
			base, extension := strings.TrimSuffix(file, ".samples.jsonl"), ".samples.jsonl"
			plan.SampleFile = fmt.Sprintf("%s.%d-clients%s", base, n, extension)
		}
		res, err := Measure(ctx, target, plan)
		if res != nil {
			sweep.Steps = append(sweep.Steps, res)
		}
		if err != nil {
			return sweep, fmt.Errorf("Sweep: %d clients: %w", n, err)
		}
	}
	return sweep, nil
}

// Saturation returns the number of clients beyond which more of them bring next to
// nothing: the step before the first on which the completed requests a minute grew
// by less than a tenth of what the clients did. It is false where no step is like
// that: the endpoint takes more than was tried.
func (r *SweepResult) Saturation() (clients int, reached bool) {
	for i := 1; i < len(r.Steps); i++ {
		before, this := r.Steps[i-1], r.Steps[i]
		grown := float64(this.Plan.Load.clients)/float64(before.Plan.Load.clients) - 1
		brought := this.completed()/before.completed() - 1
		if grown > 0 && brought < grown/10 {
			return before.Plan.Load.clients, true
		}
	}
	return 0, false
}

// completed returns the requests that all scenarios completed a minute.
func (r *Result) completed() float64 {
	sum := 0.
	for _, s := range r.Scenarios {
		sum += s.Rates().Completed
	}
	return sum
}

// String renders a row for each step, and the saturation point.
func (r *SweepResult) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "clients\trequests/min\ttok/s\tttft P50\tttft P90\totps P50\tfailed\tscenario\t")
	for _, step := range r.Steps {
		for _, s := range step.Scenarios {
			rates := s.Rates()
			fmt.Fprintf(w, "%d\t%.4g\t%.4g\t%s\t%s\t%s\t%d\t%s\t\n", step.Plan.Load.clients, rates.Completed, rates.Tokens,
				formatOr(TTFT, s.Quantile(TTFT, P50)), formatOr(TTFT, s.Quantile(TTFT, P90)), formatOr(OTPS, s.Quantile(OTPS, P50)),
				s.Failed(), providers.Scrub(s.Name))
		}
	}
	w.Flush()
	if clients, reached := r.Saturation(); reached {
		fmt.Fprintf(&b, "saturated with %d clients: more of them bring next to nothing\n", clients)
	} else {
		fmt.Fprintf(&b, "not saturated with %d clients\n", slices.MaxFunc(r.Steps, func(a, b *Result) int {
			return a.Plan.Load.clients - b.Plan.Load.clients
		}).Plan.Load.clients)
	}
	return b.String()
}

func formatOr(m Metric, v float64) string {
	if v != v {
		return "–"
	}
	return m.Format(v)
}
