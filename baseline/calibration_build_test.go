package baseline_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/internal/simulation"
)

// What a whole build came to, with all its requests and stopped early.
const (
	red              event = "red"      // any regression
	flagged          event = "flagged"  // the comparison that is slower is a regression
	requests         event = "requests" // counts them, those of second sessions too
	earlyRed         event = "early-red"
	earlyFlagged     event = "early-flagged"
	earlyRequests    event = "early-requests"
	naiveRed         event = "naive-red" // P90 × 1.10 over the last stored run
	naiveFlagged     event = "naive-flagged"
	benchstatRed     event = "benchstat-red"
	benchstatFlagged event = "benchstat-flagged"
)

// builds are of some scenarios with three metrics each, all gated at P90.
type builds struct{ simulation.Build }

func (c builds) name() string {
	name := fmt.Sprintf("m=%d/sd=%v/n=%d/k=%d", c.Scenarios*len(simulation.Metrics), c.SessionSD, c.N, c.K)
	if c.Effect > 0 {
		name += fmt.Sprintf("/slower=%v", c.Effect)
	}
	return name
}

func (c builds) measure(reps int) (tally, error) {
	return replicate(c.name(), reps, runtime.GOMAXPROCS(0), c.try)
}

// plan is how many requests were made, in percent of the plan.
func (c builds) plan(counted tally, e event) float64 {
	return counted.rate(e) / float64(c.Scenarios*c.N)
}

// A family is the comparisons of a build; those of one scenario are neighbours.
type family []stat.Comparison

func (f family) scenario(s int) family {
	return f[s*len(simulation.Metrics):][:len(simulation.Metrics)]
}

// try judges one build twice: with all requests, and cut where an early look sees no
// use in going on. A scenario that is measured again has the same second session in
// both.
func (c builds) try(rng *rand.Rand, counted tally) error {
	whole := c.draw(rng)
	second := make([]simulation.Session, c.Scenarios)
	for s := range second {
		second[s] = c.Candidate(rng, s)
	}
	cut := slices.Clone(whole)
	otherFamily(whole, counted)

	measured, err := c.stop(cut)
	if err != nil {
		return err
	}
	early, again, err := c.decide(cut, second)
	if err != nil {
		return err
	}
	counted.note(earlyRed, slices.ContainsFunc(early, isRegression))
	counted.note(earlyFlagged, isRegression(early[0]))
	counted.events[earlyRequests] += measured + again

	results, again, err := c.decide(whole, second)
	if err != nil {
		return err
	}
	counted.note(red, slices.ContainsFunc(results, isRegression))
	counted.note(flagged, isRegression(results[0]))
	counted.events[requests] += c.Scenarios*c.N + again
	return nil
}

func isRegression(r stat.Result) bool { return r.Verdict == stat.Regression }

// draw draws the stored runs and the first session of every scenario.
func (c builds) draw(rng *rand.Rand) family {
	var all family
	for s := range c.Scenarios {
		for _, m := range simulation.Metrics {
			all = append(all, stat.Comparison{
				Scenario: fmt.Sprint("scenario ", s), Metric: m.Name, Q: .9, HigherIsBetter: m.HigherIsBetter, Fresh: true,
			})
		}
		scenario := all.scenario(s)
		for range c.K {
			for i, values := range c.Stored(rng) {
				scenario[i].Baseline = append(scenario[i].Baseline, values)
			}
		}
		for i, values := range c.Candidate(rng, s) {
			scenario[i].Candidate = [][]float64{values}
		}
	}
	return all
}

// decide judges a build, measures the scenarios with a suspect again, and judges it
// with both sessions. It returns how many requests were added.
func (c builds) decide(all family, second []simulation.Session) ([]stat.Result, int, error) {
	results, err := stat.Judge(all, stat.Options{})
	added := 0
	for s := 0; err == nil && s < c.Scenarios; s++ {
		first := s * len(simulation.Metrics)
		if !slices.ContainsFunc(results[first:first+len(simulation.Metrics)], func(r stat.Result) bool { return r.Suspect }) {
			continue
		}
		scenario := all.scenario(s)
		for i, values := range second[s] {
			scenario[i].Candidate = append(scenario[i].Candidate[:1:1], values)
		}
		added += c.N
	}
	if added > 0 {
		results, err = stat.Judge(all, stat.Options{})
	}
	return results, added, err
}

// stop cuts the candidate of each scenario at the first look that finds no use in
// going on: after 50, 100, 200 … requests of its own, as a run that is under way
// would. It returns how many requests are left.
func (c builds) stop(all family) (int, error) {
	left := 0
	for s := range c.Scenarios {
		scenario := all.scenario(s)
		n := 50
		for ; n < c.N; n *= 2 {
			look := slices.Clone(scenario)
			cutAt(look, n)
			results, err := stat.Judge(look, stat.Options{})
			if err != nil {
				return 0, err
			}
			if stat.Futile(results, c.N) {
				break
			}
		}
		n = min(n, c.N)
		cutAt(scenario, n)
		left += n
	}
	return left, nil
}

