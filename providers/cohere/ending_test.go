package cohere_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/wire"
)

func TestEndsOfStreams(t *testing.T) {
	t.Parallel()
	hi := text("Hi")
	for _, c := range []struct {
		name  string
		data  []string
		class providers.Class
		end   int // index of the event that ends the stream; −1 is the end of the body
	}{
		{"message-end and [DONE]", []string{start, hi, complete, done}, providers.OK, 3},
		{"no [DONE]", []string{start, hi, complete}, providers.OK, -1},
		{"only [DONE]", []string{start, hi, done}, providers.OK, 2},
		{"neither", []string{start, hi, blockOff}, providers.Truncated, -1},
		{"no content", []string{start, complete, done}, providers.Empty, 2},
		{"nothing", nil, providers.Truncated, -1},
		{"not JSON", []string{start, hi, "<html>"}, providers.Parse, -1},
		{"JSON of another kind", []string{start, hi, "[1]"}, providers.Parse, -1},
		{"a delta of another kind", []string{start, `{"type":"content-delta","delta":"x"}`}, providers.Parse, -1},
		{"content of another kind", []string{start, delta("content-delta", `"content":"Hi"`)}, providers.Parse, -1},
		{"an event without a type", []string{start, `{"x":1}`, hi, complete, done}, providers.OK, 4},
		{"what comes after [DONE]", []string{hi, complete, done, "<html>"}, providers.OK, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(c.data...)
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
		for _, x := range []*wire.Exchange{stream(start, text("Hi")), exchange(200, "application/json", `{"id":"m`)} {
			x.Ending, x.Err = c.ending, c.err
			assert.Equal(t, c.class, decode(t, x).Class, "%v %v", c.ending, c.err)
		}
		x := stream(start, text("Hi"), complete)
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, providers.OK, decode(t, x).Class, "the message had ended: %v %v", c.ending, c.err)
	}
}

func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	for _, newline := range []string{"\n", "\r\n"} {
		body := strings.ReplaceAll(string(stream(start, text("東京 🐌"), complete, done).Body), "\n", newline)
		whole := strings.Index(body, newline+newline+"data: [DONE]")
		doneFrom := strings.Index(body, "data: [DONE]")
		for n := range len(body) + 1 {
			r := decode(t, exchange(200, sse, body[:n]))
			want := providers.Truncated
			if n >= whole && (n <= doneFrom || n >= doneFrom+len("data: [DONE]")) {
				want = providers.OK
				require.Equal(t, "東京 🐌", r.Text)
				require.Equal(t, count(5), r.Usage.Output)
			}
			require.Equal(t, want, r.Class, "%q", body[:n])
		}
	}
}

const reply = `{"id":"m-1","finish_reason":"COMPLETE","message":{"role":"assistant","tool_plan":"I will","content":[{"type":"thinking","thinking":"Hmm"},{"type":"text","text":"Hi"}],"tool_calls":[{"id":"t","type":"function","function":{"name":"now","arguments":"{}"}}]},` + usage + `}`

func TestWholeReply(t *testing.T) {
	t.Parallel()
	r := decode(t, exchange(200, "application/json", reply))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hi", r.Text)
	assert.Equal(t, 9, r.Reasoning)
	assert.Equal(t, "COMPLETE", r.Stop)
	assert.Equal(t, "m-1", r.RequestID)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First())
	assert.Equal(t, providers.Usage{Input: count(502), Output: count(5), CachedRead: count(448)}, r.Usage)
	assert.Equal(t, piece{providers.Tool, 5}, piece{r.Events[3].Channel, r.Events[3].Bytes}, "name and arguments")
	for n := range len(reply) {
		require.Equal(t, providers.Truncated, decode(t, exchange(200, "application/json", reply[:n])).Class, "%q", reply[:n])
	}
	for body, class := range map[string]providers.Class{
		`{"id":"m","finish_reason":"MAX_TOKENS","message":{"role":"assistant"}}`: providers.Empty,
		`{"id":"m","finish_reason":"ERROR","message":{"role":"assistant"}}`:      providers.StreamError,
		`{"id":"m","message":"internal error"}`:                                  providers.StreamError,
		`{"error":{"message":"slow","code":"rate_limit"}}`:                       providers.Throttled,
		`{"status":"ok"}`: providers.Parse,
		`[]`:              providers.Parse,
		`not JSON`:        providers.Parse,
		``:                providers.Truncated,
	} {
		assert.Equal(t, class, decode(t, exchange(200, "application/json", body)).Class, body)
	}
}

