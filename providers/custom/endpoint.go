package custom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// An Endpoint is one that a file describes. It is safe for concurrent use.
//
// It may hold secrets from the environment. Printed, it is its name.
type Endpoint struct {
	name, api, model, method string

	address address
	header  http.Header
	body
	reply
	client *http.Client
}

var _ providers.Target = (*Endpoint)(nil)

// Through returns the endpoint as it is reached with the transport and within the
// time limit of client. Nil means a transport that keeps its connections, see
// [wire.Transport]. Redirects are not followed.
func (e *Endpoint) Through(client *http.Client) *Endpoint {
	transport := &wire.Transport{Terminal: e.terminal, Detach: func(*http.Response) bool { return true }}
	through := *e
	through.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if client != nil {
		transport.Base, through.client.Timeout, through.client.Jar = client.Transport, client.Timeout, client.Jar
	}
	return &through
}

// CloseIdleConnections closes the connections that are kept for further requests.
func (e *Endpoint) CloseIdleConnections() { e.client.CloseIdleConnections() }

// String returns the name.
func (e *Endpoint) String() string { return e.name }

// GoString returns the name.
func (e *Endpoint) GoString() string { return e.name }

func (e *Endpoint) modelOf(p providers.Prompt) string {
	if p.Model != "" {
		return p.Model
	}
	return e.model
}

// Describe implements [providers.Target].
func (e *Endpoint) Describe(p providers.Prompt) providers.Facts {
	return providers.Facts{
		{Name: "provider", Value: e.name},
		{Name: "api", Value: e.api},
		{Name: "model", Value: providers.Inert(e.modelOf(p))},
		{Name: "framing", Value: e.framing},
		{Name: "body", Value: e.digest()},
		{Name: "endpoint", Value: providers.Inert(e.address.name)},
	}
}

// Send implements [providers.Target]. A prompt that asks for what the body has no
// place for is an error, and not sent.
func (e *Endpoint) Send(ctx context.Context, p providers.Prompt) error {
	req, err := e.request(ctx, p)
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		for {
			failed, withURL := errors.AsType[*url.Error](err)
			if !withURL {
				break
			}
			err = failed.Err // the URL around it may hold a key
		}
		return fmt.Errorf("%s: %w", e.name, err)
	}
	wire.Wait(ctx)
	return resp.Body.Close()
}

func (e *Endpoint) request(ctx context.Context, p providers.Prompt) (*http.Request, error) {
	switch {
	case p.System != "" && !e.uses["system"]:
		return nil, errors.New("the prompt has a system prompt, and the body no {system}")
	case p.Model != "" && !e.uses["model"] && !e.address.hasModel():
		return nil, errors.New("the prompt names a model, and neither the body nor the url has {model}")
	}
	model := e.modelOf(p)
	data, err := json.Marshal(e.body.fill(e.valuesOf(p, model)))
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, e.method, e.address.of(model), bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("url: not one with this model in it")
	}
	req.Header.Set("Content-Type", "application/json")
	for name, values := range e.header {
		req.Header[name] = values
	}
	if host := e.header.Get("Host"); host != "" {
		req.Host = host
	}
	return req, nil
}

// Recognizes reports whether x is a request to the endpoint.
func (e *Endpoint) Recognizes(x *wire.Exchange) bool {
	return x.Method == e.method && e.address.matches(x)
}
