package s3store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers"
)

// A mirror is objects that can only be read, by plain GETs.
type mirror struct {
	client *http.Client
	base   *url.URL // ends with a slash
}

// Mirror returns a store that reads the layout of a bucket below an https address
// and needs no credentials: a bucket that anybody may read, or a copy of one. Add
// returns [ErrReadOnly]. The digests are in pointers that come the same way, so
// http is taken for addresses of this machine alone. Of the options, HTTPClient
// and Timeout are used.
func Mirror(ctx context.Context, address string, o Options) (*Store, error) {
	base, err := checkedURL(address)
	if err != nil {
		return nil, fmt.Errorf("the address of a mirror: %w", err)
	}
	if !protected(base) {
		return nil, fmt.Errorf("the mirror %s: want https, or anybody on the way could change what is read", base)
	}
	base = base.JoinPath("/")
	client := *cmp.Or(o.HTTPClient, http.DefaultClient)
	follow := client.CheckRedirect
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case !protected(req.URL):
			return errors.New("redirected away from https")
		case follow != nil:
			return follow(req, via)
		case len(via) > 5:
			return errors.New("redirected more than five times")
		}
		return nil
	}
	return newStore(ctx, &mirror{client: &client, base: base}, o), nil
}

// protected reports whether nobody on the way can change what comes from there.
func protected(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// address escapes plus signs, which S3 takes for spaces.
func (m *mirror) address(name string) string {
	return strings.ReplaceAll(m.base.JoinPath(name).String(), "+", "%2B")
}

func (m *mirror) get(ctx context.Context, name string, limit int64) ([]byte, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.address(name), nil)
	if err != nil {
		return nil, "", err
	}
	failed := &ServerError{Operation: "GET", Object: m.address(name)}
	resp, err := m.client.Do(req)
	if err != nil {
		failed.Message, failed.cause = providers.Scrub(innermost(err).Error()), contextError(err)
		return nil, "", &transientError{failed}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
		data, err := readAll(resp.Body, limit, m.address(name))
		return data, resp.Header.Get("ETag"), err
	case resp.StatusCode == http.StatusNotFound:
		return nil, "", errMissing
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	failed.Status, failed.Message = resp.StatusCode, providers.Scrub(strings.TrimSpace(string(said)))
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return nil, "", &transientError{failed}
	}
	return nil, "", failed
}

func (m *mirror) String() string { return strings.TrimSuffix(m.address(""), "/") }

func (m *mirror) names(context.Context, string) ([]string, error) {
	return nil, fmt.Errorf("%s: %w", m.address(""), ErrUnlisted)
}

func (m *mirror) put(context.Context, string, []byte, string) error { return ErrReadOnly }
