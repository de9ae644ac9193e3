package latencytest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

func withHTTP(c *http.Client) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) { o.HTTPClient = c }
}

// converse is an application that streams an answer through the SDK's own decoder
// and takes its time over each event.
func converse(sdk *bedrockruntime.Client, perEvent time.Duration) func(context.Context, providers.Prompt) error {
	return func(ctx context.Context, p providers.Prompt) error {
		out, err := sdk.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
			ModelId:  aws.String(model),
			Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: p.Text}}}},
		})
		if err != nil {
			return err
		}
		stream := out.GetStream()
		defer stream.Close()
		for range stream.Events() {
			time.Sleep(perEvent)
		}
		return stream.Err()
	}
}

// The user's own code through the real SDK: one request at a time, since streams
// of one AWS client race with one another inside smithy-go. A consumer that takes
// 80 ms an event does not move the marks by a nanosecond.
func TestRunFuncThroughTheSDK(t *testing.T) {
	t.Parallel()
	for _, perEvent := range []time.Duration{0, 80 * ms} {
		bubble(t, lively, func(t *testing.T, network *fakes.Network) {
			rec := &latencytest.Recorder{Base: network.Transport()}
			start := time.Now()
			res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(3), Requests: 50},
				converse(client(nil, withHTTP(rec.Client())), perEvent))
			require.NoError(t, err)
			require.Len(t, res.Scenarios, 1)
			assert.Equal(t, "50/50 ok", res.Scenarios[0].Ends())
			for _, s := range res.Samples {
				want := schedule(lively, s)
				require.Equal(t, at(want.Content[0].At), s.First)
				require.Equal(t, at(want.Content[39].At), s.Last)
				require.Equal(t, at(want.End), s.End)
				require.Equal(t, at(want.Head), s.Header)
				require.Equal(t, tokens(40), s.Usage.Output)
				require.Equal(t, 1, s.Calls)
			}
			if perEvent > 0 {
				assert.Greater(t, time.Since(start), 51*40*perEvent, "the consumer did take its time")
			}
			id := res.Scenarios[0].Identity
			assert.Equal(t, "bedrock", id.Get("provider"), "recognized from the wire")
			assert.Equal(t, "converse-stream", id.Get("api"))
			assert.Equal(t, model, id.Get("model"))
			assert.Equal(t, "bedrock-runtime.us-east-1.amazonaws.com", id.Get("endpoint"))
		})
	}
}

// Retries inside the user's SDK: the sample runs from the first attempt's t_call,
// as the user waited from there, and says how many there were.
func TestRetriesInsideTheUsersSDK(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Every(2), Attempts: 1, Effect: fakes.Refuse{Exception: fakes.Throttling, Delay: 40 * ms}}}
	arrivals := new(arrivalTimes)
	bubbleOf(t, arrivals.watch(fakes.Bedrock(script)), func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		sdk := client(nil, withHTTP(rec.Client()), func(o *bedrockruntime.Options) {
			o.RetryMaxAttempts = 3
			o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) { so.MaxAttempts = 3 })
		})
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 20}, converse(sdk, 0))
		require.NoError(t, err)
		assert.Equal(t, "20/20 ok", res.Scenarios[0].Ends())
		for _, s := range res.Samples {
			attempt := 0
			if s.Number%2 == 1 {
				attempt = 1
			}
			assert.Equal(t, attempt, s.Retries, "sample %d", s.Number)
			assert.Equal(t, attempt+1, s.Calls)
			at0, at1 := arrivals.of(s.Number, 0), arrivals.of(s.Number, attempt)
			require.True(t, s.Time.Equal(at0))
			require.Equal(t, at(at1.Sub(at0)+script.Schedule(s.Number, attempt).Content[0].At), s.First)
			if attempt > 0 {
				assert.GreaterOrEqual(t, at1.Sub(at0), 40*ms, "the first attempt's time is in it")
			}
		}
	})
}

