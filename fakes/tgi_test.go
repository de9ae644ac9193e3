package fakes_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

func tgiTarget(o endpoint.Options) *endpoint.Target {
	o.BaseURL = "http://tgi.test"
	return tgi.Generate(o)
}

// tgiEvents are the content events that follow from a schedule: all of them text.
func tgiEvents(s fakes.Schedule) (events []openAIEvent) {
	for _, c := range s.Content {
		events = append(events, openAIEvent{providers.Text, c.At, len(c.Text)})
	}
	return events
}

func TestTGIKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	for i, script := range []fakes.Script{
		{},
		{Seed: 1, TTFT: fakes.Lognormal(400*ms, 0.45), Head: fakes.Constant(90 * ms), Gap: fakes.Lognormal(20*ms, 0.3), OutputTokens: 40},
		{Seed: 2, TTFT: fakes.Uniform(0, time.Second), Gap: fakes.Constant(10 * ms), Reasoning: 4, ToolCalls: 1, EmptyDelta: true},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				want := script.Schedule(3, 0)
				r := askThrough(t, fakes.TGI(script), tgiTarget, endpoint.Options{}, askHello, 3)
				require.Equal(t, providers.OK, r.Class, r.Detail)
				assert.Equal(t, tgiEvents(want), openAIEventsOf(r))
				assert.Equal(t, wire.At(want.End), r.End)
				assert.Equal(t, "eos_token", r.Stop)
				assert.Equal(t, providers.CountOf(1), r.FirstCount)
				assert.Equal(t, providers.Usage{Input: providers.CountOf(8), Output: providers.CountOf(int64(want.Tokens()))}, r.Usage)

				whole := askThrough(t, fakes.TGI(script), tgiTarget, endpoint.Options{Unary: true}, askHello, 3)
				require.Equal(t, providers.OK, whole.Class, whole.Detail)
				assert.Equal(t, r.Text, whole.Text)
				assert.Equal(t, r.Usage, whole.Usage)
				assert.Equal(t, wire.At(want.End), whole.First())
				assert.Equal(t, wire.At(want.End.Truncate(ms)), whole.ServerLatency)
			})
		})
	}
}

// The last token of an answer that was cut short is in the last event.
func TestTGIMaximumOfTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms)}
		p := askHello
		p.MaxTokens = 5
		want := script.Schedule(0, 0).Limit(5)
		r := askThrough(t, fakes.TGI(script), tgiTarget, endpoint.Options{}, p, 0)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, tgiEvents(want), openAIEventsOf(r))
		assert.Equal(t, "length", r.Stop)
		assert.Equal(t, providers.CountOf(5), r.Usage.Output)
		assert.Equal(t, wire.At(140*ms), r.End)
		assert.Equal(t, 5, r.Frames)
	})
}

func TestTGIFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effect     fakes.Effect
		class      providers.Class
		code       string
		overloaded bool
		events     int
		whole      providers.Class
	}{
		{fakes.Refuse{Delay: 5 * ms}, providers.Throttled, "overloaded", true, 0, providers.Throttled},
		{fakes.Refuse{RetryAfter: 2 * time.Second}, providers.Throttled, "overloaded", true, 0, providers.Throttled},
		{fakes.Refuse{Exception: fakes.Validation}, providers.StreamError, "validation", false, 0, providers.HTTP4xx},
		{fakes.Refuse{Exception: fakes.InternalServer}, providers.StreamError, "generation", false, 0, providers.HTTP4xx},
		{fakes.Refuse{Exception: fakes.UnrecognizedClient}, providers.HTTP4xx, "unauthorized", false, 0, providers.HTTP4xx},
		{fakes.Refuse{Exception: fakes.ModelNotReady}, providers.HTTP5xx, "loading", true, 0, providers.HTTP5xx},
		{fakes.Refuse{Exception: "SomethingNew"}, providers.HTTP5xx, "SomethingNew", false, 0, providers.HTTP5xx},
		{fakes.Throw{After: 3}, providers.Throttled, "overloaded", true, 3, providers.Throttled},
		{fakes.Throw{Exception: fakes.ModelStreamError, After: 2}, providers.StreamError, "incomplete_generation", false, 2, providers.HTTP5xx},
		{fakes.ThrowUnmodelled{Code: "tool_error", Message: "no", After: 1}, providers.StreamError, "tool_error", false, 1, providers.HTTP5xx},
		{fakes.Cut{After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.InPrelude, After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.InHeaders, After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.InPayload, After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.BeforeCRC, After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.BadCRC, After: 3}, providers.Parse, "", false, 3, providers.Truncated},
		{fakes.Cut{At: fakes.Abort, After: 3}, providers.Truncated, "", false, 3, providers.Truncated},
		{fakes.Stall{At: 2, For: time.Minute}, providers.OK, "", false, 32, providers.OK},
		{fakes.Hang{}, providers.Timeout, "", false, 0, providers.Timeout},
		{fakes.Empty{}, providers.Empty, "", false, 0, providers.Empty},
		{fakes.NoUsage{}, providers.OK, "", false, 32, providers.OK},
	} {
		t.Run(fmt.Sprintf("%T%v", c.effect, c.effect), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), Faults: []fakes.Fault{{Effect: c.effect}}}
				want := script.Schedule(0, 0)
				r := askThrough(t, fakes.TGI(script), tgiTarget, endpoint.Options{}, askHello, 0)
				assert.Equal(t, c.class, r.Class, r.Detail)
				assert.Equal(t, c.code, r.Code)
				assert.Equal(t, c.overloaded, r.Overloaded)
				assert.Len(t, r.Events, c.events)
				refusal, _ := c.effect.(fakes.Refuse)
				assert.Equal(t, refusal.RetryAfter > 0, r.RetryAfter.Known())
				if refusal.RetryAfter > 0 {
					assert.Equal(t, wire.At(refusal.RetryAfter), r.RetryAfter)
				}
				if _, hangs := c.effect.(fakes.Hang); !hangs {
					assert.Equal(t, wire.At(want.End), r.End)
				}
				if _, none := c.effect.(fakes.NoUsage); none {
					assert.Equal(t, providers.Usage{}, r.Usage)
				}
				whole := askThrough(t, fakes.TGI(script), tgiTarget, endpoint.Options{Unary: true}, askHello, 0)
				assert.Equal(t, c.whole, whole.Class, whole.Detail)
			})
		})
	}
}

func TestTGIBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.TGI(fakes.Script{OutputTokens: 2})
		resp, body, err := post(t, h, "/generate_stream", `{"inputs":"Say hello","parameters":{"details":true}}`)
		require.NoError(t, err)
		assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		assert.Equal(t, "9", resp.Header.Get("x-compute-characters"))
		assert.Equal(t, `data:{"details":null,"generated_text":null,"index":1,"token":{"id":1,"logprob":-0.5,"special":false,"text":"a"}}`+"\n\n"+
			`data:{"details":null,"generated_text":null,"index":2,"token":{"id":2,"logprob":-0.5,"special":false,"text":" request"}}`+"\n\n"+
			`data:{"details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":2,"seed":null},"generated_text":"a request","index":3,"token":{"id":3,"logprob":-0.5,"special":true,"text":"\u003c/s\u003e"}}`+"\n\n", string(body))

		resp, body, err = post(t, h, "/", `{"inputs":"Say hello","stream":false}`)
		require.NoError(t, err)
		assert.Equal(t, `[{"generated_text":"a request"}]`, string(body))
		assert.Equal(t, "2", resp.Header.Get("x-prompt-tokens"))
		_, body, err = post(t, h, "/", `{"inputs":"Say hello","stream":true}`)
		require.NoError(t, err)
		assert.Equal(t, 3, strings.Count(string(body), "data:"))
	})
}

func TestRequestsThatTGIWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for body, message := range map[string]string{
			`{`:                 "parse",
			`{"parameters":{}}`: "missing field `inputs`",
			`{"inputs":""}`:     "cannot be empty",
			`{"inputs":"a","parameters":{"max_new_tokens":0}}`: "`max_new_tokens`",
			`{"inputs":"a","parameters":{"temperature":0}}`:    "`temperature`",
			`{"inputs":"a","parameters":{"top_p":1}}`:          "`top_p`",
			`{"inputs":"a","parameters":{"top_k":0}}`:          "`top_k`",
		} {
			resp, got, err := post(t, fakes.TGI(fakes.Script{TTFT: fakes.Constant(time.Hour)}), "/generate", body)
			require.NoError(t, err)
			assert.Equal(t, 422, resp.StatusCode, body)
			assert.Contains(t, string(got), message)
			assert.Contains(t, string(got), `"error_type":"validation"`)
		}
		resp, got, err := post(t, fakes.TGI(fakes.Script{}), "/generate_stream", `{"inputs":""}`)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode, "a stream has begun")
		assert.Contains(t, string(got), `data:{"error":"Input validation error: `)
		resp, _, err = post(t, fakes.TGI(fakes.Script{}), "/v1/chat/completions", `{}`)
		require.NoError(t, err)
		assert.Equal(t, 404, resp.StatusCode)
	})
}
