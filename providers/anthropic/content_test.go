package anthropic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	const vertex = "/v1/projects/p/locations/us-east5/publishers/anthropic/models/"
	for path, want := range map[string]bool{
		"/v1/messages":           true,
		"/anthropic/v1/messages": true, // Bedrock's and Foundry's
		"/proxy/v1/messages":     true,
		vertex + "claude-haiku-4-5@20251001:streamRawPredict":                         true,
		vertex + "claude-haiku-4-5@20251001:rawPredict":                               true,
		"/gateway" + vertex + "claude:streamRawPredict":                               true,
		vertex + "count-tokens:rawPredict":                                            false,
		vertex + ":rawPredict":                                                        false,
		vertex + "claude:predict":                                                     false,
		"/v1/projects/p/locations/l/publishers/google/models/gemini:streamRawPredict": false,
		"/v1/projects/p/locations/l/publishers/mistralai/models/mistral:rawPredict":   false,
		"/v1/messages/count_tokens":                                                   false,
		"/v1/messages/batches":                                                        false,
		"/v1/threads/thread_1/messages":                                               false,
		"/v1/complete":                                                                false,
		"/v1/chat/completions":                                                        false,
		"/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke-with-response-stream": false,
	} {
		assert.Equal(t, want, anthropic.MessagesDecoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, anthropic.MessagesDecoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/v1/messages"}))
}

func TestSniffsTheFirstFrame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mediaType, data string
		want            bool
	}{
		{"text/event-stream", begin, true},
		{"application/json", `{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m"}`, true},
		{"application/json", `{"type":"message","role":"user","content":[]}`, false},
		{"application/json", `{"type":"message","role":"assistant"}`, false},
		{"text/event-stream", `{"type": "ping"}`, false},
		{"text/event-stream", `{"type":"message_start"}`, false},
		{"text/event-stream", `{"type":"message-start","id":"1"}`, false}, // Cohere's
		{"text/event-stream", `{"type":"response.created"}`, false},
		{"text/event-stream", `{"object":"chat.completion.chunk","choices":[]}`, false},
		{"application/vnd.amazon.eventstream", begin, false}, // in frames that are not SSE
		{"text/event-stream", `[DONE]`, false},
		{"text/event-stream", ``, false},
	} {
		assert.Equal(t, c.want, anthropic.MessagesDecoder{}.Sniff(providers.Frame{MediaType: c.mediaType, Data: []byte(c.data)}), c.data)
	}
	x := stream(begin, hello, stop)
	x.Path = "/of/its/own"
	assert.Equal(t, "messages", providers.Decoders{anthropic.MessagesDecoder{}}.Decode(x).API)
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	x := stream(begin, textStart, ping, hello, delta(`"type":"text_delta","text":" there"`), ping, blockStop, finish, stop)
	x.Header.Set("Request-Id", "req_1")
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "anthropic", r.Provider)
	assert.Equal(t, "messages", r.API)
	assert.Equal(t, "claude-m", r.Model)
	assert.Equal(t, "req_1", r.RequestID)
	assert.Equal(t, "end_turn", r.Stop)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, 9, r.Frames)
	assert.Equal(t, wire.At(10*ms), r.FirstFrame, "message_start")
	assert.Equal(t, wire.At(40*ms), r.First())
	assert.Equal(t, wire.At(40*ms), r.FirstVisible())
	assert.Equal(t, wire.At(50*ms), r.Last())
	assert.Equal(t, wire.At(90*ms), r.End, "message_stop, not the end of the connection")
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5), CachedRead: count(0), CachedWrite: count(0)}, r.Usage)
	want := []providers.Event{
		{Channel: providers.Text, Bytes: 5, Frame: 3, End: x.Marks[3].End, At: 40 * ms, Read: 3},
		{Channel: providers.Text, Bytes: 6, Frame: 4, End: x.Marks[4].End, At: 50 * ms, Read: 4},
	}
	assert.Empty(t, cmp.Diff(want, r.Events))
}

