package tgi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

func TestRecognizesByPathAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/generate_stream":             true,
		"/generate":                    true,
		"/my/prefix/generate_stream":   true,
		"/":                            false,
		"/api/generate":                false, // Ollama
		"/v2/models/m/generate_stream": false, // Triton
		"/v2/models/m/generate":        false,
		"/v1/chat/completions":         false,
		"/generate_stream/else":        false,
		"/endpoints/e/invocations":     false,
	} {
		assert.Equal(t, want, tgi.Decoder{}.Recognizes(&wire.Exchange{Method: "POST", Path: path}), path)
	}
	assert.False(t, tgi.Decoder{}.Recognizes(&wire.Exchange{Method: "GET", Path: "/generate"}))
}

func TestSniff(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		token("Hi"):                        true,
		`{"token":{"id":5,"log_prob":-1}}`: true, // DJL leaves out what is empty
		`{"generated_text":"Hi"}`:          true,
		`[{"generated_text":"Hi"}]`:        true,
		`{"token":"Hi"}`:                   false,
		`{"token":{}}`:                     false,
		`{"generated_text":null}`:          false,
		`{"error":"boom"}`:                 false,
		`{"choices":[]}`:                   false,
		`{"text":"Hi","meta_info":{}}`:     false, // SGLang
		`{"text":["Hi"]}`:                  false, // vLLM
		`[{"text":"Hi"}]`:                  false,
		`{"id":7,"status":"done"}`:         false,
		`[]`:                               false,
		`Hi`:                               false,
		``:                                 false,
	} {
		assert.Equal(t, want, tgi.Decoder{}.Sniff(providers.Frame{Data: []byte(data)}), data)
	}
	for _, contentType := range []string{textSSE, lines} {
		x := framed(contentType, token("Hi"), last("Hi"))
		x.Path = "/"
		r := providers.Decoders{tgi.Decoder{}}.Decode(x)
		assert.Equal(t, "tgi", r.Provider)
		assert.Equal(t, providers.OK, r.Class, r.Detail)
	}
	x := exchange(200, jsonText, `[{"generated_text":"Hi"}]`)
	x.Path = "/"
	assert.Equal(t, "Hi", providers.Decoders{tgi.Decoder{}}.Decode(x).Text)
}

// The path alone does not make a reply one of ours.
func TestRepliesOfOtherServices(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":"r-7","status":"generated"}`,
		`{"text":"Hi","meta_info":{"finish_reason":{"type":"stop"}}}`, // SGLang
		`{"text":["Hi"]}`, // vLLM
		`[]`,
	} {
		x := exchange(200, jsonText, body)
		x.Path = "/api/v1/reports/generate"
		r := providers.Decoders{tgi.Decoder{}}.Decode(x)
		assert.Equal(t, providers.Unknown, r.Provider, body)
		assert.Equal(t, providers.Parse, r.Class, body)
	}
	x := exchange(200, jsonText, `{"generated_text":""}`)
	x.Path = "/generate"
	r := providers.Decoders{tgi.Decoder{}}.Decode(x)
	assert.Equal(t, "tgi", r.Provider)
	assert.Equal(t, providers.Empty, r.Class)
}

// An event that is named an error is one, whatever is in it and follows it.
func TestErrorByTheNameOfAnEvent(t *testing.T) {
	t.Parallel()
	body := string(stream(token("a")).Body) + "event: error\ndata: {\"message\":\"rate limited\",\"code\":\"rate_limit_exceeded\"}\n\n" + string(stream(last("a")).Body)
	r := decode(t, exchange(200, textSSE, body))
	assert.Equal(t, providers.Throttled, r.Class)
	assert.Equal(t, "rate_limit_exceeded", r.Code)
	assert.Equal(t, "rate limited", r.Detail)
	assert.Equal(t, "a", r.Text)
}

