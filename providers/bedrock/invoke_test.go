package bedrock_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

// invoked are models of each family, with the channels that the family has.
var invoked = []struct {
	model          string
	channels       bool // as opposed to text alone
	stop, long     string
	tool           string
	caches         bool
	countsOwnInput bool // in the body of the stream
}{
	{"us.anthropic.claude-haiku-4-5-20251001-v1:0", true, "end_turn", "max_tokens", "tool_use", true, true},
	{"eu.amazon.nova-lite-v1:0", true, "end_turn", "max_tokens", "tool_use", true, true},
	{"apac.meta.llama3-3-70b-instruct-v1:0", false, "stop", "length", "stop", false, true},
	{"meta.llama4-scout-17b-instruct-v1:0", false, "stop", "length", "stop", false, true},
	{"amazon.titan-text-express-v1", false, "FINISH", "LENGTH", "FINISH", false, true},
	{"cohere.command-light-text-v14", false, "COMPLETE", "MAX_TOKENS", "COMPLETE", false, false},
	{"cohere.command-r-plus-v1:0", false, "COMPLETE", "MAX_TOKENS", "COMPLETE", false, false},
	{"mistral.mistral-7b-instruct-v0:2", false, "stop", "length", "stop", false, false},
	{"mistral.mistral-large-2407-v1:0", true, "stop", "length", "tool_calls", false, false},
	{"openai.gpt-oss-120b-1:0", true, "stop", "length", "tool_calls", false, false},
	{"global.anthropic.claude-sonnet-4-5-20250929-v1:0", true, "end_turn", "max_tokens", "tool_use", true, true},
}

// Requests through the AWS SDK to each family: every event at the nanosecond that
// the script says.
func TestInvokeTimesAreExactInVirtualTime(t *testing.T) {
	t.Parallel()
	script := fakes.Script{
		Seed: 7, TTFT: fakes.Lognormal(400*time.Millisecond, .45), Head: fakes.Constant(90 * ms), Gap: fakes.Lognormal(20*time.Millisecond, .3),
		OutputTokens: 30, Reasoning: 4, ToolCalls: 2, EmptyDelta: true, Padding: true,
	}
	for _, m := range invoked {
		t.Run(m.model, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.Bedrock(script))
				defer network.Close()
				target := bedrock.InvokeModelWithResponseStream(client(network.Transport()), m.model)
				var clients sync.WaitGroup
				for c := range 5 {
					clients.Go(func() {
						for i := range 4 { // a thousand of them are in the test of Converse
							number := 4*c + i
							got, err := send(t.Context(), target, number, providers.Prompt{Text: "hello, hello"})
							require.NoError(t, err)
							require.Len(t, got, 1)
							r, want := got[0], script.Schedule(number, 0)
							require.Equal(t, providers.OK, r.Class, r.Detail)
							require.Equal(t, timesOf(want), timesOfEvents(r))
							assert.Equal(t, wire.At(want.End), r.End)
							assert.Equal(t, "invoke-stream", r.API)
							assert.Equal(t, m.model, r.Model)
							assert.Equal(t, providers.CountOf(30), r.Usage.Output)
							input, _ := r.Usage.Input.Get()
							assert.GreaterOrEqual(t, input, int64(3), "four bytes a token, and marks of the family")
							assert.Equal(t, m.tool, r.Stop)
							assert.Equal(t, wire.At(want.End.Truncate(ms)), r.ServerLatency)
							assert.Equal(t, wire.At(want.Head.Truncate(ms)), r.ServerTime("firstByteLatency"))
							assert.NotEmpty(t, r.RequestID)
							if m.channels {
								assert.Equal(t, providers.Reasoning, r.Events[0].Channel)
								assert.Equal(t, providers.Tool, r.Events[len(r.Events)-1].Channel)
								assert.Equal(t, wire.At(want.Content[4].At), r.FirstVisible())
							} else {
								assert.Equal(t, r.First(), r.FirstVisible())
							}
						}
					})
				}
				clients.Wait()
			})
		})
	}
}

