package bedrock_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

const model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

func client(network http.RoundTripper, options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:  &http.Client{Transport: network},
	}, options...)
}

// send makes one request and decodes every attempt of it.
func send(ctx context.Context, target *bedrock.Target, number int, p providers.Prompt) ([]*providers.Response, error) {
	capture := wire.NewCapture(number)
	err := target.Send(capture.Context(ctx), p)
	var responses []*providers.Response
	for _, x := range capture.Exchanges() {
		responses = append(responses, target.Decode(x))
	}
	return responses, err
}

// A thousand requests through the AWS SDK: every event at the nanosecond that the
// script says.
func TestTimesAreExactInVirtualTime(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		Seed: 7, TTFT: fakes.Lognormal(400*time.Millisecond, .45), Gap: fakes.Lognormal(20*time.Millisecond, .3),
		OutputTokens: 30, Reasoning: 4, EmptyDelta: true, Padding: true,
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(script))
		defer network.Close()
		target := bedrock.ConverseStream(client(network.Transport()), model)
		var clients sync.WaitGroup
		for c := range 5 {
			clients.Go(func() {
				for i := range 200 {
					number := 200*c + i
					got, err := send(t.Context(), target, number, providers.Prompt{Text: "hello"})
					require.NoError(t, err)
					require.Len(t, got, 1)
					r := got[0]
					want := script.Schedule(number, 0)
					require.Equal(t, providers.OK, r.Class, r.Detail)
					require.Equal(t, timesOf(want), timesOfEvents(r))
					assert.Equal(t, providers.Reasoning, r.Events[0].Channel)
					assert.Equal(t, wire.At(want.Content[4].At), r.FirstVisible())
					assert.Equal(t, wire.At(want.End), r.End)
					assert.Equal(t, providers.CountOf(30), r.Usage.Output)
					assert.Equal(t, providers.Verbatim, r.Disclosure)
				}
			})
		}
		clients.Wait()
	})
}

// timesOf returns when the content of a script comes.
func timesOf(s fakes.Schedule) []time.Duration {
	var times []time.Duration
	for _, content := range s.Content {
		times = append(times, content.At)
	}
	return times
}

// timesOfEvents returns when the content of a response came.
func timesOfEvents(r *providers.Response) []time.Duration {
	var times []time.Duration
	for _, e := range r.Events {
		times = append(times, e.At)
	}
	return times
}

