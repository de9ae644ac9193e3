package openai_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// responseStream is a stream of the responses API, each event read by itself: the
// name before the data where there is a type.
func responseStream(events ...string) *wire.Exchange {
	blocks := make([]string, len(events))
	for i, event := range events {
		blocks[i] = event
		if _, rest, typed := strings.Cut(event, `{"type":"`); typed && rest != "" && strings.HasPrefix(event, "{") {
			name, _, _ := strings.Cut(rest, `"`)
			blocks[i] = "event: " + name + "\ndata: " + event
		}
	}
	x := stream(blocks...)
	x.Path = "/v1/responses"
	return x
}

func decodeResponses(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, openai.ResponsesDecoder{}.Recognizes(x))
	return openai.ResponsesDecoder{}.Decode(x)
}

// of is a delta of a type.
func of(eventType, text string) string {
	return `{"type":"response.` + eventType + `","item_id":"i","output_index":0,"delta":"` + text + `","obfuscation":"abc"}`
}

const (
	created   = `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m","error":null,"incomplete_details":null,"output":[],"usage":null}}`
	progress  = `{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m","output":[]}}`
	added     = `{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}`
	helloText = `{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello"}`
	textDone  = `{"type":"response.output_text.done","item_id":"msg_1","text":"Hello"}`
	itemDone  = `{"type":"response.output_item.done","item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hello"}]}}`
	completed = `{"type":"response.completed","sequence_number":9,"response":{"id":"resp_1","object":"response","status":"completed","model":"m","error":null,"incomplete_details":null,"output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":14}}}`
)

func TestResponsesAreRecognizedByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/v1/responses":              true,
		"/openai/v1/responses":       true,
		"/openai/responses":          true,
		"/v1/responses/resp_1":       false,
		"/v1/responses/input_tokens": false,
		"/v1/responses/compact":      false,
		"/v1/chat/completions":       false,
		"/":                          false,
	} {
		assert.Equal(t, want, openai.ResponsesDecoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, openai.ResponsesDecoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/v1/responses"}))
}

func TestUsualResponse(t *testing.T) {
	t.Parallel()
	x := responseStream(created, progress, added, helloText, textDone, itemDone, completed)
	x.Header.Set("X-Request-Id", "req_1")
	x.Header.Set("Openai-Processing-Ms", "27")
	r := decodeResponses(t, x)
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "openai", r.Provider)
	assert.Equal(t, "responses", r.API)
	assert.Equal(t, "m", r.Model)
	assert.Equal(t, "req_1", r.RequestID)
	assert.Equal(t, "completed", r.Stop)
	assert.Equal(t, "Hello", r.Text, "what .done repeats is not counted again")
	assert.Equal(t, 7, r.Frames)
	assert.Equal(t, wire.At(10*ms), r.FirstFrame)
	assert.Equal(t, wire.At(40*ms), r.First())
	assert.Equal(t, wire.At(40*ms), r.Last())
	assert.Equal(t, wire.At(70*ms), r.End)
	assert.Equal(t, wire.At(27*ms), r.ServerLatency)
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5), CachedRead: count(4), CachedWrite: count(2), Reasoning: count(3)}, r.Usage)
	assert.Len(t, r.Events, 1)

	x.Header.Del("X-Request-Id")
	assert.Equal(t, "resp_1", decodeResponses(t, x).RequestID, "the id in the body stands in")
}

func TestWhatIsContentOfAResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		event      string
		want       []piece
		text       string
		disclosure providers.Disclosure
		nonempty   bool // though it is no content
	}{
		{"text", of("output_text.delta", "Hi"), []piece{{providers.Text, 2}}, "Hi", "", false},
		{"empty text", of("output_text.delta", ""), nil, "", "", false},
		{"white space", of("output_text.delta", `\n`), []piece{{providers.Text, 1}}, "\n", "", false},
		{"bytes after JSON decoding", of("output_text.delta", `\u6771京`), []piece{{providers.Text, 6}}, "東京", "", false},
		{"refusal", of("refusal.delta", "No."), []piece{{providers.Refusal, 3}}, "", "", false},
		{"reasoning", of("reasoning_text.delta", "Hmm"), []piece{{providers.Reasoning, 3}}, "", providers.Verbatim, false},
		{"summary of reasoning", of("reasoning_summary_text.delta", "Hmm"), []piece{{providers.Reasoning, 3}}, "", providers.Summary, false},
		{"empty summary", of("reasoning_summary_text.delta", ""), nil, "", "", false},
		{"function", of("function_call_arguments.delta", "{}"), []piece{{providers.Tool, 2}}, "", "", false},
		{"MCP", of("mcp_call_arguments.delta", "{}"), []piece{{providers.Tool, 2}}, "", "", false},
		{"custom tool", of("custom_tool_call_input.delta", "now"), []piece{{providers.Tool, 3}}, "", "", false},
		{"code interpreter", of("code_interpreter_call_code.delta", "1+1"), []piece{{providers.Tool, 3}}, "", "", false},
		{"shell", of("shell_call_command.delta", "ls"), []piece{{providers.Tool, 2}}, "", "", false},
		{"patch", of("apply_patch_call_operation_diff.delta", "+a"), []piece{{providers.Tool, 2}}, "", "", false},
		{"what the shell answered", `{"type":"response.shell_call_output_content.delta","delta":{"stdout":"a"}}`, nil, "", "", false},
		{"text done", textDone, nil, "", "", false},
		{"item done", itemDone, nil, "", "", true},
		{"arguments done", `{"type":"response.function_call_arguments.done","arguments":"{}"}`, nil, "", "", false},
		{"a function by name", `{"type":"response.output_item.added","item":{"type":"function_call","name":"now","arguments":""}}`, nil, "", "", true},
		{"a function that takes nothing", `{"type":"response.output_item.done","item":{"type":"function_call","name":"now","arguments":""}}`, nil, "", "", true},
		{"a function in the end alone", `{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"f","name":"now","arguments":"{}"}}`, []piece{{providers.Tool, 2}}, "", "", true},
		{"a tool of one's own in the end alone", `{"type":"response.output_item.done","item":{"type":"custom_tool_call","input":"now"}}`, []piece{{providers.Tool, 3}}, "", "", true},
		{"computer", `{"type":"response.output_item.done","item":{"type":"computer_call","action":{"type":"click","x":1}}}`, nil, "", "", true},
		{"search begins", `{"type":"response.output_item.added","item":{"type":"web_search_call"}}`, nil, "", "", true},
		{"picture done", `{"type":"response.output_item.done","item":{"type":"image_generation_call","result":"aGk="}}`, nil, "", "", true},
		{"an item of a later time", `{"type":"response.output_item.done","item":{"type":"smell","content":7}}`, nil, "", "", false},
		{"an item that is none", `{"type":"response.output_item.done","item":7}`, nil, "", "", false},
		{"transcript of speech", of("output_audio_transcript.delta", "Hi"), []piece{{providers.Text, 2}}, "Hi", "", false},
		{"transcript under its older name", of("audio.transcript.delta", "Hi"), []piece{{providers.Text, 2}}, "Hi", "", false},
		{"speech", of("output_audio.delta", "aGk="), nil, "", "", false},
		{"content part added", `{"type":"response.content_part.added","part":{"type":"output_text","text":""}}`, nil, "", "", false},
		{"encrypted reasoning", `{"type":"response.output_item.added","item":{"type":"reasoning","summary":[],"encrypted_content":"gAAAA"}}`, nil, "", providers.Redacted, false},
		{"reasoning without text", `{"type":"response.output_item.done","item":{"type":"reasoning","summary":[],"encrypted_content":null}}`, nil, "", "", false},
		{"search", `{"type":"response.web_search_call.searching","item_id":"ws_1"}`, nil, "", "", false},
		{"picture", `{"type":"response.image_generation_call.partial_image","partial_image_b64":"aGk="}`, nil, "", "", false},
		{"a type of a later time", `{"type":"response.smell.delta","delta":{"odour":"roses"}}`, nil, "", "", false},
		{"keep-alive", `{"type":"keepalive","sequence_number":3}`, nil, "", "", false},
		{"no type at all", `{"sequence_number":3}`, nil, "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decodeResponses(t, responseStream(created, c.event, completed))
			var got []piece
			for _, e := range r.Events {
				got = append(got, piece{e.Channel, e.Bytes})
				assert.Equal(t, 1, e.Frame)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.text, r.Text)
			assert.Equal(t, c.disclosure, r.Disclosure)
			want := providers.OK
			if c.want == nil {
				assert.Equal(t, wire.Instant{}, r.First(), "missing, not 0")
			}
			if c.want == nil && !c.nonempty {
				want = providers.Empty
			}
			assert.Equal(t, want, r.Class, r.Detail)
		})
	}
}

// Encrypted reasoning beside its summary is disclosed as a summary.
func TestSummaryGoesBeforeCiphertext(t *testing.T) {
	t.Parallel()
	item := `{"type":"response.output_item.added","item":{"type":"reasoning","encrypted_content":"gAAAA"}}`
	r := decodeResponses(t, responseStream(created, item, of("reasoning_summary_text.delta", "Hmm"), item, helloText, completed))
	assert.Equal(t, providers.Summary, r.Disclosure)
	assert.Equal(t, 3, r.Reasoning)
	assert.Equal(t, wire.At(30*ms), r.First())
	assert.Equal(t, wire.At(50*ms), r.FirstVisible())
}

