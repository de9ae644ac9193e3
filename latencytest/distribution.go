package latencytest

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A distribution is the values of one metric as far as they have come.
type distribution interface {
	add(v float64)
	n() int
	quantile(p float64) float64 // NaN without values
}

// exact keeps every value. New ones are sorted and merged in when a quantile is
// asked for, so that asking again and again, as a live view does, stays cheap.
type exact struct {
	sorted, fresh []float64
}

func (e *exact) add(v float64) { e.fresh = append(e.fresh, v) }
func (e *exact) n() int        { return len(e.sorted) + len(e.fresh) }

func (e *exact) quantile(p float64) float64 {
	if len(e.fresh) > 0 {
		slices.Sort(e.fresh)
		if len(e.sorted) == 0 {
			e.sorted, e.fresh = e.fresh, nil
		} else {
			e.sorted, e.fresh = merge(e.sorted, e.fresh), e.fresh[:0]
		}
	}
	return type7(e.sorted, p)
}

// merge merges b into a, both sorted, from the back.
func merge(a, b []float64) []float64 {
	i, j := len(a)-1, len(b)-1
	a = append(a, b...)
	for k := len(a) - 1; j >= 0; k-- {
		if i >= 0 && a[i] > b[j] {
			a[k] = a[i]
			i--
		} else {
			a[k] = b[j]
			j--
		}
	}
	return a
}

// hdr counts values in buckets that are exact to 3 significant digits: its memory
// does not grow with their number.
type hdr struct {
	*hdrhistogram.Histogram
	scale float64 // buckets are integers: values times this
}

const hdrLargest = 24 * 3600 * 1e9 // a day in nanoseconds; what is larger counts as that

func newHDR(m Metric) *hdr {
	scale := 1.
	if unit := m.definition.unit; unit != "ns" && unit != "tok" {
		scale = 1e6 // tokens a second are not whole numbers
	}
	return &hdr{hdrhistogram.New(1, hdrLargest, 3), scale}
}

func (h *hdr) add(v float64) {
	_ = h.RecordValue(int64(min(max(math.Round(v*h.scale), 0), hdrLargest))) // in range, so no error
}

func (h *hdr) n() int { return int(h.TotalCount()) }

func (h *hdr) quantile(p float64) float64 {
	if h.TotalCount() == 0 {
		return math.NaN()
	}
	switch p {
	case 0:
		return float64(h.Min()) / h.scale
	case 1:
		return float64(h.Max()) / h.scale
	}
	return float64(h.ValueAtQuantile(100*p)) / h.scale
}

// adjusted returns the quantile among the values and so many that are the worst
// there are: endless, or 0 where higher is better.
func (h *hdr) adjusted(p float64, missing int, higher bool) float64 {
	n := float64(h.n())
	rank := p * (n + float64(missing))
	switch {
	case n == 0 && missing == 0:
		return math.NaN()
	case higher && rank <= float64(missing):
		return 0
	case higher:
		return h.quantile((rank - float64(missing)) / n)
	case rank > n:
		return math.Inf(1)
	}
	return h.quantile(rank / n)
}
