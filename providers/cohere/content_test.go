package cohere_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/v2/chat":              true,
		"/proxy/cohere/v2/chat": true,
		"/v1/chat":              false,
		"/v2/embed":             false,
		"/api/chat":             false,
		"/v2/chat/completions":  false,
	} {
		assert.Equal(t, want, cohere.Decoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, cohere.Decoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/v2/chat"}))
}

func TestSniffs(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		start: true,
		`{"id":"m","finish_reason":"COMPLETE","message":{"role":"assistant","content":[]}}`: true,
		`{"type":"message_start","message":{"role":"assistant"}}`:                           false, // Anthropic
		`{"type":"message-start"}`:                                   false,
		`{"type":"message-start","delta":"x"}`:                       false,
		`{"type":"response.created"}`:                                false,
		`{"choices":[{"finish_reason":"stop","message":{}}]}`:        false,
		`{"message":{"role":"assistant","content":"x"},"done":true}`: false, // Ollama
		`[]`: false,
	} {
		assert.Equal(t, want, cohere.Decoder{}.Sniff(providers.Frame{Data: []byte(data)}), data)
	}
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	x := stream(start, blockOn, text("Hello"), text(" there"), blockOff, complete, done)
	x.Header.Set("X-Debug-Trace-Id", "trace")
	x.Header.Set("X-Envoy-Upstream-Service-Time", "112")
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "cohere", r.Provider)
	assert.Equal(t, "chat", r.API)
	assert.Equal(t, "trace", r.RequestID)
	assert.Equal(t, "COMPLETE", r.Stop)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, 7, r.Frames, "[DONE] is one of them")
	assert.Equal(t, wire.At(70*ms), r.End, "[DONE]")
	assert.Equal(t, wire.At(112*ms), r.ServerTime("x-envoy-upstream-service-time"))
	assert.Equal(t, providers.Usage{Input: count(502), Output: count(5), CachedRead: count(448)}, r.Usage)
	want := []providers.Event{
		{Channel: providers.Text, Bytes: 5, Frame: 2, End: x.Marks[2].End, At: 30 * ms, Read: 2},
		{Channel: providers.Text, Bytes: 6, Frame: 3, End: x.Marks[3].End, At: 40 * ms, Read: 3},
	}
	assert.Empty(t, cmp.Diff(want, r.Events))
	x.Header.Del("X-Debug-Trace-Id")
	assert.Equal(t, "m-1", decode(t, x).RequestID)
}

type piece struct {
	Channel providers.Channel
	Bytes   int
}

func TestWhatIsContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, event string
		want        []piece
		text        string
	}{
		{"message-start", start, nil, ""},
		{"content-start", blockOn, nil, ""},
		{"content-start with text", delta("content-start", `"content":{"type":"text","text":"Hi"}`), []piece{{providers.Text, 2}}, "Hi"},
		{"thinking starts", delta("content-start", `"content":{"type":"thinking","thinking":""}`), nil, ""},
		{"text", text("Hi"), []piece{{providers.Text, 2}}, "Hi"},
		{"empty text", text(""), nil, ""},
		{"null text", delta("content-delta", `"content":{"text":null}`), nil, ""},
		{"white space", text(`\n`), []piece{{providers.Text, 1}}, "\n"},
		{"bytes after JSON decoding", text(`\u6771京`), []piece{{providers.Text, 6}}, "東京"},
		{"thinking", delta("content-delta", `"content":{"thinking":"Hmm"}`), []piece{{providers.Reasoning, 3}}, ""},
		{"a list of parts", delta("content-delta", `"content":[{"thinking":"Hmm"},{"text":"Hi"}]`), []piece{{providers.Reasoning, 3}, {providers.Text, 2}}, "Hi"},
		{"tool plan", delta("tool-plan-delta", `"tool_plan":"I will"`), []piece{{providers.Reasoning, 6}}, ""},
		{"empty tool plan", delta("tool-plan-delta", `"tool_plan":""`), nil, ""},
		{"a tool's name", delta("tool-call-start", `"tool_calls":{"id":"t","type":"function","function":{"name":"now","arguments":""}}`), nil, ""},
		{"arguments", delta("tool-call-delta", `"tool_calls":{"function":{"arguments":"{\"a\":"}}`), []piece{{providers.Tool, 5}}, ""},
		{"empty arguments", delta("tool-call-delta", `"tool_calls":{"function":{"arguments":""}}`), nil, ""},
		{"tool-call-end", `{"type":"tool-call-end","index":0}`, nil, ""},
		{"citation", delta("citation-start", `"citations":{"start":0,"end":2,"text":"Hi","sources":[{"document":{"text":"long"}}]}`), nil, ""},
		{"debug", `{"type":"debug","prompt":"the prompt"}`, nil, ""},
		{"a type nobody knows", `{"type":"surprise","delta":"of another kind"}`, nil, ""},
		{"members nobody knows", delta("content-delta", `"content":{"text":"Hi","x":1},"y":[2]`), []piece{{providers.Text, 2}}, "Hi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(start, c.event, complete, done))
			var got []piece
			for _, e := range r.Events {
				got = append(got, piece{e.Channel, e.Bytes})
				assert.Equal(t, 1, e.Frame)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.text, r.Text)
			want := providers.OK
			if c.want == nil {
				assert.Equal(t, wire.Instant{}, r.First(), "missing, not 0")
			}
			if c.want == nil && c.name != "a tool's name" { // it is something, though no content
				want = providers.Empty
			}
			assert.Equal(t, want, r.Class, r.Detail)
		})
	}
}

// What matters neither to times nor to the class may be of any kind.
func TestMembersOfAnotherKind(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(
		`{"id":1,"type":"message-start","delta":{"message":{"role":7}}}`,
		delta("content-delta", `"content":{"thinking":{"a":1},"text":"Hi"},"tool_plan":3`),
		`{"type":"content-delta","error":"","delta":{"message":{"content":{"text":"!"}}}}`,
		`{"type":"content-delta","error":{},"delta":{"message":{"content":{"text":"!"}}}}`,
		end(`"finish_reason":1,"usage":{"tokens":{"input_tokens":9},"billed_units":"none"}`), done,
	))
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi!!", r.Text)
	assert.Equal(t, count(9), r.Usage.Input)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, record string
		want         providers.Usage
	}{
		{"both", usage, providers.Usage{Input: count(502), Output: count(5), CachedRead: count(448)}},
		{"thinking", `"usage":{"tokens":{"input_tokens":9,"output_tokens":5,"reasoning_tokens":2}}`, providers.Usage{Input: count(9), Output: count(5), Reasoning: count(2)}},
		{"only what is billed", `"usage":{"billed_units":{"input_tokens":9,"output_tokens":5}}`, providers.Usage{Input: count(9), Output: count(5)}},
		{"floats", `"usage":{"tokens":{"input_tokens":9.0,"output_tokens":5.0}}`, providers.Usage{Input: count(9), Output: count(5)}},
		{"negative, word", `"usage":{"tokens":{"input_tokens":-9,"output_tokens":"many"}}`, providers.Usage{}},
		{"null", `"usage":null`, providers.Usage{}},
		{"a list", `"usage":[1]`, providers.Usage{}},
		{"tokens are none", `"usage":{"tokens":7,"cached_tokens":3}`, providers.Usage{CachedRead: count(3)}},
		{"missing", `"x":1`, providers.Usage{}},
	} {
		r := decode(t, stream(start, text("Hi"), end(`"finish_reason":"COMPLETE",`+c.record), done))
		assert.Equal(t, providers.OK, r.Class, c.name)
		assert.Equal(t, c.want, r.Usage, c.name)
	}
}

func TestLongLinesAndBrokenText(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(text(strings.Repeat("x", 100_000)), complete, done))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Len(t, r.Text, 100_000)
	assert.Equal(t, providers.OK, decode(t, stream(text("a\xff"), complete, done)).Class, "invalid UTF-8 loses no reply")
}
