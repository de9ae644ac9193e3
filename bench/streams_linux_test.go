package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latgate/latgate/latencytest"
)

// BenchmarkStreams compares latgate with a bare read loop over the same load: how
// late either sees an event, by the server's own write times, and what CPU time and
// memory that takes. The clients take turns (bare, capture, latgate, and back again),
// and what is reported is the median of the rounds.
//
//	go test ./bench -run '^$' -bench Streams -benchtime 1x -timeout 30m
//
// LATGATE_BENCH_ROUNDS is how often they take turns, there and back (once when not set),
// LATGATE_BENCH_EVENTS how many events a stream has (250: five seconds).
func BenchmarkStreams(b *testing.B) {
	rounds := fromEnvironment(b, "LATGATE_BENCH_ROUNDS", 1)
	events := fromEnvironment(b, "LATGATE_BENCH_EVENTS", 250)
	sizes := []load{
		{Streams: 1, Events: 10, Waves: 40}, // short ones: a P99 needs many
		{Streams: 100, Events: events, Waves: 3},
		{Streams: 1000, Events: events, Waves: 3},
		{Streams: 5000, Events: events, Waves: 1},
	}
	if testing.Short() {
		rounds = 1
		sizes = []load{{Streams: 1, Events: 10, Waves: 8}, {Streams: 100, Events: 25, Waves: 2}}
	}
	for _, l := range sizes {
		l.Interval, l.First = 20*time.Millisecond, 200*time.Millisecond
		b.Run(strconv.Itoa(l.Streams), func(b *testing.B) {
			needFiles(b, l.Streams)
			for b.Loop() {
				compareClients(b, l, rounds)
			}
		})
	}
}

func fromEnvironment(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q: want a positive number", name, text)
	}
	return n
}

// A round is one run of one client.
type round struct {
	outcome
	server served
}

func compareClients(b *testing.B, l load, rounds int) {
	before := machine()
	clients := []string{"bare", "capture", "latgate"}
	of := make(map[string][]round)
	turn := func(client string) {
		o, s := against[outcome](b, client, l)
		of[client] = append(of[client], round{outcome: o, server: s})
	}
	for range rounds {
		for i := range clients {
			turn(clients[i])
		}
		for i := range clients {
			turn(clients[len(clients)-1-i])
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%s, %d CPUs, %s %s/%s; medians of %d rounds\n", before, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, 2*rounds)
	fmt.Fprintf(&table, "%8s | TTFT error: P50  P99  max   | event error: P50  P99  max  | CPU/event | CPU    | RSS    | server: late P99, CPU\n", "")
	for _, c := range clients {
		rs := of[c]
		fmt.Fprintf(&table, "%8s | %s | %s | %6.2f µs | %5.1f%% | %3.0f MB | %s %.1f%%\n", c,
			medianErrors(rs, func(o outcome) errorsOf { return o.TTFT }), medianErrors(rs, func(o outcome) errorsOf { return o.Events }),
			median(rs, cpuPerEvent)*1e6, 100*median(rs, cpuShare), median(rs, memory),
			micro(time.Duration(median(rs, serverLate))),
			100*median(rs, func(r round) float64 { return r.server.CPU.Seconds() / r.Wall.Seconds() }))
	}
	late := median(of["bare"], serverLate)
	if late > float64(l.Interval) {
		fmt.Fprintf(&table, "OVERLOADED: the server itself was late by more than an interval; server and client need more CPU than there is\n")
	}
	b.Log(table.String())

	ratio := func(client string, value func(round) float64) float64 {
		return median(of[client], value) / median(of["bare"], value)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(of["latgate"], ttftP50)/1e3, "ttft-err-p50-µs")
	b.ReportMetric(median(of["latgate"], ttftP99)/1e3, "ttft-err-p99-µs")
	b.ReportMetric(ratio("latgate", ttftP99), "ttft-err-p99-ratio")
	b.ReportMetric(ratio("latgate", eventsP99), "event-err-p99-ratio")
	b.ReportMetric(ratio("latgate", cpuPerEvent), "cpu-ratio")
	b.ReportMetric(ratio("capture", ttftP99), "capture-ttft-err-p99-ratio")
	b.ReportMetric(ratio("capture", cpuPerEvent), "capture-cpu-ratio")
	b.ReportMetric(median(of["latgate"], memory), "rss-MB")
	b.ReportMetric(median(of["bare"], memory), "bare-rss-MB")
	b.ReportMetric(late/1e6, "server-late-p99-ms")
}

func ttftP50(r round) float64    { return float64(r.TTFT.P50) }
func ttftP99(r round) float64    { return float64(r.TTFT.P99) }
func eventsP99(r round) float64  { return float64(r.Events.P99) }
func serverLate(r round) float64 { return float64(r.server.LateP99) }
func memory(r round) float64     { return r.RSS }
func cpuShare(r round) float64   { return r.CPU.Seconds() / r.Wall.Seconds() }

// cpuPerEvent is in seconds. All events of a run count, measured or not.
func cpuPerEvent(r round) float64 { return r.CPU.Seconds() / float64(r.server.Written) }

func median(rounds []round, value func(round) float64) float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = value(r)
	}
	return latencytest.Type7(values, .5)
}

func medianErrors(rounds []round, of func(outcome) errorsOf) errorsOf {
	at := func(value func(errorsOf) time.Duration) time.Duration {
		return time.Duration(median(rounds, func(r round) float64 { return float64(value(of(r.outcome))) }))
	}
	return errorsOf{
		P50: at(func(e errorsOf) time.Duration { return e.P50 }),
		P99: at(func(e errorsOf) time.Duration { return e.P99 }),
		Max: at(func(e errorsOf) time.Duration { return e.Max }),
	}
}
