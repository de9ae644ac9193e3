package attribution_test

import (
	"fmt"
	"log"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// measure stands for latencytest.Run: 100 requests to a server that takes a
// typical time to answer, and then 90 to 110 ms to the first token.
func measure(day int, commit string, typical time.Duration) (*latencytest.Result, *latencytest.Scenario) {
	s := &latencytest.Scenario{Name: "all", Identity: providers.Facts{{Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: "all"}}}
	for i := range 100 {
		header := 30*time.Millisecond + typical*time.Duration(80+(i*37+day*11)%41)/100
		first := header + time.Duration(90+(i*13+day*7)%21)*time.Millisecond
		s.Samples = append(s.Samples, latencytest.Sample{
			Number: i, Prompt: fmt.Sprint("p", i%4), Class: providers.OK, Calls: 1, First: wire.At(first),
			Phases: wire.Phases{GotConn: wire.At(28 * time.Millisecond), Wrote: wire.At(30 * time.Millisecond), Header: wire.At(header), Reused: true},
		})
	}
	return &latencytest.Result{
		Started:    time.Date(2026, 11, 20+day, 3, 17, 5, 0, time.UTC),
		Provenance: latencytest.Provenance{Commit: commit, Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4},
	}, s
}

func ExampleExplain() {
	var stored []*baseline.Run // baseline.Dir(…).Runs(key)
	for day := range 5 {
		res, scenario := measure(day, "4f1c2ab", 400*time.Millisecond)
		stored = append(stored, baseline.NewRun(res, scenario, "first week"))
	}
	res, scenario := measure(9, "9d03e77", 560*time.Millisecond)
	candidate := baseline.NewRun(res, scenario, "")

	a, err := attribution.Explain(candidate, stored, baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a)

	// Output:
	// phase:    wait for the first byte +187 ms (101 %): P50 400 → 557 ms, P90 464 → 650 ms
	// shape:    the median and the tail moved: P50 +30 % [+24, +37], P90 +31 % [+25, +38]
	// prompts:  spread over the 4 prompts
	// differs:  commit 4f1c2ab → 9d03e77
}