// Concurrent streams through one target: no race (smithy-go has one when a
// client is shared), and no connection killed by the SDK closing its request
// body while net/http still writes it (the fake answers at once here).
func TestFastRepliesOverLoopbackAreWhole(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			handler := fakes.Bedrock(fakes.Script{OutputTokens: 3})
			server := fakes.NewServer(handler)
			if proto == "HTTP/2.0" {
				server.Close()
				server = fakes.NewTLSServer(handler)
			}
			defer server.Close()
			target := bedrock.ConverseStream(client(server.Client().Transport, func(o *bedrockruntime.Options) {
				o.BaseEndpoint = aws.String(server.URL)
			}), model)
			var clients sync.WaitGroup
			for range 8 {
				clients.Go(func() {
					for i := range 12 {
						capture := wire.NewCapture(i)
						assert.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
						for _, x := range capture.Exchanges() {
							assert.Equal(t, proto, x.Proto)
							r := target.Decode(x)
							assert.Equal(t, providers.OK, r.Class, r.Detail)
							assert.Len(t, r.Events, 3)
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

// seen keeps the last request's path and body.
type seen struct {
	network http.RoundTripper
	path    string
	body    map[string]any
	auth    string
	host    string
}

func (s *seen) RoundTrip(req *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.path, s.body, s.auth, s.host = req.URL.EscapedPath(), nil, req.Header.Get("Authorization"), req.URL.Host
	if err := json.Unmarshal(data, &s.body); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(strings.NewReader(string(data)))
	return s.network.RoundTrip(req)
}

func TestWhatIsAskedForIsSent(t *testing.T) {
	t.Parallel()
	for _, api := range []string{"converse-stream", "converse"} {
		t.Run(api, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
				defer network.Close()
				wiretap := &seen{network: network.Transport()}
				make := bedrock.ConverseStream
				if api == "converse" {
					make = bedrock.Converse
				}
				target := make(client(wiretap), model, bedrock.Optimized(), bedrock.Temperature(0), bedrock.TopP(.9), bedrock.TopK(250))
				prompt := providers.Prompt{
					Text: "And now?", System: "Be brief.", MaxTokens: 12, Region: "us-east-2",
					Caching: true, CacheTTL: "1h", CachedContext: "A long text.",
				}
				got, err := send(t.Context(), target, 0, prompt)
				require.NoError(t, err)
				assert.Equal(t, providers.OK, got[0].Class)
				assert.Equal(t, "optimized", got[0].Served)
				assert.Equal(t, model, got[0].Model)

				assert.Equal(t, "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/"+api, wiretap.path)
				assert.Equal(t, "bedrock-runtime.us-east-2.amazonaws.com", wiretap.host)
				assert.Contains(t, wiretap.auth, "/us-east-2/bedrock/aws4_request")
				assert.Equal(t, map[string]any{"maxTokens": 12., "temperature": 0., "topP": .9}, rounded(wiretap.body["inferenceConfig"]))
				assert.Equal(t, map[string]any{"latency": "optimized"}, wiretap.body["performanceConfig"])
				assert.Equal(t, map[string]any{"top_k": 250.}, wiretap.body["additionalModelRequestFields"])
				assert.Equal(t, []any{map[string]any{"text": "Be brief."}}, wiretap.body["system"])
				assert.Equal(t, []any{map[string]any{"role": "user", "content": []any{
					map[string]any{"text": "A long text."},
					map[string]any{"cachePoint": map[string]any{"type": "default", "ttl": "1h"}},
					map[string]any{"text": "And now?"},
				}}}, wiretap.body["messages"])
			})
		})
	}
}

// rounded undoes what float32 did to a number on its way into JSON.
func rounded(config any) map[string]any {
	out := make(map[string]any)
	for name, v := range config.(map[string]any) {
		out[name] = float64(int(v.(float64)*1000+.5)) / 1000
	}
	return out
}

func TestPromptGoesBeforeTarget(t *testing.T) {
	t.Parallel()
	target := bedrock.ConverseStream(client(nil), model, bedrock.Optimized(), bedrock.TopK(40))
	assert.Equal(t, "provider=bedrock api=converse-stream model="+model+" region=us-east-1 profile=optimized top-k=40",
		target.Describe(providers.Prompt{Text: "a"}).String())
	assert.Equal(t, "provider=bedrock api=converse-stream model=amazon.nova-lite-v1:0 region=us-west-2 profile=standard top-k=40",
		target.Describe(providers.Prompt{Text: "a", Model: "amazon.nova-lite-v1:0", Region: "us-west-2", Profile: "standard"}).String())
	retrying := bedrock.ConverseStream(client(nil), model, bedrock.SDKRetries())
	assert.Equal(t, "sdk", retrying.Describe(providers.Prompt{}).Get("retries"), "a sample then spans all attempts")
	endpoint := bedrock.Converse(client(nil, func(o *bedrockruntime.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:8080") }), model)
	assert.Equal(t, "127.0.0.1", endpoint.Describe(providers.Prompt{}).Get("endpoint"))
}

func TestAccountIDsAreNotDescribed(t *testing.T) {
	t.Parallel()
	profile := "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	target := bedrock.ConverseStream(client(nil), profile)
	assert.Equal(t, "arn:aws:bedrock:us-east-1:***:application-inference-profile/abc", target.Describe(providers.Prompt{}).Get("model"))
}

func TestTopKOfAnUnknownFamilyIsRefused(t *testing.T) {
	t.Parallel()
	target := bedrock.ConverseStream(client(nil), "us.meta.llama3-1-70b-instruct-v1:0", bedrock.TopK(5))
	got, err := send(t.Context(), target, 0, providers.Prompt{Text: "a"})
	require.ErrorContains(t, err, "takes no top-k that is known")
	assert.Empty(t, got)
}

func TestAPIKeyIsSentAsBearer(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "api-key")
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		defer network.Close()
		wiretap := &seen{network: network.Transport()}
		c := bedrockruntime.NewFromConfig(aws.Config{Region: "us-east-1", HTTPClient: &http.Client{Transport: wiretap}})
		got, err := send(t.Context(), bedrock.ConverseStream(c, model), 0, providers.Prompt{Text: "a"})
		require.NoError(t, err)
		assert.Equal(t, providers.OK, got[0].Class)
		assert.Equal(t, "Bearer api-key", wiretap.auth)
	})
}
