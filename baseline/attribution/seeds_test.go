//go:build !race

package attribution_test

const (
	seeds    = 8
	requests = 80 // of a run
)
