package custom

import (
	"errors"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers/wire"
)

const (
	modelPlace = "{model}"
	standIn    = "latgate.model" // is the same escaped
)

// An address is a URL in whose path or query the model may have a place. Its text
// may hold secrets, and is in no error.
type address struct {
	text       string
	host, name string // with the port, and without
	path       []string
}

// parseAddress reads a URL.
func parseAddress(text string) (address, error) {
	u, err := url.Parse(strings.ReplaceAll(text, modelPlace, standIn))
	switch {
	case err != nil:
		return address{}, errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return address{}, errors.New("want a URL that begins with https:// or http://")
	case u.Host == "":
		return address{}, errors.New("a URL without a host")
	case strings.Contains(u.Host, standIn):
		return address{}, errors.New("{model} can be in the path and the query, not in the host")
	}
	a := address{text: text, host: u.Host, name: u.Hostname()}
	a.path = strings.Split(pathOf(u), standIn)
	return a, nil
}

// pathOf returns the escaped path as it is sent.
func pathOf(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// hasModel reports whether the model has a place in the address.
func (a address) hasModel() bool { return strings.Contains(a.text, modelPlace) }

// of returns the URL for a model.
func (a address) of(model string) string {
	path, query, hasQuery := strings.Cut(a.text, "?")
	path = strings.ReplaceAll(path, modelPlace, url.PathEscape(model))
	if !hasQuery {
		return path
	}
	return path + "?" + strings.ReplaceAll(query, modelPlace, url.QueryEscape(model))
}

// matches reports whether an exchange went to the address, with whatever model.
func (a address) matches(x *wire.Exchange) bool {
	if !strings.EqualFold(strings.TrimSuffix(x.Host, ":"), strings.TrimSuffix(a.host, ":")) { // net/http leaves an empty port out
		return false
	}
	rest := x.Path
	if rest == "" {
		rest = "/"
	}
	first, last := a.path[0], a.path[len(a.path)-1]
	if len(a.path) == 1 {
		return rest == first
	}
	rest, ok := strings.CutPrefix(rest, first)
	if !ok {
		return false
	}
	for _, between := range a.path[1 : len(a.path)-1] {
		model, after, found := strings.Cut(rest, between)
		if !found || model == "" {
			return false
		}
		rest = after
	}
	model, ok := strings.CutSuffix(rest, last)
	return ok && model != "" && !strings.Contains(model, "/")
}
