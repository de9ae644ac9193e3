package fakes_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/latgate/latgate/fakes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	payloadBytes = regexp.MustCompile(`\{"bytes":"([^"]*)"\}`)
	randomNames  = regexp.MustCompile(`(msg_bdrk_)?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}|(toolu_bdrk_)[0-9a-f]{16}`)
)

// invoked lists a stream of InvokeModel one message a line: its type and the JSON of
// the model.
func invoked(t *testing.T, body []byte) string {
	t.Helper()
	text := payloadBytes.ReplaceAllStringFunc(script(t, body), func(payload string) string {
		data, err := base64.StdEncoding.DecodeString(payloadBytes.FindStringSubmatch(payload)[1])
		require.NoError(t, err)
		return string(data)
	})
	return randomNames.ReplaceAllString(text, "${1}${2}ID")
}

const messagesBody = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`

func TestInvokedFamilies(t *testing.T) {
	t.Parallel()
	const metrics = `"amazon-bedrock-invocationMetrics":{"firstByteLatency":100,"inputTokenCount":8,"invocationLatency":280,"outputTokenCount":3}`
	text := fakes.Script{Head: fakes.Constant(100 * ms), TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 3}
	rich := text
	rich.OutputTokens, rich.Reasoning, rich.ToolCalls, rich.EmptyDelta = 5, 1, 1, true
	for _, c := range []struct {
		id, body string
		script   fakes.Script
		stream   string
		whole    string
	}{
		{
			"us.anthropic.claude-haiku-4-5-v1:0", messagesBody, rich,
			`chunk {"message":{"content":[],"id":"msg_bdrk_ID","model":"claude-fake","role":"assistant","stop_reason":null,"stop_sequence":null,"type":"message","usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":8,"output_tokens":1}},"type":"message_start"}
chunk {"content_block":{"text":"","type":"text"},"index":0,"type":"content_block_start"}
chunk {"delta":{"text":"","type":"text_delta"},"index":0,"type":"content_block_delta"}
chunk {"index":0,"type":"content_block_stop"}
chunk {"content_block":{"signature":"","thinking":"","type":"thinking"},"index":1,"type":"content_block_start"}
chunk {"delta":{"thinking":"a","type":"thinking_delta"},"index":1,"type":"content_block_delta"}
chunk {"delta":{"signature":"c2VhbGVkIGJ5IGEgZmFrZQ==","type":"signature_delta"},"index":1,"type":"content_block_delta"}
chunk {"index":1,"type":"content_block_stop"}
chunk {"content_block":{"text":"","type":"text"},"index":2,"type":"content_block_start"}
chunk {"delta":{"text":"a","type":"text_delta"},"index":2,"type":"content_block_delta"}
chunk {"index":2,"type":"content_block_stop"}
chunk {"content_block":{"id":"toolu_bdrk_ID","input":{},"name":"get_weather","type":"tool_use"},"index":3,"type":"content_block_start"}
chunk {"delta":{"partial_json":"{\"city\":","type":"input_json_delta"},"index":3,"type":"content_block_delta"}
chunk {"delta":{"partial_json":"\"Reykja","type":"input_json_delta"},"index":3,"type":"content_block_delta"}
chunk {"delta":{"partial_json":"vík\"}","type":"input_json_delta"},"index":3,"type":"content_block_delta"}
chunk {"index":3,"type":"content_block_stop"}
chunk {"delta":{"stop_reason":"tool_use","stop_sequence":null},"type":"message_delta","usage":{"output_tokens":5}}
chunk {"amazon-bedrock-invocationMetrics":{"firstByteLatency":100,"inputTokenCount":8,"invocationLatency":300,"outputTokenCount":5},"type":"message_stop"}
`,
			`{"content":[{"signature":"c2VhbGVkIGJ5IGEgZmFrZQ==","thinking":"a","type":"thinking"},{"text":"a","type":"text"},{"id":"toolu_bdrk_ID","input":{"city":"Reykjavík"},"name":"get_weather","type":"tool_use"}],"id":"msg_bdrk_ID","model":"claude-fake","role":"assistant","stop_reason":"tool_use","stop_sequence":null,"type":"message","usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":8,"output_tokens":5}}`,
		},
		{
			"amazon.nova-lite-v1:0", hello, rich,
			`chunk {"messageStart":{"role":"assistant"}}
