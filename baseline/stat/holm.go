package stat

import (
	"cmp"
	"slices"
)

// Holm returns the p-values adjusted for being a family (Holm, "A simple
// sequentially rejective multiple test procedure", 1979): the i-th smallest of m
// becomes the largest of (m−j+1)·p₍ⱼ₎ over j ≤ i, at most 1. Rejecting where the
// adjusted p is at most alpha keeps the chance of any false alarm in the family
// below alpha, however its members depend on each other. Order is kept.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(p[i], p[j]), cmp.Compare(i, j))
	})
	adjusted := make([]float64, len(p))
	floor := 0.0
	for rank, i := range order {
		floor = max(floor, min(1, float64(len(p)-rank)*p[i]))
		adjusted[i] = floor
	}
	return adjusted
}
