package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLowerRank(t *testing.T) {
	// The largest l with P(Bin(n, q) ≥ l) ≥ .95.
	for _, test := range []struct {
		n    int
		q    float64
		want int
	}{
		{1, .9, 0},
		{2, .9, 1},
		{10, .9, 7},
		{29, .9, 23},
		{200, .9, 173},
		{4, .5, 0},
		{5, .5, 1},
		{10, .5, 2},
		{1, .99, 1},
	} {
		assert.Equal(t, test.want, lowerRank(test.n, float64(test.n), test.q), "n %d, q %v", test.n, test.q)
	}
	assert.Less(t, lowerRank(200, 50, .9), lowerRank(200, 200, .9), "a quarter of the evidence, a wider bound")
}

func TestBudget(t *testing.T) {
	throughput := spread(200, .3, .1) // tokens per second, P10 27.2
	for _, test := range []struct {
		name   string
		budget Budget
		want   Verdict
		reason string
	}{
		{"well within", Budget{Q: .9, Limit: 900, Values: spread(200, .3, 1)}, Pass, `^P90 585.\d, limit 900$`},
		{"just within", Budget{Q: .9, Limit: 590, Values: spread(200, .3, 1)}, Pass, `^P90 585.\d, limit 590$`},
		{"just beyond", Budget{Q: .9, Limit: 580, Values: spread(200, .3, 1)}, Inconclusive, `^P90 585.\d, limit 580: beyond it, but not with 95 % confidence \(bound 5\d\d`},
		{"well beyond", Budget{Q: .9, Limit: 500, Values: spread(200, .3, 1)}, OverBudget, `^P90 585.\d, limit 500, beyond it with 95 % confidence \(bound 5\d\d`},
		{"median", Budget{Q: .5, Limit: 300, Values: spread(200, .3, 1)}, OverBudget, `^P50 400`},
		{"throughput within", Budget{Q: .9, HigherIsBetter: true, Limit: 20, Values: throughput}, Pass, `^P90 27.\d+, limit 20$`},
		{"throughput just beyond", Budget{Q: .9, HigherIsBetter: true, Limit: 28, Values: throughput}, Inconclusive, `beyond it, but`},
		{"throughput beyond", Budget{Q: .9, HigherIsBetter: true, Limit: 35, Values: throughput}, OverBudget, `beyond it with 95 % confidence`},
		{"one request", Budget{Q: .9, Limit: 300, Values: []float64{400}}, Inconclusive, `^P90 400, limit 300: no bound from 1 request, need >= 2$`},
		{"one request within", Budget{Q: .9, Limit: 500, Values: []float64{400}}, Inconclusive, `no bound from 1 request`},
		{"few requests, all beyond", Budget{Q: .9, Limit: 300, Values: []float64{400, 410, 420}}, OverBudget, `bound 410`},
		{"median of few", Budget{Q: .5, Limit: 300, Values: []float64{400, 410, 420}}, Inconclusive, `need >= 5`},
		{"equal values", Budget{Q: .9, Limit: 400, Values: slices.Repeat([]float64{400}, 50)}, Pass, `^P90 400, limit 400$`},
	} {
		r, err := test.budget.Judge()
		require.NoError(t, err, test.name)
		assert.Equal(t, test.want, r.Verdict, "%s: %s", test.name, r.Reason)
		assert.Regexp(t, test.reason, r.Reason, test.name)
	}
}

func TestBudgetRejects(t *testing.T) {
	valid := Budget{Scenario: "chat", Metric: "ttft", Q: .9, Limit: 500, Values: []float64{1, 2, 3}}
	for want, spoil := range map[string]func(*Budget){
		"chat ttft: quantile is 0, want a number between 0 and 1":    func(b *Budget) { b.Q = 0 },
		"chat ttft: limit is 0, want a positive finite number":       func(b *Budget) { b.Limit = 0 },
		"chat ttft: values is empty":                                 func(b *Budget) { b.Values = nil },
		"chat ttft: values[1] is NaN, want a positive finite number": func(b *Budget) { b.Values = []float64{1, math.NaN()} },
		"chat ttft: limit is +Inf, want a positive finite number":    func(b *Budget) { b.Limit = math.Inf(1) },
	} {
		b := valid
		spoil(&b)
		_, err := b.Judge()
		assert.EqualError(t, err, want)
	}
}

// A run whose true quantile is exactly at the limit goes over budget in 5 % of cases
// at most, also where slow requests come in groups or in a second mode.
func TestBudgetFalseAlarms(t *testing.T) {
	for _, test := range []struct {
		dist     string
		atMost   float64
		quantile float64
	}{
		{"LN.45", 5.5, 400 * math.Exp(.45*1.2816)},
		{"AR.3", 7, 400 * math.Exp(.45*1.2816)},
		{"AR.6", 10, 400 * math.Exp(.45*1.2816)},
	} {
		for _, n := range []int{30, 200} {
			rng := rand.New(rand.NewPCG(1, uint64(n)))
			over := 0.0
			const reps = 600
			for range reps {
				r, err := Budget{Q: .9, Limit: test.quantile, Values: distributions[test.dist](rng, n)}.Judge()
				require.NoError(t, err)
				if r.Verdict == OverBudget {
					over += 100.0 / reps
				}
			}
			t.Logf("%s n %d: %.1f %%", test.dist, n, over)
			assert.LessOrEqual(t, over, test.atMost, "%s, n %d", test.dist, n)
		}
	}
}
