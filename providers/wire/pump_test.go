package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/wire"
)

// answering is a network that answers with what open returns.
func answering(open func() io.Reader) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(open()), Request: req}, nil
	})
}

// numbered is a body of n bytes like no other.
func numbered(number, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d ", number), n/2+1)[:n]
}

// Streams use memory that others have used before them. Run with the race detector.
func TestStreamsShareNothing(t *testing.T) {
	t.Parallel()
	sizes := []int{0, 1, 300, 16 << 10, 16<<10 + 1, 40 << 10, 600 << 10}
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			var exchanges []*wire.Exchange
			var left []io.ReadCloser // are read after others have used the memory
			for i := range 3 * len(sizes) {
				body := numbered(10*i+client, sizes[(i+client)%len(sizes)])
				capture := wire.NewCapture(0)
				resp := get(t, capture.Context(t.Context()), &wire.Transport{Base: answering(func() io.Reader {
					return iotest.HalfReader(bytes.NewReader(body))
				})})
				if i%2 == 0 {
					got, err := io.ReadAll(piecewise{resp.Body, 100 + 1000*client})
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(body, got), "what the caller reads along")
				} else {
					left = append(left, resp.Body)
				}
				exchanges = append(exchanges, capture.Exchanges()...)
			}
			for i, x := range exchanges {
				body := numbered(10*i+client, sizes[(i+client)%len(sizes)])
				assert.True(t, bytes.Equal(body, x.Body), "what is kept")
				assert.Equal(t, len(body), cap(x.Body), "no more than that")
				if i%2 == 1 {
					got, err := io.ReadAll(left[i/2])
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(body, got), "what the caller reads afterwards")
				}
			}
		})
	}
	clients.Wait()
}

// How a body that is there at once falls into reads depends on the body alone, and
// not on the memory that an earlier stream has left.
func TestReadsAreOfferedTheSameSpace(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100 << 10, 900 << 10, 100 << 10, 3 << 20, 100 << 10} {
		capture := wire.NewCapture(0)
		resp := get(t, capture.Context(t.Context()), &wire.Transport{Base: answering(func() io.Reader {
			return bytes.NewReader(make([]byte, size))
		})})
		_, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		for i, m := range capture.Exchanges()[0].Marks {
			require.EqualValues(t, min((i+1)*16<<10, size), m.End)
		}
	}
}

// Not parallel, as it counts what the process allocates.
func TestReadsAllocateNothing(t *testing.T) {
	allocations := func(reads int) float64 {
		network := &wire.Transport{Base: answering(func() io.Reader { return &pieces{left: reads} })}
		return testing.AllocsPerRun(20, func() {
			capture := wire.NewCapture(0)
			resp := get(t, capture.Context(t.Context()), network)
			_, err := io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.Len(t, capture.Exchanges()[0].Marks, reads)
		})
	}
	// A workspace that is not from the pool, which the race detector empties at random,
	// grows some twenty times.
	assert.InDelta(t, 0, (allocations(3000)-allocations(10))/2990, .01, "allocations a read")
}
