package protocol_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// chunk encodes a model's JSON as Bedrock does.
func chunk(t testing.TB, inner string) []byte {
	t.Helper()
	return frame(t, "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(inner))+`","p":"abcdefgh"}`)
}

func chunks(t testing.TB, inner ...string) []byte {
	t.Helper()
	var body []byte
	for _, json := range inner {
		body = append(body, chunk(t, json)...)
	}
	return body
}

// invoked is the exchange of a stream of such chunks, each read by itself: the
// first arrives after 10 ms and so on.
func invoked(t testing.TB, inner ...string) *wire.Exchange {
	t.Helper()
	x := streamOf(nil)
	x.Path = "/model/m/invoke-with-response-stream"
	for i, json := range inner {
		x.Body = append(x.Body, chunk(t, json)...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: ms(10 * (i + 1))})
	}
	return x
}

// replied is the exchange of a reply in one piece.
func replied(body string) *wire.Exchange {
	x := streamOf([]byte(body))
	x.Path = "/model/m/invoke"
	x.Header = http.Header{"Content-Type": {"application/json"}}
	return x
}

const recordOfMetrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":5,"invocationLatency":886,"firstByteLatency":294}`

func contentOf(r *providers.Response) []string {
	var got []string
	for _, e := range r.Events {
		got = append(got, fmt.Sprintf("%d %s %d", e.Frame, e.Channel, e.Bytes))
	}
	return got
}

func usageOf(input, output int64) providers.Usage {
	return providers.Usage{Input: providers.CountOf(input), Output: providers.CountOf(output)}
}

// No prefix of a stream is whole before the frame of its last piece is there, and
// every prefix of it has a class.
func TestInvokeCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, c := range streams {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole := chunks(t, c.inner...)
			last := len(whole) - len(chunk(t, c.inner[len(c.inner)-1]))
			for _, n := range cuts(len(whole), last) {
				x := streamOf(whole[:n])
				x.Path = "/model/m/invoke-with-response-stream"
				r := protocol.Invoke{}.Decode(x)
				if n == last && r.Class == providers.OK {
					assert.Equal(t, "tool_use", r.Stop, "Nova's stop has a frame of its own")
					continue
				}
				require.Equal(t, providers.Truncated, r.Class, "%d of %d bytes: %s", n, len(whole), r.Detail)
			}
		})
	}
}

