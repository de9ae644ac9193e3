package latencytest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

// A failed attempt has one class, keeps the times it got to, counts in every
// rate, and never enters a distribution.
func TestFailuresHaveAClassAndNoValue(t *testing.T) {
	t.Parallel()
	const limit = 20 * time.Second
	script := lively
	script.Faults = []fakes.Fault{
		{On: fakes.Request(5), Effect: fakes.Refuse{Exception: fakes.Throttling, Delay: 30 * ms}},
		{On: fakes.Request(6), Effect: fakes.Throw{Exception: fakes.Throttling, After: 3}},
		{On: fakes.Request(7), Effect: fakes.Throw{Exception: fakes.ModelStreamError, After: 3}},
		{On: fakes.Request(8), Effect: fakes.Cut{At: fakes.InPayload, After: 3}},
		{On: fakes.Request(9), Effect: fakes.Cut{At: fakes.Abort, After: 3}},
		{On: fakes.Request(10), Effect: fakes.Hang{}},
		{On: fakes.Request(11), Effect: fakes.Empty{}},
		{On: fakes.Request(12), Effect: fakes.Refuse{Exception: fakes.Validation}},
		{On: fakes.Request(13), Effect: fakes.Refuse{Exception: fakes.InternalServer}},
		{On: fakes.Request(14), Effect: fakes.Stall{At: 3, For: time.Minute}},
		{On: fakes.Request(15), Effect: fakes.Cut{At: fakes.BadCRC, After: 3}},
		{On: fakes.Request(16), Effect: fakes.NoUsage{}},
	}
	want := map[int]struct {
		class   providers.Class
		code    string
		content bool // some had come
	}{
		5: {providers.Throttled, "ThrottlingException", false}, 6: {providers.Throttled, "throttlingException", true},
		7: {providers.StreamError, "modelStreamErrorException", true}, 8: {providers.Truncated, "", true}, 9: {providers.Truncated, "", true},
		10: {providers.Timeout, "", false}, 11: {providers.Empty, "", false}, 12: {providers.HTTP4xx, "ValidationException", false},
		13: {providers.HTTP5xx, "InternalServerException", false}, 14: {providers.Timeout, "", true}, 15: {providers.Parse, "", true},
		16: {providers.OK, "", true},
	}
	res := measured(t, script, latencytest.Plan{Prompts: promptSet(3), Requests: 36, Load: latencytest.Closed(4), Timeout: limit})
	s := res.Scenarios[0]
	assert.Equal(t, "25/36 ok, throttled 2, http_4xx 1, http_5xx 1, timeout 2, stream_error 1, truncated 2, empty 1, parse 1", s.Ends())
	assert.Equal(t, 11, s.Failed())
	assert.Len(t, s.Values(latencytest.TTFT), 25)
	assert.Len(t, s.Values(latencytest.StreamEnd), 25)
	assert.Len(t, s.Values(latencytest.OTPS), 24, "no usage, no speed")
	for _, sample := range s.Samples {
		w, faulty := want[sample.Number]
		if !faulty {
			require.Equal(t, providers.OK, sample.Class)
			continue
		}
		assert.Equal(t, w.class, sample.Class, "sample %d", sample.Number)
		assert.Equal(t, w.code, sample.Code)
		assert.Equal(t, w.class == providers.OK, sample.OK())
		assert.Equal(t, w.content, sample.First.Known(), "partial times stay in the record of sample %d", sample.Number)
		if sample.Class == providers.Timeout {
			assert.Equal(t, at(limit), sample.Limit)
			assert.Equal(t, at(limit), sample.End)
		} else {
			assert.Equal(t, wire.Instant{}, sample.Limit)
		}
		if sample.Class != providers.OK && sample.Class != providers.Empty && sample.Number != 8 { // a clean cut says nothing
			assert.NotEmpty(t, sample.Error, "sample %d: %s", sample.Number, sample.Class)
		}
		if first, ok := latencytest.TTFT.Of(&sample); ok {
			assert.Equal(t, float64(schedule(script, sample).Content[0].At), first)
		}
	}
	text := res.String()
	assert.Contains(t, text, "throttled 2")
	assert.Contains(t, text, "P90 ttft with the 11 failed attempts counted as endless (p90_adj): endless")
}

