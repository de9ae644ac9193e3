package latencytest

import "math"

// A Summary describes a metric's values over a scenario. What is not known is NaN.
type Summary struct {
	N        int
	Min, Max float64
	Mean     float64
	SD       float64 // sample standard deviation, with n − 1
	HDR      bool    // a run in low memory: exact to 3 significant digits

	values distribution
}

// Summary returns the summary of the metric's values.
func (s *Scenario) Summary(m Metric) Summary {
	if s.summary != nil {
		h := s.summary.distributions[m]
		if h == nil { // a custom metric
			h = newHDR(m)
		}
		u := Summary{N: h.n(), Min: h.quantile(0), Max: h.quantile(1), Mean: math.NaN(), SD: math.NaN(), HDR: true, values: h}
		if u.N > 0 {
			u.Mean = h.Mean() / h.scale
		}
		if u.N > 1 {
			u.SD = h.StdDev() / h.scale
		}
		return u
	}
	values := s.Values(m)
	u := Summary{N: len(values), Mean: math.NaN(), SD: math.NaN(), values: &exact{fresh: values}}
	mean, squares := 0., 0. // Welford's: no digits are lost
	for i, v := range values {
		delta := v - mean
		mean += float64(delta / float64(i+1))
		squares += float64(delta * (v - mean))
	}
	if u.N > 0 {
		u.Mean = mean
	}
	if u.N > 1 {
		u.SD = math.Sqrt(squares / float64(u.N-1))
	}
	u.Min, u.Max = u.values.quantile(0), u.values.quantile(1)
	return u
}

// Percentile returns the type-7 quantile of rank p, 0 to 1, whichever direction is
// better: .99 is the 99th percentile. It is NaN without values.
func (u Summary) Percentile(p float64) float64 { return u.values.quantile(p) }

// MetricNamed returns the metric of that name, of [Metrics] or a custom one.
func MetricNamed(name string) (Metric, bool) {
	for _, m := range Metrics {
		if m.Name() == name {
			return m, true
		}
	}
	if d, ok := customs.Load(name); ok {
		return Metric{d.(*definition)}, true
	}
	return Metric{}, false
}
