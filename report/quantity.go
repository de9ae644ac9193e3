package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// String returns "P90 ttft".
func (q Quantity) String() string {
	return latencytest.Quantile(q.Quantile).String() + " " + q.Metric
}

// Format prints a value for people, as the metrics of package latencytest do: "612 ms",
// "48.2 tok/s".
func (q Quantity) Format(v float64) string {
	switch {
	case math.Abs(v) >= 1e18: // nothing that was measured: no row of 300 digits
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", v, q.Unit))
	case q.Unit == "ns":
		return latencytest.TTFT.Format(v)
	case q.Unit == "tok/s":
		return latencytest.OTPS.Format(v)
	case q.Unit == "tok":
		return latencytest.OutputTokens.Format(v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.3g %s", v, q.Unit))
}

// Change prints how much more the head is than the base, with its 90 % interval:
// "+23 % [+12, +35]". A comparison without noise has no interval. It is empty where
// there is no ratio.
func (c Comparison) Change() string {
	if c.Ratio <= 0 {
		return ""
	}
	change := percent(c.Ratio) + " %"
	if c.Low > 0 && c.High > 0 && c.Low < c.High {
		change += fmt.Sprintf(" [%s, %s]", percent(c.Low), percent(c.High))
	}
	return change
}

// percent prints a ratio as "+23" or "−5".
func percent(ratio float64) string {
	switch p := 100 * (ratio - 1); {
	case math.Abs(p) >= 1e6:
		return fmt.Sprintf("%+.1g", p)
	case math.Round(p) < 0:
		return fmt.Sprintf("−%.0f", -p)
	default:
		return fmt.Sprintf("+%.0f", math.Abs(p))
	}
}

// Name returns what was tested, and from where: "TestLatencyChat/plan/short",
// "TestLatencyChat/short from eu-west-1".
func (r Row) Name() string {
	name := r.Test
	for _, part := range []string{r.Plan, r.Scenario} {
		if part != "" {
			name += "/" + part
		}
	}
	if r.Region != "" {
		name += " from " + r.Region
	}
	return name
}

// Asked returns what the gate is about: "P90 ttft", or the gate itself.
func (r Row) Asked() string {
	if r.Quantity == nil {
		return r.Gate
	}
	return r.Quantity.String()
}

// Values print what is compared: the quantiles of base and head, or in after what was
// measured alone, such as the share of failed requests.
func (r Row) Values() (before, after string) {
	switch q, c := r.Quantity, r.Comparison; {
	case q != nil && c != nil:
		return q.Format(c.Base), q.Format(c.Head)
	case q != nil && r.Measured > 0:
		return "", q.Format(r.Measured)
	case r.Measured > 0:
		return "", r.unitless(r.Measured)
	}
	return "", ""
}

// unitless prints a number of a gate that is about no quantile: calls, or a share of
// the requests.
func (r Row) unitless(v float64) string {
	if strings.HasPrefix(r.Gate, "Calls(") {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.3g %%", 100*v)
}

// Allowed prints the gate's limit: "+10 %" of a gate against stored runs, "3000 ms" of
// a budget, "1 %" of failed requests, "2" of calls. It is empty where there is none.
func (r Row) Allowed() string {
	switch {
	case r.Limit > 0 && r.Quantity != nil:
		return r.Quantity.Format(r.Limit)
	case r.Limit > 0:
		return r.unitless(r.Limit)
	case r.Comparison != nil && r.Comparison.MinEffect > 0 && r.Quantity != nil && r.Quantity.HigherIsBetter:
		return percent(1/(1+r.Comparison.MinEffect)) + " %"
	case r.Comparison != nil && r.Comparison.MinEffect > 0:
		return percent(1+r.Comparison.MinEffect) + " %"
	}
	return ""
}
