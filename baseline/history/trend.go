package history

import (
	"math"
	"time"
)

const (
	day = 24 * time.Hour
	// month is the time that slopes are told for.
	month = 30 * day
)

// trend returns the change of y in 30 days, less 1, by the median of the slopes
// between all pairs of runs (Sen, "Estimates of the regression coefficient based on
// Kendall's tau", 1968), and the two-sided p-value of the test of Mann and Kendall that
// there is none: the sum S of the signs of all differences is nearly normal, with
// variance n(n−1)(2n+5)/18 less what ties take. Runs of one day have no slope: 0.
func trend(points []Point, y []float64) (slope, p float64) {
	var slopes []float64
	s := 0.0
	for i := range y {
		for j := i + 1; j < len(y); j++ {
			if apart := points[j].Time.Sub(points[i].Time); apart > 0 {
				slopes = append(slopes, (y[j]-y[i])*float64(month)/float64(apart))
			}
			switch {
			case y[j] > y[i]:
				s++
			case y[j] < y[i]:
				s--
			}
		}
	}
	if points[len(points)-1].Time.Sub(points[0].Time) >= day {
		slope = math.Expm1(middle(slopes))
	}
	eighteen := len(y) * (len(y) - 1) * (2*len(y) + 5) // times the variance
	ties := map[float64]int{}
	for _, v := range y {
		ties[v]++
	}
	for _, t := range ties {
		eighteen -= t * (t - 1) * (2*t + 5)
	}
	if eighteen == 0 || s == 0 {
		return slope, 1
	}
	z := (math.Abs(s) - 1) / math.Sqrt(float64(eighteen)/18)
	return slope, math.Erfc(z / math.Sqrt2)
}
