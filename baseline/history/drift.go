package history

import (
	"math"
	"time"
)

// A Drift is how far the present level has come from the anchor or, without one, from
// the first level.
//
// Steps that are beyond the tolerance by themselves are taken out of it: a gate sees
// them, and they are reported as what they are. What is left is made of steps each too
// small to be stopped, ten of +4 % for instance.
type Drift struct {
	Anchored bool      // from the pinned run
	Since    time.Time // that of the run, or of the first ones, compared with
	Runs     int       // of the present level that are compared with it

	// From and To are the two levels in the unit of the metric.
	From, To float64

	// Total is To/From. Ratio is what is left of it without the steps that are beyond
	// the tolerance, and Low to High is its 90 % interval.
	Total, Ratio, Low, High float64

	// P is the two-sided p-value of Ratio by Student's t.
	P float64

	// Slope is the change in 30 days of what is left, less 1: 0.05 is +5 %. It is 0
	// where the runs are of one day. TrendP is the two-sided p-value of there being
	// a trend.
	Slope, TrendP float64

	Worse bool

	// Creep reports whether the drift is significant and beyond the tolerance.
	Creep bool
}

// present is how many runs, at most, the present level is made of: a level that goes
// on creeping is where its last runs are.
const present = 5

// drift compares the present with the anchor or the first level. It is a contrast of
// the runs, D = Σ cᵢyᵢ, less the anchor: cᵢ is 1/m for the m present runs, and each step
// that is taken out has −1/n for the runs after it and +1/n for those before. Its
// variance is σ²Σc², and σ² more for the session of the anchor.
func (l *levels) drift(s *Series, o Options) *Drift {
	n, b := len(l.points), l.bounds()
	contrast := make([]float64, n)
	add := func(from, to int, weight float64) {
		for i := from; i < to; i++ {
			contrast[i] += weight / float64(to-from)
		}
	}
	from := max(b[len(b)-2], n-present)
	add(from, n, 1)
	d := &Drift{Anchored: s.Anchor != nil, Runs: n - from, To: math.Exp(l.sums.mean(from, n))}

	sigma2 := l.variance()
	variance, origin := 0.0, 0.0
	if a := s.Anchor; a != nil {
		d.Since, origin = a.Time, a.Value
		variance = max(sigma2, a.Variance)
	} else {
		to := min(b[1], present)
		d.Since, origin = l.points[0].Time, l.sums.mean(0, to)
		add(0, to, -1)
	}
	d.From = math.Exp(origin)

	// What is left at each run, and of the whole.
	rest := valuesOf(l.points)
	for i, start := range l.starts {
		step, _ := l.change(i)
		if math.Abs(step) < math.Log1p(o.Tolerance) {
			continue
		}
		for j := start; j < n; j++ {
			rest[j] -= step
		}
		if s.Anchor == nil || l.points[start].Time.After(s.Anchor.Time) { // not of a step that the anchor has behind it
			add(start, b[i+2], -1)
			add(b[i], start, 1)
		}
	}
	left := -origin
	if s.Anchor == nil {
		left = 0
	}
	for i, c := range contrast {
		left += c * l.points[i].Value
		variance += sigma2 * c * c
	}
	margin := twoSided(outside, l.freedom()) * math.Sqrt(variance)
	d.Total = d.To / d.From
	d.Ratio, d.Low, d.High = math.Exp(left), math.Exp(left-margin), math.Exp(left+margin)
	d.P = bothTails(left/math.Sqrt(variance), l.freedom())
	d.Slope, d.TrendP = trend(l.points, rest)
	d.Worse = s.direction()*left > 0
	d.Creep = d.P <= o.Alpha && math.Abs(left) >= math.Log1p(o.Tolerance)
	return d
}
