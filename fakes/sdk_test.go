package fakes_test

import (
	"context"
	"errors"
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
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newClient returns an SDK client that tries once. An SDK client must not be
// shared by concurrent streams under the race detector: it has a buffer that
// they share.
func newClient(base http.RoundTripper, endpoint *string, options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region:           "us-east-1",
		BaseEndpoint:     endpoint,
		Credentials:      credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:       &http.Client{Transport: &wire.Transport{Base: base}},
		RetryMaxAttempts: 1,
	}, options...)
}

func userMessage(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

// A reading is what a user of the SDK sees of one stream.
type reading struct {
	times    []time.Duration // of the content events, since the call
	end      time.Duration   // of the last event
	kinds    []string
	text     string
	thought  string
	tool     string
	stop     types.StopReason
	metadata *types.ConverseStreamMetadataEvent
	err      error
}

func read(ctx context.Context, client *bedrockruntime.Client, options ...func(*bedrockruntime.ConverseStreamInput)) reading {
	var r reading
	in := &bedrockruntime.ConverseStreamInput{ModelId: aws.String("us.anthropic.claude-haiku-4-5-v1:0"), Messages: userMessage("Say hello.")}
	for _, option := range options {
		option(in)
	}
	start := time.Now()
	out, err := client.ConverseStream(ctx, in)
	if err != nil {
		r.err = err
		r.end = time.Since(start)
		return r
	}
	stream := out.GetStream()
	defer stream.Close()
	for event := range stream.Events() {
		at := time.Since(start)
		r.end = at
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStart:
			r.kinds = append(r.kinds, "start")
		case *types.ConverseStreamOutputMemberContentBlockStart:
			r.kinds = append(r.kinds, "block")
			if tool, ok := e.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
				r.tool += *tool.Value.Name
			}
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				if d.Value == "" {
					r.kinds = append(r.kinds, "empty")
					continue
				}
				r.text += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				r.tool += *d.Value.Input
			case *types.ContentBlockDeltaMemberReasoningContent:
				thought, ok := d.Value.(*types.ReasoningContentBlockDeltaMemberText)
				if !ok {
					r.kinds = append(r.kinds, "signature")
					continue
				}
				r.thought += thought.Value
			}
			r.kinds = append(r.kinds, "content")
			r.times = append(r.times, at)
		case *types.ConverseStreamOutputMemberContentBlockStop:
			r.kinds = append(r.kinds, "stop")
		case *types.ConverseStreamOutputMemberMessageStop:
			r.kinds = append(r.kinds, "message stop")
			r.stop = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			r.kinds = append(r.kinds, "metadata")
			r.metadata = &e.Value
		}
	}
	r.err = stream.Err()
	return r
}

func sendTimes(s fakes.Schedule) []time.Duration {
	var times []time.Duration
	for _, c := range s.Content {
		times = append(times, c.At)
	}
	return times
}

// sample returns a context that ties requests to the sample of that number.
func sample(t *testing.T, number int) (context.Context, *wire.Capture) {
	capture := wire.NewCapture(number)
	return capture.Context(t.Context()), capture
}

// In virtual time the SDK sees every content event at the nanosecond at which
// the script says it is sent, and so does the wire.
func TestSDKSeesScriptedTimesExactly(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		Seed: 11, Session: 0.05,
		TTFT: fakes.Mixture(fakes.Lognormal(400*ms, 0.35), 0.05, 4), Head: fakes.Lognormal(150*ms, 0.2),
		Gap: fakes.Lognormal(18*ms, 0.5), OutputTokens: 90, TokensPerChunk: 3,
		Reasoning: 6, ToolCalls: 1, Padding: true, EmptyDelta: true,
		Faults: []fakes.Fault{{On: fakes.Share(0.2), Effect: fakes.Stall{At: 7, For: 3 * time.Second}}},
	}
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Bedrock(script))
		defer n.Close()
		client := newClient(n.Transport(), nil) // https and the usual host: the network takes any
		for number := range 40 {
			ctx, capture := sample(t, number)
			got, want := read(ctx, client), script.Schedule(number, 0)
			require.NoError(t, got.err)
			require.Equal(t, sendTimes(want), got.times, "request %d", number)
			require.Equal(t, want.End, got.end)
			require.Equal(t, want.End.Milliseconds(), *got.metadata.Metrics.LatencyMs)
			require.Equal(t, int32(want.Tokens()), *got.metadata.Usage.OutputTokens)
			require.Equal(t, types.StopReasonToolUse, got.stop)

			x := capture.Exchanges()[0]
			head, _ := x.Phases.Header.Get()
			require.Equal(t, want.Head, head, "the response head")
			var marks []time.Duration
			for _, m := range x.Marks {
				if len(marks) == 0 || marks[len(marks)-1] != m.At {
					marks = append(marks, m.At)
				}
			}
			require.Equal(t, append(append([]time.Duration{want.Head}, sendTimes(want)...), want.End), marks, "the wire")
		}
	})
}

func TestSDKReadsEveryEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Bedrock(fakes.Script{TTFT: fakes.Constant(ms), OutputTokens: 6, Reasoning: 1, ToolCalls: 1, EmptyDelta: true, Padding: true}))
		defer n.Close()
		ctx, _ := sample(t, 0)
		got := read(ctx, newClient(n.Transport(), aws.String("http://bedrock.test")), func(in *bedrockruntime.ConverseStreamInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "Be brief."}, &types.SystemContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: types.CachePointTypeDefault}}}
			in.PerformanceConfig = &types.PerformanceConfiguration{Latency: types.PerformanceConfigLatencyOptimized}
		})
		require.NoError(t, got.err)
		assert.Equal(t, []string{
			"start", "empty", "stop", "content", "signature", "stop", "content", "content", "stop",
			"block", "content", "content", "content", "stop", "message stop", "metadata",
		}, got.kinds)
		assert.Equal(t, "a", got.thought)
		assert.Equal(t, "a request", got.text)
		assert.Equal(t, `get_weather{"city":"Reykjavík"}`, got.tool)
		assert.Equal(t, types.PerformanceConfigLatencyOptimized, got.metadata.PerformanceConfig.Latency)
		assert.Equal(t, int32(2), *got.metadata.Usage.CacheWriteInputTokens)
	})
}

func TestSDKConverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Lognormal(400*ms, 0.45), Gap: fakes.Lognormal(10*ms, 0.3), OutputTokens: 6, Reasoning: 1, ToolCalls: 1}
		n := fakes.NewNetwork(fakes.Bedrock(script))
		defer n.Close()
		ctx, _ := sample(t, 5)
		start := time.Now()
		out, err := newClient(n.Transport(), nil).Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: userMessage("Say hello.")})
		require.NoError(t, err)
		assert.Equal(t, script.Schedule(5, 0).End, time.Since(start))
		assert.Equal(t, script.Schedule(5, 0).End.Milliseconds(), *out.Metrics.LatencyMs)
		content := out.Output.(*types.ConverseOutputMemberMessage).Value.Content
		require.Len(t, content, 3)
		assert.Equal(t, "a", *content[0].(*types.ContentBlockMemberReasoningContent).Value.(*types.ReasoningContentBlockMemberReasoningText).Value.Text)
		assert.Equal(t, "a request", content[1].(*types.ContentBlockMemberText).Value)
		var input struct{ City string }
		require.NoError(t, content[2].(*types.ContentBlockMemberToolUse).Value.Input.UnmarshalSmithyDocument(&input))
		assert.Equal(t, "Reykjavík", input.City)
		assert.Equal(t, int32(6), *out.Usage.OutputTokens)
	})
}

// Streams at the same time keep to their schedules, whoever is scheduled first.
func TestSDKStreamsAtTheSameTime(t *testing.T) {
	t.Parallel()
	script := fakes.Script{Seed: 5, TTFT: fakes.Lognormal(400*ms, 0.45), Gap: fakes.Lognormal(20*ms, 0.3), Padding: true}
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Bedrock(script))
		defer n.Close()
		var streams sync.WaitGroup
		for worker := range 5 {
			streams.Go(func() {
				client := newClient(n.Transport(), nil)
				for i := range 8 {
					number := 8*worker + i
					ctx, _ := sample(t, number)
					got := read(ctx, client)
					assert.NoError(t, got.err)
					assert.Equal(t, sendTimes(script.Schedule(number, 0)), got.times, "request %d", number)
				}
			})
		}
		streams.Wait()
	})
}

