//go:build !race

package attribution_test

const (
	seeds    = 20
	requests = 80 // of a run
)
