package openai_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/openai"
)

// reply is a response head.
func reply(status int, contentType string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
}

func TestOnlyStreamsHaveATerminalEvent(t *testing.T) {
	t.Parallel()
	for _, end := range []func(*http.Response) func([]byte) bool{openai.ChatEnd, openai.ResponsesEnd} {
		assert.NotNil(t, end(reply(200, "text/event-stream; charset=utf-8")))
		assert.Nil(t, end(reply(200, "application/json")))
		assert.Nil(t, end(reply(429, "text/event-stream")))
		assert.Nil(t, end(reply(200, "")))
	}
}

// The terminal event is found in the read that completes it, and not before.
func TestTerminalEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		end    func(*http.Response) func([]byte) bool
		blocks []string
		want   int // the block that ends the stream; −1 is none
	}{
		{"[DONE]", openai.ChatEnd, []string{role, hello, finish("stop"), usage, done}, 4},
		{"[DONE] in the text", openai.ChatEnd, []string{delta(`"content":"data: [DONE]"`), finish("stop")}, -1},
		{"an error", openai.ChatEnd, []string{hello, `{"error":{"message":"boom"}}`}, 1},
		{"an error with spaces", openai.ChatEnd, []string{hello, `{"error": {"message":"boom"}}`}, 1},
		{"an error that is a text", openai.ChatEnd, []string{hello, `{"error":"boom"}`}, 1},
		{"an error behind other members", openai.ChatEnd, []string{hello, `{"id":"c","error":{"message":"boom"}}`}, 1},
		{"an error in a choice", openai.ChatEnd, []string{hello, `{"choices":[{"error":{"code":502}}]}`}, 1},
		{"the chunk is the error", openai.ChatEnd, []string{hello, `{"object":"error","message":"boom"}`}, 1},
		{"an error by name", openai.ChatEnd, []string{hello, "event: error\ndata: {\"message\":\"boom\"}"}, 1},
		{"the word in a text", openai.ChatEnd, []string{delta(`"content":"\"error\":\"x\""`), `{"error":"","choices":[]}`, `{"error":{},"choices":[]}`}, -1},
		{"an error by name, of a response", openai.ResponsesEnd, []string{created, "event: error\ndata: {\"message\":\"boom\"}"}, 1},
		{"an error without a type", openai.ResponsesEnd, []string{created, `{"error": {"message":"boom"}}`}, 1},
		{"no error of a response", openai.ResponsesEnd, []string{created, `{"type":"response.in_progress","error":null,"x":"error"}`}, -1},
		{"no error", openai.ChatEnd, []string{`{"error":null,"choices":[]}`}, -1},
		{"completed", openai.ResponsesEnd, []string{created, helloText, itemDone, completed}, 3},
		{"incomplete", openai.ResponsesEnd, []string{created, terminated("incomplete", "")}, 1},
		{"failed", openai.ResponsesEnd, []string{created, terminated("failed", "")}, 1},
		{"error", openai.ResponsesEnd, []string{created, `{"type":"error","code":null,"message":"boom"}`}, 1},
		{"type last, as Bedrock has it", openai.ResponsesEnd, []string{created, `{"response":{},"type":"response.completed"}`}, 1},
		{"the type in a text", openai.ResponsesEnd, []string{created, of("output_text.delta", `\"type\":\"response.completed\"`)}, -1},
		{"not JSON", openai.ResponsesEnd, []string{`data: response.completed`}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(c.blocks...)
			reached := c.end(reply(200, textSSE))
			for n := range len(x.Body) + 1 {
				want := c.want >= 0 && int64(n) >= x.Marks[max(c.want, 0)].End
				require.Equal(t, want, reached(x.Body[:n]), "%q", x.Body[:n])
			}
		})
	}
}

// It is found in what real servers send, wherever they send one.
func TestTerminalEventsOfRecordings(t *testing.T) {
	t.Parallel()
	for api, end := range map[string]func(*http.Response) func([]byte) bool{"openai.chat": openai.ChatEnd, "openai.responses": openai.ResponsesEnd} {
		responses, _ := recordings(t, api)
		for _, r := range responses {
			body := r.Body(t)
			reached := end(reply(200, r["content_type"]))
			assert.Equal(t, r["end_marker"] != "EOF" || strings.Contains(r["file"], "groq"), reached(body), r["file"])
		}
	}
}
