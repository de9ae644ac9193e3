//go:build race

package attribution_test

// The race detector makes the fakes an order of magnitude slower.
const (
	seeds    = 2
	requests = 40
)
