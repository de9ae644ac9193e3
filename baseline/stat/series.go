package stat

import (
	"fmt"
	"math"
	"slices"
)

// A series is the values of one run made ready for estimation: sorted towards the
// worse, each with its place in the order of the requests.
type series struct {
	y       []float64 // oriented logarithms, ascending
	natural []float64 // the same as they were measured
	order   []int     // order[i] is the request that y[i] came from
	sign    float64   // orientation: y = sign·ln x
}

// orientation is the sign that makes larger worse: latgate compares y = ln x, or
// y = −ln x where higher is better.
func orientation(higherIsBetter bool) float64 {
	if higherIsBetter {
		return -1
	}
	return 1
}

// newSeries sorts values, ties in the order of the requests.
func newSeries(values []float64, higherIsBetter bool) series {
	type sample struct {
		y       float64
		request int
	}
	sign := orientation(higherIsBetter)
	samples := make([]sample, len(values))
	for i, x := range values {
		samples[i] = sample{sign * math.Log(x), i}
	}
	slices.SortFunc(samples, func(a, b sample) int {
		switch {
		case a.y < b.y:
			return -1
		case a.y > b.y:
			return 1
		}
		return a.request - b.request
	})
	s := series{
		y:       make([]float64, len(values)),
		natural: make([]float64, len(values)),
		order:   make([]int, len(values)),
		sign:    sign,
	}
	for i, x := range samples {
		s.y[i], s.natural[i], s.order[i] = x.y, values[x.request], x.request
	}
	return s
}

// check reports the first value of a run of which no logarithm can be taken. The
// name is that of the run.
func check(name string, values []float64) error {
	if len(values) == 0 {
		return fmt.Errorf("%s is empty", name)
	}
	for i, x := range values {
		if !(x > 0 && x <= math.MaxFloat64) {
			return fmt.Errorf("%s[%d] is %v, want a positive finite number", name, i, x)
		}
	}
	return nil
}