// A piece is a content event without its place.
type piece struct {
	Channel providers.Channel
	Bytes   int
}

func pieces(r *providers.Response) []piece {
	var all []piece
	for _, e := range r.Events {
		all = append(all, piece{e.Channel, e.Bytes})
	}
	return all
}

func TestWhatIsContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		event string
		want  []piece
		text  string
	}{
		{"text", hello, []piece{{providers.Text, 5}}, "Hello"},
		{"text beyond ASCII", delta(`"type":"text_delta","text":"東京 🐌"`), []piece{{providers.Text, 11}}, "東京 🐌"},
		{"white space", delta(`"type":"text_delta","text":"\n"`), []piece{{providers.Text, 1}}, "\n"},
		{"a line separator that is none to SSE", delta(`"type":"text_delta","text":"` + "\u2028" + `"`), []piece{{providers.Text, 3}}, "\u2028"},
		{"bytes that are not UTF-8", delta(`"type":"text_delta","text":"` + "\xff" + `"`), []piece{{providers.Text, 3}}, "\ufffd"},
		{"half a surrogate pair", delta(`"type":"text_delta","text":"\ud83d"`), []piece{{providers.Text, 3}}, "\ufffd"},
		{"thinking", delta(`"type":"thinking_delta","thinking":"Hmm"`), []piece{{providers.Reasoning, 3}}, ""},
		{"arguments", delta(`"type":"input_json_delta","partial_json":"{\"a"`), []piece{{providers.Tool, 3}}, ""},
		{"empty text", delta(`"type":"text_delta","text":""`), nil, ""},
		{"null text", delta(`"type":"text_delta","text":null`), nil, ""},
		{"empty thinking", delta(`"type":"thinking_delta","thinking":""`), nil, ""},
		{"empty arguments", delta(`"type":"input_json_delta","partial_json":""`), nil, ""},
		{"signature", delta(`"type":"signature_delta","signature":"EuYD"`), nil, ""},
		{"citation", delta(`"type":"citations_delta","citation":{"type":"page_location","cited_text":"x"}`), nil, ""},
		{"compaction", delta(`"type":"compaction_delta","content":"So far"`), nil, ""},
		{"a delta of a later time", delta(`"type":"video_delta","text":{"x":1},"thinking":[1]`), nil, ""},
		{"a tool's name", blockStart(`"type":"tool","id":"toolu_1","name":"now","input":{}`), nil, ""},
		{"what it found", blockStart(`"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","title":"x"}]`), nil, ""},
		{"an error of the server's tool", blockStart(`"type":"web_search_tool_result","content":{"type":"web_search_tool_result_error","error_code":"unavailable"}`), nil, ""},
		{"data of a block of another type", blockStart(`"type":"blob","data":{"x":1}`), nil, ""},
		{"redacted thinking", blockStart(`"type":"redacted_thinking","data":"EqkE"`), nil, ""},
		{"block stop", blockStop, nil, ""},
		{"ping", ping, nil, ""},
		{"an event of a later time", `{"type":"message_hint","delta":"text_delta","error":null}`, nil, ""},
		{"an event without a type", `{"delta":{"type":"text_delta","text":"x"}}`, nil, ""},
		{"an error that is none", strings.Replace(hello, `"index"`, `"error":null,"index"`, 1), []piece{{providers.Text, 5}}, "Hello"},
		{"without its name", "data:" + hello, []piece{{providers.Text, 5}}, "Hello"},
		{"its name last", "data: " + hello + "\nevent: content_block_delta", []piece{{providers.Text, 5}}, "Hello"},
		{"on two lines", "data: {\"type\":\"content_block_delta\",\ndata: \"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}", []piece{{providers.Text, 5}}, "Hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(begin, c.event, finish, stop))
			assert.Empty(t, cmp.Diff(c.want, pieces(r)))
			assert.Equal(t, c.text, r.Text)
			if c.want == nil {
				assert.Equal(t, providers.Empty, r.Class, r.Detail)
			} else {
				assert.Equal(t, providers.OK, r.Class, r.Detail)
				assert.Equal(t, wire.At(20*ms), r.First())
			}
		})
	}
}

