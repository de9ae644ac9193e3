/*
Package stat is the statistics of the gate: from the latencies of a candidate and of
stored baseline runs to a verdict. It does no I/O, draws no random numbers and reads
no clock: the same samples give the same verdict, bit for bit (between processor
architectures, up to how they round).

# From samples to a verdict

One request is one sample; one run (a session) is one execution of a scenario. A
[Comparison] asks whether one quantile of one metric of one scenario has become
worse. [Judge] answers all comparisons of a build at once:

  - Every run is reduced to its Harrell-Davis quantile of y = ln x (−ln x where higher
    is better, so that larger is always worse) and to the variance of that, the larger
    of a delete-1 and a delete-block jackknife. All runs of a comparison use the kernel
    of the shortest.
  - The error term is the run, not the request. Whole runs shift by some percent
    between sessions, and no number of requests averages that out. The variance between
    stored runs, steadied by the other scenarios of the same metric and by a prior, is
    part of the standard error of D, the log ratio.
  - D/se is compared with Student's t. Over all comparisons of the build the p-values
    are adjusted by Holm's step-down.

There are three answers, and the third matters as much as the others:

  - [Regression]: significant in the whole build, and worse by MinEffect (10 %) or more.
    [Improved] is the mirror image.
  - [Pass]: the upper bound of the ratio excludes RuleOut (20 %).
  - [Inconclusive]: anything else. The reason says how many requests, sessions or
    stored runs would settle it.

# Confirmation

By default no single session makes a regression. A comparison that looks worse comes
back as a Suspect; its scenario is measured once more in a fresh session and judged
with both. This is the best use of additional requests there is: in a build of nine
comparisons it finds a slow-down of 20 % in 74 % of cases instead of 44 %, for 7 %
more requests. A whole gate is

	results, err := stat.Judge(family, options)
	…
	for i, r := range results {
		if r.Suspect {
			family[i].Candidate = append(family[i].Candidate, measureAgain(r.Scenario))
			family[i].Fresh = true
		}
	}
	results, err = stat.Judge(family, options)

A scenario measured again is measured for all its metrics; giving each of them the
second session is right. [Futile] says at an early look whether a candidate can still
become a suspect; most builds are healthy, and stop at half of their requests.

# Two sides in one session

Two endpoints or two builds that take turns, in blocks A B B A, share their session.
[JudgePaired] compares them without stored runs and without a confirmation: what
shifts both cancels, so that D varies by its requests and by what single turns have
in common, and by nothing else. With 300 requests of each side (σ .45) and 20 pairs it
finds a slow-down of 20 % of a P90 in 86 % of cases and raises 3 % false alarms,
whether blocks shift by 10 % or the session drifts by 30 % from beginning to end.

# What cannot be had

A ratio of 1.1 between P90s is out of reach against stored baselines once whole runs
shift by 3 %, and 30 requests see only slow-downs of about 50 %. Result.Detectable is
the smallest slow-down that a comparison would have flagged.

[Budget] compares one run with an absolute limit, and [Fisher] the numbers of failed
requests.
*/
package stat
