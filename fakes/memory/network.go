package memory

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/latgate/latgate/providers/wire"
)

// maxIdleConns is how many idle connections a fake's clients keep.
const maxIdleConns = 1 << 12

// A Network is a server and the only way to it, in memory. It speaks real
// HTTP/1.1 through net/http on both sides, but nothing in it waits for anything
// but goroutines and timers, as a [testing/synctest] bubble demands: there, time
// passes at once, and what a client measures is what the handler does to the
// nanosecond. Make and close it inside the bubble.
//
// Every host name leads to the handler, with http and https alike (there is no
// TLS in between), so a client needs no other endpoint than its usual one.
// Requests made under a [wire.Capture] carry the number of their sample in
// [wire.SampleHeader], which ties what is random in a fake to the sample.
type Network struct {
	server    http.Server
	transport *http.Transport
	listener  *memoryListener
	running   sync.WaitGroup // the server and its connections
}

// New returns a network that leads to h.
func New(h http.Handler) *Network {
	n := &Network{listener: newMemoryListener()}
	n.server.Handler = h
	n.server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			n.running.Add(1)
		case http.StateClosed, http.StateHijacked:
			n.running.Done()
		}
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return n.listener.dial(ctx) }
	n.transport = &http.Transport{
		DialContext:         dial,
		DialTLSContext:      dial,
		MaxIdleConnsPerHost: maxIdleConns,
	}
	n.running.Go(func() { _ = n.server.Serve(n.listener) })
	return n
}

// Client returns a client of the network.
func (n *Network) Client() *http.Client { return &http.Client{Transport: n.Transport()} }

// Transport returns the network as an [http.RoundTripper].
func (n *Network) Transport() http.RoundTripper { return numberingTransport{n.transport} }

// Close hangs up on everybody and waits for the handler to return.
func (n *Network) Close() error {
	err := n.server.Close()
	n.transport.CloseIdleConnections()
	n.running.Wait()
	return err
}

// A numberingTransport tells the fake which sample a request belongs to.
type numberingTransport struct{ *http.Transport }

func (t numberingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if number, ok := wire.SampleNumber(req.Context()); ok {
		req = req.Clone(req.Context())
		if req.Header == nil {
			req.Header = make(http.Header)
		}
		req.Header.Set(wire.SampleHeader, strconv.Itoa(number))
	}
	return t.Transport.RoundTrip(req)
}
