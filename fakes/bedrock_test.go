package fakes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

const hello = `{"messages":[{"role":"user","content":[{"text":"Say hello to everybody in the room."}]}]}`

// post sends a body to a path of the fake in virtual time and returns the
// response with its whole body, whatever became of it.
func post(t *testing.T, h http.Handler, path, body string) (*http.Response, []byte, error) {
	t.Helper()
	n := fakes.NewNetwork(h)
	defer n.Close()
	resp, err := n.Client().Post("http://bedrock.test"+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, got, err
}

// script lists a stream one message a line: its type and its payload.
func script(t *testing.T, body []byte) string {
	t.Helper()
	var lines strings.Builder
	for r := bytes.NewReader(body); r.Len() > 0; {
		m, err := eventstream.NewDecoder().Decode(r, nil)
		require.NoError(t, err)
		for _, h := range m.Headers {
			if h.Name != ":content-type" && h.Name != ":message-type" {
				fmt.Fprintf(&lines, "%v ", h.Value)
			}
		}
		fmt.Fprintf(&lines, "%s\n", m.Payload)
	}
	return lines.String()
}

func TestConverseStreamEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Bedrock(fakes.Script{
			TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms),
			OutputTokens: 8, TokensPerChunk: 1, Reasoning: 2, ToolCalls: 1, EmptyDelta: true,
		})
		resp, body, err := post(t, h, "/model/us.anthropic.claude-haiku-4-5-v1%3A0/converse-stream", hello)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "application/vnd.amazon.eventstream", resp.Header.Get("Content-Type"))
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`, resp.Header.Get("x-amzn-RequestId"))
		assert.Equal(t, `messageStart {"role":"assistant"}