func TestUsualStream(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{textSSE, lines} {
		x := framed(contentType, token("Hello"), token(" 東京"), last("Hello 東京"))
		x.Header.Set("X-Request-Id", "r")
		r := decode(t, x)
		require.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, "tgi", r.Provider)
		assert.Equal(t, "generate", r.API)
		assert.Equal(t, "r", r.RequestID)
		assert.Equal(t, "Hello 東京", r.Text, "the generated text repeats the tokens")
		assert.Equal(t, "eos_token", r.Stop)
		assert.Equal(t, 3, r.Frames)
		assert.Equal(t, count(1), r.FirstCount)
		assert.Equal(t, providers.Usage{Input: count(7), Output: count(3)}, r.Usage)
		assert.Equal(t, wire.At(30*ms), r.End)
		want := []providers.Event{
			{Channel: providers.Text, Bytes: 5, Frame: 0, End: x.Marks[0].End, At: 10 * ms, Read: 0},
			{Channel: providers.Text, Bytes: 7, Frame: 1, End: x.Marks[1].End, At: 20 * ms, Read: 1},
		}
		assert.Equal(t, want, r.Events)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	const special = `{"token":{"id":1,"text":"<s>","special":true},"generated_text":null}`
	for _, c := range []struct {
		name   string
		events []string
		class  providers.Class
		text   string
		code   string
		first  providers.Count
	}{
		{"the last token is content", []string{token("a"), `{"token":{"text":"b","special":false},"generated_text":"ab","details":{"finish_reason":"length","generated_tokens":2}}`}, providers.OK, "ab", "", count(1)},
		{"details were not asked for", []string{token("a"), `{"token":{"text":"</s>","special":true},"generated_text":"a","details":null}`}, providers.OK, "a", "", count(1)},
		{"a special token first", []string{special, token("a"), last("a")}, providers.OK, "a", "", count(2)},
		{"a character of several tokens", []string{token(""), token("東"), last("東")}, providers.OK, "東", "", count(2)},
		{"nothing but special tokens", []string{special, last("")}, providers.Empty, "", "", providers.Count{}},
		{"members nobody knows", []string{`{"token":{"text":"a"},"top_tokens":[{"text":"b"}],"new":{}}`, last("a")}, providers.OK, "a", "", count(1)},
		{"events nobody knows", []string{`{"new":1}`, token("a"), last("a")}, providers.OK, "a", "", count(1)},
		{"what follows the last event is not looked at", []string{token("a"), last("a"), "<html>"}, providers.OK, "a", "", count(1)},
		{"cut off", []string{token("a"), token("b")}, providers.Truncated, "ab", "", count(1)},
		{"nothing", nil, providers.Truncated, "", "", providers.Count{}},
		{"not JSON", []string{token("a"), "<html>"}, providers.Parse, "a", "", count(1)},
		{"JSON of another kind", []string{`[1]`}, providers.Parse, "", "", providers.Count{}},
		{"overloaded", []string{`{"error":"Model is overloaded","error_type":"overloaded"}`}, providers.Throttled, "", "overloaded", providers.Count{}},
		{"overloaded in the midst", []string{token("a"), `{"error":"Model is overloaded","error_type":"overloaded"}`}, providers.Throttled, "a", "overloaded", count(1)},
		{"generation failed", []string{token("a"), `{"error":"Request failed during generation: out of memory","error_type":"generation"}`, last("a")}, providers.StreamError, "a", "generation", count(1)},
		{"validation", []string{`{"error":"Input validation error: too long","error_type":"validation"}`}, providers.StreamError, "", "validation", providers.Count{}},
		{"incomplete", []string{token("a"), `{"error":"Incomplete generation","error_type":"incomplete_generation"}`}, providers.StreamError, "a", "incomplete_generation", count(1)},
		{"an error without a type", []string{`{"error":"Request failed during generation"}`}, providers.StreamError, "", "", providers.Count{}},
		{"an empty error is none", []string{`{"error":"","token":{"text":"a"}}`, `{"error":{},"token":{"text":"b"}}`, last("ab")}, providers.OK, "ab", "", count(1)},
		{"members of no importance that are something else", []string{`{"token":{"id":"x","text":"a","special":"no"}}`, `{"token":{"id":2},"generated_text":"a","details":{"finish_reason":1,"seed":"x"}}`}, providers.OK, "a", "", count(1)},
		{"no error", []string{`{"error":null,"token":{"text":"a"}}`, last("a")}, providers.OK, "a", "", count(1)},
		{"DJL: its own name for special tokens, and no null", []string{`{"token":{"id":1,"text":"a","log_prob":-0.5}}`, `{"token":{"id":2,"text":"</s>","log_prob":-0.5,"special_token":true},"generated_text":"a","details":{"finish_reason":"eos_token","generated_tokens":2,"inputs":"x"}}`}, providers.OK, "a", "", count(1)},
		{"DJL: the finish reason is an error", []string{`{"token":{"id":1,"text":"a"}}`, `{"token":{"id":2},"generated_text":"a","details":{"finish_reason":"error"}}`}, providers.StreamError, "a", "", count(1)},
		{"DJL: an error with a status", []string{`{"token":{"id":1,"text":"a"}}`, `{"error":"prediction failure","code":424}`}, providers.StreamError, "a", "424", count(1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, contentType := range []string{textSSE, lines} {
				r := decode(t, framed(contentType, c.events...))
				assert.Equal(t, c.class, r.Class, r.Detail)
				assert.Equal(t, c.text, r.Text)
				assert.Equal(t, c.code, r.Code)
				assert.Equal(t, c.first, r.FirstCount)
				assert.Equal(t, c.code == "overloaded", r.Overloaded)
			}
		})
	}
	x := stream(token("a"), last("a"))
	x.Body = append([]byte(":\n\n"), x.Body...) // kept alive
	x.Marks = []wire.Mark{{End: int64(len(x.Body)), At: ms}}
	assert.Equal(t, providers.OK, decode(t, x).Class)
	spaced := strings.ReplaceAll(string(x.Body), "data:", "data: ")
	assert.Equal(t, "a", decode(t, exchange(200, textSSE, spaced)).Text)
}

