package fakes_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var servers = map[string]func(http.Handler) *fakes.Server{
	"HTTP/1.1": fakes.NewServer,
	"HTTP/2.0": fakes.NewTLSServer,
}

// In real time nothing comes before its time. How much later it comes is the
// machine's affair, so only a generous bound is tested.
func TestLoopbackKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	for proto, newServer := range servers {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			script := fakes.Script{
				Seed: 2, TTFT: fakes.Lognormal(40*ms, 0.45), Gap: fakes.Lognormal(5*ms, 0.3),
				OutputTokens: 20, Reasoning: 2, ToolCalls: 1, Padding: true,
			}
			s := newServer(fakes.Bedrock(script))
			defer s.Close()
			var streams sync.WaitGroup
			for number := range 5 {
				streams.Go(func() {
					ctx, capture := sample(t, number)
					got := read(ctx, newClient(fakes.Numbered(s.Client().Transport), aws.String(s.URL)))
					if !assert.NoError(t, got.err) {
						return
					}
					want := script.Schedule(number, 0)
					if assert.Len(t, got.times, len(want.Content)) {
						for i, at := range got.times {
							assert.GreaterOrEqual(t, at, want.Content[i].At, "event %d", i)
						}
					}
					assert.Less(t, got.end, want.End+20*time.Second)
					assert.GreaterOrEqual(t, *got.metadata.Metrics.LatencyMs, want.End.Milliseconds())
					x := capture.Exchanges()[0]
					assert.Equal(t, proto, x.Proto)
					assert.NoError(t, x.Err)
				})
			}
			streams.Wait()
		})
	}
}

func TestLoopbackKeepsConnections(t *testing.T) {
	t.Parallel()
	s := fakes.NewServer(fakes.Bedrock(fakes.Script{}))
	defer s.Close()
	for number := range 20 {
		ctx, capture := sample(t, number)
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL+"/model/m/converse", strings.NewReader(hello))
		require.NoError(t, err)
		resp, err := (&http.Client{Transport: &wire.Transport{Base: s.Client().Transport}}).Do(req)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, number > 0, capture.Exchanges()[0].Phases.Reused, "request %d", number)
	}
}

func TestLoopbackAbort(t *testing.T) {
	t.Parallel()
	for proto, newServer := range servers {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := newServer(fakes.Bedrock(fakes.Script{TTFT: fakes.Constant(5 * ms), Faults: []fakes.Fault{{Effect: fakes.Cut{At: fakes.Abort, After: 3}}}}))
			defer s.Close()
			ctx, capture := sample(t, 0)
			got := read(ctx, newClient(s.Client().Transport, aws.String(s.URL)))
			assert.Len(t, got.times, 3)
			x := capture.Exchanges()[0]
			assert.Equal(t, wire.EndFailed, x.Ending)
			assert.Error(t, x.Err)
		})
	}
}

// Close does not wait for what never comes.
func TestLoopbackClosesUnderAHangingRequest(t *testing.T) {
	t.Parallel()
	for proto, newServer := range servers {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			hang := fakes.Bedrock(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Hang{}}}})
			s := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				hang.ServeHTTP(w, r)
			}))
			failed := make(chan error)
			go func() {
				req, err := http.NewRequestWithContext(context.Background(), "POST", s.URL+"/model/m/converse-stream", strings.NewReader(hello))
				if err == nil {
					_, err = s.Client().Do(req)
				}
				failed <- err
			}()
			<-arrived
			s.Close()
			assert.Error(t, <-failed)
		})
	}
}
