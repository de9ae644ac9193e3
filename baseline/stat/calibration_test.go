package stat

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The benchmarks of package baseline calibrate the gate at length.
func TestCalibration(t *testing.T) {
	const reps = 600
	null := world{draw: lognormal(.45), sessionSD: .03, n: 200, k: 5, effect: 1}
	slow := null
	slow.effect = 1.2

	single := null.judgeMany(t, 1, reps, false)
	assert.LessOrEqual(t, single.regression, 7.0, "false alarms")
	assert.InDelta(t, single.regression, single.improved, 2.5, "as many false improvements as false alarms")

	confirmed := null.judgeMany(t, 2, reps, true)
	assert.LessOrEqual(t, confirmed.regression, 4.0, "false alarms, confirmed")
	assert.GreaterOrEqual(t, confirmed.pass, 78.0, "A/A that pass")
	assert.Less(t, confirmed.sessions, 1.12, "price of confirming")

	worse := slow.judgeMany(t, 3, reps, false)
	assert.GreaterOrEqual(t, worse.regression, 77.0, "power at +20 %")
	assert.LessOrEqual(t, worse.pass, 6.0, "+20 % that pass")
}

func replications(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func BenchmarkJudge(b *testing.B) {
	for _, sizes := range []string{"equal", "mixed"} {
		b.Run("n=400/k=10/sizes="+sizes, func(b *testing.B) {
			w := world{draw: lognormal(.45), sessionSD: .03, n: 400, k: 10, effect: 1}
			c := w.comparison(rand.New(rand.NewPCG(1, 1)))
			if sizes == "mixed" {
				for i := range c.Baseline {
					c.Baseline[i] = c.Baseline[i][3*i:]
				}
			}
			for b.Loop() {
				if _, err := Judge([]Comparison{c}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
