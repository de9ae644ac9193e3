package openai_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/v1/chat/completions":                             true,
		"/openai/v1/chat/completions":                      true,
		"/openai/deployments/gpt-5-mini/chat/completions":  true,
		"/models/chat/completions":                         true,
		"/api/v1/chat/completions":                         true,
		"/v1/responses":                                    false,
		"/v1/completions":                                  false,
		"/v1/embeddings":                                   false,
		"/model/anthropic.claude/converse-stream":          false,
		"/v1/chat/completions/chatcmpl-1/messages":         false,
		"/openai/deployments/chat/completions/extensions/": false,
	} {
		assert.Equal(t, want, openai.ChatDecoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, openai.ChatDecoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/v1/chat/completions"}), "listing stored completions")
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	x := stream(role, hello, delta(`"content":" there"`), finish("stop"), usage, done)
	x.Header.Set("X-Request-Id", "req_1")
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "openai", r.Provider)
	assert.Equal(t, "chat-completions", r.API)
	assert.Equal(t, "m", r.Model)
	assert.Equal(t, "req_1", r.RequestID)
	assert.Equal(t, "stop", r.Stop)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, 6, r.Frames, "[DONE] is one of them")
	assert.Equal(t, wire.At(10*ms), r.FirstFrame, "the role chunk")
	assert.Equal(t, wire.At(20*ms), r.First(), "the role chunk is not content")
	assert.Equal(t, wire.At(20*ms), r.FirstVisible())
	assert.Equal(t, wire.At(30*ms), r.Last())
	assert.Equal(t, wire.At(60*ms), r.End, "[DONE] ends the stream, not the end of the connection")
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(5)}, r.Usage)
	assert.Equal(t, providers.Disclosure(""), r.Disclosure)
	want := []providers.Event{
		{Channel: providers.Text, Bytes: 5, Frame: 1, End: x.Marks[1].End, At: 20 * ms, Read: 1},
		{Channel: providers.Text, Bytes: 6, Frame: 2, End: x.Marks[2].End, At: 30 * ms, Read: 2},
	}
	assert.Empty(t, cmp.Diff(want, r.Events))
}

// A piece is a content event without its place: what counts as content, and
// of which channel.
type piece struct {
	Channel providers.Channel
	Bytes   int
}

func TestWhatIsContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		delta string
		want  []piece
		text  string
	}{
		{"role only", `"role":"assistant"`, nil, ""},
		{"empty text", `"content":""`, nil, ""},
		{"null text", `"content":null`, nil, ""},
		{"no delta at all", ``, nil, ""},
		{"text", `"content":"Hi"`, []piece{{providers.Text, 2}}, "Hi"},
		{"text with the role", `"role":"assistant","content":"Hi"`, []piece{{providers.Text, 2}}, "Hi"},
		{"white space is content", `"content":"\n"`, []piece{{providers.Text, 1}}, "\n"},
		{"bytes after JSON decoding", `"content":"\u6771京"`, []piece{{providers.Text, 6}}, "東京"},
		{"refusal", `"refusal":"I cannot"`, []piece{{providers.Refusal, 8}}, ""},
		{"empty refusal beside text", `"content":"Hi","refusal":""`, []piece{{providers.Text, 2}}, "Hi"},
		{"reasoning_content", `"content":null,"reasoning_content":"Hmm"`, []piece{{providers.Reasoning, 3}}, ""},
		{"reasoning", `"content":"","reasoning":"Hmm","channel":"analysis"`, []piece{{providers.Reasoning, 3}}, ""},
		{"one reasoning under two names", `"reasoning":"Hmm","reasoning_content":"Hmm"`, []piece{{providers.Reasoning, 3}}, ""},
		{"empty reasoning", `"reasoning_content":"","content":null`, nil, ""},
		{"null reasoning", `"reasoning":null,"reasoning_details":[],"content":""`, nil, ""},
		{"reasoning and text in one chunk", `"reasoning":"Hmm","content":"Hi"`, []piece{{providers.Reasoning, 3}, {providers.Text, 2}}, "Hi"},
		{"tool call with a name", `"content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"now","arguments":""}}]`, []piece{{providers.Tool, 3}}, ""},
		{"tool call arguments", `"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]`, []piece{{providers.Tool, 5}}, ""},
		{"empty tool call arguments", `"tool_calls":[{"index":0,"function":{"arguments":""}}]`, nil, ""},
		{"two tool calls in one chunk", `"tool_calls":[{"function":{"name":"a","arguments":"{}"}},{"function":{"name":"b","arguments":"{}"}}]`, []piece{{providers.Tool, 6}}, ""},
		{"Mistral: list of text", `"content":[{"type":"text","text":"Hi"},{"type":"text","text":"!"}]`, []piece{{providers.Text, 3}}, "Hi!"},
		{"Mistral: list of thinking", `"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hmm"}]}]`, []piece{{providers.Reasoning, 3}}, ""},
		{"Mistral: both", `"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hmm"}],"closed":true},{"type":"text","text":"Hi"}]`, []piece{{providers.Reasoning, 3}, {providers.Text, 2}}, "Hi"},
		{"Mistral: empty list", `"content":[]`, nil, ""},
		{"speech with its transcript", `"content":null,"audio":{"id":"a","transcript":"Hi","data":"aGk="}`, []piece{{providers.Text, 2}}, "Hi"},
		{"reasoning of another kind", `"content":"Hi","reasoning":{"a":1},"reasoning_content":[1],"refusal":7`, []piece{{providers.Text, 2}}, "Hi"},
		{"other members of another kind", `"content":"Hi","tool_calls":{},"function_call":"f","audio":7,"role":1`, []piece{{providers.Text, 2}}, "Hi"},
		{"padding is not content", `"content":"","p":"abcdefghijkl","obfuscation":"xyz"`, nil, ""},
		{"members nobody knows", `"content":"Hi","annotations":[{"x":1}],"provider_specific":{"a":null}`, []piece{{providers.Text, 2}}, "Hi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(role, delta(c.delta), finish("stop"), done))
			var got []piece
			for _, e := range r.Events {
				got = append(got, piece{e.Channel, e.Bytes})
				assert.Equal(t, 1, e.Frame)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.text, r.Text)
			want := providers.OK
			if c.want == nil {
				want = providers.Empty
				assert.Equal(t, wire.Instant{}, r.First(), "missing, not 0")
				assert.Equal(t, wire.Instant{}, r.Last())
			}
			assert.Equal(t, want, r.Class, r.Detail)
		})
	}
}

