package wire_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// The streams that are captured: 1000 reads of 256 bytes each, about what a long
// answer is.
const (
	benchmarkReads    = 1000
	benchmarkReadSize = 256
)

// stream is a body that is always there: a read of it costs what it takes to copy
// the bytes. It notes how long its reader took from the first read to the end.
type stream struct {
	text  []byte
	left  int
	start time.Time
	took  time.Duration
}

func (s *stream) Read(b []byte) (int, error) {
	if s.left == 0 {
		s.took = time.Since(s.start)
		return 0, io.EOF
	}
	if s.start.IsZero() {
		s.start = time.Now()
	}
	s.left--
	return copy(b, s.text), nil
}

func (s *stream) Close() error { return nil }

// BenchmarkCapture measures what the instrument adds to a read. b.N is the number
// of reads. Beside each captured stream a bare one is read, so that both see the
// same machine. ns/read is the time of a whole captured exchange, spread over its
// reads; ns/mark is what passes between two reads of the network, less what does in
// the bare loop. BENCHMARKS.md says what each line means.
func BenchmarkCapture(b *testing.B) {
	for _, c := range []struct {
		name     string
		captured bool
		detach   bool
		reads    int
	}{
		{"bare", false, false, benchmarkReads},
		{"attached", true, false, benchmarkReads},
		{"detached", true, true, benchmarkReads},
		{"exchange", true, true, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			text := make([]byte, benchmarkReadSize)
			body := new(stream)
			transport := &wire.Transport{
				Base: roundTripper(func(req *http.Request) (*http.Response, error) {
					*body = stream{text: text, left: c.reads}
					return &http.Response{StatusCode: 200, Body: body, Request: req}, nil
				}),
				Detach: func(*http.Response) bool { return c.detach },
			}
			buffer := make([]byte, 4096)
			exchange := func(captured bool) (whole, reading time.Duration) {
				start := time.Now()
				capture := wire.NewCapture(0)
				ctx := b.Context()
				if captured {
					ctx = capture.Context(ctx)
				}
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://model.test/", nil)
				resp, err := transport.RoundTrip(req)
				for err == nil {
					_, err = resp.Body.Read(buffer)
				}
				for _, x := range capture.Exchanges() {
					if len(x.Marks) != c.reads || len(x.Body) != c.reads*benchmarkReadSize {
						b.Fatalf("captured %d bytes in %d reads", len(x.Body), len(x.Marks))
					}
				}
				return time.Since(start), body.took
			}

			var before, after runtime.MemStats
			var whole, marking time.Duration
			reads := 0
			exchange(c.captured) // fills the pools
			runtime.ReadMemStats(&before)
			for b.ResetTimer(); reads < b.N; reads += c.reads {
				took, reading := exchange(c.captured)
				whole += took
				if c.captured {
					_, bare := exchange(false)
					marking += reading - bare
				}
			}
			b.StopTimer()
			runtime.ReadMemStats(&after)

			b.ReportMetric(0, "ns/op") // of two streams: nothing to look at
			exchanges := float64(reads / c.reads)
			if c.reads == 1 {
				b.ReportMetric(float64(whole)/exchanges, "ns/exchange")
			} else {
				b.ReportMetric(float64(whole)/float64(reads), "ns/read")
			}
			if !c.captured {
				return
			}
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/exchanges, "allocs/exchange")
			if c.reads > 1 {
				b.ReportMetric(float64(marking)/float64(reads), "ns/mark")
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(reads*benchmarkReadSize), "B/B")
			}
		})
	}
}
