package bench

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// BenchmarkLowMemory runs a thousand and a million requests with Plan.LowMemory, each
// in a process of its own, and shows the memory that either takes. The endpoint is
// a transport that answers from memory, since the network is not what is asked about;
// the samples are written to a file, as in any such run.
//
//	go test ./bench -run '^$' -bench LowMemory -benchtime 1x
func BenchmarkLowMemory(b *testing.B) {
	few, many := 1_000, 1_000_000
	if testing.Short() {
		many = 20_000
	}
	for b.Loop() {
		before := machine()
		short := alone[outcome](b, "lowmemory", load{Streams: 8, Requests: few})
		long := alone[outcome](b, "lowmemory", load{Streams: 8, Requests: many})
		b.Logf("%s\n%d requests: %.0f MB, %v\n%d requests: %.0f MB, %v",
			before, few, short.RSS, short.Wall.Round(time.Millisecond), many, long.RSS, long.Wall.Round(time.Millisecond))
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(short.RSS, "rss-MB-few")
		b.ReportMetric(long.RSS, "rss-MB-many")
		b.ReportMetric(long.Wall.Seconds(), "s/run")
	}
}

// measureLowMemory makes the load's requests, reads the quantiles and reports what it
// took.
func measureLowMemory(l load) any {
	dir, err := os.MkdirTemp("", "latgate")
	if err != nil {
		fail("%v", err)
	}
	defer os.RemoveAll(dir)
	begin, cpu := time.Now(), cpuTime()
	client := &http.Client{Transport: fromMemory{}}
	res, err := latencytest.Measure(context.Background(), openai.Chat("bench", endpoint.Options{BaseURL: "http://memory.test/v1", Client: client}), latencytest.Plan{
		Prompts: []providers.Prompt{{Text: "Go on."}}, Requests: l.Requests, Load: latencytest.Closed(l.Streams),
		LowMemory: true, SampleFile: filepath.Join(dir, "samples.jsonl"),
	})
	if err != nil {
		fail("%v", err)
	}
	if s := res.Scenarios[0]; s.Failed() > 0 || s.Attempts() != l.Requests || !(s.Quantile(latencytest.TTFT, latencytest.P99) > 0) {
		fail("%s", s.Ends())
	}
	if res.String() == "" {
		fail("no table")
	}
	return outcome{CPU: cpuTime() - cpu, Wall: time.Since(begin), RSS: peakMemory()}
}

// fromMemory is a transport that sends the same reply to all.
type fromMemory struct{}

var reply = func() string {
	const events = 5
	text, _ := chunk(1)
	return role(1) + strings.Repeat(string(text), events) + end(1, events)
}()

func (fromMemory) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(reply)),
	}, nil
}
