package protocol_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// frame encodes an event with AWS's own encoder.
func frame(t testing.TB, event, payload string) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, eventstream.NewEncoder().Encode(&b, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":event-type", Value: eventstream.StringValue(event)},
			{Name: ":content-type", Value: eventstream.StringValue("application/json")},
			{Name: ":message-type", Value: eventstream.StringValue("event")},
		},
		Payload: []byte(payload),
	}))
	return b.Bytes()
}

// smallStream is a whole reply with each kind of delta.
func smallStream(t testing.TB) []byte {
	t.Helper()
	return bytes.Join([][]byte{
		frame(t, "messageStart", `{"role":"assistant","p":"ab"}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":""}}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Let me think."}}}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`),
		frame(t, "contentBlockStop", `{"contentBlockIndex":0}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"Hello — 世界"}}`),
		frame(t, "contentBlockStart", `{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"look_up"}}}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":1}"}}}`),
		frame(t, "contentBlockDelta", `{"contentBlockIndex":3,"delta":{"somethingNew":{"x":1}}}`),
		frame(t, "aNewEvent", `{"x":1}`),
		frame(t, "messageStop", `{"stopReason":"tool_use"}`),
		frame(t, "metadata", `{"usage":{"inputTokens":10.0,"outputTokens":9,"cacheReadInputTokens":5},"metrics":{"latencyMs":1234}}`),
	}, nil)
}

// streamOf is the exchange of a streamed reply whose body came in one read.
func streamOf(body []byte) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Path: "/model/m/converse-stream", Status: 200, Ending: wire.EndEOF, End: wire.At(time.Second),
		Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}}, Body: body,
	}
	if len(body) > 0 {
		x.Marks = []wire.Mark{{End: int64(len(body)), At: time.Second}}
	}
	return x
}

func TestOnlyContentCounts(t *testing.T) {
	t.Parallel()
	r := protocol.Converse{}.Decode(streamOf(smallStream(t)))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	var got []string
	for _, e := range r.Events {
		got = append(got, fmt.Sprintf("frame %d: %d bytes of %s", e.Frame, e.Bytes, e.Channel))
	}
	assert.Equal(t, []string{"frame 2: 13 bytes of reasoning", "frame 5: 16 bytes of text", "frame 7: 7 bytes of tool"}, got)
	assert.Equal(t, "Hello — 世界", r.Text)
	assert.Equal(t, 12, r.Frames)
	assert.Equal(t, "tool_use", r.Stop)
	assert.Equal(t, providers.CountOf(15), r.Usage.Input, "with what the cache read")
	assert.Equal(t, wire.At(1234*time.Millisecond), r.ServerLatency)
}

// cuts returns where to cut a stream: at each byte of its last frame, and in each
// part of the other frames, which are all alike.
func cuts(size, last int) []int {
	var all []int
	for n := 0; n < size; n++ {
		if n >= last || n%7 == 0 {
			all = append(all, n)
		}
	}
	return all
}

func TestNoPrefixOfAStreamIsWhole(t *testing.T) {
	t.Parallel()
	whole := smallStream(t)
	for _, n := range cuts(len(whole), len(whole)-300) {
		r := protocol.Converse{}.Decode(streamOf(whole[:n]))
		require.Equal(t, providers.Truncated, r.Class, "the first %d of %d bytes", n, len(whole))
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	t.Parallel()
	whole := smallStream(t)
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 1 << (i % 8)
		r := protocol.Converse{}.Decode(streamOf(broken))
		require.NotEqual(t, providers.OK, r.Class, "byte %d", i)
	}
}

// A call of a tool without parameters has a name and no content.
func TestToolWithoutParameters(t *testing.T) {
	t.Parallel()
	call := frame(t, "contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"now"}}}`)
	end := join(frame(t, "messageStop", `{"stopReason":"tool_use"}`), frame(t, "metadata", `{}`))
	for _, c := range []struct {
		name string
		body []byte
		want providers.Class
	}{
		{"no input", join(call, end), providers.OK},
		{"empty input", join(call, frame(t, "contentBlockDelta", `{"delta":{"toolUse":{"input":""}}}`), end), providers.OK},
		{"cut", call, providers.Truncated},
		{"no tool", join(frame(t, "contentBlockStart", `{"start":{"toolUse":null}}`), frame(t, "contentBlockStart", `{"start":"x"}`), end), providers.Empty},
	} {
		r := protocol.Converse{}.Decode(streamOf(c.body))
		assert.Equal(t, c.want, r.Class, "%s: %s", c.name, r.Detail)
		assert.Empty(t, r.Events, c.name)
	}
}

// What is beside the content loses neither the reply nor what is beside it.
func TestBrokenFactsLoseNoReply(t *testing.T) {
	t.Parallel()
	const facts = `"usage":{"inputTokens":3,"outputTokens":"many"},"metrics":{"latencyMs":"slow"},"performanceConfig":"optimized"`
	whole := streamOf([]byte(`{"output":{"message":{"content":[{"text":"hi"}]}},"stopReason":7,` + facts + `}`))
	whole.Path = "/model/m/converse"
	for _, x := range []*wire.Exchange{
		whole,
		streamOf(join(
			frame(t, "contentBlockDelta", `{"delta":{"text":"hi"}}`), frame(t, "messageStop", `{"stopReason":7}`), frame(t, "metadata", `{`+facts+`}`),
		)),
	} {
		r := protocol.Converse{}.Decode(x)
		assert.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "hi", r.Text)
		assert.Equal(t, providers.Usage{Input: providers.CountOf(3)}, r.Usage)
		assert.False(t, r.ServerLatency.Known())
		assert.Empty(t, r.Stop)
	}
}

