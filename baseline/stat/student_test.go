package stat

import (
	"testing"

	"github.com/aclements/go-moremath/stats"
	"github.com/stretchr/testify/assert"
)

func TestStudentQuantile(t *testing.T) {
	for _, test := range []struct{ p, df, want float64 }{
		{.95, 1, 6.3138},
		{.95, 2, 2.9200},
		{.95, 5, 2.0150},
		{.95, 10, 1.8125},
		{.95, 30, 1.6973},
		{.95, 120, 1.6577},
		{.95, 1e7, 1.6449},
		{.975, 4, 2.7764},
		{.90, 7, 1.4149},
		{.99, 3, 4.5407},
		{.995, 20, 2.8453},
		{.5, 3, 0},
		{.05, 10, -1.8125},
	} {
		assert.InDelta(t, test.want, studentQuantile(test.p, test.df), 5e-5, "p %v, df %v", test.p, test.df)
	}
}

func TestStudentTail(t *testing.T) {
	for _, df := range []float64{.5, 1, 4, 7.6, 45.6, 300} {
		for _, x := range []float64{-8, -1.5, -1e-9, 0, .3, 2, 8} {
			assert.InDelta(t, 1-stats.TDist{V: df}.CDF(x), studentTail(x, df), 1e-12, "t %v, df %v", x, df)
			assert.InDelta(t, 1, studentTail(x, df)+studentTail(-x, df), 1e-15)
		}
		assert.InDelta(t, .95, 1-studentTail(studentQuantile(.95, df), df), 1e-12, "df %v", df)
	}
	assert.InEpsilon(t, 1.0/3.1415926535e9, studentTail(1e9, 1), 1e-6, "far tail of the Cauchy distribution")
}
