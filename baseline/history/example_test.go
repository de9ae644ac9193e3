package history_test

import (
	"fmt"
	"log"
	"math"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/history"
	"github.com/latgate/latgate/latencytest"
)

func Example() {
	s := &history.Series{Question: baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}}
	milliseconds := []float64{612, 598, 631, 605, 620, 611, 1240, 602, 745, 760, 738, 752, 749}
	for night, ms := range milliseconds {
		s.Points = append(s.Points, history.Point{
			Time:   time.Date(2026, 11, 1+night, 3, 0, 0, 0, time.UTC),
			Commit: fmt.Sprintf("c%02d", night),
			Value:  math.Log(ms * 1e6), // times are in nanoseconds
		})
	}
	report, err := history.Analyze(s, history.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report)
	for _, step := range report.Steps {
		fmt.Printf("between %s and %s: %+.0f %%\n", step.Last.Commit, step.First.Commit, 100*(step.Ratio-1))
	}

	// Output:
	// P90 ttft, 13 runs from 2026-11-01 to 2026-11-13, sd of a run 1.6 %
	//   step 2026-11-09 at c08, after c07: 611 → 749 ms, ratio 1.23 [1.20, 1.25], p <.0001, worse, 7 runs before and 5 from it on
	//   outlier 2026-11-07 at c06: 2.03 times its level
	//   drift from the first runs, of 2026-11-01: 613 → 749 ms, ratio 1.22; without the steps beyond 20 %, ratio 1.00 [0.99, 1.00]: no creep
	// between c07 and c08: +23 %
}
