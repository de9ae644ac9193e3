package fakes

import "net/http"

// Numbered lets a test send sample numbers over a real network, too.
func Numbered(base http.RoundTripper) http.RoundTripper {
	return numberingTransport{base.(*http.Transport)}
}
