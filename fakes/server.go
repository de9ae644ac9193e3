package fakes

import (
	"net/http"
	"net/http/httptest"
)

// A Server serves a handler on the loopback interface, in real time. For exact
// times see [Network].
type Server struct {
	// URL is the base URL, without a slash at the end.
	URL string

	server *httptest.Server
	client *http.Client
}

// NewServer starts a server that speaks HTTP/1.1 in the clear.
func NewServer(h http.Handler) *Server {
	return newServer(httptest.NewServer(h))
}

// NewTLSServer starts a server that speaks HTTP/2 over TLS, and HTTP/1.1 to
// those who ask for it. Only [Server.Client] trusts its certificate.
func NewTLSServer(h http.Handler) *Server {
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	return newServer(s)
}

func newServer(s *httptest.Server) *Server {
	client := s.Client()
	// With the usual two idle connections a host, a burst would dial anew.
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 1 << 12
	return &Server{URL: s.URL, server: s, client: client}
}

// Client returns a client that trusts the server and keeps its connections.
func (s *Server) Client() *http.Client { return s.client }

// Close hangs up on everybody and waits for the handler to return.
func (s *Server) Close() {
	s.server.CloseClientConnections() // else a request that is never answered would hold Close back
	s.server.Close()
}
