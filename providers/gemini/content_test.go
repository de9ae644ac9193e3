package gemini_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		studio:    true,
		unaryPath: true,
		"/v1/projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-pro:streamGenerateContent": true,
		"/proxy/v1beta/models/m%3AstreamGenerateContent":                                                      true,
		"/v1beta/models/m:countTokens":                                                                        false,
		"/v1beta/models/m:embedContent":                                                                       false,
		"/v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict":                      false,
		"/v1beta/models/m:streamGenerateContent/x":                                                            false,
		"/v1beta/models/%zz:generateContent":                                                                  false,
	} {
		assert.Equal(t, want, gemini.Decoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, gemini.Decoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: studio}))
}

func TestSniffs(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		chunk(hello, ""):                                true,
		"[" + chunk(hello, "") + ",{":                   true,
		`{"promptFeedback":{"blockReason":"SAFETY"}}`:   true,
		`{"candidates":[{"finishReason":"SAFETY"}]}`:    true,
		`{"usageMetadata":{"promptTokenCount":4}}`:      true,
		`{"usageMetadata":{"trafficType":"ON_DEMAND"}}`: false,
		`{"candidates":[{"formatted_address":"140 George St","name":"Museum","rating":4.3}],"status":"OK"}`: false, // Google Places
		`{"candidates":[]}`:                               false,
		`{"candidates":[{"content":"of a letter"}]}`:      false,
		`{"choices":[],"object":"chat.completion.chunk"}`: false,
		`{"type":"message-start"}`:                        false,
		`[`:                                               false,
		`[]`:                                              false,
		`{"candidates":"none"}`:                           false,
		`{"error":{"code":400,"status":"INVALID_ARGUMENT"}`: false,
	} {
		assert.Equal(t, want, gemini.Decoder{}.Sniff(providers.Frame{Data: []byte(data)}), data)
	}
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	x := stream(chunk(hello, usage1), chunk(there, usage2), last(`{"text": "","thoughtSignature": "Ep=="}`, "STOP", usage2))
	x.Header.Set("Server-Timing", "gfet4t7; dur=458")
	r := decode(t, x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "gemini", r.Provider)
	assert.Equal(t, "generate-content", r.API)
	assert.Equal(t, "gemini-2.5-flash", r.Model)
	assert.Equal(t, "r-1", r.RequestID)
	assert.Equal(t, "STOP", r.Stop)
	assert.Equal(t, "Hello there", r.Text)
	assert.Equal(t, 3, r.Frames)
	assert.Equal(t, x.End, r.End, "the end of the body")
	assert.Equal(t, wire.At(458*ms), r.ServerTime("server-timing gfet4t7"))
	assert.False(t, r.ServerLatency.Known(), "that is the time to the head")
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(45), Reasoning: count(40)}, r.Usage)
	assert.Equal(t, count(2), r.FirstCount)
	want := []providers.Event{
		{Channel: providers.Text, Bytes: 5, Frame: 0, End: x.Marks[0].End, At: 10 * ms, Read: 0},
		{Channel: providers.Text, Bytes: 6, Frame: 1, End: x.Marks[1].End, At: 20 * ms, Read: 1},
	}
	assert.Empty(t, cmp.Diff(want, r.Events))
}

// A stream that was asked for without alt=sse.
func TestArrayStream(t *testing.T) {
	t.Parallel()
	chunks := []string{chunk(thought, usage1), chunk(hello, usage1), last(there, "STOP", usage2)}
	events, elements := stream(chunks...), array(chunks...)
	a, b := decode(t, events), decode(t, elements)
	assert.Equal(t, providers.OK, b.Class, b.Detail)
	for i, at := range []int{0, 1, 2} {
		assert.Equal(t, elements.Marks[at].End-1, b.Events[i].End, "past the element, not past the LF behind it")
		assert.Equal(t, a.Events[i].At, b.Events[i].At)
		a.Events[i].End, b.Events[i].End = 0, 0
	}
	assert.Empty(t, cmp.Diff(a, b, cmp.AllowUnexported(providers.Count{}, wire.Instant{})), "the same in every other respect")

	spaced := pieces("application/json", " [\n\n"+chunks[0], " , "+chunks[1], ",", chunks[2], " ]\n")
	assert.Equal(t, b.Text, decode(t, spaced).Text)
	assert.Equal(t, wire.At(40*ms), decode(t, spaced).Last())
	untyped := array(chunks...)
	untyped.Header.Del("Content-Type")
	assert.Equal(t, providers.OK, decode(t, untyped).Class)
}

type piece struct {
	Channel providers.Channel
	Bytes   int
}

func TestWhatIsContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, parts string
		want        []piece
		text        string
		disclosure  providers.Disclosure
	}{
		{"none", ``, nil, "", ""},
		{"empty text", `{"text": ""}`, nil, "", ""},
		{"empty text with a signature", `{"text": "","thoughtSignature": "EpQH"}`, nil, "", ""},
		{"a signature alone", `{"thoughtSignature": "EpQH"}`, nil, "", ""},
		{"text", hello, []piece{{providers.Text, 5}}, "Hello", ""},
		{"white space", `{"text": "\n"}`, []piece{{providers.Text, 1}}, "\n", ""},
		{"bytes after JSON decoding", `{"text": "\u6771京"}`, []piece{{providers.Text, 6}}, "東京", ""},
		{"thought", thought, []piece{{providers.Reasoning, 3}}, "", providers.Summary},
		{"no thought", `{"text": "Hi","thought": false}`, []piece{{providers.Text, 2}}, "Hi", ""},
		{"mixed", thought + "," + hello, []piece{{providers.Reasoning, 3}, {providers.Text, 5}}, "Hello", providers.Summary},
		{"function call", `{"functionCall": {"name": "weather","args": {"a": 1}},"thoughtSignature": "Ci"}`, []piece{{providers.Tool, 15}}, "", ""},
		{"function call without arguments", `{"functionCall": {"name": "now"}}`, []piece{{providers.Tool, 3}}, "", ""},
		{"function call, null arguments", `{"functionCall": {"name": "now","args": null}}`, []piece{{providers.Tool, 3}}, "", ""},
		{"function call in pieces", `{"functionCall": {"partialArgs": [1],"willContinue": true}}`, []piece{{providers.Tool, 3}}, "", ""},
		{"end of a function call", `{"functionCall": {}}`, nil, "", ""},
		{"two function calls", `{"functionCall": {"name": "a"}},{"functionCall": {"name": "b"}}`, []piece{{providers.Tool, 1}, {providers.Tool, 1}}, "", ""},
		{"code", `{"executableCode": {"language": "PYTHON","code": "1+1"}}`, []piece{{providers.Tool, 3}}, "", ""},
		{"what the code printed", `{"codeExecutionResult": {"outcome": "OUTCOME_OK","output": "2"}}`, nil, "", ""},
		{"image", `{"inlineData": {"mimeType": "image/png","data": "iVBO"}}`, nil, "", ""},
		{"many parts, of which the first thousand count", strings.Repeat(`{},`, 999) + hello + `,` + there, []piece{{providers.Text, 5}}, "Hello", ""},
		{"members nobody knows", `{"text": "Hi","x": {"y": 1}}`, []piece{{providers.Text, 2}}, "Hi", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(chunk(c.parts, ""), last("", "STOP", "")))
			var got []piece
			for _, e := range r.Events {
				got = append(got, piece{e.Channel, e.Bytes})
				assert.Zero(t, e.Frame)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.text, r.Text)
			assert.Equal(t, c.disclosure, r.Disclosure)
			want := providers.OK
			if c.want == nil {
				want = providers.Empty
				assert.Equal(t, wire.Instant{}, r.First(), "missing, not 0")
			}
			assert.Equal(t, want, r.Class, r.Detail)
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, record string
		want         providers.Usage
	}{
		{
			"all of it", `{"promptTokenCount":100,"toolUsePromptTokenCount":20,"cachedContentTokenCount":64,"candidatesTokenCount":5,"thoughtsTokenCount":40,"totalTokenCount":165}`,
			providers.Usage{Input: count(120), Output: count(45), CachedRead: count(64), Reasoning: count(40)},
		},
		{"no thoughts", `{"promptTokenCount":9,"candidatesTokenCount":5}`, providers.Usage{Input: count(9), Output: count(5)}},
		{"nothing but thoughts", `{"promptTokenCount":9,"thoughtsTokenCount":5}`, providers.Usage{Input: count(9), Output: count(5), Reasoning: count(5)}},
		{"floats", `{"promptTokenCount":9.0,"candidatesTokenCount":5.0}`, providers.Usage{Input: count(9), Output: count(5)}},
		{"negative, fraction, word", `{"promptTokenCount":-9,"candidatesTokenCount":5.5,"thoughtsTokenCount":"many"}`, providers.Usage{}},
		{"zero beside content", `{"promptTokenCount":0,"candidatesTokenCount":0}`, providers.Usage{}},
		{"no counts", `{"trafficType":"ON_DEMAND"}`, providers.Usage{}},
		{"null", `null`, providers.Usage{}},
		{"a list", `[1]`, providers.Usage{}},
		{"a number", `7`, providers.Usage{}},
	} {
		r := decode(t, stream(last(hello, "STOP", `,"usageMetadata": `+c.record)))
		assert.Equal(t, providers.OK, r.Class, c.name)
		assert.Equal(t, c.want, r.Usage, c.name)
	}
	r := decode(t, stream(chunk(hello, usage1), last(there, "STOP", `,"usageMetadata": {"candidatesTokenCount":7}`)))
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(47), Reasoning: count(40)}, r.Usage, "what a later record leaves out stays")
}

func TestFirstCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		chunks []string
		want   providers.Count
	}{
		{"hidden thoughts", []string{chunk(hello, usage1), last(there, "STOP", usage2)}, count(2)},
		{"shown thoughts", []string{chunk(thought, usage1), last(hello, "STOP", usage2)}, count(42)},
		{"thoughts shown later", []string{chunk(hello, usage1), chunk(thought, usage1), last(there, "STOP", usage2)}, count(42)},
		{"no content yet", []string{chunk("", usage1), chunk(hello, usage2), last(there, "STOP", usage2)}, count(5)},
		{"not told", []string{chunk(hello, ""), last(there, "STOP", usage2)}, providers.Count{}},
		{"no candidates yet", []string{chunk(hello, `,"usageMetadata": {"promptTokenCount": 9}`), last(there, "STOP", usage2)}, providers.Count{}},
	} {
		assert.Equal(t, c.want, decode(t, stream(c.chunks...)).FirstCount, c.name)
	}
	x := exchange(200, jsonType, last(hello, "STOP", usage2))
	assert.False(t, decode(t, x).FirstCount.Known(), "a reply in one piece has no first chunk")
}

func TestLongLinesAndBrokenText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	r := decode(t, stream(chunk(`{"text": "`+long+`"}`, ""), last("", "STOP", "")))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Len(t, r.Text, 100_000)
	r = decode(t, stream(chunk("{\"text\": \"a\xff\"}", ""), last("", "STOP", "")))
	assert.Equal(t, providers.OK, r.Class, "invalid UTF-8 loses no reply")
}