func TestWholeReply(t *testing.T) {
	t.Parallel()
	whole := func(body string, header ...string) *providers.Response {
		x := exchange(200, jsonText, body)
		x.Path = "/generate"
		for i := 0; i < len(header); i += 2 {
			x.Header.Set(header[i], header[i+1])
		}
		return decode(t, x)
	}
	r := whole(`{"generated_text":"Hello","details":{"finish_reason":"length","generated_tokens":2,"seed":null,"prefill":[],"tokens":[{"text":"Hello"}]}}`,
		"X-Total-Time", "120", "X-Queue-Time", "5", "X-Prompt-Tokens", "7", "X-Generated-Tokens", "2")
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hello", r.Text)
	assert.Equal(t, "length", r.Stop)
	assert.Equal(t, providers.Usage{Input: count(7), Output: count(2)}, r.Usage)
	assert.Equal(t, wire.At(120*ms), r.ServerLatency)
	assert.Equal(t, wire.At(5*ms), r.ServerTime("x-queue-time"))
	assert.Equal(t, wire.At(500*ms), r.First())
	assert.Equal(t, providers.Count{}, r.FirstCount)

	for _, c := range []struct {
		name, body string
		class      providers.Class
		text       string
	}{
		{"a list", `[{"generated_text":"Hello"}]`, providers.OK, "Hello"},
		{"no details", `{"generated_text":"Hello"}`, providers.OK, "Hello"},
		{"no text", `{"generated_text":""}`, providers.Empty, ""},
		{"something else", `{"text":"Hello"}`, providers.Parse, ""},
		{"an empty list", `[]`, providers.Parse, ""},
		{"a list of something else", `[1]`, providers.Parse, ""},
		{"a number", `1`, providers.Parse, ""},
		{"null", `null`, providers.Parse, ""},
		{"an error", `{"error":"Model is overloaded","error_type":"overloaded"}`, providers.Throttled, ""},
		{"an error by its finish", `{"generated_text":"","details":{"finish_reason":"error"}}`, providers.StreamError, ""},
		{"cut", `{"generated_text":"Hel`, providers.Truncated, ""},
		{"nothing", ``, providers.Truncated, ""},
		{"not JSON", `Hello`, providers.Parse, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := whole(c.body, "X-Prompt-Tokens", "many")
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.text, r.Text)
			assert.Equal(t, providers.Usage{}, r.Usage)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		body       string
		class      providers.Class
		code       string
		overloaded bool
	}{
		{429, `{"error":"Model is overloaded","error_type":"overloaded"}`, providers.Throttled, "overloaded", true},
		{422, `{"error":"Input validation error: too long","error_type":"validation"}`, providers.HTTP4xx, "validation", false},
		{424, `{"error":"Request failed during generation","error_type":"generation"}`, providers.HTTP4xx, "generation", false},
		{500, `{"error":"Incomplete generation","error_type":"incomplete_generation"}`, providers.HTTP5xx, "incomplete_generation", false},
		{422, "Failed to deserialize the JSON body into the target type: missing field `inputs`", providers.HTTP4xx, "", false},
		{401, ``, providers.HTTP4xx, "", false},
		{503, `<html>Service Unavailable</html>`, providers.HTTP5xx, "", true},
		{302, ``, providers.Parse, "", false},
	} {
		r := decode(t, exchange(c.status, jsonText, c.body))
		assert.Equal(t, c.class, r.Class, c.body)
		assert.Equal(t, c.code, r.Code)
		assert.Equal(t, c.overloaded, r.Overloaded)
	}
	x := exchange(200, "text/html", "<html>Sign in</html>")
	assert.Equal(t, providers.Parse, decode(t, x).Class)
	x = exchange(0, "", "")
	x.Err = context.Canceled
	assert.Equal(t, providers.Canceled, decode(t, x).Class)
	x = stream(token("a"))
	x.Ending, x.Err = wire.EndContext, context.DeadlineExceeded
	assert.Equal(t, providers.Timeout, decode(t, x).Class)
}

