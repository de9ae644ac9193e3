package openai_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A stream is whole when a finish reason or [DONE] has come, whatever the server
// sends or leaves out beside it.
func TestEndsOfStreams(t *testing.T) {
	t.Parallel()
	hi := delta(`"content":"Hi"`)
	for _, c := range []struct {
		name   string
		blocks []string
		class  providers.Class
		end    int // index of the block that ends the stream; −1 is the end of the body
	}{
		{"finish reason and [DONE]", []string{role, hello, finish("stop"), done}, providers.OK, 3},
		{"no [DONE]: Perplexity, Writer", []string{hi, finish("stop")}, providers.OK, -1},
		{"no [DONE], and no usage though it was promised", []string{role, hi, finish("stop")}, providers.Truncated, -1},
		{"no finish reason: Snowflake", []string{role, hello, usage, done}, providers.OK, 3},
		{"finish reason on the last content: Mistral", []string{role, `{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}`, done}, providers.OK, 2},
		{"finish reason twice: OpenRouter", []string{hello, finish("stop"), finish("stop"), done}, providers.OK, 3},
		{"moderation after usage", []string{role, hello, finish("stop"), usage, `{"choices":[],"moderation":{"flagged":false}}`, done}, providers.OK, 5},
		{"[DONE] without a space", []string{hello, finish("stop"), "data:[DONE]"}, providers.OK, 2},
		{"[DONE] with a space behind, as the SDKs take it", []string{hello, "data: [DONE] "}, providers.OK, 1},
		{"neither", []string{role, hello}, providers.Truncated, -1},
		{"an empty finish reason is none", []string{role, hello, finish("")}, providers.Truncated, -1},
		{"nothing but usage", []string{role, hello, usage}, providers.Truncated, -1},
		{"no content, [DONE]", []string{role, finish("stop"), done}, providers.Empty, 2},
		{"no content, no [DONE]", []string{finish("content_filter")}, providers.Empty, -1},
		{"only [DONE]", []string{done}, providers.Empty, 0},
		{"only comments", []string{": OPENROUTER PROCESSING", ": OPENROUTER PROCESSING"}, providers.Truncated, -1},
		{"nothing", nil, providers.Truncated, -1},
		{"not JSON", []string{role, hello, "data: <html>"}, providers.Parse, -1},
		{"JSON of another kind", []string{role, hello, "data: [1]"}, providers.Parse, -1},
		{"what comes after [DONE] is ignored", []string{hello, finish("stop"), done, "data: <html>"}, providers.OK, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(c.blocks...)
			r := decode(t, x)
			assert.Equal(t, c.class, r.Class, r.Detail)
			want := x.End
			if c.end >= 0 {
				want = wire.At(x.Marks[c.end].At)
			}
			assert.Equal(t, want, r.End)
		})
	}
}

// How the bytes stopped decides the class of a stream that is not whole, and
// nothing else: a whole one is whole however its connection ended.
func TestEndingsOfTheWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ending wire.Ending
		err    error
		class  providers.Class
	}{
		{wire.EndEOF, nil, providers.Truncated},
		{wire.EndFailed, errors.New("connection reset by peer"), providers.Truncated},
		{wire.EndContext, context.DeadlineExceeded, providers.Timeout},
		{wire.EndContext, context.Canceled, providers.Canceled},
		{wire.EndClosed, nil, providers.Canceled},
		{wire.EndTooLarge, wire.ErrBodyTooLarge, providers.Truncated},
	} {
		x := stream(role, hello)
		x.Ending, x.Err = c.ending, c.err
		r := decode(t, x)
		assert.Equal(t, c.class, r.Class, "%v %v", c.ending, c.err)
		assert.Equal(t, wire.At(20*ms), r.First(), "times so far stay in the record")

		x = stream(delta(`"content":"Hello"`), finish("stop"))
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, providers.OK, decode(t, x).Class, "the finish reason had come: %v %v", c.ending, c.err)

		x = stream(role, hello, finish("stop")) // with "usage": null, which promises a record to come
		x.Ending, x.Err = c.ending, c.err
		want := providers.OK // to a caller who leaves
		if c.class == providers.Truncated {
			want = c.class
		}
		assert.Equal(t, want, decode(t, x).Class, "the usage record is missing: %v %v", c.ending, c.err)

		x = exchange(200, "application/json", `{"choices":[{"mess`)
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, c.class, decode(t, x).Class, "a whole reply, cut: %v %v", c.ending, c.err)
	}
}

