package stat

import (
	"math"
	"testing"

	"github.com/aclements/go-moremath/stats"
	"github.com/stretchr/testify/assert"
)

func TestPredictivePower(t *testing.T) {
	c := Comparison{
		Q: .9, Baseline: stored(5, 200, .45), Candidate: [][]float64{spread(50, .45, 1.15)},
	}
	r := judgeOne(t, c, Options{})
	now := r.SE * r.SE
	final := now - r.effects.unit*(1./50-1./200)
	frac := final / now
	z := r.D / r.SE
	significant := stats.StdNormal.CDF((z - 1.645*math.Sqrt(frac)) / math.Sqrt(1-frac))
	large := stats.StdNormal.CDF((r.D - math.Log(1.1)) / math.Sqrt(now-final))
	assert.InDelta(t, min(significant, large), r.PredictivePower(200), 1e-12)

	// At the last look it is decided.
	for factor, want := range map[float64]float64{1: 0, 1.05: 0, 2: 1} {
		c.Candidate = [][]float64{spread(200, .45, factor)}
		r := judgeOne(t, c, Options{})
		assert.Equal(t, want, r.PredictivePower(200), "factor %v", factor)
		assert.Equal(t, want, r.PredictivePower(100), "a look beyond the end")
	}
}

func TestFutile(t *testing.T) {
	look := func(factor float64) Result {
		return judgeOne(t, Comparison{
			Q: .9, Baseline: stored(5, 200, .3), Candidate: [][]float64{spread(50, .3, factor)},
		}, Options{})
	}
	assert.True(t, Futile([]Result{look(.9), look(.95)}, 200))
	assert.False(t, Futile([]Result{look(.9), look(1.2)}, 200), "all metrics must be hopeless")
	unknown := judgeOne(t, Comparison{Q: .9, Candidate: [][]float64{spread(50, .3, 1)}}, Options{})
	assert.False(t, Futile([]Result{unknown}, 200))
}