contentBlockDelta {"contentBlockIndex":0,"delta":{"text":""}}
contentBlockStop {"contentBlockIndex":0}
contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"a"}}}
contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"text":" request"}}}
contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"signature":"c2VhbGVkIGJ5IGEgZmFrZQ=="}}}
contentBlockStop {"contentBlockIndex":1}
contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"a"}}
contentBlockDelta {"contentBlockIndex":2,"delta":{"text":" request"}}
contentBlockDelta {"contentBlockIndex":2,"delta":{"text":" that"}}
contentBlockStop {"contentBlockIndex":2}
contentBlockStart {"contentBlockIndex":3,"start":{"toolUse":{"name":"get_weather","toolUseId":"tooluse_ID"}}}
contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"city\":"}}}
contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"Reykja"}}}
contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"vík\"}"}}}
contentBlockStop {"contentBlockIndex":3}
messageStop {"stopReason":"tool_use"}
metadata {"metrics":{"latencyMs":330},"usage":{"inputTokens":8,"outputTokens":8,"totalTokens":16}}
`, toolID.ReplaceAllString(script(t, body), "tooluse_ID"))
	})
}

func TestEventHeadersComeInBedrocksOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.Bedrock(fakes.Script{OutputTokens: 1}), "/model/m/converse-stream", hello)
		require.NoError(t, err)
		for r := bytes.NewReader(body); r.Len() > 0; {
			m, err := eventstream.NewDecoder().Decode(r, nil)
			require.NoError(t, err)
			var names []string
			for _, h := range m.Headers {
				names = append(names, h.Name)
			}
			assert.Equal(t, []string{":event-type", ":content-type", ":message-type"}, names)
		}
	})
}

// Our own reader and AWS's agree about what the fake sends.
func TestOwnReaderReadsTheFake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.Bedrock(fakes.Script{Reasoning: 3, ToolCalls: 2, Padding: true}), "/model/m/converse-stream", hello)
		require.NoError(t, err)
		var lines strings.Builder
		r := wire.NewEventStreamReader(bytes.NewReader(body))
		for {
			m, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			fmt.Fprintf(&lines, "%s %s\n", m.Header(":event-type"), m.Payload)
		}
		assert.Equal(t, script(t, body), lines.String())
	})
}

var toolID = regexp.MustCompile(`tooluse_[0-9a-f]{16}`)

func TestConverseReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := fakes.Bedrock(fakes.Script{
			TTFT: fakes.Constant(250 * ms), Gap: fakes.Constant(10 * ms), OutputTokens: 8, Reasoning: 2, ToolCalls: 1,
		})
		resp, body, err := post(t, h, "/model/m/converse", hello)
		require.NoError(t, err)
		assert.Equal(t, 330*ms, time.Since(start), "when a stream would end")
		assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		assert.NotEmpty(t, resp.Header.Get("x-amzn-RequestId"))
		assert.Equal(t, `{"metrics":{"latencyMs":330},"output":{"message":{"content":[`+
			`{"reasoningContent":{"reasoningText":{"signature":"c2VhbGVkIGJ5IGEgZmFrZQ==","text":"a request"}}},`+
			`{"text":"a request that"},`+
			`{"toolUse":{"input":{"city":"Reykjavík"},"name":"get_weather","toolUseId":"tooluse_ID"}}],"role":"assistant"}},`+
			`"stopReason":"tool_use","usage":{"inputTokens":8,"outputTokens":8,"totalTokens":16}}`, toolID.ReplaceAllString(string(body), "tooluse_ID"))
	})
}

// An answer calls the tool that the request offers.
func TestToolOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Bedrock(fakes.Script{OutputTokens: 1, ToolCalls: 2, EmptyDelta: true})
		offer := `{"toolConfig":{"tools":[{"cachePoint":{"type":"default"}},{"toolSpec":{"name":"find_flight","inputSchema":{"json":{}}}}]},` + hello[1:]
		_, body, err := post(t, h, "/model/m/converse-stream", offer)
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(script(t, body), `"name":"find_flight"`))
		_, body, err = post(t, h, "/model/m/converse", offer)
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(string(body), `"name":"find_flight"`))
		assert.Contains(t, string(body), `"content":[{"text":""},{"toolUse"`)
	})
}

func TestPaddingHidesLengths(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, body, err := post(t, fakes.Bedrock(fakes.Script{OutputTokens: 300, Padding: true}), "/model/m/converse-stream", hello)
		require.NoError(t, err)
		lengths := map[int]int{}
		for line := range strings.Lines(script(t, body)) {
			_, payload, _ := strings.Cut(line, " ")
			var fields struct{ P string }
			require.NoError(t, json.Unmarshal([]byte(payload), &fields))
			require.NotEmpty(t, fields.P)
			lengths[len(fields.P)]++
		}
		assert.Greater(t, len(lengths), 50, "of 62 lengths")
	})
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	stream := func(seed uint64) (body []byte) {
		synctest.Test(t, func(t *testing.T) {
			h := fakes.Bedrock(fakes.Script{
				Seed: seed, TTFT: fakes.Lognormal(400*ms, 0.45), Gap: fakes.Lognormal(20*ms, 0.3), Session: 0.05,
				Reasoning: 3, ToolCalls: 1, Padding: true,
				Faults: []fakes.Fault{{On: fakes.Share(0.5), Effect: fakes.Stall{At: 3, For: time.Second}}},
			})
			resp, b, err := post(t, h, "/model/m/converse-stream", hello)
			require.NoError(t, err)
			body = append([]byte(resp.Header.Get("x-amzn-RequestId")), b...)
		})
		return body
	}
	assert.Equal(t, stream(1), stream(1))
	assert.NotEqual(t, stream(1), stream(2))
}

func TestRequestsThatBedrockWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct{ body, message string }{
			{`{`, "Malformed input request"},
			{`[]`, "Malformed input request"},
			{`{}`, "at least one message"},
			{`{"messages":[]}`, "at least one message"},
			{`{"messages":[{"role":"assistant","content":[{"text":"x"}]}]}`, "must start with a user message"},
			{`{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"system","content":[{"text":"x"}]}]}`, "messages.1"},
			{`{"messages":[{"role":"user","content":[]}]}`, "messages.0 is empty"},
			{`{"messages":[{"role":"user","content":[{"text":""}]}]}`, "messages.0.content.0 is blank"},
			{`{"messages":[{"role":"user","content":[{"text":"x"},{"sound":{}}]}]}`, `messages.0.content.1 has the unknown member "sound"`},
			{`{"messages":[{"role":"user","content":[{"text":"x","image":{}}]}]}`, "exactly one member"},
			{`{"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"maxTokens":0}}`, "inferenceConfig.maxTokens"},
			{`{"messages":[{"role":"user","content":[{"text":"x"}]}],"performanceConfig":{"latency":"fast"}}`, "performanceConfig.latency"},
		} {
			for _, path := range []string{"/model/m/converse", "/model/m/converse-stream"} {
				resp, body, err := post(t, fakes.Bedrock(fakes.Script{TTFT: fakes.Constant(time.Hour)}), path, test.body)
				require.NoError(t, err)
				assert.Equal(t, 400, resp.StatusCode, test.body)
				assert.Equal(t, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", resp.Header.Get("x-amzn-ErrorType"))
				var fields struct{ Message string }
				require.NoError(t, json.Unmarshal(body, &fields))
				assert.Contains(t, fields.Message, test.message)
			}
		}
		for _, content := range []string{
			`{"text":"x"}`, `{"image":{"format":"png","source":{"bytes":"aGVsbG8="}}}`, `{"cachePoint":{"type":"default"}}`,
			`{"toolResult":{"toolUseId":"t","content":[]}}`,
		} {
			resp, _, err := post(t, fakes.Bedrock(fakes.Script{}), "/model/m/converse", `{"new":1,"messages":[{"role":"user","content":[`+content+`]}]}`)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode, content)
		}
	})
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for path, status := range map[string]int{
			"/model/us.amazon.nova-lite-v1%3A0/converse":                                                       200,
			"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x-v1%3A0/converse": 200,
			"/model/m/invoke":    200, // chat completions, by the request
			"/model/m/async":     404,
			"/model/converse":    404,
			"/":                  404,
			"/model/m/converse/": 404,
		} {
			resp, body, err := post(t, fakes.Bedrock(fakes.Script{}), path, hello)
			require.NoError(t, err)
			assert.Equal(t, status, resp.StatusCode, path)
			if status == 404 {
				assert.Contains(t, resp.Header.Get("x-amzn-ErrorType"), "UnknownOperationException")
				assert.Contains(t, string(body), `"message"`)
			}
		}
		n := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		defer n.Close()
		resp, err := n.Client().Get("http://bedrock.test/model/m/converse")
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 404, resp.StatusCode, "GET")
	})
}

