package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/latgate/latgate/providers/wire"
)

// BenchmarkCapture measures what the instrument adds to a read: the same body,
// read through the transport and read bare. b.N is the number of reads, of 256
// bytes each, in streams of 1000.
func BenchmarkCapture(b *testing.B) {
	for _, c := range []struct {
		name     string
		captured bool
	}{{"bare", false}, {"captured", true}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			transport := &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: io.NopCloser(&pieces{left: 1000}), Request: req}, nil
			})}
			buffer := make([]byte, 4096)
			for read := 0; read < b.N; {
				ctx := b.Context()
				if c.captured {
					ctx = wire.NewCapture(0).Context(ctx)
				}
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://model.test/", nil)
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				for {
					if _, err := resp.Body.Read(buffer); err != nil {
						break
					}
				}
				read += 1000
			}
		})
	}
}

type pieces struct{ left int }

func (p *pieces) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	p.left--
	return min(256, len(b)), nil
}

func ExampleCapture() {
	network := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(&pieces{left: 3}), Request: req}, nil
	})
	client := &http.Client{Transport: &wire.Transport{Base: network}}
	capture := wire.NewCapture(0)
	req, _ := http.NewRequestWithContext(capture.Context(context.Background()), http.MethodGet, "http://model.test/", nil)
	resp, _ := client.Do(req)
	_, _ = io.Copy(io.Discard, resp.Body)

	for _, x := range capture.Exchanges() {
		fmt.Println(x.Status, x.Ending, len(x.Body), "bytes in", len(x.Marks), "reads")
	}
	// Output: 200 eof 768 bytes in 3 reads
}