func TestReasoningIsNotVisible(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(role, delta(`"reasoning":"Hmm"`), delta(`"reasoning":"…"`), delta(`"content":"Hi"`), finish("stop"), done))
	assert.Equal(t, wire.At(20*ms), r.First())
	assert.Equal(t, wire.At(40*ms), r.FirstVisible())
	assert.Equal(t, 6, r.Reasoning, "bytes")
	assert.Equal(t, providers.Verbatim, r.Disclosure)

	r = decode(t, stream(role, delta(`"reasoning":"Hmm"`), finish("length"), done))
	assert.Equal(t, providers.OK, r.Class, "reasoning is content")
	assert.Equal(t, wire.Instant{}, r.FirstVisible(), "but nothing was visible")
	assert.Equal(t, "length", r.Stop)
}

// n > 1: the choices interleave in one stream, or share a chunk.
func TestSeveralChoices(t *testing.T) {
	t.Parallel()
	choice := func(index, text string) string {
		return `{"index":` + index + `,"delta":{"content":"` + text + `"},"finish_reason":null}`
	}
	r := decode(t, stream(
		`{"choices":[`+choice("0", "")+`]}`, `{"choices":[`+choice("0", "A")+`]}`,
		`{"choices":[`+choice("1", "")+`]}`, `{"choices":[`+choice("1", "B")+`]}`,
		`{"choices":[`+choice("0", "a")+`,`+choice("1", "b")+`]}`,
		`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, `{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}`,
		`{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`, done,
	))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "ABab", r.Text)
	assert.Len(t, r.Events, 4)
	assert.Equal(t, r.Events[2].Frame, r.Events[3].Frame)
	assert.Equal(t, count(4), r.Usage.Output, "the sum over the choices")
	assert.Equal(t, "length", r.Stop)
}

// Events that came in one read share its time; one that came in several reads
// happened when the last of them returned.
func TestReadsAreNotEvents(t *testing.T) {
	t.Parallel()
	x := stream(role, hello, delta(`"content":" there"`), finish("stop"), done)
	total := int64(len(x.Body))
	x.Marks = []wire.Mark{{End: total - 1, At: 70 * ms}, {End: total, At: 90 * ms}}
	r := decode(t, x)
	require.Len(t, r.Events, 2)
	assert.Equal(t, 0, r.Events[0].Read)
	assert.Equal(t, 0, r.Events[1].Read)
	assert.Equal(t, wire.At(70*ms), r.Last())
	assert.Equal(t, wire.At(90*ms), r.End, "the blank line behind [DONE] makes it an event")

	x = stream(role, hello, finish("stop"), done)
	x.Marks = []wire.Mark{{End: x.Marks[1].End - 1, At: 10 * ms}, {End: total, At: 25 * ms}}
	assert.Equal(t, wire.At(25*ms), decode(t, x).First(), "the event's last byte came with the second read")
}