func TestSDKExceptionsBeforeTheStream(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		exception fakes.Exception
		status    int
		typed     any // what errors.As finds, or nil for a generic error with the code
	}{
		{"", 429, new(*types.ThrottlingException)},
		{fakes.Throttling, 429, new(*types.ThrottlingException)},
		{fakes.ModelNotReady, 429, new(*types.ModelNotReadyException)},
		{fakes.Validation, 400, new(*types.ValidationException)},
		{fakes.ServiceQuotaExceeded, 400, new(*types.ServiceQuotaExceededException)},
		{fakes.AccessDenied, 403, new(*types.AccessDeniedException)},
		{fakes.UnrecognizedClient, 403, nil},
		{fakes.ExpiredToken, 403, nil},
		{fakes.ResourceNotFound, 404, new(*types.ResourceNotFoundException)},
		{fakes.ModelTimeout, 408, new(*types.ModelTimeoutException)},
		{fakes.ModelError, 424, new(*types.ModelErrorException)},
		{fakes.ModelStreamError, 424, new(*types.ModelStreamErrorException)},
		{fakes.InternalServer, 500, new(*types.InternalServerException)},
		{fakes.ServiceUnavailable, 503, new(*types.ServiceUnavailableException)},
		{"TeapotException", 500, nil},
	} {
		t.Run(string(test.exception), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := fakes.NewNetwork(fakes.Bedrock(fakes.Script{Faults: []fakes.Fault{
					{Effect: fakes.Refuse{Exception: test.exception, Delay: 70 * ms, RetryAfter: 1500 * ms}},
				}}))
				defer n.Close()
				ctx, capture := sample(t, 0)
				got := read(ctx, newClient(n.Transport(), nil))
				assert.Equal(t, 70*ms, got.end)
				var failure smithy.APIError
				require.ErrorAs(t, got.err, &failure)
				assert.NotEmpty(t, failure.ErrorMessage())
				if test.typed != nil {
					assert.True(t, errors.As(got.err, test.typed), "%v", got.err)
				} else {
					assert.Equal(t, string(test.exception), failure.ErrorCode())
				}
				x := capture.Exchanges()[0]
				assert.Equal(t, test.status, x.Status)
				assert.Equal(t, "1500", x.Header.Get("x-amz-retry-after"))
			})
		})
	}
}

func TestSDKExceptionsInTheStream(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		effect fakes.Effect
		code   string
		typed  any
	}{
		{fakes.Throw{After: 3}, "ThrottlingException", new(*types.ThrottlingException)},
		{fakes.Throw{Exception: fakes.InternalServer, After: 3}, "InternalServerException", new(*types.InternalServerException)},
		{fakes.Throw{Exception: fakes.ModelStreamError, After: 3}, "ModelStreamErrorException", new(*types.ModelStreamErrorException)},
		{fakes.Throw{Exception: fakes.Validation, After: 3}, "ValidationException", new(*types.ValidationException)},
		{fakes.Throw{Exception: fakes.ServiceUnavailable, After: 3}, "ServiceUnavailableException", new(*types.ServiceUnavailableException)},
		{fakes.ThrowUnmodelled{After: 3}, "InternalFailure", nil},
		{fakes.ThrowUnmodelled{Code: "Teapot", Message: "short and stout", After: 3}, "Teapot", nil},
	} {
		t.Run(test.code, func(t *testing.T) {
			script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), Faults: []fakes.Fault{{Effect: test.effect}}}
			synctest.Test(t, func(t *testing.T) {
				n := fakes.NewNetwork(fakes.Bedrock(script))
				defer n.Close()
				ctx, capture := sample(t, 0)
				got := read(ctx, newClient(n.Transport(), nil))
				assert.Equal(t, []time.Duration{100 * ms, 110 * ms, 120 * ms}, got.times)
				var failure smithy.APIError
				require.ErrorAs(t, got.err, &failure)
				assert.Equal(t, test.code, failure.ErrorCode())
				if test.typed != nil {
					assert.True(t, errors.As(got.err, test.typed), "%T", got.err)
				}
				var lost *types.ModelStreamErrorException
				if errors.As(got.err, &lost) {
					assert.Equal(t, int32(502), *lost.OriginalStatusCode)
					assert.NotEmpty(t, *lost.OriginalMessage)
				}
				x := capture.Exchanges()[0]
				assert.Equal(t, 200, x.Status)
				assert.Equal(t, wire.EndEOF, x.Ending)
				end, _ := x.End.Get()
				assert.Equal(t, 130*ms, end)

				_, err := newClient(n.Transport(), nil).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: userMessage("hi")})
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, test.code, failure.ErrorCode(), "a reply that does not stream is refused")
			})
		})
	}
}

