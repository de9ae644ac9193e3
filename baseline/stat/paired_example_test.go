package stat_test

import (
	"fmt"
	"log"

	"github.com/latgate/latgate/baseline/stat"
)

// The load of the hour slows both sides down, more and more; B is slower as well.
func ExampleJudgePaired() {
	p := stat.Paired{Scenario: "chat", Metric: "ttft", Q: .9}
	requests := session(1)
	for i := range 20 { // ten blocks A B B A
		hour := 1 + .02*float64(i)
		var a, b []float64
		for j := range 10 {
			a = append(a, hour*requests[10*i+j])
			b = append(b, hour*1.25*requests[(10*i+j+10)%200])
		}
		p.A, p.B = append(p.A, a), append(p.B, b)
	}
	results, err := stat.JudgePaired([]stat.Paired{p}, stat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	r := results[0]
	fmt.Printf("%s: %s\n", r.Verdict, r.Reason)
	fmt.Printf("P90 %.0f → %.0f ms\n", r.Baseline.HarrellDavis, r.Candidate.HarrellDavis)
	// Output:
	// regression: 1.24 times worse [1.18, 1.30], Holm p 5.4e-07 of 1, over 20 pairs
	// P90 755 → 934 ms
}