// No prefix of a stream is taken for a whole one. Where the server has promised a
// usage record, the stream is whole once that has come, else with the finish
// reason, after which some servers send nothing; a later chunk that is cut inside
// makes it truncated again. A chunk counts once its JSON is whole; that its blank
// line is missing makes no difference to what has been generated.
func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	whole := stream(role, hello, delta(`"content":" 東京 🐌"`), finish("stop"), usage, done)
	body := strings.ReplaceAll(string(whole.Body), "\n", "\r\n") // LF: see TestRecordedStreamsCutAnywhere
	reported := strings.Index(body, `"total_tokens":14}}`) + len(`"total_tokens":14}}`)
	doneFrom := strings.Index(body, "data: [DONE]")
	first := strings.Index(body, `"content":"Hello"`)
	for n := range len(body) + 1 {
		r := decode(t, exchange(200, textSSE, body[:n]))
		switch {
		case n < reported, n > doneFrom && n < doneFrom+len("data: [DONE]"):
			require.Equal(t, providers.Truncated, r.Class, "%q", body[:n])
		default:
			require.Equal(t, providers.OK, r.Class, "%q", body[:n])
			require.Equal(t, "Hello 東京 🐌", r.Text)
			require.True(t, r.Usage.Output.Known())
		}
		if n <= first {
			require.Equal(t, wire.Instant{}, r.First(), "%q", body[:n])
		}
		if output, known := r.Usage.Output.Get(); known {
			require.EqualValues(t, 5, output, "a count is whole or missing")
		}
	}
}

// Nor is a prefix of a whole JSON reply.
func TestNoPrefixOfAJSONReplyIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	body := `{"model":"m","choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`
	for n := range len(body) {
		require.Equal(t, providers.Truncated, decode(t, exchange(200, "application/json", body[:n])).Class, "%q", body[:n])
	}
}

func TestWholeReply(t *testing.T) {
	t.Parallel()
	reply := func(message string) string {
		return `{"id":"chatcmpl-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{` + message + `},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`
	}
	r := decode(t, exchange(200, "application/json; charset=utf-8", reply(`"role":"assistant","content":"Hi","refusal":null,"reasoning_content":"Hmm"`)))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi", r.Text)
	assert.Equal(t, "stop", r.Stop)
	assert.Equal(t, "m", r.Model)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First(), "content came with the last byte")
	assert.Equal(t, wire.At(500*ms), r.Last())
	assert.Equal(t, providers.Usage{Input: count(3), Output: count(2)}, r.Usage)
	assert.Len(t, r.Events, 2)

	for _, c := range []struct {
		name, body string
		class      providers.Class
	}{
		{"tool call", reply(`"content":null,"tool_calls":[{"function":{"name":"now","arguments":"{}"}}]`), providers.OK},
		{"refusal", reply(`"content":null,"refusal":"No."`), providers.OK},
		{"no content", reply(`"content":""`), providers.Empty},
		{"no choices", `{"object":"chat.completion","choices":[]}`, providers.Parse},
		{"something else", `{"status":"ok"}`, providers.Parse},
		{"a list", `[]`, providers.Parse},
		{"not JSON", `service temporarily out of order`, providers.Parse},
		{"error at status 200", `{"error":{"message":"boom","type":"server_error"}}`, providers.StreamError},
		{"throttle at status 200", `{"error":{"message":"slow","type":"rate_limit_error","code":"rate_limit_exceeded"}}`, providers.Throttled},
		{"nothing", ``, providers.Truncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, exchange(200, "application/json", c.body))
			assert.Equal(t, c.class, r.Class, r.Detail)
		})
	}
}

// A proxy's page is not a stream that was cut.
func TestReplyThatIsNoStream(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<html>\n<body>Sign in</body>\n</html>\n", "upstream is down", "\n\n"} {
		r := decode(t, exchange(200, "text/html", body))
		assert.Equal(t, providers.Parse, r.Class, "%q", body)
		assert.Contains(t, r.Detail, "text/html")
	}
	assert.Equal(t, providers.Truncated, decode(t, exchange(200, "text/html", "")).Class, "nothing came")
	x := stream(role, hello, finish("stop"), done)
	for _, contentType := range []string{"", "text/plain", "application/octet-stream"} {
		x.Header.Set("Content-Type", contentType)
		assert.Equal(t, providers.OK, decode(t, x).Class, "a stream by its bytes: %q", contentType)
	}
}
