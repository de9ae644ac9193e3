package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExceeds(t *testing.T) {
	for _, test := range []struct {
		failed, total int
		limit         float64
		want          bool
	}{
		{0, 100, .01, false},
		{1, 100, .01, false},
		{3, 100, .01, false}, // P(X ≥ 3) = .079
		{4, 100, .01, true},  // P(X ≥ 4) = .018
		{1, 100, 0, true},
		{0, 100, 0, false},
		{100, 100, 1, false},
		{0, 0, .01, false},
	} {
		assert.Equal(t, test.want, Exceeds(Failures{test.failed, test.total}, test.limit), "%+v", test)
	}
}
