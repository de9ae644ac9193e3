package assertions

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A Gate is a condition, or a setting for the conditions beside it. The values
// are made by the functions of this package.
type Gate interface {
	fmt.Stringer
	addTo(*gates) error
	record() GateRecord
}

// gates are the conditions of one check, by kind.
type gates struct {
	questions []baseline.Question
	budgets   []budget
	rates     []errorRate
	shares    []slowShare
	calls     []calls
	options   stat.Options
	doubt     Policy
}

// collect sorts gates by kind; it returns what is wrong with each of them.
func collect(list []Gate) (gates, []error) {
	g := gates{doubt: Warn}
	var errs []error
	for _, gate := range list {
		if gate == nil {
			errs = append(errs, errors.New("a gate is nil"))
			continue
		}
		if err := gate.addTo(&g); err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", gate, err))
		}
	}
	if len(g.questions)+len(g.budgets)+len(g.rates)+len(g.shares)+len(g.calls) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("a check without a condition would pass whatever happens: state at least one, such as assertions.NoRegression(latencytest.TTFT)"))
	}
	return g, errs
}

// NoRegression demands that no quantile got worse against the stored runs, by
// the statistical test of package baseline. Without quantiles P50 and P90 are
// meant: the median sees a shift of all requests with half as many of them.
func NoRegression(m latencytest.Metric, quantiles ...latencytest.Quantile) Gate {
	if len(quantiles) == 0 {
		quantiles = []latencytest.Quantile{latencytest.P50, latencytest.P90}
	}
	return regression{m, quantiles}
}

type regression struct {
	metric    latencytest.Metric
	quantiles []latencytest.Quantile
}

func (r regression) String() string {
	return fmt.Sprintf("NoRegression(%v, %v)", r.metric, r.quantiles)
}

func (r regression) addTo(g *gates) error {
	for _, q := range r.quantiles {
		if err := validQuantile(q); err != nil {
			return err
		}
		g.questions = append(g.questions, baseline.Question{Metric: r.metric, Quantile: q})
	}
	return nil
}

func validQuantile(q latencytest.Quantile) error {
	if !(q > 0 && q < 1) {
		return fmt.Errorf("a quantile is between 0 and 1, such as latencytest.P90, got %v", float64(q))
	}
	return nil
}

// Below demands that a quantile of a time is at most limit. It fails only when
// the quantile is beyond the limit with 95 % confidence.
func Below(m latencytest.Metric, q latencytest.Quantile, limit time.Duration) Gate {
	return budget{"Below", m, q, float64(limit), m.IsTime() && !m.HigherIsBetter()}
}

// AtLeast demands that 90 % of requests (for P90) reach at least limit, in the
// metric's own unit: tokens per second for OTPS.
func AtLeast(m latencytest.Metric, q latencytest.Quantile, limit float64) Gate {
	return budget{"AtLeast", m, q, limit, m.HigherIsBetter()}
}

// A budget is an absolute limit; fits says whether the metric suits its function.
type budget struct {
	name   string
	metric latencytest.Metric
	q      latencytest.Quantile
	limit  float64
	fits   bool
}

func (b budget) String() string {
	return fmt.Sprintf("%s(%v, %v, %s)", b.name, b.metric, b.q, b.metric.Format(b.limit))
}

func (b budget) addTo(g *gates) error {
	if err := validQuantile(b.q); err != nil {
		return err
	}
	if !b.fits {
		return fmt.Errorf("Below is for times, AtLeast for metrics where higher is better")
	}
	if !(b.limit > 0 && b.limit <= math.MaxFloat64) {
		return fmt.Errorf("the limit must be positive and finite")
	}
	g.budgets = append(g.budgets, b)
	return nil
}

// ErrorRate demands that the share of failed requests is at most limit (0.01 is
// 1 %), and not above that of the stored runs, where there are any. Both fail
// only with 95 % confidence.
func ErrorRate(limit float64) Gate { return errorRate(limit) }

type errorRate float64

func (e errorRate) String() string { return fmt.Sprintf("ErrorRate(%.3g %%)", 100*float64(e)) }

func (e errorRate) addTo(g *gates) error {
	if !(e >= 0 && e < 1) {
		return fmt.Errorf("a rate is a share from 0 to below 1, got %v", float64(e))
	}
	g.rates = append(g.rates, e)
	return nil
}