// What comes with the start of a block has no time of its own, and yet the reply is
// not empty.
func TestBlocksThatAreWholeAtTheirStart(t *testing.T) {
	t.Parallel()
	noArguments := delta(`"type":"input_json_delta","partial_json":""`)
	for _, c := range []struct {
		name, block, reason string
		class               providers.Class
	}{
		{"a tool without parameters", `"type":"tool_use","id":"toolu_1","name":"now","input":{}`, "tool_use", providers.OK},
		{"a server's tool", `"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}`, "pause_turn", providers.OK},
		{"a tool of an MCP server", `"type":"mcp_tool_use","id":"mcptoolu_1","name":"echo","server_name":"s","input":{}`, "end_turn", providers.OK},
		{"text", `"type":"text","text":"Hi"`, "end_turn", providers.OK},
		{"thinking", `"type":"thinking","thinking":"Hm","signature":""`, "end_turn", providers.OK},
		{"no text", `"type":"text","text":""`, "end_turn", providers.Empty},
		{"text that is none", `"type":"text","text":{"x":1}`, "end_turn", providers.Empty},
		{"what a tool found", `"type":"web_search_tool_result","content":[{"title":"x"}]`, "end_turn", providers.Empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := []string{begin, blockStart(c.block), noArguments, blockStop, strings.Replace(finish, "end_turn", c.reason, 1)}
			r := decode(t, stream(append(events, stop)...))
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Empty(t, r.Events, "a name in a start event is no content event")
			assert.False(t, r.First().Known())
			assert.Equal(t, c.reason, r.Stop)
			assert.Equal(t, count(5), r.Usage.Output)
			assert.Equal(t, providers.Truncated, decode(t, stream(events...)).Class, "without message_stop")
		})
	}
}

