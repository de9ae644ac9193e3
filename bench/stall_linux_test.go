package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// BenchmarkOpenLoopStall sends 200 requests a second to an endpoint that once begins
// no reply for two seconds, and shows what the P99 makes of it: in an open load,
// from the intended start, and in a closed load of as many requests, whose clients
// wait with the endpoint and so hardly see it.
//
// Of the requests that come in the stall, each waits from its own start to the
// stall's end, so the P99 of all is known beforehand: the stall's length less the
// time in which a hundredth of all requests are made. A P99 that is far below hides
// the stall, and fails the benchmark.
//
//	go test ./bench -run '^$' -bench OpenLoopStall -benchtime 1x
func BenchmarkOpenLoopStall(b *testing.B) {
	const rate, stall = 200, 2 * time.Second
	seconds := 60
	if testing.Short() {
		seconds = 5
	}
	open := load{
		Streams: 1, Events: 3, Interval: 5 * time.Millisecond, First: 20 * time.Millisecond,
		Rate: rate, Requests: rate * seconds, Stall: stall,
	}
	open.StallAt = rate + open.Requests/4 // after the warm-up
	closed := open
	closed.Streams = 8 // of about 40 ms each: some 200 requests a second
	closed.StallAt = closed.Streams + closed.Requests/4
	expected := stall - time.Duration(float64(open.Requests)/100/rate*float64(time.Second)) + open.First

	for b.Loop() {
		before := machine()
		inOpen, _ := against[tails](b, "open", open)
		inClosed, _ := against[tails](b, "closed", closed)
		b.Logf("%s\n%d requests at %d/s, one stall of %v: expected P99 %v\nopen:   %v\nclosed: %v",
			before, open.Requests, rate, stall, expected, inOpen, inClosed)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(milliseconds(expected), "expected-p99-ms")
		b.ReportMetric(milliseconds(inOpen.Sched), "ttft_sched-p99-ms")
		b.ReportMetric(milliseconds(inOpen.Lag), "schedule_lag-p99-ms")
		b.ReportMetric(milliseconds(inClosed.TTFT), "closed-ttft-p99-ms")
		if inOpen.Invalid != "" {
			b.Logf("!!!! THIS RUN SAYS NOTHING: %s !!!!", inOpen.Invalid)
		}
		if inOpen.Sched < expected*9/10 {
			b.Errorf("the stall of %v is hidden: the P99 of ttft_sched is %v, want about %v", stall, inOpen.Sched, expected)
		}
	}
}

// tails are the P99 of a run.
type tails struct {
	Requests         int
	TTFT, Sched, Lag time.Duration // Lag is 0 in a closed load
	Median           time.Duration // of TTFT
	Invalid          string        // see [latencytest.Scenario.Invalid]
}

func (t tails) String() string {
	return fmt.Sprintf("%d requests, ttft P50 %v, P99 %v, ttft_sched P99 %v, schedule_lag P99 %v", t.Requests,
		t.Median.Round(10*time.Microsecond), t.TTFT.Round(10*time.Microsecond), t.Sched.Round(10*time.Microsecond), t.Lag.Round(time.Microsecond))
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func measureOpen(l load) any   { return tailsOf(l, latencytest.Open(l.Rate)) }
func measureClosed(l load) any { return tailsOf(l, latencytest.Closed(l.Streams)) }

func tailsOf(l load, model latencytest.LoadModel) tails {
	res, err := latencytest.Measure(context.Background(), target(l), latencytest.Plan{
		Prompts: []providers.Prompt{{Text: "Go on."}}, Requests: l.Requests, Load: model,
	})
	if err != nil {
		fail("%v", err)
	}
	s := res.Scenarios[0]
	if s.Failed() > 0 {
		fail("%s", s.Ends())
	}
	at := func(m latencytest.Metric, q latencytest.Quantile) time.Duration {
		if v := s.Quantile(m, q); v == v {
			return time.Duration(v)
		}
		return 0
	}
	return tails{
		Requests: len(s.Samples),
		TTFT:     at(latencytest.TTFT, latencytest.P99),
		Sched:    at(latencytest.TTFTSched, latencytest.P99),
		Lag:      at(latencytest.ScheduleLag, latencytest.P99),
		Median:   at(latencytest.TTFT, latencytest.P50),
		Invalid:  s.Invalid(),
	}
}
