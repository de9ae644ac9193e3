package fakes

import (
	"net/http"
	"strconv"

	"github.com/latgate/latgate/providers/wire"
)

// Numbered lets a test send sample numbers over a real network, too.
func Numbered(base http.RoundTripper) http.RoundTripper { return numbered{base} }

type numbered struct{ http.RoundTripper }

func (n numbered) RoundTrip(req *http.Request) (*http.Response, error) {
	if number, ok := wire.SampleNumber(req.Context()); ok {
		req = req.Clone(req.Context())
		req.Header.Set(wire.SampleHeader, strconv.Itoa(number))
	}
	return n.RoundTripper.RoundTrip(req)
}
