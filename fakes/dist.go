package fakes

import (
	"fmt"
	"math"
	"time"
)

// A Dist is a distribution of durations. A nil Dist is always 0.
//
// A duration is drawn by inverting the distribution at one uniform number, so a
// larger number never gives a shorter duration. Two scripts with the same seed
// therefore deal every request the same luck: [Scale] and [StretchTail] slow
// down the very requests that were drawn without them.
//
// The set of distributions is closed; combine the ones below.
type Dist interface {
	// String writes the distribution as a call: "lognormal(400ms, 0.45)".
	String() string

	// quantile returns, in nanoseconds, the least duration that a share p of the
	// draws does not exceed.
	quantile(p float64) float64

	// share returns the share of draws that do not exceed x nanoseconds.
	share(x float64) float64
}

// Quantile returns the duration that a share p of the draws from d does not
// exceed: Quantile(d, 0.9) is its true P90. It is how d is sampled, too, with a
// uniform p.
func Quantile(d Dist, p float64) time.Duration {
	if d == nil {
		return 0
	}
	return duration(d.quantile(p))
}

// duration rounds to whole nanoseconds; what no Duration can hold is the longest one.
func duration(nanoseconds float64) time.Duration {
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(nanoseconds))
}

// Constant is always d.
func Constant(d time.Duration) Dist {
	must(d >= 0, "Constant(%v): a duration cannot be negative", d)
	return constant(d)
}

type constant time.Duration

func (c constant) String() string           { return fmt.Sprintf("constant(%v)", time.Duration(c)) }
func (c constant) quantile(float64) float64 { return float64(c) }
func (c constant) share(x float64) float64 {
	if x < float64(c) {
		return 0
	}
	return 1
}

// Uniform is equally often anywhere between low and high.
func Uniform(low, high time.Duration) Dist {
	must(0 <= low && low < high, "Uniform(%v, %v): want 0 ≤ low < high", low, high)
	return uniform{float64(low), float64(high)}
}

type uniform struct{ low, high float64 }

func (u uniform) String() string {
	return fmt.Sprintf("uniform(%v, %v)", time.Duration(u.low), time.Duration(u.high))
}
func (u uniform) quantile(p float64) float64 { return u.low + float64(p*(u.high-u.low)) }
func (u uniform) share(x float64) float64 {
	return min(max((x-u.low)/(u.high-u.low), 0), 1)
}

// Lognormal has the given median, and a logarithm with standard deviation
// sigma: the usual shape of latencies. Its P90 is median·exp(1.2816·sigma).
func Lognormal(median time.Duration, sigma float64) Dist {
	must(median > 0 && sigma >= 0, "Lognormal(%v, %v): want a median above 0 and a sigma of at least 0", median, sigma)
	if sigma == 0 {
		return constant(median)
	}
	return lognormal{float64(median), sigma}
}

type lognormal struct{ median, sigma float64 }

func (l lognormal) String() string {
	return fmt.Sprintf("lognormal(%v, %v)", time.Duration(l.median), l.sigma)
}
func (l lognormal) quantile(p float64) float64 { return l.median * math.Exp(l.sigma*normal(p)) }
func (l lognormal) share(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return math.Erfc(-math.Log(x/l.median)/(l.sigma*math.Sqrt2)) / 2
}

// normal is the quantile function of the standard normal distribution.
func normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// Mixture draws from d and makes a share of the draws, whichever they are,
// longer by a factor: Mixture(d, 0.05, 4) is d with 5 % of requests 4x slower.
func Mixture(d Dist, share, factor float64) Dist {
	must(0 <= share && share <= 1 && factor >= 1, "Mixture(…, %v, %v): want a share in 0…1 and a factor of at least 1", share, factor)
	return mixture{orZero(d), share, factor}
}

type mixture struct {
	d           Dist
	slow, times float64
}

func (m mixture) String() string { return fmt.Sprintf("mixture(%v, %v, %v)", m.d, m.slow, m.times) }

// quantile inverts share, which has no closed inverse, between the quantile of
// the fast draws and that of the slow ones.
func (m mixture) quantile(p float64) float64 {
	fast := m.d.quantile(p)
	return invert(m.share, p, fast, fast*m.times)
}

func (m mixture) share(x float64) float64 {
	return float64((1-m.slow)*m.d.share(x)) + float64(m.slow*m.d.share(x/m.times))
}

// Scale makes every draw from d longer by a factor (or shorter, below 1): a
// slow-down of everything.
func Scale(d Dist, factor float64) Dist {
	must(factor > 0 && !math.IsInf(factor, 0), "Scale(…, %v): want a factor above 0", factor)
	return scaled{orZero(d), factor}
}

type scaled struct {
	d      Dist
	factor float64
}

func (s scaled) String() string             { return fmt.Sprintf("scale(%v, %v)", s.d, s.factor) }
func (s scaled) quantile(p float64) float64 { return s.d.quantile(p) * s.factor }
func (s scaled) share(x float64) float64    { return s.d.share(x / s.factor) }

// StretchTail slows down only the slow end of d: every quantile up to P70 stays
// where it is, P90 and all above it move by exactly factor (at least 1), and
// those between ease from one to the other. No average or median shows it.
func StretchTail(d Dist, factor float64) Dist {
	must(factor >= 1 && !math.IsInf(factor, 0), "StretchTail(…, %v): want a factor of at least 1", factor)
	return stretched{orZero(d), factor}
}

type stretched struct {
	d      Dist
	factor float64
}

func (s stretched) String() string { return fmt.Sprintf("stretchtail(%v, %v)", s.d, s.factor) }

// stretchFrom and stretchTo are where a tail begins to move and where it has
// moved in full.
const stretchFrom, stretchTo = 0.7, 0.9

func (s stretched) quantile(p float64) float64 {
	eased := min(max((p-stretchFrom)/(stretchTo-stretchFrom), 0), 1)
	return s.d.quantile(p) * math.Pow(s.factor, eased)
}

func (s stretched) share(x float64) float64 {
	if x < s.d.quantile(stretchFrom) {
		return s.d.share(x)
	}
	if x >= s.quantile(stretchTo) {
		return s.d.share(x / s.factor)
	}
	return invert(func(p float64) float64 {
		if s.quantile(p) > x {
			return 1
		}
		return 0
	}, 1, stretchFrom, stretchTo)
}

// invert returns the least x between low and high at which the rising function
// f reaches y, to the last bit, so that the answer rises with y as well.
func invert(f func(float64) float64, y, low, high float64) float64 {
	if f(low) >= y {
		return low
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return high
		}
		if f(middle) >= y {
			high = middle
		} else {
			low = middle
		}
	}
}

func orZero(d Dist) Dist {
	if d == nil {
		return constant(0)
	}
	return d
}

func must(ok bool, format string, args ...any) {
	if !ok {
		panic("fakes: " + fmt.Sprintf(format, args...))
	}
}