// usage returns the usage record of a reply.
func usage(t *testing.T, body []byte) map[string]int {
	t.Helper()
	var fields struct{ Usage map[string]int }
	require.NoError(t, json.Unmarshal(body, &fields), "%s", body)
	return fields.Usage
}

func TestPromptCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Bedrock(fakes.Script{OutputTokens: 5})
		ask := func(model, context, ttl, question string) map[string]int {
			_, body, err := post(t, h, "/model/"+model+"/converse", fmt.Sprintf(
				`{"system":[{"text":%q},{"cachePoint":{"type":"default"%s}}],"messages":[{"role":"user","content":[{"text":%q}]}]}`, context, ttl, question))
			require.NoError(t, err)
			return usage(t, body)
		}
		counts := func(in, read, write int) map[string]int {
			return map[string]int{
				"inputTokens": in, "outputTokens": 5, "totalTokens": in + read + write + 5,
				"cacheReadInputTokens": read, "cacheReadInputTokenCount": read,
				"cacheWriteInputTokens": write, "cacheWriteInputTokenCount": write,
			}
		}
		long := strings.Repeat("know ", 800)
		question := strings.Repeat("why?", 10)
		assert.Equal(t, counts(10, 0, 1000), ask("m", long, "", question), "written")
		assert.Equal(t, counts(2, 1000, 0), ask("m", long, "", "why, then"), "read, whatever comes after it")
		assert.Equal(t, counts(10, 0, 1000), ask("other", long, "", question), "each model has its own")
		assert.Equal(t, counts(10, 0, 1001), ask("m", long+"more", "", question))
		time.Sleep(4 * time.Minute)
		assert.Equal(t, counts(10, 1000, 0), ask("m", long, "", question), "a read prolongs it")
		time.Sleep(4 * time.Minute)
		assert.Equal(t, counts(10, 1000, 0), ask("m", long, "", question))
		time.Sleep(6 * time.Minute)
		assert.Equal(t, counts(10, 0, 1000), ask("m", long, `,"ttl":"1h"`, question), "gone")
		time.Sleep(59 * time.Minute)
		assert.Equal(t, counts(10, 1000, 0), ask("m", long, `,"ttl":"1h"`, question))
	})
}

