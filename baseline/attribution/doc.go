/*
Package attribution says what moved a latency: which phase of the requests, whether
all of them or only the slow ones, which prompts, and what else is different about
the two runs.

	a, err := attribution.Explain(candidate, stored, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
	fmt.Println(a)

prints, where the server takes longer to answer,

	phase:    wait for the first byte +187 ms (101 %): P50 400 → 557 ms, P90 464 → 650 ms
	shape:    the median and the tail moved: P50 +30 % [+24, +37], P90 +31 % [+25, +38]
	prompts:  spread over the 4 prompts
	differs:  commit 4f1c2ab → 9d03e77

Phase, shape and prompts are of the quantile that was asked for. Intervals are those
of the gate, package stat. The candidate is [baseline.NewRun] of the scenario that was
measured, before it is stored.

# How a shift is divided

The time of a request is a sum of phases: retries, earlier calls, connection, sending,
wait for the first byte, first byte to first token; and of its stream tokens × time per
token, and the stall. A quantile of the sum is no sum of quantiles. So a [Part] is
what its phase alone does to the quantile: the stored run's times of that phase are
replaced by the candidate's, the fastest by the fastest and so on, and the quantile is
taken again. Where the order of such replacements matters, a part is the mean over an
order and its reverse, and over replacements in either run: the phases' Shapley values,
as far as they interact by twos. Replacing all phases does not replace which requests
are slow in several of them at once; what that accounts for is the part [Coincidence].
The parts add up to the shift, their shares to 1. A share beyond 1 has others below 0
beside it.

Comparing the requests around the quantile instead, phase by phase, is as exact a
sum. But those requests change with the fault: they then are the ones that it hit
hardest, and quicker in all other phases. In this package's tests the phase at fault
gets 112 to 123 % of the shift that way, with a scatter of 15 to 20 points, and 100 to
106 % with 12 to 14 points this way.

Noise is what the same computation finds between stored runs. A phase is [Named] that
has half of the shift or more, differs from 0 by more than noise, and has no other near
it. Without one the finding is [Unclear]; where the quantile itself did not move, it
is [Unmoved].

# What the phases mean

Retries are the time from a failed attempt to its repetition, whoever made it.
EarlierCalls is what is left of the time before the last call began: a model call more
is found there, and so is the application's own work between calls.

CacheMisses and InputTokens take from the waits what the tokens cost that the server
had to read anew, where the cached share of the input, or its length, changed by 5 % or
more. What a token costs is seen among the requests of a run. A cache that works in
all of one run and in none of the other shows no such cost; then all of the
longer wait is put down to it, and Unknown says so.

A stall is what the longest gap of a stream has more than the mean of its others, so
the second of two equal stalls counts as decode speed. For a speed all parts are times
per token, in which more is worse.

# What it cannot see

A phase that moved is no cause. Differences lists what is no part of the key and yet
differs from every stored run (commit, Go version, CPUs, served model and profile,
new or reused connections); that it differs proves nothing either.

The smallest shifts are named least: at 80 requests and five stored runs a shift of a
sixth of the P90 is often within the noise, and is then called so, rather than
something else.
*/
package attribution
