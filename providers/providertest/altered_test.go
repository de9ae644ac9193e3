package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// An altered target does one thing differently. What is nil is done right.
type altered struct {
	providers.Target
	recognizes func(*wire.Exchange) bool
	decode     func(*wire.Exchange) *providers.Response
	send       func(context.Context, providers.Prompt) error
	describe   func(providers.Prompt) providers.Facts
}

func (a altered) Recognizes(x *wire.Exchange) bool {
	if a.recognizes == nil {
		return a.Target.Recognizes(x)
	}
	return a.recognizes(x)
}

func (a altered) Decode(x *wire.Exchange) *providers.Response {
	if a.decode == nil {
		return a.Target.Decode(x)
	}
	return a.decode(x)
}

func (a altered) Send(ctx context.Context, p providers.Prompt) error {
	if a.send == nil {
		return a.Target.Send(ctx, p)
	}
	return a.send(ctx, p)
}

func (a altered) Describe(p providers.Prompt) providers.Facts {
	if a.describe == nil {
		return a.Target.Describe(p)
	}
	return a.describe(p)
}

// alter changes both the streaming and the unary target.
func alter(change func(a *altered, url string, client *http.Client)) func(*Case) {
	return func(c *Case) {
		for _, make := range []*func(string, *http.Client) providers.Target{&c.New, &c.NewUnary} {
			honest := *make
			*make = func(url string, client *http.Client) providers.Target {
				a := altered{Target: honest(url, client)}
				change(&a, url, client)
				return a
			}
		}
	}
}

// decoding changes what is decoded.
func decoding(change func(*wire.Exchange, *providers.Response)) func(*Case) {
	return alter(func(a *altered, _ string, _ *http.Client) {
		a.decode = func(x *wire.Exchange) *providers.Response {
			r := acme{}.Decode(x)
			change(x, r)
			return r
		}
	})
}

// spoken changes how the protocol is spoken.
func spoken(change func(*endpoint.Protocol)) func(*Case) {
	return func(c *Case) {
		p := acmeProtocol
		change(&p)
		c.New = func(url string, client *http.Client) providers.Target {
			return endpoint.New(p, "acme-large", endpoint.Options{BaseURL: url, Client: client})
		}
	}
}

// describing changes the facts.
func describing(change func(facts providers.Facts, url string, p providers.Prompt) providers.Facts) func(*Case) {
	return alter(func(a *altered, url string, _ *http.Client) {
		honest := a.Target
		a.describe = func(p providers.Prompt) providers.Facts { return change(honest.Describe(p), url, p) }
	})
}

// post is Send by hand, through whatever client.
func post(ctx context.Context, client *http.Client, url string, p providers.Prompt) error {
	body, err := json.Marshal(map[string]string{"prompt": p.Text, "system": p.System})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat", bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// retrying makes a request again where the server failed, without telling anybody.
type retrying struct{ base http.RoundTripper }

func (r retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.base.RoundTrip(req)
	if err != nil || resp.StatusCode < 500 {
		return resp, err
	}
	return r.base.RoundTrip(req.Clone(req.Context()))
}
