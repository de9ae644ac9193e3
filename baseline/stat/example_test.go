package stat_test

import (
	"fmt"
	"log"

	"github.com/latgate/latgate/baseline/stat"
)

// session returns the times to first token, in milliseconds, of 200 requests to a
// server that is slower by a factor.
func session(slower float64) []float64 {
	ms := make([]float64, 200)
	for i := range ms {
		ms[i] = slower * (380 + float64(i*67%200) + 900/float64(1+i*41%200))
	}
	return ms
}

func Example() {
	var stored [][]float64
	for _, shift := range []float64{1, 1.02, .97, 1.01, .99} {
		stored = append(stored, session(shift))
	}
	family := []stat.Comparison{
		{Scenario: "chat", Metric: "ttft", Q: .9, Baseline: stored, Candidate: [][]float64{session(1.23)}},
		{Scenario: "search", Metric: "ttft", Q: .9, Baseline: stored, Candidate: [][]float64{session(1.01)}},
	}
	results, err := stat.Judge(family, stat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Printf("%s: %s: %s\n", r.Scenario, r.Verdict, r.Reason)
	}

	// Measure the suspect once more and decide on both sessions.
	for i, r := range results {
		if r.Suspect {
			family[i].Candidate = append(family[i].Candidate, session(1.2))
			family[i].Fresh = true
		}
	}
	results, err = stat.Judge(family, stat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	r := results[0]
	fmt.Printf("%s: %s: %s\n", r.Scenario, r.Verdict, r.Reason)
	fmt.Printf("P90 %.0f → %.0f ms (type-7 %.0f → %.0f), n %v + %d×200, between-run sd %.1f %%, smallest detectable +%.0f %%\n",
		r.Baseline.HarrellDavis, r.Candidate.HarrellDavis, r.Baseline.Type7, r.Candidate.Type7,
		r.N, r.K, 100*r.Tau, 100*r.Detectable)

	// Output:
	// chat: inconclusive: 1.23 times worse [1.17, 1.30], p 3.7e-06 in one session: measure the scenario again in a fresh one
	// search: pass: at most 1.07 times worse, which excludes 1.20
	// chat: regression: 1.22 times worse [1.17, 1.27], Holm p 2.4e-07 of 2, confirmed in 2 sessions
	// P90 580 → 706 ms (type-7 578 → 704), n [200 200] + 5×200, between-run sd 2.5 %, smallest detectable +13 %
}

func ExampleHarrellDavis() {
	fmt.Printf("%.4f\n", stat.HarrellDavis([]float64{0, 50, 100}, 0.9, 0))
	// Output: 96.0182
}

func ExampleHolm() {
	fmt.Printf("%.2f\n", stat.Holm([]float64{0.01, 0.04, 0.03, 0.005}))
	// Output: [0.03 0.06 0.06 0.02]
}

func ExampleBudget() {
	result, err := stat.Budget{
		Scenario: "chat", Metric: "ttft", Q: .9, Limit: 500, Values: session(1),
	}.Judge()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", result.Verdict, result.Reason)
	// Output: budget: P90 579.5, limit 500, beyond it with 95 % confidence (bound 574.4)
}

func ExampleFisher() {
	p, err := stat.Fisher(stat.Failures{Failed: 10, Total: 200}, stat.Failures{Failed: 5, Total: 1000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("p %.1e\n", p)
	// Output: p 1.9e-05
}
