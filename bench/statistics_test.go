package bench

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// BenchmarkStatistics is what the statistics of a run of a million requests take:
// the table that [latencytest.Result.String] prints, and every quantile by itself, as
// gates ask for them.
//
//	go test ./bench -run '^$' -bench Statistics -benchtime 1x
func BenchmarkStatistics(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	s := &latencytest.Scenario{Name: "all", Samples: manySamples(n)}
	res := &latencytest.Result{Scenarios: []*latencytest.Scenario{s}}
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if res.String() == "" {
				b.Fatal("no table")
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
	})
	b.Run("quantiles", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, m := range []latencytest.Metric{
				latencytest.TTFT, latencytest.TTFTVisible, latencytest.TTFB, latencytest.TTLT, latencytest.OTPS,
				latencytest.ICLP50, latencytest.Stall, latencytest.InputTokens, latencytest.OutputTokens,
			} {
				for _, q := range []latencytest.Quantile{latencytest.P50, latencytest.P90, latencytest.P99} {
					if v := s.Quantile(m, q); math.IsNaN(v) {
						b.Fatal(m, " has no ", q)
					}
				}
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
	})
}

// manySamples are whole samples with lognormal times.
func manySamples(n int) []latencytest.Sample {
	random := rand.New(rand.NewPCG(1, 0))
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	samples := make([]latencytest.Sample, n)
	for i := range samples {
		ms := func(median float64) time.Duration {
			return time.Duration(median * math.Exp(.4*random.NormFloat64()) * float64(time.Millisecond))
		}
		header := ms(300)
		first := header + ms(20)
		last := first + ms(2000)
		samples[i] = latencytest.Sample{
			Number: i, Scenario: "all", Prompt: "p1", Time: start.Add(time.Duration(i) * 5 * time.Millisecond),
			Class: providers.OK, Provider: "openai", API: "chat-completions", Model: "bench", Proto: "HTTP/1.1",
			Phases: wire.Phases{GotConn: wire.At(50_000), Wrote: wire.At(90_000), Header: wire.At(header), Reused: true},
			Body:   wire.At(header), FirstEvent: wire.At(header), First: wire.At(first), FirstVisible: wire.At(first),
			Last: wire.At(last), End: wire.At(last + ms(1)),
			Gaps: latencytest.Gaps{
				N: 99, P50: wire.At(ms(20)), P90: wire.At(ms(30)), P99: wire.At(ms(50)), Longest: wire.At(ms(80)),
			},
			ContentEvents: 100, Reads: 102,
			Usage: providers.Usage{Input: providers.CountOf(8), Output: providers.CountOf(100)},
			Calls: 1, RequestBytes: 120, ResponseBytes: 27_000,
		}
	}
	return samples
}
