// Package assertions states gates and fails tests that do not meet them.
//
//	assertions.Check(t, res, baseline.Dir(latencytest.Dir),
//		assertions.NoRegression(latencytest.TTFT, latencytest.P90),         // against stored runs
//		assertions.NoRegression(latencytest.OTPS, latencytest.P90),         // 90 % of requests are at least this fast
//		assertions.Below(latencytest.TTFT, latencytest.P99, 3*time.Second), // an absolute budget
//		assertions.ErrorRate(0.01),
//	)
//
// All NoRegression gates of one [Check] are one family: the chance of any false
// regression among them is 5 %, however many there are. The scenarios of an
// ErrorRate are another.
//
// # What a check can say
//
// pass, improved and accepted pass. A regression, an exceeded budget, a baseline
// that is missing in CI or was measured otherwise, and an endpoint that failed
// too often to be timed, fail. Inconclusive passes with a warning that says how
// many requests, sessions or stored runs would settle it: a gate that is red by
// chance is switched off within a month.
//
// On a laptop a missing baseline is created and announced; in CI (CI=true) it
// fails the test. -latgate.update with -latgate.reason adds the run to the
// baseline.
//
// # One-liners
//
// [AssertNoRegression], [AssertBelow], [AssertAtLeast] and [AssertErrorRate] take
// testify's TestingT, return a bool and format a message as testify does.
package assertions
