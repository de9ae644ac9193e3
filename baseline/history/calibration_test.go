package history

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// atMost is a share of reps analyses, in percent, above which chance does not explain
// that the true share is no more than that which BenchmarkHistory tells: three standard
// errors.
func atMost(percent float64, reps int) float64 {
	return percent + 3*math.Sqrt(percent*(100-percent)/float64(reps))
}

// A history without a change hardly ever shows one, whatever its length.
func TestFlatSeries(t *testing.T) {
	t.Parallel()
	for n, reps := range map[int]int{5: 500, 10: 500, 20: 500, 40: 300, 100: 100} {
		for _, sd := range []float64{.03, .05} {
			r := world{n: n, sd: sd}.analyzeMany(t, 1, reps, 1)
			assert.LessOrEqual(t, r.any, atMost(1.3, reps), "n %d, sd %v", n, sd)
			assert.LessOrEqual(t, r.creep, atMost(.01, reps), "n %d, sd %v", n, sd)
		}
	}
}

func TestOneStep(t *testing.T) {
	t.Parallel()
	const reps = 200
	for _, c := range []struct {
		name          string
		w             world
		ratio         float64
		want          []int
		found, nearly float64
	}{
		{"+20 % in the middle", world{n: 20, sd: .03, level: from(1.2, 10)}, 1.2, []int{10}, 99, 96},
		{"+20 % in the middle, 5 %", world{n: 20, sd: .05, level: from(1.2, 10)}, 1.2, []int{10}, 98, 93},
		{"+10 % in the middle", world{n: 20, sd: .03, level: from(1.1, 10)}, 1.1, []int{10}, 97, 92},
		{"-20 %", world{n: 20, sd: .03, level: from(1/1.2, 10)}, 1 / 1.2, []int{10}, 99, 96},
		{"+20 % three runs ago", world{n: 20, sd: .03, level: from(1.2, 17)}, 1.2, []int{17}, 88, 86},
		{"+30 % of eight runs", world{n: 8, sd: .03, level: from(1.3, 5)}, 1.3, []int{5}, 95, 92},
		{"two of +15 %", world{n: 40, sd: .03, level: from(1.15, 14, 28)}, 1.15, []int{14, 28}, 99, 95},
	} {
		r := c.w.analyzeMany(t, 2, reps, c.ratio, c.want...)
		assert.GreaterOrEqual(t, r.any, c.found, c.name)
		assert.GreaterOrEqual(t, r.nearly, c.nearly, c.name)
		assert.GreaterOrEqual(t, r.covered, 82.0, "%s: 90 %% intervals", c.name)
	}
}

// A rise and a fall of the same size are two steps, though no single cut shows either.
func TestRiseAndFall(t *testing.T) {
	t.Parallel()
	up := world{n: 40, sd: .03, level: func(i int) float64 { return from(1.15, 16)(i) / from(1.15, 24)(i) }}
	r := up.analyzeMany(t, 3, 150, 1.15, 16, 24)
	assert.GreaterOrEqual(t, r.nearly, 93.0)
}

// Runs that stand alone are no steps. Those that are hardly further away than noise
// reaches, and two in a row most of all, cannot always be told from a level.
func TestSpikes(t *testing.T) {
	t.Parallel()
	const reps = 100
	for _, c := range []struct {
		runs         []int
		far, nearer  float64 // percent that show a step, of spikes of 2 and of 1.3
		hardlyBeyond float64 // of those of 1.15, which is 4.7 standard deviations
	}{
		{[]int{9}, .5, .5, .5},
		{[]int{0}, .8, 1.1, 3.3},
		{[]int{1}, .7, 2, 5.3},
		{[]int{18}, .6, .8, 1.5},
		{[]int{19}, .7, .7, 1.1},
		{[]int{4, 15}, .5, .6, .6},
		{[]int{9, 10}, .5, 3.6, 15.2},
		{[]int{18, 19}, .8, 3.5, 19.6},
	} {
		for ratio, percent := range map[float64]float64{2: c.far, .5: c.far, 1.3: c.nearer, 1.15: c.hardlyBeyond} {
			r := world{n: 20, sd: .03, level: only(ratio, c.runs...)}.analyzeMany(t, 4, reps, 1)
			assert.LessOrEqual(t, r.any, atMost(percent, reps), "%v times at %v", ratio, c.runs)
		}
	}
}

