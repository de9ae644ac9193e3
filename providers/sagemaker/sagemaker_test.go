package sagemaker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

func client(network http.RoundTripper, options ...func(*sagemakerruntime.Options)) *sagemakerruntime.Client {
	return sagemakerruntime.New(sagemakerruntime.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:  &http.Client{Transport: network},
	}, options...)
}

// send makes one request and decodes every attempt of it.
func send(ctx context.Context, target *sagemaker.Target, number int, p providers.Prompt) ([]*providers.Response, error) {
	capture := wire.NewCapture(number)
	err := target.Send(capture.Context(ctx), p)
	var responses []*providers.Response
	for _, x := range capture.Exchanges() {
		responses = append(responses, target.Decode(x))
	}
	return responses, err
}

// containers are the kinds that there are, with what they are asked by.
var containers = []struct {
	name      string
	container fakes.Container
	options   []sagemaker.Option
	channels  bool // as opposed to text alone
	stop      string
	long      string
}{
	{"chat", fakes.Container{}, nil, true, "stop", "length"},
	{"chat, an event a part", fakes.Container{Aligned: true}, nil, true, "stop", "length"},
	{"chat in lines", fakes.Container{Lines: true}, nil, true, "stop", "length"},
	{"TGI", fakes.Container{}, []sagemaker.Option{sagemaker.TGI()}, false, "eos_token", "length"},
	{"TGI in lines", fakes.Container{Lines: true}, []sagemaker.Option{sagemaker.TGI()}, false, "eos_token", "length"},
}

// Requests through the AWS SDK: every event at the nanosecond that the script says,
// though it comes in two parts that hold pieces of others.
func TestTimesAreExactInVirtualTime(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		Seed: 7, TTFT: fakes.Lognormal(400*time.Millisecond, .45), Head: fakes.Constant(90 * ms), Gap: fakes.Lognormal(20*time.Millisecond, .3),
		OutputTokens: 30, Reasoning: 4, ToolCalls: 2, EmptyDelta: true,
	}
	for _, c := range containers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.SageMaker(script, c.container))
				defer network.Close()
				target := sagemaker.InvokeEndpointWithResponseStream(client(network.Transport()), "my-llama", c.options...)
				var clients sync.WaitGroup
				for n := range 5 {
					clients.Go(func() {
						for i := range 8 {
							number := 8*n + i
							got, err := send(t.Context(), target, number, providers.Prompt{Text: "hello, hello"})
							require.NoError(t, err)
							require.Len(t, got, 1)
							r, want := got[0], script.Schedule(number, 0)
							require.Equal(t, providers.OK, r.Class, r.Detail)
							require.Equal(t, timesOf(want), timesOfEvents(r))
							assert.Equal(t, wire.At(want.End), r.End)
							assert.Equal(t, usageOf(3, 30), r.Usage)
							assert.Equal(t, "my-llama", r.Model)
							assert.Equal(t, "sagemaker", r.Provider)
							assert.NotEmpty(t, r.RequestID)
							if c.channels {
								assert.Equal(t, "tool_calls", r.Stop)
								assert.Equal(t, providers.Reasoning, r.Events[0].Channel)
								assert.Equal(t, providers.Tool, r.Events[len(r.Events)-1].Channel)
							} else {
								assert.Equal(t, c.stop, r.Stop)
								assert.Equal(t, providers.CountOf(1), r.FirstCount)
							}
						}
					})
				}
				clients.Wait()
			})
		})
	}
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

func usageOf(input, output int64) providers.Usage {
	return providers.Usage{Input: providers.CountOf(input), Output: providers.CountOf(output)}
}

func TestAnswersInParts(t *testing.T) {
	t.Parallel()
	for _, c := range containers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				script := fakes.Script{TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(20 * ms), OutputTokens: 8}
				network := fakes.NewNetwork(fakes.SageMaker(script, c.container))
				defer network.Close()
				for number, limit := range []int{100, 5} {
					p := providers.Prompt{Text: "hello", MaxTokens: limit}
					streamed, err := send(t.Context(), sagemaker.InvokeEndpointWithResponseStream(client(network.Transport()), "e", c.options...), number, p)
					require.NoError(t, err)
					whole, err := send(t.Context(), sagemaker.InvokeEndpoint(client(network.Transport()), "e", c.options...), number, p)
					require.NoError(t, err)
					want := script.Schedule(number, 0).Limit(limit)
					for _, r := range []*providers.Response{streamed[0], whole[0]} {
						require.Equal(t, providers.OK, r.Class, r.Detail)
						assert.True(t, strings.HasPrefix(r.Text, "a request that waits is"))
						assert.Equal(t, map[bool]string{false: c.stop, true: c.long}[want.Limited], r.Stop)
						assert.Equal(t, usageOf(1, int64(want.Tokens())), r.Usage)
						assert.Equal(t, wire.At(want.End), r.End)
					}
					assert.Equal(t, "invoke-endpoint", whole[0].API)
					assert.Equal(t, wire.At(want.End), whole[0].First(), "a reply in one piece has one time")
				}
			})
		})
	}
}