func TestInvokeEndings(t *testing.T) {
	t.Parallel()
	const hi = `{"generation":"Hi","stop_reason":null}`
	for _, c := range []struct {
		name  string
		inner []string
		class providers.Class
		code  string
		part  string // of the detail
	}{
		{"no stop, no metrics", []string{hi}, providers.Truncated, "", ""},
		{"a stop without metrics", []string{hi, `{"generation":"","stop_reason":"length"}`}, providers.OK, "", ""},
		{"metrics without a stop", []string{hi, `{"generation":"",` + recordOfMetrics + `}`}, providers.OK, "", ""},
		{"metrics alone", []string{`{` + recordOfMetrics + `}`}, providers.Empty, "", ""},
		{"a guardrail that let it pass", []string{`{"generation":"Hi","amazon-bedrock-guardrailAction":"NONE"}`}, providers.Truncated, "", ""},
		{"Anthropic's tool without parameters", []string{`{"type":"content_block_start","content_block":{"type":"tool_use","name":"now","input":{}}}`, `{"type":"message_stop"}`}, providers.OK, "", ""},
		{"Nova's", []string{`{"contentBlockStart":{"start":{"toolUse":{"name":"now"}}}}`, `{"messageStop":{"stopReason":"tool_use"}}`}, providers.OK, "", ""},
		{"reasoning of another type", []string{`{"choices":[{"delta":{"content":"a","reasoning":{"effort":"low"}},"finish_reason":"stop"}]}`}, providers.OK, "", ""},
		{"metrics that are none", []string{hi, `{"generation":"","amazon-bedrock-invocationMetrics":"none"}`}, providers.Truncated, "", ""},
		{"metrics of other types", []string{hi, `{"generation":"","amazon-bedrock-invocationMetrics":{"inputTokenCount":-1,"outputTokenCount":"many","invocationLatency":"slow","firstByteLatency":-5}}`}, providers.OK, "", ""},
		{"an error of the model", []string{hi, `{"error":{"message":"out of memory","type":"server_error"}}`}, providers.StreamError, "server_error", "out of memory"},
		{"an error first", []string{`{"error":"overloaded"}`}, providers.StreamError, "", "overloaded"},
		{"an error in nobody's words", []string{`{"error":500}`}, providers.StreamError, "", `{"error":500}`},
		{"no error", []string{`{"generation":"Hi","stop_reason":"stop","error":null}`}, providers.OK, "", ""},
		{"Anthropic's overload", []string{`{"type":"message_start","message":{}}`, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}, providers.Throttled, "overloaded_error", "Overloaded"},
		{"message_stop without metrics", []string{`{"type":"content_block_delta","delta":{"type":"text_delta","text":"Sorry"}}`, `{"type":"message_stop","amazon-bedrock-guardrailAction":"INTERVENED"}`}, providers.OK, "", ""},
		{"Cohere fails", []string{`{"is_finished":false,"text":"a"}`, `{"finish_reason":"ERROR_TOXIC","is_finished":true}`}, providers.StreamError, "ERROR_TOXIC", ""},
		{"of no family", []string{`{"data":"x","amazon-bedrock-trace":{},"mood":1}`, hi}, providers.Parse, "", "its members are {data, mood}"},
		{"not an object", []string{`["a"]`}, providers.Parse, "", "the model's JSON"},
		{"an empty object", []string{`{}`}, providers.Parse, "", "its members are {}"},
		{"not JSON", []string{`Hi`}, providers.Parse, "", "the model's JSON"},
		{"another family in the middle", []string{hi, `{"outputText":5}`, `{"generation":"","stop_reason":"stop"}`}, providers.OK, "", ""},
		{"text of another type", []string{hi, `{"generation":5}`}, providers.Parse, "", "generation"},
		{"an empty piece", []string{hi, ``, `{"generation":"","stop_reason":"stop"}`}, providers.OK, "", ""},
		{"a broken usage record", []string{`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":"none"}`}, providers.OK, "", ""},
		{"a stop of another type", []string{`{"choices":[{"delta":{"content":"a"},"stop_reason":128001,"finish_reason":"stop"}]}`}, providers.OK, "", ""},
		{"an invalid character", []string{"{\"generation\":\"\xff\xfe\",\"stop_reason\":\"stop\"}"}, providers.OK, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := protocol.Invoke{}.Decode(invoked(t, c.inner...))
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.code, r.Code)
			assert.Contains(t, r.Detail, c.part)
		})
	}
}

