package openai_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "api.example.com", Path: "/v1/chat/completions",
		Status: status, Header: http.Header{}, Body: []byte(body),
		Ending: wire.EndEOF, End: wire.At(time.Second),
	}
	if contentType != "" {
		x.Header.Set("Content-Type", contentType)
	}
	if body != "" {
		x.Marks = []wire.Mark{{End: int64(len(body)), At: 500 * ms}}
	}
	return x
}

// stream is a reply of blocks, each read by itself: the first arrives after 10 ms
// and so on. A block is "data: …" without its blank line, or just the JSON of it.
func stream(blocks ...string) *wire.Exchange {
	x := exchange(200, "text/event-stream; charset=utf-8", "")
	for i, block := range blocks {
		if !strings.HasPrefix(block, "data:") && !strings.HasPrefix(block, "event:") && !strings.HasPrefix(block, "error:") && !strings.HasPrefix(block, ":") {
			block = "data: " + block
		}
		x.Body = append(x.Body, block+"\n\n"...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, openai.ChatDecoder{}.Recognizes(x))
	return openai.ChatDecoder{}.Decode(x)
}

// delta is a chunk with one choice, delta or finish reason of which are JSON.
func delta(fields string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{` + fields + `},"finish_reason":null}]}`
}

func finish(reason string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

const (
	role    = `{"id":"chatcmpl-1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}`
	hello   = `{"id":"chatcmpl-1","model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}],"usage":null}`
	usage   = `{"id":"chatcmpl-1","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}`
	done    = "[DONE]"
	textSSE = "text/event-stream"
)

func count(n int64) providers.Count { return providers.CountOf(n) }