// Only the plan's own limit is a limit: where the run itself was given up first,
// the request was not slow.
func TestLimitIsOnlyThePlans(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Request(3), Effect: fakes.Hang{}}}
	bubble(t, script, func(t *testing.T, network *fakes.Network) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		res, err := latencytest.Measure(ctx, bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Prompts: promptSet(1), Requests: 9})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "the run ended early, after 4 requests")
		require.Len(t, res.Samples, 4, "none that was never made")
		last := res.Samples[3]
		assert.NotEqual(t, providers.OK, last.Class)
		assert.Equal(t, wire.Instant{}, last.Limit, "two minutes were never waited for")
	})
}

// User code with a time limit of its own: the request counts at that one.
func TestLimitOfTheUsersOwn(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Request(3), Effect: fakes.Hang{}}}
	bubble(t, script, func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		ask := converse(client(nil, withHTTP(rec.Client())), 0)
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 9}, func(ctx context.Context, p providers.Prompt) error {
			ctx, cancel := context.WithTimeout(ctx, 7*time.Second)
			defer cancel()
			return ask(ctx, p)
		})
		require.NoError(t, err)
		require.Equal(t, providers.Timeout, res.Samples[3].Class)
		assert.Equal(t, at(7*time.Second), res.Samples[3].Limit)
	})
}

// Where every warm-up request is rejected, measuring on would only cost.
func TestRejectedWarmupEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		effect fakes.Effect
		want   string
	}{
		{"access", fakes.Refuse{Exception: fakes.AccessDenied}, "all 4 warm-up requests failed, nothing was measured: http_4xx: AccessDeniedException: You don't have access to the model with the specified model ID."},
		{"model", fakes.Refuse{Exception: fakes.ResourceNotFound}, "all 4 warm-up requests failed, nothing was measured: http_4xx: ResourceNotFoundException: Could not resolve the foundation model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			script := lively
			script.Faults = []fakes.Fault{{Effect: c.effect}}
			bubble(t, script, func(t *testing.T, network *fakes.Network) {
				res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Prompts: promptSet(2), Load: latencytest.Closed(4)})
				require.ErrorContains(t, err, c.want)
				assert.Len(t, res.Samples, 4)
				assert.Empty(t, res.Scenarios[0].Samples)
			})
		})
	}
}

// Throttles, timeouts and server errors may pass; so may a single bad prompt.
func TestWarmupThatMayPass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		failed int // of 4 warm-up requests
		effect fakes.Effect
	}{
		{4, fakes.Refuse{Exception: fakes.Throttling}},
		{4, fakes.Hang{}},
		{4, fakes.Refuse{Exception: fakes.InternalServer}},
		{3, fakes.Refuse{Exception: fakes.AccessDenied}},
	} {
		script := lively
		for n := range c.failed {
			script.Faults = append(script.Faults, fakes.Fault{On: fakes.Request(n), Effect: c.effect})
		}
		res := measured(t, script, latencytest.Plan{Prompts: promptSet(2), Requests: 10, Load: latencytest.Closed(4)})
		assert.Equal(t, "10/10 ok", res.Scenarios[0].Ends())
	}
}

// An unreachable endpoint and missing credentials are told as what they are.
func TestNothingCanBeSent(t *testing.T) {
	t.Parallel()
	target := bedrock.ConverseStream(client(failing{errors.New("dial tcp: lookup bedrock.invalid: no such host")}), model)
	res, err := latencytest.Measure(t.Context(), target, latencytest.Plan{Prompts: promptSet(1), Requests: 5})
	require.ErrorContains(t, err, "all 1 warm-up requests failed, nothing was measured: connect: ")
	require.ErrorContains(t, err, "dial tcp: lookup bedrock.invalid: no such host")
	assert.Equal(t, providers.Connect, res.Samples[0].Class)

	target = bedrock.ConverseStream(client(failing{errors.New("unused")}), "us.meta.llama3-1-70b-instruct-v1:0", bedrock.TopK(5))
	_, err = latencytest.Measure(t.Context(), target, latencytest.Plan{Prompts: promptSet(1), Requests: 5})
	require.ErrorContains(t, err, "takes no top-k that is known")
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
