/*
Package history looks for changes in the runs of weeks and months: steps that no gate
stopped, with the commits between which they came, and creep that was made of steps
too small for any gate. It judges nothing that is being built: it is for the nightly
job, which opens an issue.

A [Series] is one quantile of one metric over runs of one key, accepted or nightly:

	s, err := history.NewSeries(baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}, runs, pinned)
	…
	report, err := history.Analyze(s, history.Options{})
	for _, step := range report.Steps {
		fmt.Println(step.First.Time, step.First.Commit, step.Ratio)
	}

# Steps

The method follows Hunter, now Apache Otava (Fleming and others, "Hunter: Using Change
Point Detection to Hunt for Performance Regressions", 2023): many candidates are found
first and joined until each that is left is significant by a t-test and large enough.
It draws no random numbers, so that the same runs give the same report. It differs in
four places:

  - Candidates are the levels of the best partition of the whole series, not those of
    E-divisive means, which splits in two again and again and can miss a rise and a
    fall of the same size.
  - The p-value counts the places at which a step might have been found. At alpha .01,
    about one flat series in a hundred shows a step, whatever its length.
  - A run that lies away from those before and after it is an outlier, and in no level.
    A new level needs three runs: the last one or two that have left the old one are
    [Pending].
  - The noise is never taken for less than the requests of the runs make.

# What it sees

Measured by BenchmarkHistory, with the defaults, for normal noise of the log quantile
from run to run. A flat series of 5 to 100 runs shows a step in 0.4 to 0.7 % of cases
at a noise of 3 %, in 0.8 to 1.3 % at one of 5 % and in 0.9 to 1.4 % at one of 10 %. A
step is found, and as the only one placed at its run or one beside it, in

	                             noise 3 %      noise 5 %
	+10 %, 10 runs before it     99.6, 97 %     67, 56 %
	   and 10 from it on
	+10 %, 15 and 5                97, 94 %     47, 40 %
	+10 %, 50 and 50              100, 98 %    100, 83 %
	+20 %, 10 and 10              100, 99 %    100, 98 %
	+20 %, 17 and 3                94, 93 %     89, 88 %
	+20 %, 7 and 3                 95, 95 %     66, 65 %

of cases. A single run that is twice as slow makes a step as rarely as none does. Two in
a row that are 50 % slower do in 5 % of cases at a noise of 5 %. Two in a row that are
hardly further away than noise reaches (15 % slower at a noise of 3 %) do in 15 to 20 %,
and one such run in 1 to 5 %: most where it is the second of all. The 90 % interval of a step
that is placed so holds the truth in 86 to 94 %.

The figures are those of runs that are independent of one another. Where a slow night
makes the next one likely to be slow, its weather looks like steps: with a correlation
of .3 between neighbours a flat series of 40 shows one in 12 % of cases, with .6 in
54 %. Runs at different times of day are worth more than runs one after the other.

# Creep

[Drift] compares the present level with the pinned anchor, or with the first level where
there is none. Steps beyond the tolerance (20 %) are taken out of it: a gate sees those.
Of ten steps of +4 % none is beyond it, and together they are +48 %: that is creep, and
seen in 99 % of cases at a noise of 5 %. A flat series shows creep in 0.01 % or fewer at
5 %, and in 0.4 % at 10 %. The test of Mann and Kendall and the
median slope say whether it goes on.
*/
package history
