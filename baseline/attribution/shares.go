package attribution

import "slices"

// contributions returns what each phase contributes to the quantile's shift from
// one run to another, in nanoseconds, and as the last value what their coinciding
// does. They add up to the shift.
//
// A phase's contribution is the shift that it alone makes: one run's times of the
// phase are replaced by the other's, rank by rank. What comes of two phases that
// moved together is halved between them (their Shapley values): phases are
// exchanged one after the other, in order and in the reverse order, which is exact
// as long as no three of them act on each other. It is done to the requests of
// either run, so that a change and its reversal are mirror images.
func contributions(from, to *table, q float64) []float64 {
	kernel := min(from.n, to.n)
	out := make([]float64, len(from.phases)+1)
	var ends float64 // what the exchanges account for
	for _, side := range []struct {
		t      *table
		others [][]float64
		sign   float64
	}{{from, from.as(to), 1}, {to, to.as(from), -1}} {
		for _, backward := range []bool{false, true} {
			columns := slices.Clone(side.t.columns)
			before := side.t.quantile(columns, q, kernel)
			for k := range columns {
				p := k
				if backward {
					p = len(columns) - 1 - k
				}
				if slices.Equal(columns[p], side.others[p]) {
					continue
				}
				columns[p] = side.others[p]
				after := side.t.quantile(columns, q, kernel)
				out[p] += side.sign * (after - before) / 4
				ends += side.sign * (after - before) / 4
				before = after
			}
		}
	}
	shift := to.quantile(to.columns, q, kernel) - from.quantile(from.columns, q, kernel)
	out[len(out)-1] = shift - ends
	return out
}
