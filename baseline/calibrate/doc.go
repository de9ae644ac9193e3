/*
Package calibrate measures how much an endpoint varies although nothing has changed, and
what a gate needs to see through that. It compares sessions: runs of one plan against
one endpoint, at different times.

	report, err := calibrate.Of(results, []baseline.Question{{Metric: latencytest.TTFT, Quantile: latencytest.P90}}, stat.Options{})
	…
	for _, n := range report.Noise {
		floor, _, _ := n.Floor(calibrate.Design{})
		need := n.Needs(.20, calibrate.Design{})
		fmt.Println(n.Scenario, n.Question, n.SD, floor, need.Requests)
	}

# Two kinds of noise

The quantile of a session is off because its requests are few, by [Noise].RequestSD,
which falls with their number; and because whole sessions are slow or fast, by
[Noise].SD, which does not. So there is a floor: with k stored runs and r sessions of a
build, requests without limit see a slow-down of

	exp(√8.56 · SD · √(1/r + 1/k)) − 1

in nine builds of ten. Against 5 stored runs that is 10 % where sessions differ by 3 %,
17 % at 5 % and 38 % at 10 %. [Noise.Check] refuses a tolerance below it. Above it,
[Noise.Needs] says how many requests, sessions or stored runs do.

# How well it is known

Few sessions say little. The 90 % interval of the SD is that of a variance with k−1
degrees of freedom: of 8 sessions it reaches from 0.7 to 1.8 times the estimate where
requests add little, and of 5 from 0.65 to 2.4 times. By BenchmarkCalibrate the
intervals hold the truth in 86 to 93 % of cases (in 97 % and more where there is no
noise between sessions), over 5 to 20 sessions, an SD of 3 to 10 % and lognormal
requests of σ .2 and .45. The SD is a little too low where the noise of requests is
larger, by a sixth at worst in those cells: the gate's own variance of a request, which
is taken off, is on the careful side.

Sessions that follow one another in an afternoon share its weather, and those of one
process share even more. Measure them hours and days apart.

# False alarms

[Noise].Alarms and [Report].Builds count what the gate does with these sessions, each
judged against the others as if it were a build. There are as many such comparisons as
sessions, and no way of drawing from them makes more: of eight sessions without an alarm
the rate may still be 31 %. The counts show a gate that is badly off; that it is well
calibrated was measured in package stat.
*/
package calibrate