func TestMissingCredentialsAreNoRequest(t *testing.T) {
	t.Parallel()
	none := sagemakerruntime.New(sagemakerruntime.Options{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no credentials found")
		})})
	got, err := send(t.Context(), sagemaker.InvokeEndpointWithResponseStream(none, "e"), 0, providers.Prompt{Text: "hello"})
	require.ErrorContains(t, err, "no credentials found")
	assert.Empty(t, got)
}

func TestRetriesOfTheSDKAreAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.SageMaker(fakes.Script{Faults: []fakes.Fault{{Attempts: 2, Effect: fakes.Refuse{}}}}, fakes.Container{}))
		defer network.Close()
		retrying := client(network.Transport(), func(o *sagemakerruntime.Options) {
			o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) { so.MaxAttempts = 3 })
		})
		got, err := send(t.Context(), sagemaker.InvokeEndpointWithResponseStream(retrying, "e", sagemaker.SDKRetries()), 0, providers.Prompt{Text: "hello"})
		require.NoError(t, err)
		require.Len(t, got, 3)
		assert.Equal(t, []providers.Class{providers.Throttled, providers.Throttled, providers.OK},
			[]providers.Class{got[0].Class, got[1].Class, got[2].Class})

		got, err = send(t.Context(), sagemaker.InvokeEndpointWithResponseStream(retrying, "e"), 1, providers.Prompt{Text: "hello"})
		require.Error(t, err)
		assert.Len(t, got, 1, "off unless asked for")
	})
}

func TestStreamThatIsLeftOpenEndsAfterItsLastEvent(t *testing.T) {
	t.Parallel()
	whole := fakes.SageMaker(fakes.Script{TTFT: fakes.Constant(100 * ms), OutputTokens: 3}, fakes.Container{})
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			whole.ServeHTTP(w, r)
			<-r.Context().Done()
		}))
		defer network.Close()
		for _, option := range [][]sagemaker.Option{nil, {sagemaker.TGI()}} {
			capture := wire.NewCapture(0)
			target := sagemaker.InvokeEndpointWithResponseStream(client(network.Transport()), "e", option...)
			require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
			x := capture.Exchanges()[0]
			assert.Equal(t, wire.EndTerminal, x.Ending)
			r := target.Decode(x)
			assert.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, wire.At(100*ms), r.End, "t_end is the terminal event")
			assert.Equal(t, wire.At(350*ms), x.End, "250 ms after it")
		}
	})
}

// Concurrent streams through one target over a real network: no race, and whole.
func TestFastRepliesOverLoopbackAreWhole(t *testing.T) {
	t.Parallel()
	server := fakes.NewServer(fakes.SageMaker(fakes.Script{OutputTokens: 3}, fakes.Container{}))
	defer server.Close()
	target := sagemaker.InvokeEndpointWithResponseStream(client(server.Client().Transport, func(o *sagemakerruntime.Options) {
		o.BaseEndpoint = aws.String(server.URL)
	}), "e")
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for i := range 12 {
				got, err := send(t.Context(), target, i, providers.Prompt{Text: "hello"})
				assert.NoError(t, err)
				if assert.Len(t, got, 1) {
					assert.Equal(t, providers.OK, got[0].Class, got[0].Detail)
					assert.Len(t, got[0].Events, 3)
				}
			}
		})
	}
	clients.Wait()
}

func ExampleInvokeEndpointWithResponseStream() {
	server := fakes.NewServer(fakes.SageMaker(fakes.Script{OutputTokens: 5}, fakes.Container{}))
	defer server.Close()
	runtime := sagemakerruntime.New(sagemakerruntime.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	target := sagemaker.InvokeEndpointWithResponseStream(runtime, "my-llama", sagemaker.Temperature(0))

	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), providers.Prompt{Text: "Hello."}); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		fmt.Println(r.Class, r.Text)
	}
	// Output: ok a request that waits is
}
