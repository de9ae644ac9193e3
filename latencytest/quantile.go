package latencytest

import (
	"math"
	"slices"
	"strconv"
)

// A Quantile is a point of the bad tail, between 0 and 1: the P90 of a latency
// is its 90th percentile; the P90 of a metric where higher is better is the
// value that 90 % of requests reach or exceed, its 10th percentile.
type Quantile float64

// The quantiles in common use.
const (
	P50 Quantile = .5
	P75 Quantile = .75
	P90 Quantile = .9
	P95 Quantile = .95
	P99 Quantile = .99
)

// String returns "P90" and the like.
func (q Quantile) String() string {
	return "P" + strconv.FormatFloat(math.Round(float64(q)*1e6)/1e4, 'f', -1, 64)
}

// Rank returns the share of values below the point, for the metric's direction.
func (q Quantile) Rank(m Metric) float64 {
	if m.HigherIsBetter() {
		return 1 - float64(q)
	}
	return float64(q)
}

// Type7 returns the p-quantile by linear interpolation between order statistics
// (Hyndman and Fan's type 7, what numpy and spreadsheets compute). It is the one
// method for every quantile that is printed. It is NaN without values.
func Type7(values []float64, p float64) float64 {
	return type7(slices.Sorted(slices.Values(values)), p)
}

// type7 is Type7 for values that are sorted already.
func type7(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	// The conversions here keep the compiler from fusing a product and a sum on
	// machines that can: the last bit would be another there.
	at := float64(p * float64(len(sorted)-1))
	low := int(math.Floor(at))
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	if at == float64(low) || sorted[low] == sorted[low+1] { // 0 × Inf and Inf − Inf are no numbers
		return sorted[low]
	}
	return sorted[low] + float64((at-float64(low))*(sorted[low+1]-sorted[low]))
}