func TestFramesThatAreNoPieces(t *testing.T) {
	t.Parallel()
	last := chunk(t, `{"generation":"Hi","stop_reason":"stop",`+recordOfMetrics+`}`)
	for _, c := range []struct {
		name  string
		body  []byte
		class providers.Class
	}{
		{"an event of a later time", join(frame(t, "heartbeat", `{"bytes":"!"}`), last), providers.OK},
		{"no bytes", join(frame(t, "chunk", `{"p":"ab"}`), last), providers.Parse},
		{"no base64", join(frame(t, "chunk", `{"bytes":"!"}`), last), providers.Parse},
		{"no JSON", join(frame(t, "chunk", `abc`), last), providers.Parse},
		{"an exception", join(failure(t), last), providers.Throttled},
		{"an exception after the end", join(last, failure(t)), providers.OK},
		{"nothing", nil, providers.Truncated},
	} {
		x := streamOf(c.body)
		x.Path = "/model/m/invoke-with-response-stream"
		r := protocol.Invoke{}.Decode(x)
		assert.Equal(t, c.class, r.Class, "%s: %s", c.name, r.Detail)
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestInvokeReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body  string
		class       providers.Class
		text, stop  string
		usage       providers.Usage
		tool, think int
	}{
		{
			"Messages",
			`{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"Hi"},{"type":"tool_use","name":"f","input":{}}],"model":"c","stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":7,"cache_read_input_tokens":10}}`,
			providers.OK, "Hi", "tool_use",
			providers.Usage{Input: providers.CountOf(13), Output: providers.CountOf(7), CachedRead: providers.CountOf(10)},
			3, 3,
		},
		{
			"Nova",
			`{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"Hm."}}},{"text":"Hi"},{"toolUse":{"name":"f","input":{},"toolUseId":"t"}}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":11,"outputTokens":568,"totalTokens":579,"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":4}}`,
			providers.OK, "Hi", "end_turn",
			providers.Usage{Input: providers.CountOf(15), Output: providers.CountOf(568), CachedRead: providers.CountOf(0), CachedWrite: providers.CountOf(4)},
			3, 3,
		},
		{"Llama", `{"generation":"Hi","prompt_token_count":10,"generation_token_count":2,"stop_reason":"stop"}`, providers.OK, "Hi", "stop", usageOf(10, 2), 0, 0},
		{"Titan", `{"inputTextTokenCount":5,"results":[{"tokenCount":55,"outputText":"Hi","completionReason":"FINISH"}]}`, providers.OK, "Hi", "FINISH", usageOf(5, 55), 0, 0},
		{"Titan says nothing", `{"inputTextTokenCount":5,"results":[]}`, providers.Empty, "", "", usageOf(5, 22), 0, 0},
		{"Command", `{"generations":[{"finish_reason":"MAX_TOKENS","id":"g","text":" Hi"}],"id":"i","prompt":"p"}`, providers.OK, " Hi", "MAX_TOKENS", usageOf(21, 22), 0, 0},
		{"Command R", `{"response_id":"r","text":"Hi","generation_id":"g","chat_history":[],"finish_reason":"COMPLETE","tool_calls":[{"name":"f","parameters":{"a":1}}]}`, providers.OK, "Hi", "COMPLETE", usageOf(21, 22), 8, 0},
		{"Mistral", `{"outputs":[{"text":" Hi","stop_reason":"stop"}]}`, providers.OK, " Hi", "stop", usageOf(21, 22), 0, 0},
		{"chat", `{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, providers.OK, "Hi", "stop", usageOf(1, 2), 0, 0},
		{"Claude before Messages", `{"completion":" Hi","stop_reason":"stop_sequence"}`, providers.OK, " Hi", "stop_sequence", usageOf(21, 22), 0, 0},
		{"an error", `{"error":{"message":"no"}}`, providers.StreamError, "", "", providers.Usage{}, 0, 0},
		{"unknown", `{"images":["aGk="]}`, providers.Parse, "", "", providers.Usage{}, 0, 0},
		{"Nova without output", `{"output":null,"stopReason":"end_turn"}`, providers.Parse, "", "", providers.Usage{}, 0, 0},
		{"cut", `{"outputs":[{"text":" Hi","st`, providers.Truncated, "", "", providers.Usage{}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := replied(c.body)
			for name, value := range map[string]string{
				"Input-Token-Count": "21", "Output-Token-Count": "22", "Invocation-Latency": "886", "PerformanceConfig-Latency": "optimized",
			} {
				x.Header.Set("X-Amzn-Bedrock-"+name, value)
			}
			r := protocol.Invoke{}.Decode(x)
			require.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.text, r.Text)
			assert.Equal(t, c.stop, r.Stop)
			assert.Equal(t, c.usage, r.Usage)
			assert.Equal(t, c.think, r.Reasoning)
			tool := 0
			for _, e := range r.Events {
				if e.Channel == providers.Tool {
					tool += e.Bytes
				}
			}
			assert.Equal(t, c.tool, tool)
			assert.Equal(t, wire.At(ms(886)), r.ServerLatency)
			assert.Equal(t, "optimized", r.Served)
			assert.Equal(t, "invoke", r.API)
		})
	}
}

func TestCachedTokensInTheHead(t *testing.T) {
	t.Parallel()
	x := replied(`{"outputs":[{"text":" Hi","stop_reason":"stop"}]}`)
	for name, value := range map[string]string{"Input": "21", "Output": "no number", "Cache-Read-Input": "100", "Cache-Write-Input": "7"} {
		x.Header.Set("X-Amzn-Bedrock-"+name+"-Token-Count", value)
	}
	assert.Equal(t, providers.Usage{
		Input: providers.CountOf(128), CachedRead: providers.CountOf(100), CachedWrite: providers.CountOf(7),
	}, protocol.Invoke{}.Decode(x).Usage)
}

func TestRecognizesInvokeOnly(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/model/m/invoke": true, "/model/m/invoke-with-response-stream": true, "/proxy/model/m%2Fx/invoke": true,
		"/model/m/converse": false, "/model/m": false, "/model": false, "/model/m/async-invoke": false, "/v1/messages": false,
	} {
		assert.Equal(t, want, protocol.Invoke{}.Recognizes(&wire.Exchange{Method: http.MethodPost, Path: path}), path)
	}
	assert.False(t, protocol.Invoke{}.Recognizes(&wire.Exchange{Method: http.MethodGet, Path: "/model/m/invoke"}))
}