func cutAt(scenario family, n int) {
	for i := range scenario {
		scenario[i].Candidate = [][]float64{scenario[i].Candidate[0][:n]}
	}
}

// otherFamily is the same build under gates that know no family: any of its
// comparisons makes it red.
func otherFamily(all family, counted tally) {
	naiveAny, benchstatAny := false, false
	for i, c := range all {
		one := tally{1, map[event]int{}}
		otherGates(c.Candidate[0], c.Baseline, c.HigherIsBetter, one)
		naiveAny = naiveAny || one.events[naiveLast] > 0
		benchstatAny = benchstatAny || one.events[benchstat] > 0
		if i == 0 {
			counted.note(naiveFlagged, naiveAny)
			counted.note(benchstatFlagged, benchstatAny)
		}
	}
	counted.note(naiveRed, naiveAny)
	counted.note(benchstatRed, benchstatAny)
}

func calibrateBuilds(b *testing.B, s *sheet) {
	scenarios, requests := []int{3, 10}, []int{200, 400}
	if testing.Short() {
		scenarios, requests = scenarios[:1], requests[:1]
	}
	for _, scenarios := range scenarios {
		for _, n := range requests {
			for _, sd := range []float64{0, .03, .05, .10} {
				for _, effect := range []float64{0, 1.2, 1.3} {
					if sd != .03 && (n > 200 || effect > 0 || testing.Short()) || n > 200 && effect == 1.3 {
						continue
					}
					c := builds{simulation.Build{Scenarios: scenarios, SessionSD: sd, N: n, K: 5, Effect: effect}}
					if measured, ran := c.bench(b); ran {
						s.build(c, measured)
					}
				}
			}
		}
	}
}

// bench measures a cell and reports its rates.
func (c builds) bench(b *testing.B) (measured cell, ran bool) {
	b.Run(c.name(), func(b *testing.B) {
		var counted tally
		var err error
		for b.Loop() {
			counted, err = c.measure(replications(b))
		}
		require.NoError(b, err)
		ran, measured = true, cell{c.name(), counted, nil}
		shown := []event{red, earlyRed, naiveRed, benchstatRed}
		if c.Effect > 0 {
			shown = []event{flagged, earlyFlagged, naiveFlagged, benchstatFlagged}
		}
		for _, e := range shown {
			b.ReportMetric(counted.rate(e), string(e)+"%")
		}
		for _, e := range []event{requests, earlyRequests} {
			b.ReportMetric(c.plan(counted, e), string(e)+"%")
		}
		b.ReportMetric(0, "ns/op")
	})
	return measured, ran
}

// build enters a cell.
func (s *sheet) build(c builds, measured cell) {
	m := c.Scenarios * len(simulation.Metrics)
	switch {
	case c.Effect == 0 && c.SessionSD == .10:
		s.most("6.4", fmt.Sprintf("red builds, m %d, sd .10", m), 6, measured, rateOf(red))
		s.most("6.4", fmt.Sprintf("red builds stopped early, m %d, sd .10", m), 6, measured, rateOf(earlyRed))
	case c.Effect == 0:
		s.most("6.4", fmt.Sprintf("red builds, m %d, sd <= .05", m), 5, measured, rateOf(red))
		s.most("6.4", fmt.Sprintf("red builds stopped early, m %d, sd <= .05", m), 5, measured, rateOf(earlyRed))
	default:
		s.most("6.5", fmt.Sprintf("power lost by stopping early, points, m %d", m), 4, measured, func(t tally) float64 {
			return t.rate(flagged) - t.rate(earlyFlagged)
		})
	}
	made := func(t tally) float64 { return c.plan(t, earlyRequests) }
	switch {
	case c.SessionSD != .03:
	case c.Effect == 0 && c.N == 200:
		s.most("6.5", fmt.Sprintf("requests of an A/A build, %% of 200, m %d, sd .03", m), 70, measured, made)
	case c.Effect == 0 && c.N == 400:
		s.most("6.5", fmt.Sprintf("requests of an A/A build, %% of 400, m %d, sd .03", m), 55, measured, made)
	case c.Effect == 1.3 && c.N == 200:
		s.least("6.4", fmt.Sprintf("power at +30 %%, n 200, m %d, sd .03", m), 94, measured, rateOf(flagged))
	case c.Effect == 1.2 && c.N == 400 && m == 9:
		s.least("6.4", "power at +20 %, n 400, m 9, sd .03", 88, measured, rateOf(flagged))
	}
}