// BenchmarkHistory measures false alarms, power and place of steps, and creep, by
// simulation. The seeds are fixed: a cell gives the same figures every time. With
// -short there is a tenth of the replications.
//
//	go test -run '^$' -bench History -benchtime 1x ./baseline/history
func BenchmarkHistory(b *testing.B) {
	for _, sd := range []float64{.03, .05, .10} {
		for _, n := range []int{5, 10, 20, 40, 70, 100} {
			b.Run(fmt.Sprintf("flat/sd=%v/n=%d", sd, n), world{n: n, sd: sd}.flat)
		}
	}
	b.Run("flat/sd=0.05/n=40/correlation=.3", world{n: 40, sd: .05, correlation: .3}.flat)
	b.Run("flat/sd=0.05/n=40/correlation=.6", world{n: 40, sd: .05, correlation: .6}.flat)
	for _, sd := range []float64{.03, .05} {
		for _, c := range []struct {
			name  string
			n     int
			ratio float64
			want  []int
		}{
			{"+10%/at=10of20", 20, 1.10, []int{10}},
			{"+10%/at=15of20", 20, 1.10, []int{15}},
			{"+10%/at=50of100", 100, 1.10, []int{50}},
			{"+20%/at=10of20", 20, 1.20, []int{10}},
			{"+20%/at=17of20", 20, 1.20, []int{17}},
			{"+20%/at=7of10", 10, 1.20, []int{7}},
			{"-20%/at=10of20", 20, 1 / 1.20, []int{10}},
			{"+10%+10%/at=14,28of40", 40, 1.10, []int{14, 28}},
			{"+20%+20%/at=14,28of40", 40, 1.20, []int{14, 28}},
		} {
			w := world{n: c.n, sd: sd, level: from(c.ratio, c.want...)}
			b.Run(fmt.Sprintf("step%s/sd=%v", c.name, sd), func(b *testing.B) {
				var r rates
				for b.Loop() {
					r = w.analyzeMany(b, 2, replications(2000), c.ratio, c.want...)
				}
				b.ReportMetric(r.any, "found%")
				b.ReportMetric(r.placed, "placed%")
				b.ReportMetric(r.nearly, "placed±1%")
				b.ReportMetric(r.covered, "covered%")
			})
		}
		for _, c := range []struct {
			name  string
			level func(int) float64
		}{
			{"1.15x1", only(1.15, 9)},
			{"1.15x1second", only(1.15, 1)},
			{"1.15x2", only(1.15, 9, 10)},
			{"1.15x2last", only(1.15, 18, 19)},
			{"1.3x1", only(1.3, 9)},
			{"2x1", only(2, 9)},
			{"2x1last", only(2, 19)},
			{"1.5x2", only(1.5, 9, 10)},
			{"1.5x2last", only(1.5, 18, 19)},
		} {
			w := world{n: 20, sd: sd, level: c.level}
			b.Run(fmt.Sprintf("spike%s/sd=%v", c.name, sd), w.flat)
		}
		w := world{n: 55, sd: sd, level: from(1.04, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)}
		b.Run(fmt.Sprintf("creep/10x4%%/sd=%v", sd), w.flat)
	}
}

func replications(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// flat reports how often steps and creep are shown in a world without steps, or with
// none to be placed.
func (w world) flat(b *testing.B) {
	var r rates
	for b.Loop() {
		r = w.analyzeMany(b, 1, replications(10000), 1)
	}
	b.ReportMetric(r.any, "any%")
	b.ReportMetric(r.steps, "steps")
	b.ReportMetric(r.creep, "creep%")
	b.ReportMetric(r.pending, "pending%")
}
