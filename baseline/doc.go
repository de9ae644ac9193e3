// Package baseline keeps the runs that later ones are compared with, says what
// may be compared with what, and does the comparison.
//
// A stored [Run] is one run of one scenario: a file in the Go benchmark format,
// one line a request, which benchstat reads as it is. A [Key] is everything that
// must be equal for two runs to be compared. A [Store] holds runs by key; [Dir]
// is the store in a directory, meant to be committed and reviewed.
//
//	store := baseline.Dir("testdata/latgate")
//	report, err := baseline.Compare(res, store, stat.Options{SingleSession: true},
//		baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90})
//	for _, c := range report.Comparisons {
//		fmt.Println(c.Verdict, c)
//	}
//
// The statistics are in package stat. Nothing here fails a test: package
// assertions does.
package baseline
