package ollama_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

func TestEndsOfStreams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		class providers.Class
		end   int // index of the line that ends the stream; −1 is the end of the body
	}{
		{"done", []string{hello, chatEnd}, providers.OK, 1},
		{"done with content", []string{whole}, providers.OK, 0},
		{"not done", []string{hello, hello}, providers.Truncated, -1},
		{"no content", []string{chatEnd}, providers.Empty, 0},
		{"loaded, not asked", []string{`{"model":"m","message":{"role":"assistant","content":""},"done_reason":"load","done":true}`}, providers.Empty, 0},
		{"nothing", nil, providers.Truncated, -1},
		{"empty lines", []string{"", hello, "", chatEnd, ""}, providers.OK, 3},
		{"what comes after the end", []string{hello, chatEnd, "<html>"}, providers.OK, 1},
		{"not JSON", []string{hello, "<html>"}, providers.Parse, -1},
		{"JSON of another kind", []string{hello, "[1]"}, providers.Parse, -1},
		{"broken JSON", []string{hello, `{"message":{"content":7}}`}, providers.Parse, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(c.lines...)
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
		for _, x := range []*wire.Exchange{stream(hello), exchange(200, "application/json", `{"mess`)} {
			x.Ending, x.Err = c.ending, c.err
			assert.Equal(t, c.class, decode(t, x).Class, "%v %v", c.ending, c.err)
		}
		x := stream(hello, chatEnd)
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, providers.OK, decode(t, x).Class, "the last line had come: %v %v", c.ending, c.err)
	}
}

func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	for _, newline := range []string{"\n", "\r\n"} {
		body := strings.ReplaceAll(string(stream(thought, content("東京 🐌"), chatEnd).Body), "\n", newline)
		whole := len(strings.TrimRight(body, "\r\n"))
		for n := range len(body) + 1 {
			r := decode(t, exchange(200, ndjson, body[:n]))
			want := providers.Truncated
			if n >= whole {
				want = providers.OK
				require.Equal(t, "東京 🐌", r.Text)
				require.Equal(t, count(50), r.Usage.Output)
			}
			require.Equal(t, want, r.Class, "%q", body[:n])
		}
	}
	literal := strings.Index(whole, "true")
	for n := range len(whole) {
		class := decode(t, exchange(200, "application/json", whole[:n])).Class
		if n > literal && n < literal+len("true") {
			require.NotEqual(t, providers.OK, class, "%q", whole[:n])
		} else {
			require.Equal(t, providers.Truncated, class, "%q", whole[:n])
		}
	}
}

func TestWholeReply(t *testing.T) {
	t.Parallel()
	r := decode(t, exchange(200, "application/json; charset=utf-8", whole))
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hello", r.Text)
	assert.Equal(t, 3, r.Reasoning)
	assert.Equal(t, "stop", r.Stop)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First())
	assert.Equal(t, providers.Usage{Input: count(17), Output: count(50)}, r.Usage)
	assert.Equal(t, wire.At(1897385625), r.ServerLatency)
	for body, class := range map[string]providers.Class{
		`{"model":"m","response":"Hi","done":true}`:         providers.OK,
		"{\n  \"response\": \"Hi\",\n  \"done\": true\n}\n": providers.OK,
		hello + "\n" + chatEnd + "\n":                       providers.OK,        // lines by another name
		hello:                                               providers.Truncated, // after its first line
		hello + "\n":                                        providers.Truncated,
		hello + "\n{\"mess":                                 providers.Truncated,
		`{"message":{"content":"Hi"}}`:                      providers.Parse,
		`{"error":"boom"}`:                                  providers.StreamError,
		`{"status":"ok"}`:                                   providers.Parse,
		`[]`:                                                providers.Parse,
		`not JSON`:                                          providers.Parse,
		``:                                                  providers.Truncated,
	} {
		assert.Equal(t, class, decode(t, exchange(200, "application/json", body)).Class, body)
	}
}

func TestReplyThatIsNoStream(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<html>\n<body>Sign in</body>\n</html>\n", "upstream is down", "data: {}\n\n"} {
		r := ollama.Decoder{}.Decode(exchange(200, "text/html", body))
		assert.Equal(t, providers.Parse, r.Class, "%q", body)
		assert.Contains(t, r.Detail, "text/html")
	}
	x := stream(hello, chatEnd)
	for _, contentType := range []string{"", "text/plain", "application/jsonl"} {
		x.Header.Set("Content-Type", contentType)
		assert.Equal(t, providers.OK, ollama.Decoder{}.Decode(x).Class, "lines by their bytes: %q", contentType)
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
		{"busy", 503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, providers.HTTP5xx, "server busy, please try again.  maximum pending requests exceeded", true},
		{"ollama.com's limit", 429, `{"error":"too many concurrent requests"}`, providers.Throttled, "too many concurrent requests", false},
		{"no such model", 404, `{"error":"model 'm' not found"}`, providers.HTTP4xx, "model 'm' not found", false},
		{"no model", 400, `{"error":"model is required"}`, providers.HTTP4xx, "model is required", false},
		{"internal", 500, `{"error":"llama runner process has terminated"}`, providers.HTTP5xx, "llama runner process has terminated", false},
		{"a page", 404, `404 page not found`, providers.HTTP4xx, "", false},
	} {
		x := exchange(c.status, "application/json", c.body)
		x.Header.Set("Retry-After", "2")
		r := decode(t, x)
		assert.Equal(t, c.class, r.Class, c.name)
		assert.Equal(t, c.detail, r.Detail, c.name)
		assert.Equal(t, c.overloaded, r.Overloaded, c.name)
		assert.Equal(t, wire.At(2*time.Second), r.RetryAfter)
		assert.Empty(t, r.Events)
	}
	assert.Equal(t, providers.Parse, decode(t, exchange(307, "", "")).Class)
}

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for line, detail := range map[string]string{
		`{"error":"unexpected EOF"}`:               "unexpected EOF",
		`{"model":"m","error":{"message":"boom"}}`: "boom",
		`{"error":"boom","done":true}`:             "boom",
		`{"error":{"code":"x","message":"upset"}}`: "upset",
	} {
		r := decode(t, stream(hello, line, chatEnd))
		assert.Equal(t, providers.StreamError, r.Class, line)
		assert.Equal(t, detail, r.Detail, line)
		assert.Equal(t, wire.At(20*ms), r.End, "the error ended the stream")
		assert.Equal(t, wire.At(10*ms), r.First())
		assert.Equal(t, "Hello", r.Text)
		assert.Equal(t, providers.StreamError, decode(t, stream(line)).Class, "as the first line: %s", line)
		assert.Equal(t, providers.StreamError, decode(t, exchange(200, ndjson, line)).Class, "without LF: %s", line)
	}
	assert.Equal(t, providers.Truncated, decode(t, stream(hello, "")).Class)
	assert.Equal(t, providers.OK, decode(t, stream(hello, end(`,"error":null`))).Class, "no error is no error")
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