func TestGrowingConversationReadsTheLongestPrefix(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := fakes.Bedrock(fakes.Script{OutputTokens: 5})
		var turns []string
		for _, want := range []struct{ read, write int }{{0, 100}, {100, 100}, {200, 100}} {
			turns = append(turns, fmt.Sprintf(`{"text":%q},{"cachePoint":{"type":"default"}}`, strings.Repeat("turn", 100)))
			_, body, err := post(t, h, "/model/m/converse", `{"messages":[{"role":"user","content":[`+strings.Join(turns, ",")+`]}]}`)
			require.NoError(t, err)
			got := usage(t, body)
			assert.Equal(t, want.read, got["cacheReadInputTokens"])
			assert.Equal(t, want.write, got["cacheWriteInputTokens"])
			assert.Equal(t, 1, got["inputTokens"], "never none")
		}
	})
}

func TestMaximumOfTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ask := func(s fakes.Script, maxTokens int) string {
			_, body, err := post(t, fakes.Bedrock(s), "/model/m/converse-stream",
				fmt.Sprintf(`{"inferenceConfig":{"maxTokens":%d},%s`, maxTokens, hello[1:]))
			require.NoError(t, err)
			return script(t, body)
		}
		assert.Contains(t, ask(fakes.Script{OutputTokens: 10}, 10), `"stopReason":"end_turn"`)
		short := ask(fakes.Script{OutputTokens: 10, TokensPerChunk: 4}, 6)
		assert.Equal(t, 2, strings.Count(short, "contentBlockDelta"))
		assert.Contains(t, short, `" is a"`)
		assert.Contains(t, short, `"stopReason":"max_tokens"`)
		assert.Contains(t, short, `"outputTokens":6`)
		assert.Contains(t, ask(fakes.Script{ToolCalls: 1, OutputTokens: 3}, 2), `"stopReason":"max_tokens"`)

		_, body, err := post(t, fakes.Bedrock(fakes.Script{ToolCalls: 1, OutputTokens: 3}), "/model/m/converse", `{"inferenceConfig":{"maxTokens":2},`+hello[1:])
		require.NoError(t, err)
		assert.Contains(t, string(body), `"input":{}`, "half a tool call is no JSON")
	})
}

func TestServedPerformanceConfig(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fallback := fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Fallback{}}}}
		for _, path := range []string{"/model/m/converse", "/model/m/converse-stream"} {
			ask := func(s fakes.Script, member string) string {
				_, body, err := post(t, fakes.Bedrock(s), path, `{`+member+hello[1:])
				require.NoError(t, err)
				return string(body)
			}
			assert.NotContains(t, ask(fakes.Script{}, ""), "performanceConfig")
			assert.NotContains(t, ask(fallback, ""), "performanceConfig")
			assert.Contains(t, ask(fakes.Script{}, `"performanceConfig":{"latency":"optimized"},`), `"performanceConfig":{"latency":"optimized"}`)
			assert.Contains(t, ask(fallback, `"performanceConfig":{"latency":"optimized"},`), `"performanceConfig":{"latency":"standard"}`)
			assert.Contains(t, ask(fakes.Script{}, `"serviceTier":{"type":"flex"},`), `"serviceTier":{"type":"flex"}`)
		}
	})
}

// Requests without a sample number are numbered as they arrive; one that comes
// again is another attempt.
func TestRequestNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{TTFT: fakes.Uniform(0, time.Second), Gap: fakes.Constant(ms), OutputTokens: 1}
		n := fakes.NewNetwork(fakes.Bedrock(script))
		defer n.Close()
		elapsed := func(ctx context.Context) time.Duration {
			start := time.Now()
			req, err := http.NewRequestWithContext(ctx, "POST", "http://bedrock.test/model/m/converse", strings.NewReader(hello))
			require.NoError(t, err)
			resp, err := n.Client().Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Empty(t, req.Header.Get(wire.SampleHeader), "the caller's own request is left alone")
			return time.Since(start)
		}
		for request := range 3 {
			assert.Equal(t, script.Schedule(request, 0).End, elapsed(t.Context()))
		}
		for attempt := range 3 {
			assert.Equal(t, script.Schedule(41, attempt).End, elapsed(wire.NewCapture(41).Context(t.Context())))
		}
	})
}