// The SDK takes most truncated streams for complete ones, and so judging them is
// up to us. This pins down what it does with each.
func TestSDKAndTruncatedStreams(t *testing.T) {
	t.Parallel()
	for _, place := range []fakes.Place{
		"", fakes.BetweenMessages, fakes.InPrelude, fakes.InHeaders, fakes.InPayload, fakes.BeforeCRC, fakes.Abort, fakes.BadCRC,
	} {
		t.Run(string(place), func(t *testing.T) {
			script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), Faults: []fakes.Fault{{Effect: fakes.Cut{At: place, After: 3}}}}
			synctest.Test(t, func(t *testing.T) {
				n := fakes.NewNetwork(fakes.Bedrock(script))
				defer n.Close()
				ctx, capture := sample(t, 0)
				got := read(ctx, newClient(n.Transport(), nil))
				assert.Equal(t, []time.Duration{100 * ms, 110 * ms, 120 * ms}, got.times)
				assert.Empty(t, got.stop)
				assert.Nil(t, got.metadata)
				if place == fakes.BadCRC {
					assert.ErrorContains(t, got.err, "checksum")
				} else {
					assert.NoError(t, got.err, "the SDK notices nothing")
				}

				x := capture.Exchanges()[0]
				end, _ := x.End.Get()
				assert.Equal(t, 130*ms, end)
				if place == fakes.Abort {
					assert.ErrorIs(t, x.Err, io.ErrUnexpectedEOF)
				} else {
					assert.NoError(t, x.Err)
				}
				messages, err := 0, error(nil)
				for r := wire.NewEventStreamReader(strings.NewReader(string(x.Body))); err == nil; messages++ {
					_, err = r.Next()
				}
				assert.Equal(t, 1+3+1, messages, "the start, three deltas and the end or an error")
				var broken *wire.FrameError
				switch place {
				case "", fakes.BetweenMessages, fakes.Abort:
					assert.ErrorIs(t, err, io.EOF)
				default:
					assert.ErrorAs(t, err, &broken)
				}

				_, err = newClient(n.Transport(), nil).Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: userMessage("hi")})
				assert.Error(t, err, "half a reply that does not stream")
			})
		})
	}
}

func TestSDKOtherFaults(t *testing.T) {
	t.Parallel()
	run := func(name string, script fakes.Script, check func(t *testing.T, got reading)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script.TTFT, script.Gap = fakes.Constant(100*ms), fakes.Constant(10*ms)
				n := fakes.NewNetwork(fakes.Bedrock(script))
				defer n.Close()
				ctx, _ := sample(t, 0)
				ctx, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				check(t, read(ctx, newClient(n.Transport(), nil)))
			})
		})
	}
	run("hang", fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Hang{}}}}, func(t *testing.T, got reading) {
		assert.ErrorIs(t, got.err, context.DeadlineExceeded)
		assert.Equal(t, time.Hour, got.end)
	})
	run("stall", fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Stall{At: 2, For: time.Minute}}}}, func(t *testing.T, got reading) {
		require.NoError(t, got.err)
		assert.Equal(t, []time.Duration{100 * ms, 110 * ms, time.Minute + 120*ms}, got.times[:3])
	})
	run("stall beyond the client's patience", fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Stall{At: 2, For: 2 * time.Hour}}}}, func(t *testing.T, got reading) {
		assert.ErrorIs(t, got.err, context.DeadlineExceeded)
		assert.Len(t, got.times, 2)
	})
	run("empty", fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Empty{}}}}, func(t *testing.T, got reading) {
		require.NoError(t, got.err)
		assert.Equal(t, []string{"start", "message stop", "metadata"}, got.kinds)
		assert.Equal(t, types.StopReasonEndTurn, got.stop)
		assert.Equal(t, int32(0), *got.metadata.Usage.OutputTokens)
		assert.Equal(t, 100*ms, got.end)
	})
	run("no usage", fakes.Script{Faults: []fakes.Fault{{Effect: fakes.NoUsage{}}}}, func(t *testing.T, got reading) {
		require.NoError(t, got.err)
		assert.Nil(t, got.metadata.Usage)
		assert.NotNil(t, got.metadata.Metrics)
	})
}

// A client that tries again gets through once the fault is over; the fake sees
// the attempts of one request.
func TestSDKRetriesUntilAttemptsAreUp(t *testing.T) {
	t.Parallel()
	script := fakes.Script{Seed: 1, TTFT: fakes.Lognormal(400*ms, 0.45), Faults: []fakes.Fault{
		{On: fakes.Request(3), Attempts: 2, Effect: fakes.Refuse{RetryAfter: 2 * time.Second}},
	}}
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Bedrock(script))
		defer n.Close()
		ctx, capture := sample(t, 3)
		client := newClient(n.Transport(), nil, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 3 })
		require.NoError(t, read(ctx, client).err)
		exchanges := capture.Exchanges()
		require.Len(t, exchanges, 3)
		assert.Equal(t, 429, exchanges[1].Status)
		want, _ := script.Schedule(3, 2).TTFT()
		got, _ := exchanges[2].BodyStart().Get()
		assert.Equal(t, want, got)
	})
}