func TestReplyThatIsNoStream(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<html>\n<body>Sign in</body>\n</html>\n", "upstream is down"} {
		r := decode(t, exchange(200, "text/html", body))
		assert.Equal(t, providers.Parse, r.Class, "%q", body)
	}
	x := stream(start, text("Hi"), complete, done)
	for _, contentType := range []string{"", "text/plain"} {
		x.Header.Set("Content-Type", contentType)
		assert.Equal(t, providers.OK, decode(t, x).Class, "a stream by its bytes: %q", contentType)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		status     int
		body       string
		class      providers.Class
		detail     string
		overloaded bool
	}{
		{"throttle", 429, `{"id":"e","message":"You are using a Trial key"}`, providers.Throttled, "You are using a Trial key", false},
		{"token", 498, `{"id":"e","message":"invalid token"}`, providers.HTTP4xx, "invalid token", false},
		{"closed", 499, `{"message":"client closed request"}`, providers.HTTP4xx, "client closed request", false},
		{"unavailable", 503, `{"id":"e","message":"busy"}`, providers.HTTP5xx, "busy", true},
		{"internal", 500, `{"id":"e","message":"boom"}`, providers.HTTP5xx, "boom", false},
		{"invalid", 400, `{"id":"e","message":"invalid request"}`, providers.HTTP4xx, "invalid request", false},
		{"a page", 502, `<html>`, providers.HTTP5xx, "", false},
		{"no body", 429, ``, providers.Throttled, "", false},
	} {
		x := exchange(c.status, "application/json", c.body)
		x.Header.Set("Retry-After", "2")
		r := decode(t, x)
		assert.Equal(t, c.class, r.Class, c.name)
		assert.Equal(t, c.detail, r.Detail, c.name)
		assert.Empty(t, r.Code, "Cohere's errors have no names")
		assert.Equal(t, c.overloaded, r.Overloaded, c.name)
		assert.Equal(t, wire.At(2*time.Second), r.RetryAfter)
		assert.Empty(t, r.Events)
	}
	assert.Equal(t, providers.Parse, decode(t, exchange(307, "", "")).Class)
}

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, event  string
		class        providers.Class
		code, detail string
	}{
		{"the generation failed", end(`"finish_reason":"ERROR","error":"model crashed"`), providers.StreamError, "ERROR", "model crashed"},
		{"without a word", end(`"finish_reason":"ERROR"`), providers.StreamError, "ERROR", ""},
		{"toxic", end(`"finish_reason":"ERROR_TOXIC"`), providers.StreamError, "ERROR_TOXIC", ""},
		{"too late", end(`"finish_reason":"TIMEOUT"`), providers.StreamError, "TIMEOUT", ""},
		{"an error beside another reason", end(`"finish_reason":"COMPLETE","error":"lost"`), providers.StreamError, "COMPLETE", "lost"},
		{"an event of its own", `{"type":"error","message":"boom"}`, providers.StreamError, "", "boom"},
		{"without a type", `{"id":"e","message":"boom"}`, providers.StreamError, "", "boom"},
		{"nested", `{"error":{"message":"slow","code":"rate_limit"}}`, providers.Throttled, "rate_limit", "slow"},
		{"beside a delta", `{"type":"content-delta","error":{"message":"boom"},"delta":{"message":{"content":{"text":"x"}}}}`, providers.StreamError, "", "boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(start, text("Hello"), c.event, done))
			assert.Equal(t, c.class, r.Class)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.detail, r.Detail)
			assert.Equal(t, wire.At(30*ms), r.End, "the error ended the stream")
			assert.Equal(t, wire.At(20*ms), r.First())
			assert.Equal(t, "Hello", r.Text)
			assert.Equal(t, c.class, decode(t, stream(c.event)).Class, "as the first event")
		})
	}
	r := decode(t, stream(text("Hi"), end(`"finish_reason":"COMPLETE","error":null`), done))
	assert.Equal(t, providers.OK, r.Class, "no error is no error")
}

func TestNoResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		class providers.Class
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, providers.Connect},
		{context.DeadlineExceeded, providers.Timeout},
		{context.Canceled, providers.Canceled},
		{nil, providers.Connect},
	} {
		x := exchange(0, "", "")
		x.Err = c.err
		assert.Equal(t, c.class, decode(t, x).Class)
	}
}

// An event that is named an error is one, whatever is in it and follows it.
func TestErrorByTheNameOfAnEvent(t *testing.T) {
	t.Parallel()
	const failure = "event: error\ndata: {\"message\":\"rate limited\",\"code\":\"rate_limit_exceeded\"}\n\n"
	r := decode(t, exchange(200, sse, block(start)+block(text("Hi"))+failure+block(complete)+block(done)))
	assert.Equal(t, providers.Throttled, r.Class)
	assert.Equal(t, "rate_limit_exceeded", r.Code)
	assert.Equal(t, "Hi", r.Text)
}

func TestTerminalEvents(t *testing.T) {
	t.Parallel()
	reply := func(status int, contentType string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}}
	}
	assert.Nil(t, cohere.End(reply(429, sse)))
	assert.Nil(t, cohere.End(reply(200, "application/json")))
	for last, want := range map[string]bool{
		block(done):              true,
		block(complete):          false,
		block(blockOff):          false,
		block(text("error")):     false,
		block(text(`\"error\"`)): false,
		block(`{"type":"content-delta","error":null}`):           false,
		block(`{"type":"content-delta","error":{}}`):             false,
		block(`{"type":"error","message":"boom"}`):               true,
		block(`{"id":"e","message":"boom"}`):                     true,
		block(`{"id":"e","error": {"message":"boom"}}`):          true,
		block(`{"error":"boom"}`):                                true,
		block(`{"x":1}`):                                         false,
		"event: error\ndata: {\"message\":\"rate limited\"}\n\n": true,
	} {
		reached := cohere.End(reply(200, sse+"; charset=utf-8"))
		before := block(start) + block(text("Hi"))
		require.False(t, reached([]byte(before)))
		assert.Equal(t, want, reached([]byte(before+last)), last)
	}
}
