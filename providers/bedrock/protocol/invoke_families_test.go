package protocol_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// streams of each family, with what they come to.
var streams = []struct {
	name    string
	inner   []string
	content []string // frame, channel, bytes
	text    string
	stop    string
	usage   providers.Usage
}{
	{
		"Anthropic Messages",
		[]string{
			`{"type":"message_start","message":{"id":"msg_1","model":"claude-haiku-4-5","usage":{"input_tokens":3,"cache_creation_input_tokens":100,"cache_read_input_tokens":20,"output_tokens":1}}}`,
			`{"type":"ping"}`,
			`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}`,
			`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Olá"}}`,
			`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}`,
			`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}`,
			`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}`,
			`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":7,"invocationLatency":886,"firstByteLatency":294,"cacheReadInputTokenCount":20,"cacheWriteInputTokenCount":100}}`,
		},
		[]string{"3 reasoning 3", "5 text 4", "7 tool 2"},
		"Olá", "tool_use",
		providers.Usage{Input: providers.CountOf(123), Output: providers.CountOf(7), CachedRead: providers.CountOf(20), CachedWrite: providers.CountOf(100)},
	},
	{
		"Nova, with a prompt cache",
		[]string{
			`{"messageStart":{"role":"assistant"}}`,
			`{"contentBlockDelta":{"delta":{"text":""},"contentBlockIndex":0}}`,
			`{"contentBlockDelta":{"delta":{"reasoningContent":{"text":"Hm."}},"contentBlockIndex":0}}`,
			`{"contentBlockStop":{"contentBlockIndex":0}}`,
			`{"contentBlockDelta":{"delta":{"text":"OK"},"contentBlockIndex":1}}`,
			`{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t","name":"look_up"}},"contentBlockIndex":2}}`,
			`{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"a\":1}"}},"contentBlockIndex":2}}`,
			`{"messageStop":{"stopReason":"tool_use"}}`,
			`{"metadata":{"usage":{"inputTokens":5,"outputTokens":3,"cacheReadInputTokenCount":12262,"cacheWriteInputTokenCount":0},"metrics":{},"trace":{}},` + recordOfMetrics + `}`,
		},
		[]string{"2 reasoning 3", "4 text 2", "6 tool 7"},
		"OK", "tool_use",
		providers.Usage{Input: providers.CountOf(12267), Output: providers.CountOf(3), CachedRead: providers.CountOf(12262), CachedWrite: providers.CountOf(0)},
	},
	{
		"Llama",
		[]string{
			`{"generation":"","prompt_token_count":10,"generation_token_count":1,"stop_reason":null}`,
			`{"generation":"Hi","prompt_token_count":null,"generation_token_count":3,"stop_reason":null}`,
			`{"generation":"","prompt_token_count":null,"generation_token_count":4,"stop_reason":"stop",` + recordOfMetrics + `}`,
		},
		[]string{"1 text 2"},
		"Hi", "stop", usageOf(10, 4),
	},
	{
		"Titan, which counts in fractions",
		[]string{
			`{"outputText":"Hi","index":0.0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":6.0}`,
			`{"outputText":" you","index":0.0,"totalOutputTextTokenCount":4.0,"completionReason":"FINISH","inputTextTokenCount":null,` + recordOfMetrics + `}`,
		},
		[]string{"0 text 2", "1 text 4"},
		"Hi you", "FINISH", usageOf(6, 4),
	},
	{
		"Titan, blocked by a guardrail: no metrics, no reason",
		[]string{`{"outputText":"Input blocked","index":0.0,"totalOutputTextTokenCount":3.0,"inputTextTokenCount":6.0,"amazon-bedrock-guardrailAction":"INTERVENED","amazon-bedrock-trace":{"guardrail":{}}}`},
		[]string{"0 text 13"},
		"Input blocked", "", usageOf(6, 3),
	},
	{
		"Cohere Command, which does not count",
		[]string{
			`{"is_finished":false,"text":" I"}`,
			`{"is_finished":false,"text":" am"}`,
			`{"finish_reason":"MAX_TOKENS","is_finished":true,` + recordOfMetrics + `}`,
		},
		[]string{"0 text 2", "1 text 3"},
		" I am", "MAX_TOKENS", usageOf(9, 5),
	},
	{
		"Cohere Command R",
		[]string{
			`{"event_type":"stream-start","generation_id":"g","is_finished":false}`,
			`{"event_type":"search-queries-generation","search_queries":[{"text":"q"}],"is_finished":false}`,
			`{"event_type":"text-generation","text":"Hi","is_finished":false}`,
			`{"event_type":"citation-generation","citations":[{"text":"Hi"}],"is_finished":false}`,
			`{"event_type":"stream-end","finish_reason":"COMPLETE","is_finished":true,"response":{"text":"Hi","token_count":{"prompt_tokens":70,"response_tokens":2}},` + recordOfMetrics + `}`,
		},
		[]string{"2 text 2"},
		"Hi", "COMPLETE", usageOf(70, 2),
	},
	{
		"Cohere Command R, tools in pieces and once more whole",
		[]string{
			`{"event_type":"tool-calls-chunk","text":"I will look","is_finished":false}`,
			`{"event_type":"tool-calls-chunk","tool_call_delta":{"index":0,"name":"look_up"},"is_finished":false}`,
			`{"event_type":"tool-calls-chunk","tool_call_delta":{"index":0,"parameters":"{\"a\":1}"},"is_finished":false}`,
			`{"event_type":"tool-calls-generation","tool_calls":[{"name":"look_up","parameters":{"a":1}}],"is_finished":false}`,
			`{"event_type":"stream-end","finish_reason":"COMPLETE","is_finished":true,"response":{},` + recordOfMetrics + `}`,
		},
		[]string{"0 reasoning 11", "1 tool 7", "2 tool 7"},
		"", "COMPLETE", usageOf(9, 5),
	},
	{
		"Cohere Command R, tools at once",
		[]string{
			`{"event_type":"tool-calls-generation","tool_calls":[{"name":"look_up","parameters":{"a":1}}],"is_finished":false}`,
			`{"event_type":"stream-end","finish_reason":"COMPLETE","is_finished":true,` + recordOfMetrics + `}`,
		},
		[]string{"0 tool 14"},
		"", "COMPLETE", usageOf(9, 5),
	},
	{
		"Mistral text",
		[]string{
			`{"outputs":[{"text":" Hi","stop_reason":null}]}`,
			`{"outputs":[{"text":"","stop_reason":"stop"}],` + recordOfMetrics + `}`,
		},
		[]string{"0 text 3"},
		" Hi", "stop", usageOf(9, 5),
	},
	{
		"Mistral chat, whose pieces are messages",
		[]string{
			`{"choices":[{"index":0,"message":{"role":"assistant","content":""},"stop_reason":null}]}`,
			`{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"stop_reason":null}]}`,
			`{"choices":[{"index":0,"message":{"role":"assistant","content":""},"stop_reason":"stop"}],` + recordOfMetrics + `}`,
		},
		[]string{"1 text 2"},
		"Hi", "stop", usageOf(9, 5),
	},
	{
		"DeepSeek R1, whose text is in the choice",
		[]string{
			`{"choices":[{"text":"Hi","stop_reason":null}]}`,
			`{"choices":[{"text":"","stop_reason":"length"}],` + recordOfMetrics + `}`,
		},
		[]string{"0 text 2"},
		"Hi", "length", usageOf(9, 5),
	},
	{
		"chat completions: gpt-oss, Qwen",
		[]string{
			`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}`,
			`{"choices":[{"delta":{"reasoning":"Hm."}}]}`,
			`{"choices":[{"delta":{"reasoning_content":"Hm."}}]}`,
			`{"choices":[{"delta":{"content":[{"type":"text","text":"Hi"}]}}]}`,
			`{"choices":[{"delta":{"refusal":"No."}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"look_up","arguments":"{}"}}]}}]}`,
			`{"choices":[{"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":50,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":6}},` + recordOfMetrics + `}`,
		},
		[]string{"1 reasoning 3", "2 reasoning 3", "3 text 2", "4 refusal 3", "5 tool 9"},
		"Hi", "tool_calls",
		providers.Usage{Input: providers.CountOf(50), Output: providers.CountOf(8), CachedRead: providers.CountOf(40), Reasoning: providers.CountOf(6)},
	},
	{
		"Claude before Messages",
		[]string{
			`{"completion":" Hi","stop_reason":null,"stop":null}`,
			`{"completion":"","stop_reason":"stop_sequence","stop":"\n\nHuman:",` + recordOfMetrics + `}`,
		},
		[]string{"0 text 3"},
		" Hi", "stop_sequence", usageOf(9, 5),
	},
}

func TestInvokeReadsEveryFamily(t *testing.T) {
	t.Parallel()
	for _, c := range streams {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := invoked(t, c.inner...)
			r := protocol.Invoke{}.Decode(x)
			require.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, c.content, contentOf(r))
			assert.Equal(t, c.text, r.Text)
			assert.Equal(t, c.stop, r.Stop)
			assert.Equal(t, c.usage, r.Usage)
			assert.Equal(t, len(c.inner), r.Frames)
			assert.Equal(t, "m", r.Model)
			for _, e := range r.Events {
				assert.Equal(t, ms(10*(e.Frame+1)), e.At)
			}
			if c.name[:5] == "Titan" && len(c.inner) == 1 {
				assert.Equal(t, x.End, r.End)
				return
			}
			assert.Equal(t, wire.At(ms(10*len(c.inner))), r.End)
			assert.Equal(t, wire.At(ms(886)), r.ServerLatency)
			assert.Equal(t, wire.At(ms(294)), r.ServerTime("firstByteLatency"))
		})
	}
}