// Gateways call any reply an event stream.
func TestWholeReplyByAnotherName(t *testing.T) {
	t.Parallel()
	const message = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}`
	for _, contentType := range []string{textSSE, "", "text/plain"} {
		r := decode(t, exchange(200, contentType, "\n"+message+"\n\n"))
		assert.Equal(t, providers.OK, r.Class, "%q: %s", contentType, r.Detail)
		assert.Equal(t, "Hi", r.Text)
		assert.Equal(t, count(2), r.Usage.Output)
		assert.Equal(t, providers.Truncated, decode(t, exchange(200, contentType, message[:60])).Class)
	}
	r := decode(t, exchange(200, textSSE, `{"type":"error","error":{"type":"api_error","message":"boom"}}`))
	assert.Equal(t, providers.StreamError, r.Class)
	assert.Equal(t, "api_error", r.Code)
}

func TestDisclosureOfThinking(t *testing.T) {
	t.Parallel()
	thought := delta(`"type":"thinking_delta","thinking":"Hmm"`)
	redacted := blockStart(`"type":"redacted_thinking","data":"EqkE"`)
	sealed := delta(`"type":"signature_delta","signature":"EuYD"`)
	for _, c := range []struct {
		name   string
		events []string
		want   providers.Disclosure
	}{
		{"none", []string{hello}, ""},
		{"verbatim", []string{thought, sealed, hello}, providers.Verbatim},
		{"redacted", []string{redacted, hello}, providers.Redacted},
		{"both", []string{redacted, thought, hello}, providers.Verbatim},
		{"left out, but sealed", []string{sealed, hello}, ""},
		{"redacted to nothing", []string{blockStart(`"type":"redacted_thinking","data":""`), hello}, ""},
	} {
		r := decode(t, stream(append(append([]string{begin}, c.events...), finish, stop)...))
		assert.Equal(t, c.want, r.Disclosure, c.name)
		assert.Equal(t, "Hello", r.Text)
		if first, _ := r.First().Get(); c.want == providers.Verbatim {
			visible, _ := r.FirstVisible().Get()
			assert.Less(t, first, visible, c.name)
		}
	}
}

// An event larger than any buffer is an event as any other.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 20_000)
	r := decode(t, stream(begin, blockStart(`"type":"web_search_tool_result","content":"`+long+`"`), delta(`"type":"text_delta","text":"`+long+`"`), finish, stop))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, long, r.Text)
	assert.Equal(t, []piece{{providers.Text, 100_000}}, pieces(r))
}

func TestWholeReply(t *testing.T) {
	t.Parallel()
	reply := func(content string) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"claude-m","content":` + content + `,"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":5,"cache_read_input_tokens":7,"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}}}`
	}
	r := decode(t, exchange(200, "application/json", reply(`[{"type":"thinking","thinking":"Hmm","signature":"EuYD"},{"type":"text","text":"Hi","citations":null},{"type":"tool_use","id":"toolu_1","name":"now","input":{"a":1}}]`)))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi", r.Text)
	assert.Equal(t, "end_turn", r.Stop)
	assert.Equal(t, "claude-m", r.Model)
	assert.Equal(t, "msg_1", r.RequestID)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First(), "content came with the last byte")
	assert.Equal(t, []piece{{providers.Reasoning, 3}, {providers.Text, 2}, {providers.Tool, 10}}, pieces(r))
	assert.Equal(t, providers.Usage{Input: count(15), Output: count(2), CachedRead: count(7), CachedWrite: count(5), Reasoning: count(1)}, r.Usage)

	for _, c := range []struct {
		name, body string
		class      providers.Class
	}{
		{"text", reply(`[{"type":"text","text":"Hi"}]`), providers.OK},
		{"redacted thinking alone", reply(`[{"type":"redacted_thinking","data":"EqkE"}]`), providers.Empty},
		{"server tools", reply(`[{"type":"server_tool_use","name":"web_search","input":{"query":"x"}},{"type":"web_search_tool_result","content":[]}]`), providers.OK},
		{"a tool without parameters", reply(`[{"type":"tool_use","id":"toolu_1","name":"now","input":{}}]`), providers.OK},
		{"names that are none", `{"id":7,"type":"message","role":"assistant","model":[1],"content":[{"type":"text","text":"Hi"}],"stop_reason":1,"usage":"none"}`, providers.OK},
		{"a block of a later time", reply(`[{"type":"video","text":{"x":1},"name":1},{"type":"text","text":"Hi"}]`), providers.OK},
		{"nothing generated", reply(`[]`), providers.Empty},
		{"content is no list", reply(`"Hi"`), providers.Parse},
		{"a block is no object", reply(`["Hi"]`), providers.Parse},
		{"no content", `{"type":"message","role":"assistant"}`, providers.Parse},
		{"something else", `{"status":"ok"}`, providers.Parse},
		{"the old API", `{"type":"completion","completion":"Hi","stop_reason":"stop_sequence"}`, providers.Parse},
		{"null", `null`, providers.Parse},
		{"a list", `[]`, providers.Parse},
		{"not JSON", `upstream is down`, providers.Parse},
		{"two replies", reply(`[]`) + reply(`[]`), providers.Parse},
		{"error at status 200", `{"type":"error","error":{"type":"api_error","message":"boom"}}`, providers.StreamError},
		{"throttle at status 200", `{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`, providers.Throttled},
		{"nothing", ``, providers.Truncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, exchange(200, "application/json", c.body))
			assert.Equal(t, c.class, r.Class, r.Detail)
		})
	}
}

// The model in a path of Vertex AI is what was asked for, if nothing else tells.
func TestModelInThePath(t *testing.T) {
	t.Parallel()
	x := exchange(429, "application/json", `[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}]`)
	x.Path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude%40x:streamRawPredict"
	r := decode(t, x)
	assert.Equal(t, "claude@x", r.Model)
	assert.Equal(t, providers.Throttled, r.Class)
	assert.Equal(t, "RESOURCE_EXHAUSTED", r.Code)

	x = stream(begin, hello, stop)
	x.Path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude@x:streamRawPredict"
	assert.Equal(t, "claude-m", decode(t, x).Model)
}
