package calibrate

import "math"

// chiSquareTail returns P(X > x) for a chi-square variable with a whole number of
// degrees of freedom, by its finite sum: e⁻ʰ Σ hⁱ/i! for i < df/2 where df is even, and
// erfc(√h) + e⁻ʰ Σ hⁱ⁻¹ᐟ²/Γ(i+½) for 1 ≤ i ≤ (df−1)/2 where it is odd, h = x/2
// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.4.4 and 26.4.5).
func chiSquareTail(x float64, df int) float64 {
	h := x / 2
	if df%2 == 0 {
		sum, term := 0.0, math.Exp(-h)
		for i := range df / 2 {
			sum += term
			term *= h / float64(i+1)
		}
		return sum
	}
	sum, term := math.Erfc(math.Sqrt(h)), 2*math.Sqrt(h/math.Pi)*math.Exp(-h)
	for i := 1; i <= (df-1)/2; i++ {
		sum += term
		term *= h / (float64(i) + .5)
	}
	return sum
}

// chiSquare returns the x with P(X > x) = p for 0 < p < 1.
func chiSquare(p float64, df int) float64 {
	high := float64(df)
	for chiSquareTail(high, df) > p {
		high *= 2
	}
	return root(0, high, func(x float64) bool { return chiSquareTail(x, df) > p })
}

// A Rate is how often something happened, with its 90 % interval for independent
// trials (Clopper and Pearson, "The use of confidence or fiducial limits illustrated in
// the case of the binomial", 1934).
type Rate struct {
	Count, Of int
	Low, High float64 // 0 and 1 where there were no trials
}

func newRate(count, of int) Rate {
	r := Rate{Count: count, Of: of, High: 1}
	if count > 0 {
		r.Low = root(0, 1, func(p float64) bool { return atLeast(count, of, p) < outside })
	}
	if count < of {
		r.High = root(0, 1, func(p float64) bool { return 1-atLeast(count+1, of, p) > outside })
	}
	return r
}

// atLeast returns P(X ≥ x) for a binomial X of n trials.
func atLeast(x, n int, p float64) float64 {
	if p <= 0 || p >= 1 {
		return p // x is 1 to n
	}
	choose := func(k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	sum := 0.0
	for k := n; k >= x; k-- {
		sum += math.Exp(choose(k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	return min(1, sum)
}

// outside is what a 90 % interval leaves out on each side.
const outside = .05

// root returns the x between low and high up to which below holds, to the last bit.
func root(low, high float64, below func(float64) bool) float64 {
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return middle
		}
		if below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
}