// Code that drops the context it was given cannot be told apart by requests: it is
// refused, with an error that says what to do.
func TestContextThatWasDropped(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		ask := converse(client(nil, withHTTP(rec.Client())), 0)
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 3},
			func(_ context.Context, p providers.Prompt) error { return ask(context.Background(), p) })
		const refused = "latgate: POST bedrock-runtime.us-east-1.amazonaws.com was made without the context given to the scenario's function; pass that ctx down to the SDK call"
		require.ErrorContains(t, err, "all 1 warm-up requests failed, nothing was measured: connect: ")
		require.ErrorContains(t, err, refused)
		assert.Equal(t, providers.Connect, res.Samples[0].Class)

		// Now and then only: such requests fail, the others are measured.
		calls := 0
		res, err = latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 4}, func(ctx context.Context, p providers.Prompt) error {
			if calls++; calls%2 == 0 {
				ctx = context.Background()
			}
			return ask(ctx, p)
		})
		require.NoError(t, err)
		assert.Equal(t, "2/4 ok, connect 2", res.Scenarios[0].Ends())
		assert.Contains(t, res.Samples[1].Error, refused)
	})
}

// A request that is refused still closes its body, as a RoundTripper must.
func TestRefusedRequestClosesItsBody(t *testing.T) {
	t.Parallel()
	body := &closing{}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.example.com/v1/chat/completions", body)
	require.NoError(t, err)
	_, err = new(latencytest.Recorder).Client().Do(req)
	require.ErrorContains(t, err, "latgate: POST api.example.com was made without the context")
	assert.True(t, body.closed)
}

type closing struct{ closed bool }

func (c *closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closing) Close() error             { c.closed = true; return nil }

func TestFunctionThatMakesNoRequest(t *testing.T) {
	t.Parallel()
	res, err := latencytest.MeasureFunc(t.Context(), new(latencytest.Recorder), latencytest.Plan{Prompts: promptSet(1), Requests: 3},
		func(context.Context, providers.Prompt) error { return nil })
	require.ErrorContains(t, err, "all 1 warm-up requests failed, nothing was measured: connect: no request went through the measured client")
	assert.Zero(t, res.Samples[0].Calls)
}

func TestFunctionThatFailsOverAWholeReply(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		ask := converse(client(nil, withHTTP(rec.Client())), 0)
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(2), Requests: 4}, func(ctx context.Context, p providers.Prompt) error {
			if err := ask(ctx, p); err != nil || p.ID == "p0" {
				return err
			}
			return errors.New("the answer is not JSON")
		})
		require.NoError(t, err)
		assert.Equal(t, "2/4 ok, parse 2", res.Scenarios[0].Ends())
		for _, s := range res.Samples {
			if s.Prompt == "p1" {
				assert.Equal(t, "the reply was whole, the operation failed: the answer is not JSON", s.Error)
				assert.True(t, s.First.Known())
			}
		}
	})
}

// t.FailNow and require end the goroutine that calls them. That ends the run with
// an error; it must not hang.
func TestFunctionThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		ask := converse(client(nil, withHTTP(rec.Client())), 0)
		calls := 0
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 10}, func(ctx context.Context, p providers.Prompt) error {
			if calls++; calls == 5 {
				runtime.Goexit() // as t.FailNow does
			}
			return ask(ctx, p)
		})
		require.ErrorContains(t, err, "return an error instead")
		assert.Len(t, res.Samples, 4, "those that had ended")
	})
}

// arrivalTimes notes when each attempt of each request arrived.
type arrivalTimes struct {
	mu    sync.Mutex
	times map[string][]time.Time
}

func (a *arrivalTimes) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		if a.times == nil {
			a.times = make(map[string][]time.Time)
		}
		number := r.Header.Get("X-Latgate-Sample")
		a.times[number] = append(a.times[number], time.Now())
		a.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (a *arrivalTimes) of(sample, attempt int) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.times[strconv.Itoa(sample)][attempt]
}
