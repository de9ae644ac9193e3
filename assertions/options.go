package assertions

import (
	"fmt"

	"github.com/latgate/latgate/baseline/stat"
)

// MinEffect sets the smallest slow-down that the check's NoRegression gates
// report, as a share: 0.15 is 15 %. The default is 0.10.
func MinEffect(share float64) Gate {
	return setting{"MinEffect", share, func(o *stat.Options) { o.MinEffect = share }}
}

// RuleOut sets the slow-down that a pass of the check's NoRegression gates
// excludes with 95 % confidence. The default is 0.20.
func RuleOut(share float64) Gate {
	return setting{"RuleOut", share, func(o *stat.Options) { o.RuleOut = share }}
}

// Alpha sets the chance of any false regression among the check's NoRegression
// gates. The default is 0.05.
func Alpha(chance float64) Gate {
	return setting{"Alpha", chance, func(o *stat.Options) { o.Alpha = chance }}
}

// Strict has the check's NoRegression gates report only slow-downs that are larger
// than MinEffect with 95 % confidence, and not just by estimate. It raises a tenth of
// the false alarms, and finds half of the true slow-downs of 20 %.
func Strict() Gate {
	return setting{"Strict", 0, func(o *stat.Options) { o.Strict = true }}
}

// SingleSession has the check's NoRegression gates decide on what has been measured,
// and measure nothing again. By default a scenario that seems to have moved is
// measured a second time, by a process of its own, before anything is said.
func SingleSession() Gate {
	return setting{"SingleSession", 0, func(o *stat.Options) { o.SingleSession = true }}
}

// A setting is what the function of that name returns; share is what it was given,
// if anything.
type setting struct {
	function string
	share    float64
	set      func(*stat.Options)
}

func (s setting) String() string {
	if s.isSwitch() {
		return s.function + "()"
	}
	return fmt.Sprintf("%s(%v)", s.function, s.share)
}

// isSwitch reports whether the setting has no value.
func (s setting) isSwitch() bool { return s.function == "Strict" || s.function == "SingleSession" }

func (s setting) addTo(g *gates) error {
	if !s.isSwitch() && !(s.share > 0) {
		return fmt.Errorf("want a positive share, such as 0.1 for 10 %%")
	}
	s.set(&g.options)
	return nil
}

// A Policy is what a NoRegression gate does that can neither rule a slow-down out nor
// prove one.
type Policy string

// The policies.
const (
	Warn  Policy = "warn"  // pass the test with a warning; the default
	Fail  Policy = "fail"  // fail it
	Rerun Policy = "rerun" // measure the scenario once more in a second session, then warn
)

// Inconclusive sets the check's policy.
func Inconclusive(p Policy) Gate { return inconclusive(p) }

type inconclusive Policy

func (p inconclusive) String() string { return fmt.Sprintf("Inconclusive(%s)", string(p)) }

func (p inconclusive) addTo(g *gates) error {
	switch Policy(p) {
	case Warn, Fail, Rerun:
		g.doubt = Policy(p)
		return nil
	}
	return fmt.Errorf("want Warn, Fail or Rerun")
}