// What the model's own server answered is told by its status: no capacity left, or
// a throttle.
func TestErrorOfTheModel(t *testing.T) {
	t.Parallel()
	for status, c := range map[int]struct {
		class      providers.Class
		overloaded bool
	}{
		503: {providers.HTTP4xx, true},
		429: {providers.Throttled, false},
		400: {providers.HTTP4xx, false},
	} {
		for _, path := range []string{"/model/m/converse", "/model/m/converse-stream", "/model/m/invoke", "/model/m/invoke-with-response-stream"} {
			x := replied(fmt.Sprintf(`{"message":"The model failed.","originalStatusCode":%d,"resourceName":"m"}`, status))
			x.Path, x.Status = path, 424
			x.Header.Set("X-Amzn-Errortype", "ModelErrorException:http://internal.amazon.com/coral/com.amazon.bedrock/")
			r := providers.Decoders{protocol.Converse{}, protocol.Invoke{}}.Decode(x)
			assert.Equal(t, c.class, r.Class, "%d %s", status, path)
			assert.Equal(t, c.overloaded, r.Overloaded, "%d %s", status, path)
			assert.Equal(t, "ModelErrorException", r.Code)
		}
	}
}

func TestWrongContentTypeIsNoStream(t *testing.T) {
	t.Parallel()
	x := streamOf([]byte("<html>blocked by the proxy</html>"))
	x.Header.Set("Content-Type", "text/html")
	r := protocol.Converse{}.Decode(x)
	assert.Equal(t, providers.Parse, r.Class)
	assert.Equal(t, "want content type application/vnd.amazon.eventstream, got text/html", r.Detail)
}

func TestErrorIsNamedWhereverAWSPutsTheName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, body string }{
		"header with a URL": {"ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/", `{"message":"slow down"}`},
		"namespace":         {"com.amazon.bedrock#ThrottlingException", `{"Message":"slow down"}`},
		"__type":            {"", `{"__type":"com.amazon.bedrock#ThrottlingException","message":"slow down"}`},
		"code":              {"", `{"code":"ThrottlingException","message":"slow down"}`},
	} {
		x := streamOf([]byte(c.body))
		x.Status = 400
		x.Header = http.Header{}
		x.Header.Set("x-amzn-ErrorType", c.header)
		r := protocol.Converse{}.Decode(x)
		assert.Equal(t, "ThrottlingException", r.Code, name)
		assert.Equal(t, "slow down", r.Detail, name)
		assert.Equal(t, providers.Throttled, r.Class, name)
	}
}

func TestRecognizesConverseOnly(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/model/m/converse-stream": true, "/model/m/converse": true, "/proxy/model/m%2Fx/converse": true,
		"/model/m/invoke": false, "/model//x/converse": false, "/model": false, "/v1/chat/completions": false,
	} {
		assert.Equal(t, want, protocol.Converse{}.Recognizes(&wire.Exchange{Method: http.MethodPost, Path: path}), path)
	}
}

func FuzzConverse(f *testing.F) {
	whole := smallStream(f)
	f.Add(whole, true)
	f.Add(whole[:len(whole)/2], true)
	f.Add([]byte(`{"output":{"message":{"content":[{"text":"hi"}]}},"stopReason":"end_turn"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, streamed bool) {
		x := streamOf(body)
		if !streamed {
			x.Path = "/model/m/converse"
		}
		checkResponse(t, decodeCheaply(t, protocol.Converse{}, x), body)
	})
}

func BenchmarkDecode(b *testing.B) {
	var body bytes.Buffer
	for range 500 {
		body.Write(frame(b, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijklmnop"}`))
	}
	body.Write(smallStream(b))
	x := streamOf(body.Bytes())
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if r := (protocol.Converse{}).Decode(x); r.Class != providers.OK {
			b.Fatal(r.Class, r.Detail)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512, "ns/event")
}

func ExampleConverse() {
	body := []byte(`{"output":{"message":{"content":[{"text":"Hello."}]}},"usage":{"inputTokens":3,"outputTokens":2}}`)
	x := &wire.Exchange{
		Method: http.MethodPost, Path: "/model/amazon.nova-lite-v1%3A0/converse", Status: 200,
		Body: body, Marks: []wire.Mark{{End: int64(len(body)), At: 480 * time.Millisecond}}, Ending: wire.EndEOF,
	}
	r := protocol.Converse{}.Decode(x)
	first, _ := r.First().Get()
	tokens, _ := r.Usage.Output.Get()
	fmt.Println(r.Class, r.Model, first, tokens, "tokens")
	// Output: ok amazon.nova-lite-v1:0 480ms 2 tokens
}
