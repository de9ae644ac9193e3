package history

import "math"

// An outlier is a run that lies away from those before it and from those after it,
// on the same side of both. A step differs: its first run lies on the level of those
// after it. Outliers are set aside before levels are looked for, since a mean of three
// runs, one of which is twice as slow, is not the level of any.

// far is how many standard deviations are away.
const far = 4.5

// neighbours is how many runs on each side are asked; their median outvotes one more
// outlier among them.
const neighbours = 3

// setAside splits the indices of y into those that levels are made of, those that are
// outliers, and the last one or two runs that have left their level together: what
// becomes of these the next runs will show. Where too few would be left for a step,
// nothing is set aside. sd is the noise of a run.
func setAside(y []float64, sd float64) (kept, outliers, pending []int) {
	n := len(y)
	defer func() {
		if len(kept) < MinRuns {
			kept, outliers, pending = indices(n), nil, nil
		}
	}()
	end := n - unsettled(y, sd)
	for i := range end {
		switch {
		case i == 0:
			// There is nothing before the first run. It is an outlier where the
			// next one already is on the level that it has left.
			level := middle(y[1:min(end, 1+neighbours)])
			if math.Abs(y[0]-level) > far*sd && math.Abs(y[1]-level) <= far*sd {
				outliers = append(outliers, i)
				continue
			}
		case i < n-1:
			before := y[i] - middle(y[max(0, i-neighbours):i])
			after := y[i] - middle(y[i+1:min(n, i+1+neighbours)])
			if before*after > 0 && min(math.Abs(before), math.Abs(after)) > far*sd {
				outliers = append(outliers, i)
				continue
			}
		}
		kept = append(kept, i)
	}
	for i := end; i < n; i++ {
		pending = append(pending, i)
	}
	return kept, outliers, pending
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// unsettled returns how many runs at the end, 0 to 2, have left the level of those
// before in one direction. Three are enough for a step.
func unsettled(y []float64, sd float64) int {
	for tail := 1; tail < held; tail++ {
		start := len(y) - tail
		if start < neighbours {
			break
		}
		level := middle(y[start-neighbours : start])
		above, below := 0, 0
		for _, v := range y[start:] {
			if v-level > far*sd {
				above++
			}
			if level-v > far*sd {
				below++
			}
		}
		// Where the run before the tail has left as well, the tail is longer.
		if max(above, below) == tail && math.Abs(y[start-1]-level) <= far*sd {
			return tail
		}
	}
	return 0
}

// quietest is the least noise that is reckoned with: recordings that are replayed have
// none at all, and a tenth of a percent concerns nobody.
const quietest = 1e-3

// noise returns the standard deviation of a run from the differences between one run
// and the next, whose median no step and few outliers move: med|Δy| / (.6745·√2). It
// is at least what the requests of the runs tell.
func noise(points []Point) float64 {
	y := valuesOf(points)
	steps := make([]float64, 0, len(y))
	within := 0.0
	for i, p := range points {
		if i > 0 {
			steps = append(steps, math.Abs(y[i]-y[i-1]))
		}
		within += p.Variance / float64(len(points))
	}
	return max(middle(steps)/(.6745*math.Sqrt2), math.Sqrt(within), quietest)
}
