package latencytest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// chatServer speaks OpenAI's chat protocol at the times of a script.
func chatServer(script fakes.Script) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		number, _ := strconv.Atoi(r.Header.Get(wire.SampleHeader))
		s := script.Schedule(number, 0)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Request-Id", fmt.Sprint("req_", number))
		send := func(at time.Duration, data string) {
			time.Sleep(time.Until(start.Add(at)))
			fmt.Fprintf(w, "data: %s\n\n", data)
			http.NewResponseController(w).Flush()
		}
		send(s.Head, `{"id":"c","model":"gpt-5-mini","choices":[{"delta":{"role":"assistant","content":""}}]}`)
		for _, c := range s.Content {
			text, _ := json.Marshal(c.Text)
			send(c.At, fmt.Sprintf(`{"id":"c","model":"gpt-5-mini","choices":[{"delta":{"content":%s}}]}`, text))
		}
		send(s.End, `{"id":"c","model":"gpt-5-mini","choices":[{"delta":{},"finish_reason":"stop"}]}`)
		send(s.End, fmt.Sprintf(`{"id":"c","model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":%d}}`, s.Tokens()))
		send(s.End, "[DONE]")
	})
}

// chatApp is an application without an SDK: it reads server-sent events line by
// line and takes its time over each.
func chatApp(c *http.Client, perEvent time.Duration) func(context.Context, providers.Prompt) error {
	return func(ctx context.Context, p providers.Prompt) error {
		body := fmt.Sprintf(`{"model":"gpt-5-mini","stream":true,"messages":[{"role":"user","content":%q}]}`, p.Text)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer sk-0123456789abcdef")
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == "data: [DONE]" {
				return nil // without having read to the end, as openai-go does
			}
			if lines.Text() != "" {
				time.Sleep(perEvent)
			}
		}
		return errors.New("the stream broke off")
	}
}

// Any code that takes an http.Client is measured exactly, four at a time and read
// as slowly as it likes.
func TestRunFuncThroughPlainHTTP(t *testing.T) {
	t.Parallel()
	for _, perEvent := range []time.Duration{0, 80 * ms} {
		bubbleOf(t, chatServer(lively), func(t *testing.T, network *fakes.Network) {
			rec := &latencytest.Recorder{Base: network.Transport()}
			res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(3), Requests: 60, Load: latencytest.Closed(4)},
				chatApp(rec.Client(), perEvent))
			require.NoError(t, err)
			assert.Equal(t, "60/60 ok", res.Scenarios[0].Ends())
			for _, s := range res.Samples {
				want := schedule(lively, s)
				require.Equal(t, at(want.Content[0].At), s.First, "the role chunk is not content")
				require.Equal(t, at(want.Content[39].At), s.Last)
				require.Equal(t, at(want.End), s.End)
				require.Equal(t, at(want.Head), s.FirstEvent)
				require.Equal(t, tokens(40), s.Usage.Output)
				require.Equal(t, fmt.Sprint("req_", s.Number), s.RequestID)
			}
			assert.Equal(t, providers.Facts{
				{Name: "provider", Value: "openai"},
				{Name: "api", Value: "chat-completions"},
				{Name: "model", Value: "gpt-5-mini"},
				{Name: "endpoint", Value: "api.openai.com"},
			}, res.Scenarios[0].Identity[3:7])
		})
	}
}

// A decoder of the user's own goes before the built-in ones.
func TestDecoderOfTheUsersOwn(t *testing.T) {
	t.Parallel()
	bubbleOf(t, chatServer(lively), func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport(), Decoders: providers.Decoders{myProtocol{}}}
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 3}, chatApp(rec.Client(), 0))
		require.NoError(t, err)
		assert.Equal(t, "mine", res.Samples[0].Provider)
		assert.Equal(t, "mine", res.Scenarios[0].Identity.Get("provider"))
	})
}

type myProtocol struct{}

func (myProtocol) Recognizes(*wire.Exchange) bool { return true }
func (myProtocol) Decode(x *wire.Exchange) *providers.Response {
	return &providers.Response{Provider: "mine", Class: providers.OK, End: x.End, Events: []providers.Event{{Channel: providers.Text, Bytes: 1}}}
}

// One operation may make several model calls; the user waits for the last.
func TestSeveralCallsOfOneFunction(t *testing.T) {
	t.Parallel()
	bubbleOf(t, chatServer(lively), func(t *testing.T, network *fakes.Network) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		ask := chatApp(rec.Client(), 0)
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 5}, func(ctx context.Context, p providers.Prompt) error {
			return errors.Join(ask(ctx, p), ask(ctx, p))
		})
		require.NoError(t, err)
		for _, s := range res.Samples {
			want := schedule(lively, s)
			assert.Equal(t, 2, s.Calls)
			assert.Zero(t, s.Retries)
			assert.Equal(t, at(want.End+want.Content[0].At), s.First)
		}
	})
}