func TestInvokeIsSniffed(t *testing.T) {
	t.Parallel()
	x := invoked(t, streams[0].inner...)
	x.Path = "/my/own/proxy"
	r := providers.Decoders{protocol.Converse{}, protocol.Invoke{}}.Decode(x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "invoke-stream", r.API)
	assert.Empty(t, r.Model)
}

func TestInvokeRefused(t *testing.T) {
	t.Parallel()
	x := replied(`{"message":"Too many tokens, please wait before trying again."}`)
	x.Status = 429
	x.Header.Set("X-Amzn-Errortype", "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/")
	x.Header.Set("X-Amz-Retry-After", "1500")
	r := protocol.Invoke{}.Decode(x)
	assert.Equal(t, providers.Throttled, r.Class)
	assert.Equal(t, "ThrottlingException", r.Code)
	assert.Equal(t, wire.At(ms(1500)), r.RetryAfter)

	x.Header.Set("X-Amzn-Errortype", "ModelNotReadyException")
	assert.Equal(t, providers.HTTP4xx, protocol.Invoke{}.Decode(x).Class, "a cold model is no throttle")
}

func TestLongPieces(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte("ä"), 100_000))
	r := protocol.Invoke{}.Decode(invoked(t, `{"generation":"`+long+`","stop_reason":"stop",`+recordOfMetrics+`}`))
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, long, r.Text)
}

func FuzzInvoke(f *testing.F) {
	for _, c := range streams {
		f.Add([]byte(c.inner[0]), []byte(c.inner[len(c.inner)-1]), 1)
	}
	f.Add([]byte(`{"error":{"message":"no"}}`), []byte(`{"type":"message_stop"}`), 3)
	f.Fuzz(func(t *testing.T, first, last []byte, step int) {
		body := chunks(t, string(first), string(last))
		x := streamOf(body)
		x.Path = "/model/m/invoke-with-response-stream"
		r := decodeCheaply(t, protocol.Invoke{}, x)
		checkResponse(t, r, body, first, last)

		end := firstEnd(protocol.InvokeStreamEnd(), body, max(1, step))
		if end >= 0 { // more bytes change nothing
			x.Body, x.Marks = body[:end], []wire.Mark{{End: int64(end), At: time.Second}}
			cut := protocol.Invoke{}.Decode(x)
			if cut.Class != r.Class || cut.Frames != r.Frames || cut.Text != r.Text {
				t.Errorf("cut at %d: %s, whole: %s", end, cut.Class, r.Class)
			}
		}

		whole := decodeCheaply(t, protocol.Invoke{}, replied(string(first)))
		checkResponse(t, whole, first)
	})
}

// decodeCheaply decodes within a bound: 64 times the body and one MiB.
func decodeCheaply(t *testing.T, d providers.Decoder, x *wire.Exchange) *providers.Response {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := d.Decode(x)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(1<<20+64*len(x.Body)) {
		t.Errorf("%d bytes allocated for %d bytes", n, len(x.Body))
	}
	return r
}

