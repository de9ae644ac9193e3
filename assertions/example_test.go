package assertions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// printed is a test whose log is the standard output.
type printed struct{ testing.TB }

func (printed) Helper()                           {}
func (printed) Logf(format string, args ...any)   { fmt.Printf(format+"\n", args...) }
func (printed) Errorf(format string, args ...any) { fmt.Printf("FAIL "+format+"\n", args...) }

// measured stands for the result of latencytest.Run: 100 requests whose first
// content came after 301 ms to 400 ms, with 50 tokens in the second after it.
func measured() *latencytest.Result {
	s := &latencytest.Scenario{Name: "all"}
	for i := range 100 {
		first := time.Duration(301+(37*i)%100) * time.Millisecond
		s.Samples = append(s.Samples, latencytest.Sample{
			Number: i, Class: providers.OK, First: wire.At(first), Last: wire.At(first + time.Second),
			ContentEvents: 51, Usage: providers.Usage{Output: providers.CountOf(51)},
		})
	}
	return &latencytest.Result{Test: "TestLatencyChat", Plan: latencytest.Plan{Seed: 1}, Scenarios: []*latencytest.Scenario{s}}
}

func Example() {
	var t printed // a *testing.T in a test
	res := measured()
	assertions.Check(t, res, nil,
		assertions.Below(latencytest.TTFT, latencytest.P90, 600*time.Millisecond),
		assertions.AtLeast(latencytest.OTPS, latencytest.P90, 40),
		assertions.ErrorRate(0.01),
	)
	assertions.Check(t, res, nil, assertions.Below(latencytest.TTFT, latencytest.P50, 300*time.Millisecond))

	// Output:
	// [latgate] all: Below(ttft, P90, 600 ms): P90 ttft is 390 ms (95 % bound 385 ms), limit 600 ms, n 100: pass
	// [latgate] all: AtLeast(otps, P90, 40 tok/s): P90 otps is 50 tok/s (95 % bound 50 tok/s), limit 40 tok/s, n 100: pass
	// [latgate] all: ErrorRate(1 %): 100/100 ok: pass
	// FAIL [latgate] all: Below(ttft, P50, 300 ms): P50 ttft is 350 ms (95 % bound 342 ms), limit 300 ms, n 100: budget
	//     again:    go test ./assertions -run '^TestLatencyChat$' -count=1 -v
}
