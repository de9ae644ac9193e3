package baseline_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// measure stands for latencytest.Run: 100 requests whose first content came
// after 80 % to 120 % of a typical time.
func measure(day int, typical time.Duration) *latencytest.Result {
	s := &latencytest.Scenario{Name: "all", Identity: providers.Facts{
		{Name: "test", Value: "TestLatencyChat"},
		{Name: "scenario", Value: "all"},
		{Name: "model", Value: "amazon.nova-lite-v1:0"},
		{Name: "region", Value: "us-east-1"},
	}}
	for i := range 100 {
		first := typical * time.Duration(80+(i*37+day*11)%41) / 100
		s.Samples = append(s.Samples, latencytest.Sample{Number: i, Class: providers.OK, First: wire.At(first), Calls: 1})
	}
	return &latencytest.Result{
		Started:   time.Date(2026, 11, 20+day, 3, 17, 5, 0, time.UTC),
		Scenarios: []*latencytest.Scenario{s},
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := baseline.Dir(dir) // baseline.Dir(latencytest.Dir) in a package's tests

	for day := range 5 {
		if _, err := baseline.Accept(measure(day, 400*time.Millisecond), store, "first week"); err != nil {
			log.Fatal(err)
		}
	}

	question := baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	options := stat.Options{SingleSession: true}
	for _, typical := range []time.Duration{400 * time.Millisecond, 600 * time.Millisecond} {
		report, err := baseline.Compare(measure(9, typical), store, options, question)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range report.Comparisons {
			fmt.Println(c.Scenario, c.Question, "around", typical, "is:", c.Verdict)
		}
	}

	another := measure(9, 400*time.Millisecond)
	another.Scenarios[0].Identity[3].Value = "eu-central-1"
	report, err := baseline.Compare(another, store, options, question)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Comparisons[0])

	// Output:
	// all P90 ttft around 400ms is: pass
	// all P90 ttft around 600ms is: regression
	// all: P90 ttft: incomparable: what is stored was measured otherwise: region: the baseline has "us-east-1", this run "eu-central-1"
}
