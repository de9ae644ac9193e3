package history

import (
	"math"
	"slices"
)

// A Step is a change of level that held.
type Step struct {
	Last  Point // the last run of the level before
	First Point // the first run of the level after: what came between them caused the step

	RunsBefore, RunsAfter int // of the two levels, without outliers

	// Before and After are the two levels in the unit of the metric, the geometric
	// means of their runs.
	Before, After float64

	// Ratio is After/Before, and Low to High its 90 % interval. The interval is that
	// of a step whose place is known; the search for it makes it a little too narrow.
	Ratio, Low, High float64

	// P is the chance that a series of this length without a change shows such a step
	// anywhere.
	P float64

	// Worse reports whether the change was for the worse.
	Worse bool
}

// An Outlier is a run away from those before and after it, and no step.
type Outlier struct {
	Run   Point
	Ratio float64 // to the level around it
}

// A Pending change is in the last one or two runs: too few to call it a step.
type Pending struct {
	Last  Point // the last run on the level
	First Point // the first run away from it
	Runs  int
	Ratio float64 // to the level before
	Worse bool
}

// levels are the levels of a series, as they are looked for.
type levels struct {
	points []Point // those kept
	place  []int   // of each in the whole series
	sums   sums
	starts []int   // of each level but the first
	floor  float64 // of the variance
}

func newLevels(all []Point, kept []int) *levels {
	l := &levels{place: kept, floor: quietest * quietest}
	within := 0.0
	for _, i := range kept {
		l.points = append(l.points, all[i])
		within += all[i].Variance / float64(len(kept))
	}
	l.floor = max(l.floor, within)
	l.sums = newSums(valuesOf(l.points))
	return l
}

// bounds returns where levels start and end.
func (l *levels) bounds() []int {
	return slices.Concat([]int{0}, l.starts, []int{len(l.points)})
}

// freedom is the degrees of freedom of the variance.
func (l *levels) freedom() int { return len(l.points) - len(l.starts) - 1 }

// variance returns that of a run around its level, over all levels. It is at least
// what the requests of the runs make.
func (l *levels) variance() float64 {
	squares, bounds := 0.0, l.bounds()
	for i, end := range bounds[1:] {
		squares += l.sums.spread(bounds[i], end)
	}
	return max(squares/float64(l.freedom()), l.floor)
}

// change returns the log ratio at the i-th start, and its standard error.
func (l *levels) change(i int) (d, se float64) {
	b := l.bounds()
	before, after := float64(b[i+1]-b[i]), float64(b[i+2]-b[i+1])
	d = l.sums.mean(b[i+1], b[i+2]) - l.sums.mean(b[i], b[i+1])
	return d, math.Sqrt(l.variance() * (1/before + 1/after))
}

// p returns the two-sided p-value of the i-th start by Student's t, adjusted for the
// places at which a step could have been found (Šidák, "Rectangular confidence regions
// for the means of multivariate normal distributions", 1967): 1 − (1−p)ᵐ, m = n − 4.
func (l *levels) p(i int) float64 {
	d, se := l.change(i)
	places := float64(len(l.points) - MinRuns + 1)
	return -math.Expm1(places * math.Log1p(-bothTails(d/se, l.freedom())))
}

// merge joins levels until each step is significant and large enough: the least
// significant goes first and, once all are, the smallest (the second half of Hunter's
// algorithm). Each time the tests of those that stay are made anew.
func (l *levels) merge(o Options) {
	for len(l.starts) > 0 {
		weakest, smallest := 0, 0
		for i := range l.starts {
			if l.p(i) > l.p(weakest) {
				weakest = i
			}
			if l.size(i) < l.size(smallest) {
				smallest = i
			}
		}
		switch {
		case l.p(weakest) > o.Alpha:
			l.starts = slices.Delete(l.starts, weakest, weakest+1)
		case l.size(smallest) < math.Log1p(o.MinEffect):
			l.starts = slices.Delete(l.starts, smallest, smallest+1)
		default:
			return
		}
	}
}

func (l *levels) size(i int) float64 {
	d, _ := l.change(i)
	return math.Abs(d)
}

// outside is what the 90 % intervals leave out, as those of a comparison do.
const outside = .10

func (l *levels) steps(s *Series) []Step {
	var steps []Step
	b := l.bounds()
	for i, start := range l.starts {
		d, se := l.change(i)
		margin := twoSided(outside, l.freedom()) * se
		steps = append(steps, Step{
			Last: l.points[start-1], First: l.points[start],
			RunsBefore: start - b[i], RunsAfter: b[i+2] - start,
			Before: math.Exp(l.sums.mean(b[i], start)), After: math.Exp(l.sums.mean(start, b[i+2])),
			Ratio: math.Exp(d), Low: math.Exp(d - margin), High: math.Exp(d + margin),
			P: l.p(i), Worse: s.direction()*d > 0,
		})
	}
	return steps
}

// around returns the level on which the run at a place of the whole series would have
// been.
func (l *levels) around(place int) float64 {
	b := l.bounds()
	for i := len(b) - 2; i > 0; i-- {
		if l.place[b[i]] <= place {
			return l.sums.mean(b[i], b[i+1])
		}
	}
	return l.sums.mean(b[0], b[1])
}

func (l *levels) pending(s *Series, all []Point, places []int) *Pending {
	if len(places) == 0 {
		return nil
	}
	away := 0.0
	for _, i := range places {
		away += (all[i].Value - l.around(i)) / float64(len(places))
	}
	return &Pending{
		Last: l.points[len(l.points)-1], First: all[places[0]], Runs: len(places),
		Ratio: math.Exp(away), Worse: s.direction()*away > 0,
	}
}
