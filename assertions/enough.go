package assertions

import (
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// Enough returns the function for [latencytest.Plan.Enough] that ends a scenario as
// soon as none of the NoRegression gates among these can become a regression any
// more, which in a healthy build is after half of the requests. It raises no false
// alarm that would not be raised otherwise, and loses few true ones (see GATE in the
// documentation). Other gates have no say in it.
//
//	gates := []assertions.Gate{assertions.NoRegression(latencytest.TTFT)}
//	store := baseline.Dir(latencytest.Dir)
//	res := latencytest.Run(t, target, latencytest.Plan{…, Enough: assertions.Enough(store, gates...)})
//	assertions.Check(t, res, store, gates...)
//
// It never ends a run that is to become a part of the baseline.
func Enough(store baseline.Store, list ...Gate) func(*latencytest.Scenario, int) string {
	g, errs := collect(list)
	return func(soFar *latencytest.Scenario, planned int) string {
		settings, err := latencytest.ReadSettings()
		if len(errs) > 0 || err != nil || settings.Update || len(g.questions) == 0 {
			return "" // Check says what is wrong
		}
		if planned == 0 {
			planned = 2 * len(soFar.Samples)
		}
		if futile, err := baseline.Futile(soFar, planned, store, g.options, g.questions...); err != nil || !futile {
			return ""
		}
		return "no gate can become a regression any more"
	}
}
