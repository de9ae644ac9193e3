package stat

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

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

// BenchmarkCalibration measures error rates and power of the gate by simulation.
// The seeds are fixed: a cell gives the same figures every time. ns/op is the time
// of a whole cell. With -short there is a tenth of the replications.
//
//	go test -run '^$' -bench Calibration -benchtime 1x ./baseline/stat
func BenchmarkCalibration(b *testing.B) {
	for _, cell := range []struct {
		dist string
		sd   float64
		n, k int
	}{
		{"LN.30", 0, 200, 5},
		{"LN.45", 0, 200, 5},
		{"LN.45", .03, 200, 5},
		{"LN.45", .05, 200, 5},
		{"LN.45", .10, 200, 5},
		{"LN.45", .03, 50, 5},
		{"LN.45", .03, 500, 10},
		{"LN.45", .05, 200, 1},
		{"LN.60", 0, 200, 5},
		{"MIX5x4", 0, 200, 5},
		{"MIX8x3", 0, 200, 5},
		{"MIX10x5", 0, 200, 5},
		{"TIES", 0, 200, 5},
		{"AR.3", 0, 200, 5},
		{"AR.6", 0, 200, 5},
	} {
		w := world{draw: distributions[cell.dist], sessionSD: cell.sd, n: cell.n, k: cell.k}
		b.Run(fmt.Sprintf("dist=%s/sd=%v/n=%d/k=%d", cell.dist, cell.sd, cell.n, cell.k), w.calibrate)
	}
	b.Run("unequal/dist=MIX5x4/sd=0/n=50+500/k=5", world{draw: distributions["MIX5x4"], n: 50, baseN: 500, k: 5}.calibrate)
	b.Run("tail/dist=LN.45/sd=0.03/n=200/k=5", world{draw: lognormal(.45), sessionSD: .03, n: 200, k: 5, tail: true}.calibrate)
}

func replications(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func (w world) calibrate(b *testing.B) {
	reps := replications(2000)
	var same, confirmed, slow20, slow30 rates
	for b.Loop() {
		w.effect = 1
		same = w.judgeMany(b, 1, reps, false)
		confirmed = w.judgeMany(b, 2, reps, true)
		w.effect = 1.2
		slow20 = w.judgeMany(b, 3, reps, false)
		w.effect = 1.3
		slow30 = w.judgeMany(b, 4, reps, false)
	}
	b.ReportMetric(same.regression, "AA%")
	b.ReportMetric(same.improved, "AA-improved%")
	b.ReportMetric(confirmed.regression, "AA-confirmed%")
	b.ReportMetric(confirmed.pass, "AA-pass%")
	b.ReportMetric(slow20.regression, "power+20%")
	b.ReportMetric(slow20.pass, "pass+20%")
	b.ReportMetric(slow30.regression, "power+30%")
}

// BenchmarkBuild measures whole builds: family-wise false alarms, how often one
// slower metric is flagged, and what stopping early saves and costs.
func BenchmarkBuild(b *testing.B) {
	for _, cell := range []struct {
		scenarios, n int
		sd           float64
	}{
		{3, 200, .03}, {3, 400, .03}, {10, 200, .10},
	} {
		w := build{scenarios: cell.scenarios, sessionSD: cell.sd, n: cell.n, k: 5}
		b.Run(fmt.Sprintf("m=%d/n=%d/sd=%v", cell.scenarios*len(metrics), cell.n, cell.sd), w.calibrate)
	}
}

func (w build) calibrate(b *testing.B) {
	reps := replications(1000)
	var same, early, slow20, early20, slow30 outcome
	for b.Loop() {
		w.effect = 1
		same = w.judgeMany(b, 1, reps, false)
		early = w.judgeMany(b, 1, reps, true)
		w.effect = 1.2
		slow20 = w.judgeMany(b, 2, reps, false)
		early20 = w.judgeMany(b, 2, reps, true)
		w.effect = 1.3
		slow30 = w.judgeMany(b, 3, reps, false)
	}
	b.ReportMetric(same.red, "AA%")
	b.ReportMetric(same.requests, "requests%")
	b.ReportMetric(early.red, "early-AA%")
	b.ReportMetric(early.requests, "early-requests%")
	b.ReportMetric(slow20.flagged, "power+20%")
	b.ReportMetric(early20.flagged, "early-power+20%")
	b.ReportMetric(slow30.flagged, "power+30%")
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
