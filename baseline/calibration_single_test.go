package baseline_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/internal/simulation"
)

// What one comparison came to: on its first session, and where that made it a
// suspect (or promising), once it was confirmed.
const (
	regression          event = "regression"
	improved            event = "improved"
	pass                event = "pass"
	confirmedRegression event = "confirmed-regression"
	confirmedImproved   event = "confirmed-improved"
)

// A single is a comparison that is the whole family.
type single struct{ simulation.World }

func (c single) name() string {
	name := fmt.Sprintf("dist=%s/sd=%v/n=%d", c.Name, c.SessionSD, c.N)
	if c.StoredN > 0 {
		name += fmt.Sprintf("+%d", c.StoredN)
	}
	name += fmt.Sprintf("/k=%d", c.K)
	switch {
	case c.Tail:
		name += fmt.Sprintf("/tail=%v", c.Effect)
	case c.Effect > 0:
		name += fmt.Sprintf("/slower=%v", c.Effect)
	}
	return name
}

func (c single) draw(rng *rand.Rand) stat.Comparison {
	return stat.Comparison{
		Scenario: "chat", Metric: "ttft", Q: .9, Fresh: true,
		Baseline: c.Stored(rng), Candidate: [][]float64{c.Candidate(rng)},
	}
}

func (c single) measure(reps int) (tally, error) {
	return replicate(c.name(), reps, runtime.GOMAXPROCS(0), c.try)
}

// try judges one candidate. That it is a suspect is the same as a regression where
// one session is to decide.
func (c single) try(rng *rand.Rand, counted tally) error {
	comparison := c.draw(rng)
	first, err := judge(comparison, stat.Options{MinRuns: 1})
	if err != nil {
		return err
	}
	counted.note(regression, first.Suspect)
	counted.note(improved, first.Promising)
	counted.note(pass, first.Verdict == stat.Pass)
	otherGates(comparison.Candidate[0], comparison.Baseline, false, counted)
	if !first.Suspect && !first.Promising {
		return nil
	}
	comparison.Candidate = append(comparison.Candidate, c.Candidate(rng))
	both, err := judge(comparison, stat.Options{MinRuns: 1})
	if err != nil {
		return err
	}
	counted.note(confirmedRegression, both.Verdict == stat.Regression)
	counted.note(confirmedImproved, both.Verdict == stat.Improved)
	return nil
}

func judge(c stat.Comparison, o stat.Options) (stat.Result, error) {
	results, err := stat.Judge([]stat.Comparison{c}, o)
	if err != nil {
		return stat.Result{}, err
	}
	return results[0], nil
}

// bench measures a cell and reports its rates.
func (c single) bench(b *testing.B) (measured cell, ran bool) {
	b.Run(c.name(), func(b *testing.B) {
		reps := replications(b)
		var counted tally
		var err error
		for b.Loop() {
			counted, err = c.measure(reps)
		}
		require.NoError(b, err)
		for _, e := range []event{
			regression, improved, confirmedRegression, confirmedImproved, pass, naiveLast, naivePooled, benchstat,
		} {
			b.ReportMetric(counted.rate(e), string(e)+"%")
		}
		b.ReportMetric(0, "ns/op")
		ran, measured = true, cell{c.name(), counted, nil}
		if testing.Short() {
			return
		}
		measured.again = func() (tally, error) {
			return replicate(c.name()+"/again", 10*reps, runtime.GOMAXPROCS(0), c.try)
		}
	})
	return measured, ran
}

// calibrateSingle is A/A: every alarm is false.
func calibrateSingle(b *testing.B, s *sheet) {
	sizes, runs := []int{50, 100, 200, 500}, []int{1, 5, 10}
	if testing.Short() {
		sizes, runs = []int{50, 200}, []int{5}
	}
	varying := simulation.VaryingMixture(.05, 4, .3)
	varying.Name = "MIX5x4v"
	for _, d := range append(simulation.Distributions(), varying) {
		for _, sd := range []float64{0, .03, .05, .10} {
			for _, n := range sizes {
				for _, k := range runs {
					c := single{simulation.World{Distribution: d, SessionSD: sd, N: n, K: k}}
					if measured, ran := c.bench(b); ran {
						s.falseAlarms(c, measured)
					}
				}
			}
		}
	}
}

func rateOf(e event) func(tally) float64 {
	return func(t tally) float64 { return t.rate(e) }
}

func differenceOf(x, y event) func(tally) float64 {
	return func(t tally) float64 { return math.Abs(t.rate(x) - t.rate(y)) }
}

