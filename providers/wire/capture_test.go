package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/wire"
)

// pieces is a body that comes in reads of 256 bytes, without waiting.
type pieces struct{ left int }

func (p *pieces) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	p.left--
	return min(256, len(b)), nil
}

// closeCounter is a request body that knows whether it was closed.
type closeCounter struct {
	io.Reader
	closed *atomic.Int64
}

func (b closeCounter) Close() error { b.closed.Add(1); return nil }

// Code under test may hedge its requests or leak goroutines that go on making
// them. Run with the race detector.
func TestOperationEndsWhenItsExchangesAreHandedOut(t *testing.T) {
	t.Parallel()
	network := &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		req.Body.Close()
		return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", Body: io.NopCloser(&pieces{left: 4}), Request: req}, nil
	})}
	for range 200 {
		capture := wire.NewCapture(0)
		ctx := capture.Context(t.Context())
		var answered, opened, closed atomic.Int64
		var refusals [4]error
		var clients sync.WaitGroup
		for c := range refusals {
			clients.Go(func() {
				for {
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://model.test/", nil)
					if err != nil {
						panic(err)
					}
					req.Body = closeCounter{strings.NewReader("question"), &closed}
					opened.Add(1)
					resp, err := (&http.Client{Transport: network}).Do(req)
					if err != nil {
						refusals[c] = err
						return
					}
					answered.Add(1)
					if answered.Load()%2 == 0 {
						_, _ = io.Copy(io.Discard, resp.Body)
					}
					resp.Body.Close()
				}
			})
		}
		for answered.Load() < 8 {
			time.Sleep(time.Microsecond)
		}
		exchanges := capture.Exchanges()
		clients.Wait()

		require.EqualValues(t, answered.Load(), len(exchanges), "a request is either answered and handed out, or refused")
		for _, x := range exchanges {
			require.NotEmpty(t, x.Ending)
			require.True(t, x.End.Known())
			require.Equal(t, 200, x.Status)
		}
		for _, err := range refusals {
			require.ErrorIs(t, err, wire.ErrOperationEnded)
		}
		require.Equal(t, opened.Load(), closed.Load(), "a RoundTripper closes the body, also of what it refuses")
		require.Equal(t, exchanges, capture.Exchanges(), "nothing was added")
		wire.Wait(ctx)
	}
}

func TestExchangesAreWaitedForInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(0)
		ctx := capture.Context(t.Context())
		transport := &wire.Transport{Base: streaming(ticks(3, 10*time.Millisecond)), Detach: func(*http.Response) bool { return true }}
		start := time.Now()
		get(t, ctx, transport)
		wire.Wait(ctx)
		assert.Equal(t, 30*time.Millisecond, time.Since(start))
		get(t, ctx, transport)

		time.AfterFunc(10*time.Millisecond, func() { // Exchanges has been called, and waits
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://model.test/", nil)
			assert.NoError(t, err)
			_, err = transport.RoundTrip(req)
			assert.ErrorIs(t, err, wire.ErrOperationEnded)
		})
		assert.Len(t, capture.Exchanges(), 2)
		assert.Equal(t, 60*time.Millisecond, time.Since(start))
	})
}

// A write is a piece of a reply, so long after the one before; "EOF" ends the body.
type write struct {
	after time.Duration
	text  string
}

// openEnded answers with these writes, and leaves the body open.
func openEnded(writes ...write) http.RoundTripper {
	return streaming(func(ctx context.Context, w *io.PipeWriter) {
		for _, piece := range writes {
			time.Sleep(piece.after)
			if piece.text == "EOF" {
				w.Close()
				return
			}
			_, _ = io.WriteString(w, piece.text)
		}
		<-ctx.Done()
	})
}

func TestStreamLeftOpenEndsAfterItsTerminalEvent(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		writes  []write
		end     wire.Ending
		at      time.Duration
		looked  int // calls of the hook
		failure error
	}{
		{"left open", []write{{10 * ms, "a"}, {10 * ms, "[DONE]"}}, wire.EndTerminal, 270 * ms, 2, nil},
		{"ended at once", []write{{10 * ms, "a"}, {10 * ms, "[DONE]"}, {0, "EOF"}}, wire.EndEOF, 20 * ms, 2, nil},
		{"ended after a while", []write{{10 * ms, "[DONE]"}, {249 * ms, "EOF"}}, wire.EndEOF, 259 * ms, 1, nil},
		{"more comes", []write{{10 * ms, "[DONE]"}, {200 * ms, "x"}, {200 * ms, "y"}}, wire.EndTerminal, 660 * ms, 1, nil},
		{"no terminal event", []write{{10 * ms, "a"}, {time.Second, "b"}}, wire.EndContext, 3 * time.Second, 2, context.DeadlineExceeded},
		{"the context is done first", []write{{2900 * ms, "[DONE]"}}, wire.EndContext, 3 * time.Second, 1, context.DeadlineExceeded},
	} {
		for _, detached := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
					defer cancel()
					capture := wire.NewCapture(0)
					var sent strings.Builder
					for _, piece := range c.writes {
						sent.WriteString(strings.TrimSuffix(piece.text, "EOF"))
					}
					looked := 0
					resp := get(t, capture.Context(ctx), &wire.Transport{
						Base:   openEnded(c.writes...),
						Detach: func(*http.Response) bool { return detached },
						Terminal: func(resp *http.Response) func([]byte) bool {
							assert.Equal(t, 200, resp.StatusCode)
							return func(body []byte) bool {
								looked++
								return strings.HasSuffix(string(body), "[DONE]")
							}
						},
					})
					got, err := io.ReadAll(resp.Body)
					if !detached {
						assert.Equal(t, sent.String(), string(got))
						assert.ErrorIs(t, err, c.failure)
					}
					x := capture.Exchanges()[0]
					assert.Equal(t, c.end, x.Ending)
					assert.Equal(t, wire.At(c.at), x.End)
					assert.Equal(t, sent.String(), string(x.Body))
					assert.ErrorIs(t, x.Err, c.failure)
					assert.Equal(t, c.looked, looked)
				})
			})
		}
	}
}

// A caller that closes the body does not wait for anything.
func TestCloseIsNotHeldBackByTheTerminalEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(0)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(errors.New("the test is over"))
		resp := get(t, capture.Context(ctx), &wire.Transport{
			Base:     openEnded(write{0, "[DONE]"}),
			Terminal: func(*http.Response) func([]byte) bool { return func([]byte) bool { return true } },
		})
		_, err := io.ReadFull(resp.Body, make([]byte, 6))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		x := capture.Exchanges()[0]
		assert.Equal(t, wire.EndClosed, x.Ending)
		assert.Equal(t, wire.At(0), x.End)
	})
}

func TestResponseWithoutAKnownTerminalEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(0)
		resp := get(t, capture.Context(t.Context()), &wire.Transport{
			Base:     streaming(ticks(3, time.Second)),
			Terminal: func(*http.Response) func([]byte) bool { return nil },
		})
		_, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		assert.Equal(t, wire.EndEOF, capture.Exchanges()[0].Ending)
	})
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