chunk {"contentBlockDelta":{"contentBlockIndex":5,"delta":{"text":""}}}
chunk {"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"a"}}}}
chunk {"contentBlockStop":{"contentBlockIndex":0}}
chunk {"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"a"}}}
chunk {"contentBlockStop":{"contentBlockIndex":1}}
chunk {"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"name":"get_weather","toolUseId":"ID"}}}}
chunk {"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"city\":"}}}}
chunk {"contentBlockDelta":{"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"Reykja"}}}}
chunk {"contentBlockDelta":{"contentBlockIndex":4,"delta":{"toolUse":{"input":"vík\"}"}}}}
chunk {"messageStop":{"stopReason":"tool_use"}}
chunk {"amazon-bedrock-invocationMetrics":{"firstByteLatency":100,"inputTokenCount":8,"invocationLatency":300,"outputTokenCount":5},"metadata":{"metrics":{},"trace":{},"usage":{"inputTokens":8,"outputTokens":5}}}
`,
			`{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"a"}}},{"text":"a"},{"toolUse":{"input":{"city":"Reykjavík"},"name":"get_weather","toolUseId":"ID"}}],"role":"assistant"}},"stopReason":"tool_use","usage":{"inputTokens":8,"outputTokens":5}}`,
		},
		{
			"meta.llama3-8b-instruct-v1:0", `{"prompt":"Say hello to everybody in the room."}`, text,
			`chunk {"generation":"a","generation_token_count":1,"prompt_token_count":8,"stop_reason":null}
chunk {"generation":" request","generation_token_count":2,"prompt_token_count":null,"stop_reason":null}
chunk {"generation":" that","generation_token_count":3,"prompt_token_count":null,"stop_reason":null}
chunk {` + metrics + `,"generation":"","generation_token_count":3,"prompt_token_count":null,"stop_reason":"stop"}
`,
			`{"generation":"a request that","generation_token_count":3,"prompt_token_count":8,"stop_reason":"stop"}`,
		},
		{
			"amazon.titan-text-express-v1", `{"inputText":"Say hello to everybody in the room."}`, text,
			`chunk {"completionReason":null,"index":0,"inputTextTokenCount":8.0,"outputText":"a","totalOutputTextTokenCount":null}
chunk {"completionReason":null,"index":0,"inputTextTokenCount":8.0,"outputText":" request","totalOutputTextTokenCount":null}
chunk {"completionReason":null,"index":0,"inputTextTokenCount":8.0,"outputText":" that","totalOutputTextTokenCount":null}
chunk {` + metrics + `,"completionReason":"FINISH","index":0,"inputTextTokenCount":null,"outputText":"","totalOutputTextTokenCount":3.0}
`,
			`{"inputTextTokenCount":8.0,"results":[{"completionReason":"FINISH","outputText":"a request that","tokenCount":3.0}]}`,
		},
		{
			"cohere.command-text-v14", `{"prompt":"Say hello to everybody in the room.","max_tokens":3}`, text,
			`chunk {"is_finished":false,"text":"a"}
chunk {"is_finished":false,"text":" request"}
chunk {"is_finished":false,"text":" that"}
chunk {` + metrics + `,"finish_reason":"COMPLETE","is_finished":true}
`,
			`{"generations":[{"finish_reason":"COMPLETE","id":"ID","text":"a request that"}],"id":"ID","prompt":""}`,
		},
		{
			"cohere.command-r-v1:0", `{"message":"Say hello to everybody in the room."}`, text,
			`chunk {"event_type":"stream-start","generation_id":"fake","is_finished":false}
