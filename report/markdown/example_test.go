package markdown_test

import (
	"log"
	"os"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/markdown"
)

func ExampleComment() {
	build := &report.Build{
		Mode: report.AB, Base: "4f1c2ab0d9e8", Head: "9d03e77aa1b2", Requests: 480, Failed: 1,
		Verdict: baseline.Regression, ExitCode: report.ExitRegression,
		Rows: []report.Row{{
			Test: "TestLatencyChat", Scenario: "short", Gate: "NoRegression(P90 ttft)", Verdict: baseline.Regression,
			Quantity:   &report.Quantity{Metric: "ttft", Unit: "ns", Quantile: .9},
			Comparison: &report.Comparison{Base: 612e6, Head: 753e6, Ratio: 1.23, Low: 1.12, High: 1.35, MinEffect: .1},
		}},
	}
	if err := markdown.Comment(os.Stdout, build, markdown.Options{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <!-- latgate:v1:default head=9d03e77 -->
	// ### ❌ Latency: 1 regression, please read
	//
	// **live A/B** · base `4f1c2ab`, head `9d03e77` · 480 requests, 1 failed
	//
	// | | test | gate | base | head | change [90 %] | limit |
	// |--|--|--|--:|--:|--|--:|
	// | ❌ | `TestLatencyChat/short` | `NoRegression(P90 ttft)` | 612 ms | 753 ms | **+23 %** [+12, +35] | +10 % |
	//
	// - ❌ `TestLatencyChat/short` `NoRegression(P90 ttft)`: **regression**
	//
	// The gate's own test decides, not benchstat's p.
}