func TestUsageRecords(t *testing.T) {
	t.Parallel()
	for details, want := range map[string]providers.Usage{
		`null`:                   {},
		`7`:                      {},
		`{}`:                     {},
		`{"generated_tokens":3}`: {Output: count(3)},
		`{"generated_tokens":3.0,"input_length":7.0}`:    {Output: count(3), Input: count(7)},
		`{"generated_tokens":-3,"input_length":"seven"}`: {},
		`{"generated_tokens":0,"input_length":0}`:        {},
	} {
		r := decode(t, stream(token("a"), `{"token":{"text":"b"},"generated_text":"ab","details":`+details+`}`))
		assert.Equal(t, want, r.Usage, details)
		assert.Equal(t, providers.OK, r.Class, "a broken record loses no reply: %s", details)
	}
}

// No prefix of a stream is taken for the whole one.
func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{textSSE, lines} {
		body := string(framed(contentType, token("Hello"), token(" 東京 🐌"), last("Hello 東京 🐌")).Body)
		payload := strings.LastIndex(body, "}}") + len("}}")
		for n := range len(body) + 1 {
			r := decode(t, exchange(200, contentType, body[:n]))
			if n < payload {
				require.Equal(t, providers.Truncated, r.Class, "%q", body[:n])
				require.Equal(t, providers.Usage{}, r.Usage)
				continue
			}
			require.Equal(t, providers.OK, r.Class, "%q", body[:n])
			require.Equal(t, "Hello 東京 🐌", r.Text)
		}
	}
}

func TestLongAndBrokenText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100_000)
	for _, contentType := range []string{textSSE, lines} {
		assert.Len(t, decode(t, framed(contentType, token(long), last(long))).Text, len(long))
		assert.Equal(t, "a\ufffd", decode(t, framed(contentType, token("a\xff"), last("a\xff"))).Text)
	}
}
