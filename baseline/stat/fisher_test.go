package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFisher(t *testing.T) {
	for _, test := range []struct {
		name                string
		candidate, baseline Failures
		want, relative      float64
	}{
		// Fisher's lady tasting tea: three of four, then all four.
		{"tea", Failures{3, 4}, Failures{1, 4}, 17.0 / 70, 1e-9},
		{"all tea", Failures{4, 4}, Failures{0, 4}, 1.0 / 70, 1e-9},
		// Σ C(15, x)·C(1185, 200−x) / C(1200, 200) for x = 10 … 15, in whole numbers.
		{"errors", Failures{10, 200}, Failures{5, 1000}, 1.8751502106278468e-05, 1e-9},
		{"fewer than before", Failures{0, 200}, Failures{5, 1000}, 1, 1e-9},
		{"nothing failed", Failures{0, 200}, Failures{0, 1000}, 1, 1e-9},
		{"everything failed", Failures{200, 200}, Failures{1000, 1000}, 1, 1e-6},
		{"no baseline", Failures{3, 200}, Failures{}, 1, 1e-9},
	} {
		got, err := Fisher(test.candidate, test.baseline)
		require.NoError(t, err, test.name)
		assert.InEpsilon(t, test.want, got, test.relative, test.name)
	}

	got, err := Fisher(Failures{500, 500}, Failures{1, 5000})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, got, 0.0, "far beyond underflow")
	assert.Less(t, got, 1e-300)

	_, err = Fisher(Failures{5, 4}, Failures{0, 10})
	assert.EqualError(t, err, "candidate: 5 of 4 requests failed")
	_, err = Fisher(Failures{1, 4}, Failures{-1, 10})
	assert.EqualError(t, err, "baseline: -1 of 10 requests failed")
}