func TestInvokeAnswers(t *testing.T) {
	t.Parallel()
	for _, m := range invoked {
		t.Run(m.model, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				script := fakes.Script{TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(20 * ms), OutputTokens: 8}
				network := fakes.NewNetwork(fakes.Bedrock(script))
				defer network.Close()
				c := client(network.Transport())
				streamed, err := send(t.Context(), bedrock.InvokeModelWithResponseStream(c, m.model), 0, providers.Prompt{Text: "hello", MaxTokens: 5})
				require.NoError(t, err)
				whole, err := send(t.Context(), bedrock.InvokeModel(c, m.model), 0, providers.Prompt{Text: "hello", MaxTokens: 5})
				require.NoError(t, err)
				conversed, err := send(t.Context(), bedrock.Converse(c, m.model), 0, providers.Prompt{Text: "hello", MaxTokens: 5})
				require.NoError(t, err)
				for _, r := range []*providers.Response{streamed[0], whole[0]} {
					require.Equal(t, providers.OK, r.Class, r.Detail)
					assert.Equal(t, m.long, r.Stop)
					assert.Equal(t, conversed[0].Text, r.Text, "the same answer by another API")
					assert.Equal(t, providers.CountOf(5), r.Usage.Output)
					assert.True(t, r.Usage.Input.Known())
					assert.Equal(t, wire.At(400*ms), r.ServerLatency)
				}
				assert.Equal(t, "invoke", whole[0].API)
				assert.Equal(t, wire.At(400*ms), whole[0].First(), "a reply in one piece has one time")

				everything, err := send(t.Context(), bedrock.InvokeModelWithResponseStream(c, m.model), 0, providers.Prompt{Text: "hello"})
				require.NoError(t, err)
				assert.Equal(t, m.stop, everything[0].Stop)
			})
		})
	}
}

func TestWholeInvocationsWithEveryChannel(t *testing.T) {
	t.Parallel()
	for _, m := range invoked {
		if !m.channels {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{OutputTokens: 12, Reasoning: 3, ToolCalls: 1}))
			defer network.Close()
			got, err := send(t.Context(), bedrock.InvokeModel(client(network.Transport()), m.model), 0, providers.Prompt{Text: "hello"})
			require.NoError(t, err)
			r := got[0]
			require.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, len("a request that"), r.Reasoning)
			assert.Equal(t, m.tool, r.Stop)
			var channels []providers.Channel
			for _, e := range r.Events {
				channels = append(channels, e.Channel)
			}
			assert.ElementsMatch(t, []providers.Channel{providers.Reasoning, providers.Text, providers.Tool}, channels)
		})
	}
}

func TestEveryFaultOfInvokeHasItsClass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		effect fakes.Effect
		class  providers.Class
		code   string
		events int // content events before the fault
	}{
		{"throttled before the stream", fakes.Refuse{Exception: fakes.Throttling, RetryAfter: 1500 * ms}, providers.Throttled, "ThrottlingException", 0},
		{"model not ready is no throttle", fakes.Refuse{Exception: fakes.ModelNotReady}, providers.HTTP4xx, "ModelNotReadyException", 0},
		{"bad request", fakes.Refuse{Exception: fakes.Validation}, providers.HTTP4xx, "ValidationException", 0},
		{"server error", fakes.Refuse{Exception: fakes.InternalServer}, providers.HTTP5xx, "InternalServerException", 0},
		{"unavailable", fakes.Refuse{Exception: fakes.ServiceUnavailable}, providers.HTTP5xx, "ServiceUnavailableException", 0},
		{"throttled in the stream", fakes.Throw{Exception: fakes.Throttling, After: 3}, providers.Throttled, "throttlingException", 3},
		{"model timeout in the stream", fakes.Throw{Exception: fakes.ModelTimeout, After: 2}, providers.StreamError, "modelTimeoutException", 2},
		{"error before any content", fakes.Throw{Exception: fakes.InternalServer}, providers.StreamError, "internalServerException", 0},
		{"unmodelled error", fakes.ThrowUnmodelled{After: 1}, providers.StreamError, "InternalFailure", 1},
		{"cut between messages", fakes.Cut{After: 4}, providers.Truncated, "", 4},
		{"cut in the prelude", fakes.Cut{At: fakes.InPrelude, After: 4}, providers.Truncated, "", 4},
		{"cut in the headers", fakes.Cut{At: fakes.InHeaders, After: 4}, providers.Truncated, "", 4},
		{"cut in the payload", fakes.Cut{At: fakes.InPayload, After: 4}, providers.Truncated, "", 4},
		{"cut before the checksum", fakes.Cut{At: fakes.BeforeCRC, After: 4}, providers.Truncated, "", 4},
		{"connection reset", fakes.Cut{At: fakes.Abort, After: 4}, providers.Truncated, "", 4},
		{"wrong checksum", fakes.Cut{At: fakes.BadCRC, After: 4}, providers.Parse, "", 4},
		{"never answered", fakes.Hang{}, providers.Timeout, "", 0},
		{"no content", fakes.Empty{}, providers.Empty, "", 0},
		{"stalled", fakes.Stall{At: 4, For: time.Second}, providers.OK, "", 8},
		{"no usage", fakes.NoUsage{}, providers.OK, "", 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{
					TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(20 * ms),
					OutputTokens: 8, Faults: []fakes.Fault{{Effect: c.effect}},
				}))
				defer network.Close()
				for i, m := range invoked {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					got, _ := send(ctx, bedrock.InvokeModelWithResponseStream(client(network.Transport()), m.model), i, providers.Prompt{Text: "hello"})
					cancel()
					require.Len(t, got, 1, "retries are off")
					r := got[0]
					assert.Equal(t, c.class, r.Class, "%s: %s", m.model, r.Detail)
					assert.Equal(t, c.code, r.Code, m.model)
					assert.Len(t, r.Events, c.events, m.model)
					switch e := c.effect.(type) {
					case fakes.NoUsage:
						assert.Equal(t, providers.Usage{}, r.Usage, m.model)
					case fakes.Refuse:
						assert.Equal(t, e.RetryAfter > 0, r.RetryAfter.Known())
					case fakes.Stall:
						assert.Equal(t, wire.At(1380*ms), wire.At(r.Events[4].At))
					}
				}
			})
		})
	}
}

func TestInvokeRepliesCutOrRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effect fakes.Effect
		class  providers.Class
	}{
		{fakes.Cut{After: 1}, providers.Truncated},
		{fakes.Throw{Exception: fakes.ModelError}, providers.HTTP4xx},
		{fakes.ThrowUnmodelled{}, providers.HTTP5xx},
		{fakes.Refuse{}, providers.Throttled},
		{fakes.Empty{}, providers.Empty},
	} {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{OutputTokens: 8, Faults: []fakes.Fault{{Effect: c.effect}}}))
			defer network.Close()
			for i, m := range invoked {
				got, _ := send(t.Context(), bedrock.InvokeModel(client(network.Transport()), m.model), i, providers.Prompt{Text: "hello"})
				require.Len(t, got, 1)
				assert.Equal(t, c.class, got[0].Class, "%s: %T: %s", m.model, c.effect, got[0].Detail)
			}
		})
	}
}

func TestWhatIsServedIsSeen(t *testing.T) {
	t.Parallel()
	for _, make := range []func(*bedrockruntime.Client, string, ...bedrock.Option) *bedrock.Target{
		bedrock.InvokeModelWithResponseStream, bedrock.InvokeModel,
	} {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{Faults: []fakes.Fault{{On: fakes.Request(1), Effect: fakes.Fallback{}}}}))
			defer network.Close()
			target := make(client(network.Transport()), model, bedrock.Optimized())
			for number, served := range []string{"optimized", "standard"} {
				got, err := send(t.Context(), target, number, providers.Prompt{Text: "a"})
				require.NoError(t, err)
				assert.Equal(t, served, got[0].Served)
			}
			got, err := send(t.Context(), make(client(network.Transport()), model), 2, providers.Prompt{Text: "a"})
			require.NoError(t, err)
			assert.Empty(t, got[0].Served, "nothing was asked for")
		})
	}
}

func TestInvokeCachesAndCounts(t *testing.T) {
	t.Parallel()
	long := string(make([]byte, 0, 4000))
	for range 1000 {
		long += "word"
	}
	for _, m := range invoked {
		if !m.caches {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
			defer network.Close()
			prompt := providers.Prompt{Text: "And now?", Caching: true, CacheTTL: "1h", CachedContext: long}
			target := bedrock.InvokeModelWithResponseStream(client(network.Transport()), m.model)
			for number, want := range []providers.Usage{
				{Input: providers.CountOf(1002), Output: providers.CountOf(32), CachedRead: providers.CountOf(0), CachedWrite: providers.CountOf(1000)},
				{Input: providers.CountOf(1002), Output: providers.CountOf(32), CachedRead: providers.CountOf(1000), CachedWrite: providers.CountOf(0)},
			} {
				got, err := send(t.Context(), target, number, prompt)
				require.NoError(t, err)
				assert.Equal(t, want, got[0].Usage, m.model)
			}
			got, err := send(t.Context(), bedrock.InvokeModel(client(network.Transport()), m.model), 2, prompt)
			require.NoError(t, err)
			assert.Equal(t, providers.CountOf(1000), got[0].Usage.CachedRead)
			assert.Equal(t, providers.CountOf(1002), got[0].Usage.Input)
		})
	}
}