// toolStarts are the events that make a reply more than empty without content.
var toolStarts = regexp.MustCompile(`(?i)tool_?use|block_?start|\\u`)

// checkResponse checks what holds for every body, whose models' JSON is inner.
func checkResponse(t *testing.T, r *providers.Response, body []byte, inner ...[]byte) {
	t.Helper()
	if r.Class == "" {
		t.Error("no class")
	}
	if r.Class == providers.OK && len(r.Events) == 0 && !toolStarts.Match(join(append(inner, body)...)) {
		t.Error("ok without content")
	}
	for i, e := range r.Events {
		if e.End <= 0 || e.End > int64(len(body)) || e.Bytes <= 0 || e.Read < 0 || e.Frame >= r.Frames {
			t.Errorf("impossible event %+v", e)
		}
		if i > 0 && (e.Frame < r.Events[i-1].Frame || e.End < r.Events[i-1].End || e.At < r.Events[i-1].At) {
			t.Errorf("event %d is out of order", i)
		}
	}
}

// Many small things cost no more than their bytes, in the words of every family.
func TestHostileRepliesAreCheap(t *testing.T) {
	empty := strings.Repeat(`{},`, 20_000) + `{}`
	for _, reply := range []string{
		`{"choices":[` + empty + `]}`,
		`{"choices":[{"message":{"tool_calls":[` + empty + `]}}]}`,
		`{"choices":[{"message":{"content":[` + empty + `]}}]}`,
		`{"results":[` + empty + `]}`,
		`{"outputs":[` + empty + `]}`,
		`{"generations":[` + empty + `]}`,
		`{"generation_id":"g","tool_calls":[` + empty + `]}`,
		`{"output":{"message":{"content":[` + empty + `]}}}`,
		`{"type":"message","content":[` + empty + `]}`,
		`{"mood":[` + empty + `]}`,
	} {
		assert.NotEqual(t, providers.OK, decodeCheaply(t, protocol.Invoke{}, replied(reply)).Class, reply[:30])
		if !strings.HasPrefix(reply, `{"output":`) && !strings.HasPrefix(reply, `{"type":`) { // which do not stream
			assert.NotEqual(t, providers.OK, decodeCheaply(t, protocol.Invoke{}, invoked(t, reply)).Class, reply[:30])
		}
	}
	x := replied(`{"output":{"message":{"content":[` + empty + `]}}}`)
	x.Path = "/model/m/converse"
	assert.Equal(t, providers.Empty, decodeCheaply(t, protocol.Converse{}, x).Class)
	var members strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&members, `"%d":0,`, i)
	}
	r := decodeCheaply(t, protocol.Invoke{}, replied(`{`+members.String()+`"x":0}`))
	assert.Equal(t, providers.Parse, r.Class)
	assert.Less(t, len(r.Detail), 300)
}

func BenchmarkDecodeInvoke(b *testing.B) {
	var inner []string
	inner = append(inner, streams[0].inner[0])
	for range 3000 {
		inner = append(inner, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)
	}
	x := invoked(b, append(inner, streams[0].inner[8:]...)...)
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if r := (protocol.Invoke{}).Decode(x); r.Class != providers.OK {
			b.Fatal(r.Class, r.Detail)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3000, "ns/event")
}

func ExampleInvoke() {
	body := []byte(`{"generation":"Hello.","prompt_token_count":3,"generation_token_count":2,"stop_reason":"stop"}`)
	x := &wire.Exchange{
		Method: http.MethodPost, Path: "/model/us.meta.llama3-3-70b-instruct-v1%3A0/invoke", Status: 200,
		Body: body, Marks: []wire.Mark{{End: int64(len(body)), At: 480 * time.Millisecond}}, Ending: wire.EndEOF,
	}
	r := protocol.Invoke{}.Decode(x)
	first, _ := r.First().Get()
	tokens, _ := r.Usage.Output.Get()
	fmt.Println(r.Class, r.Model, first, tokens, "tokens")
	// Output: ok us.meta.llama3-3-70b-instruct-v1:0 480ms 2 tokens
}
