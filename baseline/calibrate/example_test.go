package calibrate_test

import (
	"fmt"
	"log"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/calibrate"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// nightly stands for latencytest.Measure: 200 requests whose first content came after
// 80 % to 120 % of a typical time.
func nightly(night int, typical time.Duration) *latencytest.Result {
	s := &latencytest.Scenario{Name: "all"}
	for i := range 200 {
		first := typical * time.Duration(800+(i*67+night*11)%401) / 1000
		s.Samples = append(s.Samples, latencytest.Sample{Number: i, Class: providers.OK, First: wire.At(first), Calls: 1})
	}
	return &latencytest.Result{Started: time.Date(2026, 11, 20+night, 3, 0, 0, 0, time.UTC), Scenarios: []*latencytest.Scenario{s}}
}

func Example() {
	var results []*latencytest.Result
	for night, ms := range []time.Duration{400, 412, 391, 405, 418, 396, 402, 388} {
		results = append(results, nightly(night, ms*time.Millisecond))
	}
	report, err := calibrate.Of(results, []baseline.Question{{Metric: latencytest.TTFT, Quantile: latencytest.P90}}, stat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	n := report.Noise[0]
	floor, _, _ := n.Floor(calibrate.Design{})
	fmt.Printf("%v %s, sd between sessions %.1f %% [%.1f, %.1f], of 200 requests %.1f %%\n",
		n.Question, n.Question.Metric.Format(n.Quantile), 100*n.SD, 100*n.Low, 100*n.High, 100*n.RequestSD)
	fmt.Printf("floor +%.0f %%, false alarms %d of %d (at most %.0f %%)\n", 100*floor, n.Alarms.Count, n.Alarms.Of, 100*n.Alarms.High)
	for _, tolerance := range []float64{.10, .20} {
		fmt.Printf("+%.0f %%: %d requests\n", 100*tolerance, n.Needs(tolerance, calibrate.Design{}).Requests)
	}
	fmt.Println(n.Check(.05, calibrate.Design{}))

	// Output:
	// P90 ttft 465 ms, sd between sessions 2.9 % [2.0, 5.4], of 200 requests 0.6 %
	// floor +10 %, false alarms 0 of 8 (at most 31 %)
	// +10 %: 366 requests
	// +20 %: 30 requests
	// all: P90 ttft: tolerance 5 %, floor 10 % (1 session against 5 stored runs, sd between runs 2.9 %): no number of requests sees less; raise the tolerance, or let two builds take turns in one run
}
