package sagemaker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// A Target is one endpoint.
type Target struct {
	protocol.Stream

	options   sagemakerruntime.Options
	api       string
	endpoint  string
	settings  settings
	transport *wire.Transport
}

var _ providers.Target = (*Target)(nil)

// InvokeEndpointWithResponseStream returns an endpoint whose container streams. The
// client's HTTP client, credentials, region and base endpoint are used; the client
// itself is not changed. Retries are off unless [SDKRetries] is given. A prompt's own
// model, which is the name of an endpoint here, and region go before the target's;
// its profile, which only Bedrock has, is ignored.
func InvokeEndpointWithResponseStream(client *sagemakerruntime.Client, endpoint string, options ...Option) *Target {
	return newTarget(client, protocol.StreamAPI, endpoint, options)
}

// InvokeEndpoint returns an endpoint whose container replies in one piece.
func InvokeEndpoint(client *sagemakerruntime.Client, endpoint string, options ...Option) *Target {
	return newTarget(client, protocol.UnaryAPI, endpoint, options)
}

func newTarget(client *sagemakerruntime.Client, api, endpoint string, options []Option) *Target {
	t := &Target{options: client.Options(), api: api, endpoint: endpoint}
	for _, o := range options {
		o.apply(&t.settings)
	}
	t.transport = &wire.Transport{Base: sdkTransport{t.options.HTTPClient}, Detach: isEventStream, Terminal: terminal}
	t.options.HTTPClient = capturing{t.transport}
	if !t.settings.sdkRetries {
		t.options.Retryer = aws.NopRetryer{}
		t.options.RetryMaxAttempts = 0
	}
	return t
}

// sdkTransport lets the SDK's own HTTP client make the requests, so that its
// proxies, certificates and timeouts stay in force.
type sdkTransport struct{ client sagemakerruntime.HTTPClient }

func (t sdkTransport) RoundTrip(req *http.Request) (*http.Response, error) { return t.client.Do(req) }

// capturing is the HTTP client the SDK gets. It is no http.Client, which would
// follow redirects; the SDK's own does not.
type capturing struct{ transport *wire.Transport }

func (c capturing) Do(req *http.Request) (*http.Response, error) { return c.transport.RoundTrip(req) }

func isEventStream(resp *http.Response) bool {
	return wire.Streams(resp, "application/vnd.amazon.eventstream")
}

// terminal is for [wire.Transport.Terminal]: nobody reads a detached stream, so
// nobody would close one that the endpoint leaves open.
func terminal(resp *http.Response) func([]byte) bool {
	if !isEventStream(resp) {
		return nil
	}
	return protocol.StreamEnd()
}

// Describe implements [providers.Target].
func (t *Target) Describe(p providers.Prompt) providers.Facts {
	facts := providers.Facts{
		{Name: "provider", Value: protocol.Provider},
		{Name: "api", Value: t.api},
		{Name: "model", Value: cmp.Or(p.Model, t.endpoint)},
		{Name: "region", Value: cmp.Or(p.Region, t.options.Region)},
	}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, providers.Fact{Name: name, Value: value})
		}
	}
	s := t.settings
	if s.tgi {
		add("body", "tgi")
	}
	for _, number := range []struct {
		name  string
		value *float64
	}{{"temperature", s.temperature}, {"top-p", s.topP}} {
		if number.value != nil {
			add(number.name, strconv.FormatFloat(*number.value, 'g', -1, 64))
		}
	}
	if s.topK != nil {
		add("top-k", strconv.Itoa(*s.topK))
	}
	if len(s.fields) > 0 {
		add("fields", digest(s.fields))
	}
	add("component", s.component)
	add("variant", s.variant)
	if s.sdkRetries {
		add("retries", "sdk")
	}
	if t.options.BaseEndpoint != nil {
		add("endpoint", hostname(*t.options.BaseEndpoint))
	}
	return facts
}

// digest names request members that make measurements comparable without
// showing them: they may hold a prompt.
func digest(fields map[string]any) string {
	data, err := json.Marshal(fields) // members in the order of their names
	if err != nil {
		return "not-json"
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256(data))
}

// hostname is that of an endpoint that is not AWS's own, without the port: a test
// server gets a new one in every run.
func hostname(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "unparsable"
	}
	return u.Hostname()
}

// Send implements [providers.Target].
func (t *Target) Send(ctx context.Context, p providers.Prompt) error {
	body, err := t.settings.body(p, t.api == protocol.StreamAPI)
	if err != nil {
		return err
	}
	// A client of its own for each request: streams of one client share a buffer
	// inside smithy-go, which is a data race.
	client := sagemakerruntime.New(t.options, func(o *sagemakerruntime.Options) {
		o.Region = cmp.Or(p.Region, o.Region)
	})
	err = t.invoke(ctx, client, cmp.Or(p.Model, t.endpoint), body)
	wire.Wait(ctx)
	return err
}

func (t *Target) invoke(ctx context.Context, client *sagemakerruntime.Client, endpoint string, body []byte) error {
	json := aws.String("application/json")
	component, variant := optional(t.settings.component), optional(t.settings.variant)
	if t.api == protocol.UnaryAPI {
		_, err := client.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
			EndpointName: &endpoint, Body: body, ContentType: json,
			InferenceComponentName: component, TargetVariant: variant,
		})
		return err
	}
	out, err := client.InvokeEndpointWithResponseStream(ctx, &sagemakerruntime.InvokeEndpointWithResponseStreamInput{
		EndpointName: &endpoint, Body: body, ContentType: json,
		InferenceComponentName: component, TargetVariant: variant,
	})
	if err != nil {
		return err
	}
	return out.GetStream().Close()
}

// optional returns nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
