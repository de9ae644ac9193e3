package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHolm(t *testing.T) {
	for _, test := range []struct {
		name    string
		p, want []float64
	}{
		{"textbook", []float64{.01, .04, .03, .005}, []float64{.03, .06, .06, .02}},
		{"one alone", []float64{.03}, []float64{.03}},
		{"unconfirmed ones count", []float64{.01, 1, 1, 1, 1}, []float64{.05, 1, 1, 1, 1}},
		{"ties", []float64{.02, .02, .02}, []float64{.06, .06, .06}},
		{"zero", []float64{0, .5}, []float64{0, .5}},
		{"none", nil, []float64{}},
	} {
		assert.InDeltaSlice(t, test.want, Holm(test.p), 1e-12, test.name)
	}
}
