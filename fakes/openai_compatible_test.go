package fakes_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

func compatibleTarget(o endpoint.Options) *endpoint.Target {
	o.BaseURL, o.TopK = "http://llm.test:8000/v1", endpoint.Value(5)
	return openai.Chat("m", o)
}

var compatibleServers = map[string]fakes.Quirks{
	"plain":               {},
	"vLLM":                {ReasoningField: "reasoning", Error: fakes.ErrorThenDone},
	"vLLM counting along": {ReasoningField: "reasoning", Usage: fakes.UsageEverywhere, Error: fakes.ErrorThenDone},
	"Ollama":              {RoleEverywhere: true, ReasoningField: "reasoning"},
	"LiteLLM":             {Usage: fakes.UsageTrailing},
	"Groq":                {ReasoningField: "reasoning", Usage: fakes.UsageTwice, Error: fakes.ErrorEvent},
	"Mistral":             {ContentList: true, Usage: fakes.UsageWithFinish},
	"OpenRouter":          {Comments: 5, RoleEverywhere: true, ReasoningField: "reasoning", Usage: fakes.UsageTrailing, Error: fakes.ErrorBesideChoices},
	"DeepSeek":            {Usage: fakes.UsageWithFinish},
	"Perplexity":          {CRLF: true, Usage: fakes.UsageEverywhere, NoDone: true},
	"llama-box":           {Error: fakes.ErrorField, NoDone: true},
	"Snowflake":           {NoFinish: true},
	"Writer":              {NoDone: true},
}

// A client reads the same of every server, at the same times.
func TestCompatibleServers(t *testing.T) {
	t.Parallel()
	for name, quirks := range compatibleServers {
		for i, script := range []fakes.Script{
			{},
			{Seed: 1, TTFT: fakes.Lognormal(400*ms, 0.45), Gap: fakes.Lognormal(20*ms, 0.3), Reasoning: 4, TokensPerChunk: 2, Padding: true, EmptyDelta: true},
			{Seed: 2, TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(ms), Reasoning: 1, ToolCalls: 2, OutputTokens: 12},
		} {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					want := script.Schedule(0, 0)
					h := fakes.Compatible(script, quirks)
					r := askThrough(t, h, compatibleTarget, endpoint.Options{}, askHello, 0)
					require.Equal(t, providers.OK, r.Class, r.Detail)
					assert.Equal(t, openAIEvents(want, true), openAIEventsOf(r))
					end := want.End
					assert.Equal(t, wire.At(end), r.End)
					assert.Equal(t, providers.CountOf(8), r.Usage.Input)
					assert.Equal(t, providers.CountOf(int64(want.Tokens())), r.Usage.Output)
					first := providers.Count{}
					if quirks.Usage == fakes.UsageEverywhere {
						first = providers.CountOf(int64(want.Content[0].Tokens))
					}
					assert.Equal(t, first, r.FirstCount)
					assert.Equal(t, quirks.NoFinish, r.Stop == "")
					assert.NotEmpty(t, r.RequestID, "from the body")

					whole := askThrough(t, h, compatibleTarget, endpoint.Options{Unary: true}, askHello, 1)
					require.Equal(t, providers.OK, whole.Class, whole.Detail)
					assert.Equal(t, r.Text, whole.Text)
					assert.Equal(t, r.Reasoning, whole.Reasoning)
				})
			})
		}
	}
}

func TestCompatibleErrors(t *testing.T) {
	t.Parallel()
	for name, quirks := range compatibleServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				effect fakes.Effect
				class  providers.Class
				code   string
				events int
			}{
				{fakes.Throw{After: 3}, providers.Throttled, "rate_limit_exceeded", 3},
				{fakes.Throw{Exception: fakes.InternalServer}, providers.StreamError, "server_error", 0},
				{fakes.ThrowUnmodelled{Code: "tool_use_failed", Message: "no such tool", After: 2}, providers.StreamError, "tool_use_failed", 2},
				{fakes.Cut{At: fakes.InPayload, After: 3}, providers.Truncated, "", 3},
				{fakes.Refuse{RetryAfter: 250 * ms}, providers.Throttled, "rate_limit_exceeded", 0},
				{fakes.Empty{}, providers.Empty, "", 0},
			} {
				synctest.Test(t, func(t *testing.T) {
					script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), Faults: []fakes.Fault{{Effect: c.effect}}}
					r := askThrough(t, fakes.Compatible(script, quirks), compatibleTarget, endpoint.Options{}, askHello, 0)
					assert.Equal(t, c.class, r.Class, "%T: %s", c.effect, r.Detail)
					assert.Equal(t, c.code, r.Code)
					assert.Len(t, r.Events, c.events)
					assert.Equal(t, wire.At(script.Schedule(0, 0).End), r.End)
				})
			}
		})
	}
}

func TestCompatibleHasNoResponses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		resp, _, err := post(t, fakes.Compatible(fakes.Script{}, fakes.Quirks{}), "/v1/responses", `{"model":"m","input":"Hello"}`)
		require.NoError(t, err)
		assert.Equal(t, 404, resp.StatusCode)
		assert.Empty(t, resp.Header.Get("x-request-id"))
	})
}
