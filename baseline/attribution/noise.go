package attribution

import "math"

// noise returns the standard error of each phase's contribution between a run and
// the mean of k stored ones, from what the phases contribute between stored runs,
// where nothing moved. Noise is in proportion to the times, so the candidate's is
// that of a stored run times the ratio of their quantiles. Fewer than three stored
// runs tell too little: the shift's own standard error is then that of every phase.
func noise(stored []*table, q, ratio, shiftSE float64) []float64 {
	k := len(stored)
	se := make([]float64, len(stored[0].phases)+1)
	if k < 3 {
		for p := range se {
			se[p] = shiftSE
		}
		return se
	}
	pairs := 0.
	for i := range stored {
		for j := range i {
			for p, c := range contributions(stored[i], stored[j], q) {
				se[p] += c * c / 2 // the variance of one run
			}
			pairs++
		}
	}
	for p := range se {
		se[p] = math.Sqrt(se[p] / pairs * (ratio*ratio + 1/float64(k)))
	}
	return se
}

// beyond returns how many standard errors a contribution is from 0 that is no
// noise: Student's t at 97.5 %, with one degree of freedom less than stored runs.
func beyond(runs int) float64 {
	t := []float64{4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26} // from 2 degrees of freedom on
	if runs < 3 {
		return 2 // the standard error is not theirs
	}
	return t[min(runs-3, len(t)-1)]
}
