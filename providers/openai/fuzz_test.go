package openai_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzChat(f *testing.F) {
	f.Add(200, "text/event-stream", stream(role, hello, delta(`"reasoning":"Hmm","content":"Hi"`), finish("stop"), usage, done).Body)
	f.Add(200, "text/event-stream", stream(hello, `{"error":"boom"}`, "error: {}", "event: error\ndata: {}").Body)
	f.Add(200, "text/event-stream", stream(delta(`"content":[{"thinking":[{"text":"a"}]}],"tool_calls":[{"function":{"arguments":{}}}]`), `{"timings":{"prompt_ms":1,"predicted_ms":2}}`).Body)
	f.Add(200, "application/json", []byte(`{"choices":[{"message":{"content":[{"text":"a"}]}}],"usage":{"prompt_tokens":1}}`))
	f.Add(429, "application/json", []byte(`{"error":{"code":429}}`))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		checkAny(t, openai.ChatDecoder{}, "/v1/chat/completions", status, contentType, body)
	})
}

func FuzzResponses(f *testing.F) {
	f.Add(200, "text/event-stream", responseStream(created, progress, added, of("reasoning_summary_text.delta", "Hmm"), helloText, textDone, itemDone, completed).Body)
	f.Add(200, "text/event-stream", responseStream(created, helloText, terminated("failed", `"error":{"code":"server_error"},`)).Body)
	f.Add(200, "text/event-stream", responseStream(helloText, `{"type":"error","message":"boom"}`).Body)
	f.Add(200, "application/json", []byte(`{"object":"response","status":"completed","output":[{"type":"message","content":[{"text":"a"}]},{"type":"shell_call","action":{"commands":["ls"]}}]}`))
	f.Add(503, "application/json", []byte(`{"error":{"code":429}}`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		checkAny(t, openai.ResponsesDecoder{}, "/v1/responses", status, contentType, body)
	})
}

// checkAny checks what holds of any reply.
func checkAny(t *testing.T, d providers.Sniffer, path string, status int, contentType string, body []byte) {
	x := exchange(status, contentType, "")
	x.Path, x.Body = path, body
	r := hostile.Decode(t, d, x)
	if r.Class == providers.OK && len(r.Events) == 0 { // a call without arguments, audio without words
		require.Regexp(t, "call|audio|output|approval", string(body), "ok, without content")
	}
	d.Sniff(providers.Frame{MediaType: contentType, Data: body})
}