// falseAlarms enters a cell of A/A.
func (s *sheet) falseAlarms(c single, measured cell) {
	where, limit, confirmedLimit := "sd <= .05", 7.0, 4.0
	switch {
	case c.Name == "MIX5x4v" && (c.SessionSD == .10 || c.K == 1):
		return
	case c.Name == "MIX5x4v":
		where, limit, confirmedLimit = "share of slow requests varies, k >= 5", 10, 5.5
	case c.SessionSD == .10 && c.K == 1:
		s.most("6.2", "A/A, one session, sd .10, k 1", 15, measured, rateOf(regression))
		return
	case c.SessionSD == .10:
		where, limit, confirmedLimit = "sd .10, k >= 5", 10, 5.5
	}
	s.most("6.2", "A/A, one session, "+where, limit, measured, rateOf(regression))
	s.most("6.2", "A/A, confirmed, "+where, confirmedLimit, measured, rateOf(confirmedRegression))
	if strings.HasPrefix(c.Name, "MIX") {
		where = "mixtures, " + where
	}
	s.most("4", "improved and regression differ, one session, "+where, 2, measured, differenceOf(improved, regression))
	s.most("4", "improved and regression differ, confirmed, "+where, 2, measured, differenceOf(confirmedImproved, confirmedRegression))
	if c.Name == "LN.45" && c.N == 200 && c.K == 5 && c.SessionSD <= .03 {
		s.least("6.6", "A/A that pass, LN.45, n 200, k 5, sd <= .03", 80, measured, rateOf(pass))
	}
}

// calibratePower is a candidate that is slower.
func calibratePower(b *testing.B, s *sheet) {
	wanted := map[float64]map[string]float64{
		1.2: {"LN.30": 97, "LN.45": 84, "LN.60": 64, "MIX5x4": 50, "TIES": 89, "AR.3": 76, "AR.6": 56},
		1.3: {"LN.30": 97, "LN.45": 97, "LN.60": 90, "MIX5x4": 79},
	}
	for _, d := range simulation.Distributions() {
		for _, effect := range []float64{1.1, 1.2, 1.3, 1.5} {
			for _, sd := range []float64{0, .03, .05} {
				if testing.Short() && sd != .03 {
					continue
				}
				c := single{simulation.World{Distribution: d, SessionSD: sd, N: 200, K: 5, Effect: effect}}
				measured, ran := c.bench(b)
				if !ran {
					continue
				}
				if limit, ok := wanted[effect][d.Name]; ok && sd == 0 {
					s.least("6.3", fmt.Sprintf("power at +%.0f %%, %s, n 200, k 5, sd 0", 100*(effect-1), d.Name), limit, measured, rateOf(regression))
				}
				if effect == 1.2 && d.Name == "LN.45" {
					s.most("6.6", "+20 % that pass, LN.45, n 200, k 5, sd <= .05", 6, measured, rateOf(pass))
				}
			}
		}
	}
	lognormal := distribution("LN.45")
	for _, n := range []int{100, 200, 400} {
		for _, effect := range []float64{1.1, 1.2, 1.3, 1.5} {
			if testing.Short() && n != 200 {
				continue
			}
			c := single{simulation.World{Distribution: lognormal, SessionSD: .03, N: n, K: 5, Effect: effect, Tail: true}}
			if measured, ran := c.bench(b); ran && n == 200 && effect == 1.3 {
				s.least("6.3", "power at +30 % of the tail alone, LN.45, n 200, k 5, sd .03", 90, measured, rateOf(regression))
			}
		}
	}
}

// calibrateUnequal is A/A with a candidate that is shorter than the stored runs.
func calibrateUnequal(b *testing.B, s *sheet) {
	for _, d := range simulation.Distributions() {
		if testing.Short() && d.Name != "MIX5x4" {
			continue
		}
		for _, sd := range []float64{0, .03, .05} {
			c := single{simulation.World{Distribution: d, SessionSD: sd, N: 50, StoredN: 500, K: 5}}
			if measured, ran := c.bench(b); ran && d.Name == "MIX5x4" {
				s.most("6.7", "A/A, 50 against 5×500 on MIX5x4, sd <= .05", 9, measured, rateOf(regression))
			}
		}
	}
}

// distribution returns one of the distributions that the gate is calibrated on.
func distribution(name string) simulation.Distribution {
	all := simulation.Distributions()
	return all[slices.IndexFunc(all, func(d simulation.Distribution) bool { return d.Name == name })]
}

// The screen of the first session is the verdict of a gate that has no other.
func TestTheScreenIsTheVerdictOfOneSession(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[stat.Verdict]int{}
	for i := range 300 {
		c := single{simulation.World{Distribution: distribution("LN.30"), SessionSD: .03, N: 100, K: 5, Effect: []float64{.8, 1, 1.2}[i%3]}}.draw(rng)
		screened, err := judge(c, stat.Options{})
		require.NoError(t, err)
		decided, err := judge(c, stat.Options{SingleSession: true})
		require.NoError(t, err)
		assert.Equal(t, screened.Suspect, decided.Verdict == stat.Regression)
		assert.Equal(t, screened.Promising, decided.Verdict == stat.Improved)
		seen[decided.Verdict]++
	}
	assert.Greater(t, seen[stat.Regression], 30)
	assert.Greater(t, seen[stat.Improved], 30)
}
