package ollama_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/api/chat":             true,
		"/api/generate":         true,
		"/ollama/api/generate":  true,
		"/api/embed":            false,
		"/api/chat/completions": false,
		"/v1/chat/completions":  false,
		"/v2/chat":              false,
		"/generate":             false,
	} {
		assert.Equal(t, want, ollama.Decoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, ollama.Decoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/api/chat"}))
}

// Web applications have paths of these names, too.
func TestRecognizesByTheReplyAsWell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status      int
		contentType string
		want        bool
	}{
		{200, ndjson, true},
		{200, "application/json; charset=utf-8", true},
		{200, "Application/JSON", true},
		{200, "text/plain; charset=utf-8", false},
		{200, "text/event-stream", false},
		{200, "", false},
		{503, "text/plain", true},
		{429, "", true},
		{0, "", true},
	} {
		x := exchange(c.status, c.contentType, "")
		assert.Equal(t, c.want, ollama.Decoder{}.Recognizes(x), "%d %q", c.status, c.contentType)
	}
}

func TestSniffs(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		hello: true,
		whole: true,
		`{"model":"m","created_at":"2024","response":"","done":false}`:   true,
		`{"model":"m","created_at":"2024","done":false}`:                 false,
		`{"message":{"role":"assistant"},"done":true}`:                   false,
		`{"id":"m","finish_reason":"COMPLETE","message":{"role":"a"}}`:   false,
		`{"created_at":1700000000,"response":{"id":"r"},"done":"false"}`: false,
		`{`: false,
	} {
		assert.Equal(t, want, ollama.Decoder{}.Sniff(providers.Frame{Data: []byte(data)}), data)
	}
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	x := stream(hello, content(" there"), chatEnd)
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "ollama", r.Provider)
	assert.Equal(t, "chat", r.API)
	assert.Equal(t, "llama3", r.Model)
	assert.Empty(t, r.RequestID, "Ollama names no request")
	assert.Equal(t, "stop", r.Stop)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, 3, r.Frames)
	assert.Equal(t, wire.At(30*ms), r.End, "the last line")
	assert.Equal(t, providers.Usage{Input: count(17), Output: count(50)}, r.Usage)
	assert.Equal(t, wire.At(1897385625), r.ServerLatency)
	assert.Equal(t, []providers.ServerTime{
		{Name: "total_duration", Time: 1897385625},
		{Name: "load_duration", Time: 1631208},
		{Name: "prompt_eval_duration", Time: 313560000},
		{Name: "eval_duration", Time: 1577990000},
	}, r.ServerTimes)
	want := []providers.Event{
		{Channel: providers.Text, Bytes: 5, Frame: 0, End: x.Marks[0].End, At: 10 * ms, Read: 0},
		{Channel: providers.Text, Bytes: 6, Frame: 1, End: x.Marks[1].End, At: 20 * ms, Read: 1},
	}
	assert.Empty(t, cmp.Diff(want, r.Events))
}

type piece struct {
	Channel providers.Channel
	Bytes   int
}

func TestWhatIsContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		want       []piece
		text       string
	}{
		{"empty text", content(""), nil, ""},
		{"null text", message(`"content":null`), nil, ""},
		{"text", content("Hi"), []piece{{providers.Text, 2}}, "Hi"},
		{"white space", content(`\n`), []piece{{providers.Text, 1}}, "\n"},
		{"bytes after JSON decoding", content(`\u6771京`), []piece{{providers.Text, 6}}, "東京"},
		{"thinking", thought, []piece{{providers.Reasoning, 3}}, ""},
		{"thinking and text", message(`"content":"Hi","thinking":"Hmm"`), []piece{{providers.Reasoning, 3}, {providers.Text, 2}}, "Hi"},
		{"tool call", toolCall, []piece{{providers.Tool, 10}}, ""},
		{"tool call without arguments", message(`"content":"","tool_calls":[{"function":{"name":"now","arguments":null}}]`), []piece{{providers.Tool, 3}}, ""},
		{"two tool calls", message(`"tool_calls":[{"function":{"name":"a"}},{"function":{"name":"b"}}]`), []piece{{providers.Tool, 1}, {providers.Tool, 1}}, ""},
		{"generated", `{"model":"m","response":"Hi","done":false}`, []piece{{providers.Text, 2}}, "Hi"},
		{"generated thinking", `{"model":"m","response":"","thinking":"Hmm","done":false}`, []piece{{providers.Reasoning, 3}}, ""},
		{"names that are none", `{"model":7,"created_at":{},"message":{"content":"Hi"},"done_reason":[1],"done":false}`, []piece{{providers.Text, 2}}, "Hi"},
		{"members nobody knows", message(`"content":"Hi","logprobs":[{}]`), []piece{{providers.Text, 2}}, "Hi"},
		{"a line of another kind", `{"status":"pulling manifest"}`, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(c.line, chatEnd))
			var got []piece
			for _, e := range r.Events {
				got = append(got, piece{e.Channel, e.Bytes})
				assert.Zero(t, e.Frame)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.text, r.Text)
			want := providers.OK
			if c.want == nil {
				want = providers.Empty
				assert.Equal(t, wire.Instant{}, r.First(), "missing, not 0")
			}
			assert.Equal(t, want, r.Class, r.Detail)
		})
	}
}

func TestCountsAndTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, members string
		usage         providers.Usage
		total         wire.Instant
		times         int
	}{
		{"usual", counts, providers.Usage{Input: count(17), Output: count(50)}, wire.At(1897385625), 4},
		{"the prompt was in memory", `,"eval_count":50`, providers.Usage{Output: count(50)}, wire.Instant{}, 0},
		{"floats", `,"prompt_eval_count":17.0,"eval_count":5e1,"total_duration":1.5e9`, providers.Usage{Input: count(17), Output: count(50)}, wire.At(1500 * ms), 1},
		{"negative", `,"prompt_eval_count":-17,"eval_count":-1,"total_duration":-5`, providers.Usage{}, wire.Instant{}, 0},
		{"words", `,"prompt_eval_count":"none","eval_count":"many","total_duration":"1s","load_duration":[1]`, providers.Usage{}, wire.Instant{}, 0},
		{"null", `,"prompt_eval_count":null,"eval_count":null,"total_duration":null`, providers.Usage{}, wire.Instant{}, 0},
		{"longer than a day", `,"total_duration":1e18`, providers.Usage{}, wire.Instant{}, 0},
		{"missing", ``, providers.Usage{}, wire.Instant{}, 0},
	} {
		r := decode(t, stream(hello, end(c.members)))
		assert.Equal(t, providers.OK, r.Class, "%s: %s", c.name, r.Detail)
		assert.Equal(t, c.usage, r.Usage, c.name)
		assert.Equal(t, c.total, r.ServerLatency, c.name)
		assert.Len(t, r.ServerTimes, c.times, c.name)
	}
	r := decode(t, stream(hello, end(`,"load_duration":1797788834`)))
	load, _ := r.ServerTime("load_duration").Get()
	assert.Greater(t, load, time.Second, "a cold model can be told")
}

func TestLongLinesAndBrokenText(t *testing.T) {
	t.Parallel()
	r := decode(t, stream(content(strings.Repeat("x", 100_000)), chatEnd))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Len(t, r.Text, 100_000)
	assert.Equal(t, providers.OK, decode(t, stream(content("a\xff"), chatEnd)).Class, "invalid UTF-8 loses no reply")
}
