package ollama_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

const (
	ms     = time.Millisecond
	ndjson = "application/x-ndjson"
)

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "localhost:11434", Path: "/api/chat",
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

// stream is a reply of lines, each read by itself: the first arrives after 10 ms
// and so on.
func stream(lines ...string) *wire.Exchange {
	x := exchange(200, ndjson, "")
	for i, line := range lines {
		x.Body = append(x.Body, line+"\n"...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, ollama.Decoder{}.Recognizes(x))
	return ollama.Decoder{}.Decode(x)
}

// message is a line of a chat with these members in its message.
func message(members string) string {
	return `{"model":"llama3","created_at":"2024-05-24T20:26:46.294874Z","message":{"role":"assistant",` + members + `},"done":false}`
}

func content(text string) string { return message(`"content":"` + text + `"`) }

// end is a last line with these members.
func end(members string) string {
	return `{"model":"llama3","created_at":"2024-05-24T20:26:47.872905Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true` + members + `}`
}

const (
	hello    = `{"model":"llama3","created_at":"2024-05-24T20:26:46.294874Z","message":{"role":"assistant","content":"Hello"},"done":false}`
	thought  = `{"model":"llama3","created_at":"2024-05-24T20:26:46.294874Z","message":{"role":"assistant","content":"","thinking":"Hmm"},"done":false}`
	toolCall = `{"model":"llama3","created_at":"2024-05-24T20:26:46.294874Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"index":0,"name":"now","arguments":{"a":1}}}]},"done":false}`
	counts   = `,"total_duration":1897385625,"load_duration":1631208,"prompt_eval_count":17,"prompt_eval_duration":313560000,"eval_count":50,"eval_duration":1577990000`
	chatEnd  = `{"model":"llama3","created_at":"2024-05-24T20:26:47.872905Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true` + counts + `}`
	whole    = `{"model":"llama3","created_at":"2024-05-24T20:26:47.872905Z","message":{"role":"assistant","content":"Hello","thinking":"Hmm"},"done_reason":"stop","done":true` + counts + `}`
)

func count(n int64) providers.Count { return providers.CountOf(n) }