chunk {"event_type":"text-generation","is_finished":false,"text":"a"}
chunk {"event_type":"text-generation","is_finished":false,"text":" request"}
chunk {"event_type":"text-generation","is_finished":false,"text":" that"}
chunk {` + metrics + `,"event_type":"stream-end","finish_reason":"COMPLETE","is_finished":true,"response":{"finish_reason":"COMPLETE","generation_id":"fake","text":"a request that"}}
`,
			`{"chat_history":[],"finish_reason":"COMPLETE","generation_id":"fake","response_id":"ID","text":"a request that"}`,
		},
		{
			"mistral.mistral-7b-instruct-v0:2", `{"prompt":"Say hello to everybody in the room."}`, text,
			`chunk {"outputs":[{"stop_reason":null,"text":"a"}]}
chunk {"outputs":[{"stop_reason":null,"text":" request"}]}
chunk {"outputs":[{"stop_reason":null,"text":" that"}]}
chunk {` + metrics + `,"outputs":[{"stop_reason":"stop","text":""}]}
`,
			`{"outputs":[{"stop_reason":"stop","text":"a request that"}]}`,
		},
		{
			"mistral.mistral-large-2407-v1:0", `{"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`, text,
			`chunk {"choices":[{"index":0,"message":{"content":"","role":"assistant"},"stop_reason":null}]}
chunk {"choices":[{"index":0,"message":{"content":"a"},"stop_reason":null}]}
chunk {"choices":[{"index":0,"message":{"content":" request"},"stop_reason":null}]}
chunk {"choices":[{"index":0,"message":{"content":" that"},"stop_reason":null}]}
chunk {` + metrics + `,"choices":[{"index":0,"message":{},"stop_reason":"stop"}]}
`,
			`{"choices":[{"index":0,"message":{"content":"a request that","role":"assistant"},"stop_reason":"stop"}],"id":"chatcmpl-fake","object":"chat.completion"}`,
		},
		{
			"openai.gpt-oss-20b-1:0", `{"messages":[{"role":"user","content":"Say hello to everybody in the room."}]}`, text,
			`chunk {"choices":[{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0}],"id":"chatcmpl-fake","object":"chat.completion.chunk"}
chunk {"choices":[{"delta":{"content":"a"},"finish_reason":null,"index":0}],"id":"chatcmpl-fake","object":"chat.completion.chunk"}
chunk {"choices":[{"delta":{"content":" request"},"finish_reason":null,"index":0}],"id":"chatcmpl-fake","object":"chat.completion.chunk"}
chunk {"choices":[{"delta":{"content":" that"},"finish_reason":null,"index":0}],"id":"chatcmpl-fake","object":"chat.completion.chunk"}
chunk {` + metrics + `,"choices":[{"delta":{},"finish_reason":"stop","index":0}],"id":"chatcmpl-fake","object":"chat.completion.chunk"}
`,
			`{"choices":[{"finish_reason":"stop","index":0,"message":{"content":"a request that","role":"assistant"}}],"id":"chatcmpl-fake","object":"chat.completion"}`,
		},
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := "/model/" + strings.ReplaceAll(c.id, ":", "%3A") + "/invoke"
				resp, body, err := post(t, fakes.Bedrock(c.script), path+"-with-response-stream", c.body)
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, "application/vnd.amazon.eventstream", resp.Header.Get("Content-Type"))
				assert.Equal(t, "application/json", resp.Header.Get("X-Amzn-Bedrock-Content-Type"))
				assert.Equal(t, c.stream, invoked(t, body))

				_, again, err := post(t, fakes.Bedrock(c.script), path+"-with-response-stream", c.body)
				require.NoError(t, err)
				assert.Equal(t, body, again, "a seed has one stream")

				resp, body, err = post(t, fakes.Bedrock(c.script), path, c.body)
				require.NoError(t, err)
				assert.Equal(t, c.whole, randomNames.ReplaceAllString(string(body), "${1}${2}ID"))
				assert.Equal(t, "8", resp.Header.Get("X-Amzn-Bedrock-Input-Token-Count"))
				assert.Equal(t, fmt.Sprint(c.script.OutputTokens), resp.Header.Get("X-Amzn-Bedrock-Output-Token-Count"))
				assert.Equal(t, map[int]string{3: "280", 5: "300"}[c.script.OutputTokens], resp.Header.Get("X-Amzn-Bedrock-Invocation-Latency"))
			})
		})
	}
}

func TestInvocationsThatAModelWouldRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, body, refusal string }{
		{"anthropic.claude", `{"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`, "anthropic_version: Field required"},
		{"anthropic.claude", `{"anthropic_version":"v","messages":[{"role":"user","content":"Hi"}]}`, "max_tokens: Field required"},
		{"anthropic.claude", `{"anthropic_version":"v","model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`, "model: Extra inputs are not permitted"},
		{"amazon.nova-lite-v1:0", `{"messages":[]}`, "at least one message"},
		{"amazon.titan-text-lite-v1", `{"prompt":"Hi"}`, "required key [inputText] not found"},
		{"meta.llama3-8b", `{"messages":[]}`, "required key [prompt] not found"},
		{"meta.llama3-8b", `{"prompt":"Hi","max_gen_len":0}`, "not greater or equal to 1"},
		{"cohere.command-r-v1:0", `{"prompt":"Hi"}`, "required key [message] not found"},
		{"mistral.mistral-large-2407", `{"messages":[{"role":"user"}]}`, "required key [content] not found"},
		{"mistral.mistral-large-2407", `{"messages":[]}`, "required key [messages] not found"},
		{"mistral.mistral-7b", `not JSON`, "Malformed input request"},
		{"acme.large", `{"words":"Hi"}`, "The provided model identifier is invalid."},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, operation := range []string{"invoke", "invoke-with-response-stream"} {
				resp, body, err := post(t, fakes.Bedrock(fakes.Script{}), "/model/"+c.id+"/"+operation, c.body)
				require.NoError(t, err)
				assert.Equal(t, 400, resp.StatusCode, c.body)
				assert.Contains(t, resp.Header.Get("x-amzn-ErrorType"), "ValidationException")
				assert.Contains(t, string(body), c.refusal)
			}
		})
	}
}

func TestUnknownLatencyIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		defer n.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://bedrock.test/model/anthropic.claude/invoke", strings.NewReader(messagesBody))
		require.NoError(t, err)
		req.Header.Set("X-Amzn-Bedrock-PerformanceConfig-Latency", "fast")
		resp, err := n.Client().Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 400, resp.StatusCode)
	})
}

// What the SDK makes of the fake: the pieces, and exceptions of their own types.
func TestInvokeThroughTheSDK(t *testing.T) {
	t.Parallel()
	for effect, want := range map[fakes.Effect]error{
		nil: nil,
		fakes.Throw{Exception: fakes.Throttling, After: 3}:   &types.ThrottlingException{},
		fakes.Throw{Exception: fakes.ModelTimeout, After: 3}: &types.ModelTimeoutException{},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := fakes.Script{OutputTokens: 5, Gap: fakes.Constant(10 * ms), Padding: true}
			if effect != nil {
				s.Faults = []fakes.Fault{{Effect: effect}}
			}
			n := fakes.NewNetwork(fakes.Bedrock(s))
			defer n.Close()
			out, err := newClient(n.Transport(), nil).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
				ModelId: aws.String("meta.llama3-8b-instruct-v1:0"), Body: []byte(`{"prompt":"Hi"}`),
			})
			require.NoError(t, err)
			pieces := 0
			for event := range out.GetStream().Events() {
				chunk, is := event.(*types.ResponseStreamMemberChunk)
				require.True(t, is)
				assert.Contains(t, string(chunk.Value.Bytes), `"generation":`)
				pieces++
			}
			if want == nil {
				require.NoError(t, out.GetStream().Err())
				assert.Equal(t, 6, pieces)
				return
			}
			assert.IsType(t, want, out.GetStream().Err())
			assert.Equal(t, 3, pieces)
		})
	}
}
