package bedrock

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// A Target is one API of one model.
type Target struct {
	providers.Decoder

	operation operation
	options   bedrockruntime.Options
	model     string
	settings  settings
	transport *wire.Transport
}

var _ providers.Target = (*Target)(nil)

// ConverseStream returns the streaming API of a model. The client's HTTP client,
// credentials, region and endpoint are used; the client itself is not changed.
// Retries are off unless [SDKRetries] is given. A prompt's own model, region and
// profile go before the target's.
func ConverseStream(client *bedrockruntime.Client, model string, options ...Option) *Target {
	return newTarget(client, converseStream, model, options)
}

// Converse returns the API of a model that replies in one piece.
func Converse(client *bedrockruntime.Client, model string, options ...Option) *Target {
	return newTarget(client, converse, model, options)
}

// InvokeModelWithResponseStream returns the streaming API that takes a model's own
// words, as [ConverseStream] does the one that has the same words for all. The id
// of the model must tell its family, or [Family] has to. A family that takes no
// top-k, or no cache marks, fails where a prompt or an option asks for them.
func InvokeModelWithResponseStream(client *bedrockruntime.Client, model string, options ...Option) *Target {
	return newTarget(client, invokeStream, model, options)
}

// InvokeModel returns the API of a model's own words that replies in one piece.
func InvokeModel(client *bedrockruntime.Client, model string, options ...Option) *Target {
	return newTarget(client, invoke, model, options)
}

func newTarget(client *bedrockruntime.Client, o operation, model string, options []Option) *Target {
	t := &Target{Decoder: o.decoder, operation: o, options: client.Options(), model: model}
	for _, option := range options {
		option.apply(&t.settings)
	}
	t.transport = &wire.Transport{Base: sdkTransport{t.options.HTTPClient}, Detach: isEventStream, Terminal: o.terminal}
	t.options.HTTPClient = capturing{t.transport}
	if !t.settings.sdkRetries {
		t.options.Retryer = aws.NopRetryer{}
		t.options.RetryMaxAttempts = 0
	}
	return t
}

// sdkTransport lets the SDK's own HTTP client make the requests, so that its
// proxies, certificates and timeouts stay in force.
type sdkTransport struct{ client bedrockruntime.HTTPClient }

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
func (o operation) terminal(resp *http.Response) func([]byte) bool {
	if o.end == nil || !isEventStream(resp) {
		return nil
	}
	return o.end()
}

// Describe implements [providers.Target].
func (t *Target) Describe(p providers.Prompt) providers.Facts {
	facts := providers.Facts{
		{Name: "provider", Value: protocol.Provider},
		{Name: "api", Value: t.operation.api},
		{Name: "model", Value: masked(cmp.Or(p.Model, t.model))},
		{Name: "region", Value: cmp.Or(p.Region, t.options.Region)},
		{Name: "profile", Value: cmp.Or(p.Profile, string(t.settings.latency))},
	}
	number := func(name string, v *float32) {
		if v != nil {
			facts = append(facts, providers.Fact{Name: name, Value: strconv.FormatFloat(float64(*v), 'g', -1, 32)})
		}
	}
	number("temperature", t.settings.temperature)
	number("top-p", t.settings.topP)
	if k := t.settings.topK; k != nil {
		facts = append(facts, providers.Fact{Name: "top-k", Value: strconv.Itoa(*k)})
	}
	if f := t.settings.family; f != "" {
		facts = append(facts, providers.Fact{Name: "family", Value: string(f)})
	}
	if t.settings.sdkRetries {
		facts = append(facts, providers.Fact{Name: "retries", Value: "sdk"})
	}
	if t.options.BaseEndpoint != nil {
		facts = append(facts, providers.Fact{Name: "endpoint", Value: endpointName(*t.options.BaseEndpoint)})
	}
	return facts
}

// endpointName is the host of an endpoint that is not AWS's own, without the
// port: a test server gets a new one in every run.
func endpointName(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "unparsable"
	}
	return u.Hostname()
}

func masked(model string) string { return protocol.MaskAccount(model) }

// Send implements [providers.Target].
func (t *Target) Send(ctx context.Context, p providers.Prompt) error {
	// A client of its own for each request: streams of one client share a buffer
	// inside smithy-go, which is a data race.
	client := bedrockruntime.New(t.options, func(o *bedrockruntime.Options) {
		o.Region = cmp.Or(p.Region, o.Region)
	})
	err := t.operation.send(ctx, client, t.settings, p, cmp.Or(p.Model, t.model))
	wire.Wait(ctx)
	return err
}