// Bedrock sends the name after the data, or none; another server might send a type
// in the name alone. The blank line is what makes an event.
func TestTypeOfAnEvent(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]func(eventType, data string) string{
		"name first":   func(n, d string) string { return "event: " + n + "\ndata: " + d },
		"data first":   func(n, d string) string { return "data: " + d + "\nevent: " + n },
		"no name":      func(_, d string) string { return "data: " + d },
		"another name": func(_, d string) string { return "event: message\ndata: " + d },
		"name alone": func(n, d string) string {
			return "event: " + n + "\ndata: " + strings.Replace(d, `"type"`, `"kind"`, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := decodeResponses(t, responseStream(
				form("response.created", created), form("response.output_text.delta", helloText), form("response.completed", completed)))
			require.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, "Hello", r.Text)
			assert.Equal(t, 3, r.Frames)
			assert.Equal(t, wire.At(30*ms), r.End)
		})
	}
}

func TestWholeResponse(t *testing.T) {
	t.Parallel()
	whole := func(body string) *providers.Response {
		x := exchange(200, "application/json", body)
		x.Path = "/v1/responses"
		return decodeResponses(t, x)
	}
	r := whole(`{"id":"resp_1","object":"response","status":"completed","model":"m","error":null,"output":[
		{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Hm"}],"content":[{"type":"reasoning_text","text":"Hmm"}],"encrypted_content":"gA"},
		{"id":"ws_1","type":"web_search_call","status":"completed","action":{"query":"x"},"content":7},
		{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hello","annotations":[]},{"type":"refusal","refusal":"No"}]},
		{"type":"function_call","name":"now","arguments":"{}","call_id":"c"},
		{"type":"custom_tool_call","name":"x","input":"yz"},{"type":"code_interpreter_call","code":"1+1","outputs":null},
		{"type":"shell_call","action":{"commands":["ls","cd"],"timeout_ms":null}}
	],"usage":{"input_tokens":9,"output_tokens":5,"total_tokens":14}}`)
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hello", r.Text)
	assert.Equal(t, "completed", r.Stop)
	assert.Equal(t, "resp_1", r.RequestID)
	assert.Equal(t, providers.Summary, r.Disclosure)
	assert.Equal(t, 5, r.Reasoning)
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5)}, r.Usage)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First(), "content came with the last byte")
	tool := 0
	for _, e := range r.Events {
		if e.Channel == providers.Tool {
			tool += e.Bytes
		}
	}
	assert.Equal(t, len("now{}")+len("xyz")+len("1+1")+len("lscd"), tool)

	for _, c := range []struct {
		name, body string
		class      providers.Class
		stop, code string
	}{
		{"incomplete", `{"object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","content":[{"text":"Hi"}]}]}`, providers.OK, "incomplete:max_output_tokens", ""},
		{"no output", `{"object":"response","status":"completed","output":[]}`, providers.Empty, "completed", ""},
		{"failed", `{"object":"response","status":"failed","error":{"code":"server_error","message":"boom"},"output":[]}`, providers.StreamError, "failed", "server_error"},
		{"failed and does not say why", `{"object":"response","status":"failed","error":null,"output":[]}`, providers.StreamError, "failed", ""},
		{"throttled", `{"object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"},"output":[]}`, providers.Throttled, "failed", "rate_limit_exceeded"},
		{"cancelled", `{"object":"response","status":"cancelled","output":[]}`, providers.StreamError, "cancelled", ""},
		{"queued", `{"object":"response","status":"queued","output":[]}`, providers.Parse, "", ""},
		{"error", `{"error":{"message":"boom","type":"server_error","code":null}}`, providers.StreamError, "", "server_error"},
		{"a chat completion", `{"object":"chat.completion","choices":[]}`, providers.Parse, "", ""},
		{"an item of another form", `{"object":"response","status":"completed","output":[{"type":"message","content":"Hi"}]}`, providers.Parse, "completed", ""},
		{"output of another form", `{"object":"response","status":"completed","output":"Hi"}`, providers.Parse, "", ""},
		{"a list", `[]`, providers.Parse, "", ""},
		{"not JSON", `out of order`, providers.Parse, "", ""},
		{"cut", `{"object":"response","status":"comp`, providers.Truncated, "", ""},
		{"nothing", ``, providers.Truncated, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := whole(c.body)
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.stop, r.Stop)
			assert.Equal(t, c.code, r.Code)
		})
	}
}
