package history

import "slices"

// A partition of a series into levels minimizes
//
//	Σ over levels Σ (y − ȳ)²  +  price · (number of levels − 1),
//
// by dynamic programming (Jackson and others, "An algorithm for optimal partitioning
// of data on an interval", 2005). Splitting in two again and again, as E-divisive
// means does, can miss a rise and a fall of the same size, because no single cut shows
// either; the best partition as a whole has both.

const (
	// settled is how many runs the first level needs: a step shows that the runs
	// before it were on another.
	settled = 2
	// held is how many runs any other level needs: a change must hold.
	held = 3
)

// pricePerNoise is the price of a level in variances of a run. It is low: which steps
// are real is decided afterwards, by tests that see their neighbours.
const pricePerNoise = 8

// sums are the running sums of a series and of its squares, around its first value.
type sums struct {
	origin         float64
	first, squares []float64
}

func newSums(y []float64) sums {
	s := sums{origin: y[0], first: make([]float64, len(y)+1), squares: make([]float64, len(y)+1)}
	for i, v := range y {
		d := v - s.origin
		s.first[i+1] = s.first[i] + d
		s.squares[i+1] = s.squares[i] + d*d
	}
	return s
}

// mean returns the mean of y[i:j].
func (s sums) mean(i, j int) float64 { return s.origin + (s.first[j]-s.first[i])/float64(j-i) }

// spread returns Σ(y − ȳ)² over y[i:j].
func (s sums) spread(i, j int) float64 {
	d := s.first[j] - s.first[i]
	return max(0, s.squares[j]-s.squares[i]-d*d/float64(j-i))
}

// partition returns where the levels of the best partition start, without the first.
func (s sums) partition(price float64) []int {
	n := len(s.first) - 1
	cost := make([]float64, n+1) // of the best partition of y[:j]
	start := make([]int, n+1)    // of its last level
	for j := 1; j <= n; j++ {
		cost[j] = s.spread(0, j)
		for i := settled; i <= j-held; i++ {
			if c := cost[i] + s.spread(i, j) + price; c < cost[j] {
				cost[j], start[j] = c, i
			}
		}
	}
	var starts []int
	for j := start[n]; j > 0; j = start[j] {
		starts = append(starts, j)
	}
	slices.Reverse(starts)
	return starts
}
