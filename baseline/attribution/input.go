package attribution

import (
	"math"
	"slices"
)

// What counts as a change of the input: of the share that was cached, and of its
// length.
const (
	cacheMoved = .05
	inputMoved = .05
)

// divideWaits moves the part of the waits that changed with the input from
// FirstByte and FirstToken to CacheMisses and InputTokens: a token that is not read
// from the cache costs time. It does so only where the input did change. It returns
// whether the cost of a token was found among requests of the same run; where it is
// not, as the cache works for all of one run and for none of the other, all of the
// longer wait counts as its cost.
func divideWaits(from [][]request, to []request) (changed, told bool) {
	all := append(slices.Clone(from), to)
	for _, list := range all {
		if !fillInput(list) {
			return false, false
		}
	}
	base := slices.Concat(from...)
	input := func(r request) float64 { return r.input }
	share := func(r request) float64 { return r.cached / r.input }
	cacheChanged := math.Abs(mean(to, share)-mean(base, share)) >= cacheMoved
	inputChanged := math.Abs(mean(to, input)/mean(base, input)-1) >= inputMoved
	if !cacheChanged && !inputChanged {
		return false, false
	}
	fresh := func(r request) float64 {
		n := 0.
		if inputChanged {
			n += r.input
		}
		if cacheChanged {
			n -= r.cached
		}
		return n
	}
	most, least := 0., math.Inf(1)
	for _, r := range slices.Concat(all...) {
		most, least = max(most, r.cached), min(least, r.input)
	}
	wait := func(r request) float64 { return r.parts[FirstByte] + r.parts[FirstToken] }
	more := mean(to, fresh) - mean(base, fresh)
	_, se := slope(all, fresh, wait)
	told = se*math.Abs(more) <= math.Abs(mean(to, wait)-mean(base, wait))/4
	for _, p := range []Phase{FirstByte, FirstToken} {
		wait := func(r request) float64 { return r.parts[p] }
		cost, _ := slope(all, fresh, wait)
		if !told {
			cost = (mean(to, wait) - mean(base, wait)) / more
		}
		if !(cost > 0) || math.IsInf(cost, 0) {
			continue
		}
		for _, r := range slices.Concat(all...) {
			if cacheChanged {
				r.parts[CacheMisses] += cost * (most - r.cached)
				r.parts[p] -= cost * (most - r.cached)
			}
			if inputChanged {
				r.parts[InputTokens] += cost * (r.input - least)
				r.parts[p] -= cost * (r.input - least)
			}
		}
	}
	return true, told
}

// fillInput gives requests that do not tell their input, as those that hit their
// time limit, that of a typical one. It reports whether any tells.
func fillInput(list []request) bool {
	known := slices.DeleteFunc(slices.Clone(list), func(r request) bool { return r.input == 0 })
	if len(known) == 0 {
		return false
	}
	input := mean(known, func(r request) float64 { return r.input })
	cached := mean(known, func(r request) float64 { return r.cached })
	for i := range list {
		if list[i].input == 0 {
			list[i].input, list[i].cached = input, cached
		}
	}
	return true
}

// slope is the least-squares slope of y over x within runs, and its standard
// error: +Inf where x does not vary.
func slope(runs [][]request, x, y func(request) float64) (b, se float64) {
	var xx, xy, yy float64
	n := 0
	for _, list := range runs {
		mx, my := mean(list, x), mean(list, y)
		for _, r := range list {
			dx, dy := x(r)-mx, y(r)-my
			xx += float64(dx * dx)
			xy += float64(dx * dy)
			yy += float64(dy * dy)
		}
		n += len(list) - 1
	}
	if xx < 1e-9 || n < 3 {
		return 0, math.Inf(1)
	}
	b = xy / xx
	return b, math.Sqrt(max(0, yy-b*xy) / float64(n-1) / xx)
}

func mean(list []request, value func(request) float64) float64 {
	sum := 0.
	for _, r := range list {
		sum += value(r)
	}
	return sum / float64(len(list))
}
