package protocol_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

func message(t testing.TB, payload string, headers ...string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, eventstream.Header{Name: headers[i], Value: eventstream.StringValue(headers[i+1])})
	}
	var b bytes.Buffer
	require.NoError(t, eventstream.NewEncoder().Encode(&b, m))
	return b.Bytes()
}

// part encodes bytes of a container with AWS's own encoder.
func part(t testing.TB, content string) []byte {
	t.Helper()
	return message(t, content, ":event-type", "PayloadPart", ":content-type", "application/octet-stream", ":message-type", "event")
}

func exception(t testing.TB, name, payload string) []byte {
	t.Helper()
	return message(t, payload, ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}

// reads is a stream whose body comes in these reads: the first after 10 ms and so on.
func reads(contentType string, bodies ...[]byte) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "runtime.sagemaker.us-east-1.amazonaws.com",
		Path: "/endpoints/my-llama/invocations-response-stream", Status: 200,
		Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}, "X-Amzn-Requestid": {"r-1"}},
		Ending: wire.EndEOF, End: wire.At(time.Second),
	}
	if contentType != "" {
		x.Header.Set("X-Amzn-SageMaker-Content-Type", contentType)
	}
	for i, body := range bodies {
		x.Body = append(x.Body, body...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

// parted is a stream of such parts, each read by itself.
func parted(t testing.TB, contentType string, contents ...string) *wire.Exchange {
	t.Helper()
	var bodies [][]byte
	for _, content := range contents {
		bodies = append(bodies, part(t, content))
	}
	return reads(contentType, bodies...)
}

// inParts cuts a text into parts of so many bytes.
func inParts(text string, size int) []string {
	var parts []string
	for len(text) > size {
		parts = append(parts, text[:size])
		text = text[size:]
	}
	return append(parts, text)
}

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

const (
	role     = `{"id":"c","object":"chat.completion.chunk","model":"lmi","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	olá      = `{"id":"c","object":"chat.completion.chunk","model":"lmi","choices":[{"index":0,"delta":{"content":"Olá"},"finish_reason":null}]}`
	world    = `{"id":"c","object":"chat.completion.chunk","model":"lmi","choices":[{"index":0,"delta":{"content":" 世界"},"finish_reason":null}]}`
	finish   = `{"id":"c","object":"chat.completion.chunk","model":"lmi","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	usage    = `{"id":"c","object":"chat.completion.chunk","model":"lmi","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`
	token1   = `{"index":1,"token":{"id":5,"text":"Olá","logprob":-0.1,"special":false},"generated_text":null,"details":null}`
	token2   = `{"index":2,"token":{"id":6,"text":" 世界","logprob":-0.1,"special":false},"generated_text":null,"details":null}`
	tokenEOS = `{"index":3,"token":{"id":2,"text":"</s>","logprob":-0.1,"special":true},"generated_text":"Olá 世界","details":{"finish_reason":"eos_token","generated_tokens":3,"input_length":9,"seed":null}}`
)

func sse(data ...string) string {
	text := ""
	for _, d := range data {
		text += "data: " + d + "\n\n"
	}
	return text
}

func lines(data ...string) string {
	text := ""
	for _, d := range data {
		text += d + "\n"
	}
	return text
}

// containers are whole streams of each kind.
var containers = []struct {
	name, contentType, stream string
	content                   []string
	stop                      string
	usage                     providers.Usage
	frames                    int
}{
	{"chat events", "text/event-stream", sse(role, olá, world, finish, usage, "[DONE]"), []string{"1 text 4", "2 text 7"}, "stop", usageOf(9, 3), 6},
	{"chat events without a type", "", sse(role, olá, world, finish, usage, "[DONE]"), []string{"1 text 4", "2 text 7"}, "stop", usageOf(9, 3), 6},
	{"chat events of the wrong type", "application/json", ": hello\n\n" + sse(role, olá, world, finish, usage, "[DONE]"), []string{"1 text 4", "2 text 7"}, "stop", usageOf(9, 3), 6},
	{"chat lines", "application/jsonlines", lines(role, olá, world, finish, usage), []string{"1 text 4", "2 text 7"}, "stop", usageOf(9, 3), 5},
	{"chat lines without a type", "", lines(role, olá, world, finish, usage), []string{"1 text 4", "2 text 7"}, "stop", usageOf(9, 3), 5},
	{"TGI events, no space after the colon", "text/event-stream", "data:" + token1 + "\n\ndata:" + token2 + "\n\ndata:" + tokenEOS + "\n\n", []string{"0 text 4", "1 text 7"}, "eos_token", usageOf(9, 3), 3},
	{"TGI events without a type", "", sse(token1, token2, tokenEOS), []string{"0 text 4", "1 text 7"}, "eos_token", usageOf(9, 3), 3},
	{"TGI lines: DJL", "application/jsonlines", lines(token1, token2, tokenEOS), []string{"0 text 4", "1 text 7"}, "eos_token", usageOf(9, 3), 3},
	{"TGI lines with blanks and CRLF", "", "\n" + token1 + "\r\n\r\n" + token2 + "\r\n" + tokenEOS + "\r\n", []string{"0 text 4", "1 text 7"}, "eos_token", usageOf(9, 3), 3},
}
