package endpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A Protocol is how one API of a provider is spoken.
type Protocol struct {
	providers.Decoder

	Provider, API string // as in [providers.Response]

	BaseURL string // the default of [Options.BaseURL]; empty: it must be given
	KeyEnv  string // the environment variable of the key; "" for none

	// Authorize puts a key into a request's header: [Bearer], [Header]. Nil sends none.
	Authorize func(h http.Header, key string)

	// Header is sent with each request.
	Header http.Header

	// Path returns what follows the base URL, escaped, with its query.
	Path func(model string, stream bool) string

	// Body returns the members of the request body.
	Body func(Request) (map[string]any, error)

	// Facts are what else measurements of this API differ in, such as its version.
	Facts providers.Facts

	// Terminal is for [wire.Transport.Terminal]. Nil means that a stream ends with
	// the body.
	Terminal func(*http.Response) func([]byte) bool
}

// A Request is what a [Protocol] makes a body of.
type Request struct {
	Options
	Model  string
	Prompt providers.Prompt
	Stream bool
}

// Bearer sends a key as "Authorization: Bearer".
func Bearer(h http.Header, key string) { h.Set("Authorization", "Bearer "+key) }

// Header returns an Authorize function that sends a key in a header of that name.
func Header(name string) func(http.Header, string) {
	return func(h http.Header, key string) { h.Set(name, key) }
}

// A Target is one API of one model. It is safe for concurrent use.
type Target struct {
	Protocol
	model   string
	options Options
	client  *http.Client
}

// CloseIdleConnections closes the connections that are kept for further requests.
func (t *Target) CloseIdleConnections() { t.client.CloseIdleConnections() }

var _ providers.Target = (*Target)(nil)

// New returns a target. A prompt's own model goes before the target's; its region
// and profile, which only AWS has, are ignored.
func New(p Protocol, model string, o Options) *Target {
	transport := &wire.Transport{Terminal: p.Terminal, Detach: func(*http.Response) bool { return true }}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.Client != nil {
		transport.Base, client.Timeout, client.Jar = o.Client.Transport, o.Client.Timeout, o.Client.Jar
	}
	return &Target{Protocol: p, model: model, options: o, client: client}
}

func (t *Target) modelOf(p providers.Prompt) string {
	if p.Model != "" {
		return p.Model
	}
	return t.model
}

// Describe implements [providers.Target].
func (t *Target) Describe(p providers.Prompt) providers.Facts {
	facts := providers.Facts{
		{Name: "provider", Value: t.Provider},
		{Name: "api", Value: t.API},
		{Name: "model", Value: t.modelOf(p)},
	}
	facts = append(facts, t.Facts...)
	add := func(name, value string) { facts = append(facts, providers.Fact{Name: name, Value: value}) }
	if t.options.Unary {
		add("stream", "false")
	}
	for _, number := range []struct {
		name  string
		value *float64
	}{{"temperature", t.options.Temperature}, {"top-p", t.options.TopP}} {
		if number.value != nil {
			add(number.name, strconv.FormatFloat(*number.value, 'g', -1, 64))
		}
	}
	if k := t.options.TopK; k != nil {
		add("top-k", strconv.Itoa(*k))
	}
	if len(t.options.Fields) > 0 {
		add("fields", digest(t.options.Fields))
	}
	if headers := telling(t.options.Header); len(headers) > 0 {
		add("headers", digest(headers))
	}
	if base := t.base(); base != t.BaseURL {
		add("endpoint", hostname(base))
	}
	return facts
}

// telling returns the headers that can change what is measured: not those that
// only say who asks.
func telling(h http.Header) http.Header {
	headers := make(http.Header)
	for name, values := range h {
		lower := strings.ToLower(name)
		secret := slices.ContainsFunc([]string{"auth", "key", "token", "secret", "cookie", "user-agent", "request-id", "session"}, func(word string) bool {
			return strings.Contains(lower, word)
		})
		if !secret {
			headers[http.CanonicalHeaderKey(name)] = values
		}
	}
	return headers
}

// digest names what makes measurements comparable without showing it: request
// members may hold a prompt.
func digest(fields any) string {
	data, err := json.Marshal(fields) // members in the order of their names
	if err != nil {
		return "not-json"
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256(data))
}

// hostname leaves the port out: a test server gets a new one in every run.
func hostname(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "unparsable"
	}
	return u.Hostname()
}

func (t *Target) base() string {
	if t.options.BaseURL != "" {
		return strings.TrimRight(t.options.BaseURL, "/")
	}
	return t.BaseURL
}

// Send implements [providers.Target].
func (t *Target) Send(ctx context.Context, p providers.Prompt) error {
	req, err := t.request(ctx, p)
	if err != nil {
		return err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the URL around it may hold a key
		}
		return fmt.Errorf("%s: %w", t.Provider, err)
	}
	wire.Wait(ctx)
	return resp.Body.Close()
}

func (t *Target) request(ctx context.Context, p providers.Prompt) (*http.Request, error) {
	r := Request{Options: t.options, Model: t.modelOf(p), Prompt: p, Stream: !t.options.Unary}
	members, err := t.Body(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Provider, err)
	}
	for name, value := range t.options.Fields {
		members[name] = merged(members[name], value)
	}
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	body, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("%s: Options.Fields: %w", t.Provider, err)
	}
	if t.base() == "" {
		return nil, fmt.Errorf("%s: no endpoint: set Options.BaseURL", t.Provider)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base()+t.Path(r.Model, r.Stream), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: Options.BaseURL: %w", t.Provider, err)
	}
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, t.Protocol.Header)
	if err := t.authorize(req); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Provider, err)
	}
	for name, values := range t.options.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	return req, nil
}

// merged returns value with the members of before that it lacks, where both are
// objects, and else value.
func merged(before, value any) any {
	own, isObject := before.(map[string]any)
	changes, areObject := value.(map[string]any)
	if !isObject || !areObject {
		return value
	}
	object := maps.Clone(own)
	maps.Copy(object, changes)
	maps.DeleteFunc(object, func(_ string, v any) bool { return v == nil })
	return object
}

func (t *Target) authorize(req *http.Request) error {
	if t.options.Token != nil {
		token, err := t.options.Token(req.Context())
		if err != nil {
			return fmt.Errorf("Options.Token: %w", err)
		}
		Bearer(req.Header, token)
		return nil
	}
	key := t.options.Key
	if key == "" && t.KeyEnv != "" {
		key = os.Getenv(t.KeyEnv)
	}
	if key != "" && t.Authorize != nil {
		t.Authorize(req.Header, key)
	}
	return nil
}
