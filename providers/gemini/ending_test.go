package gemini_test

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

func second(chunk string) string { return strings.Replace(chunk, `"index": 0`, `"index": 1`, 1) }

func TestEndsOfStreams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		chunks []string
		class  providers.Class
		stop   string
	}{
		{"finish reason with the last content", []string{chunk(hello, ""), last(there, "STOP", "")}, providers.OK, "STOP"},
		{"finish reason by itself", []string{chunk(hello, ""), last("", "MAX_TOKENS", "")}, providers.OK, "MAX_TOKENS"},
		{"one chunk", []string{last(hello, "STOP", "")}, providers.OK, "STOP"},
		{"chunks after the finish reason", []string{last(hello, "STOP", ""), chunk(there, ""), `{"usageMetadata": {"promptTokenCount": 9}}`}, providers.OK, "STOP"},
		{"no finish reason", []string{chunk(hello, "")}, providers.Truncated, ""},
		{"an empty finish reason", []string{last(hello, "", "")}, providers.Truncated, ""},
		{"no reason in particular", []string{last(hello, "FINISH_REASON_UNSPECIFIED", "")}, providers.Truncated, ""},
		{"nothing but usage", []string{`{"usageMetadata": {"promptTokenCount": 9}}`}, providers.Truncated, ""},
		{"safety, with content", []string{chunk(hello, ""), last("", "SAFETY", "")}, providers.OK, "SAFETY"},
		{"no content", []string{last("", "MALFORMED_FUNCTION_CALL", "")}, providers.Empty, "MALFORMED_FUNCTION_CALL"},
		{"a prompt that is refused", []string{`{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},"usageMetadata": {"promptTokenCount": 4}}`}, providers.Empty, "PROHIBITED_CONTENT"},
		{"a prompt that is rated", []string{`{"promptFeedback": {"safetyRatings": []}}`}, providers.Truncated, ""},
		{"refused in the middle", []string{chunk(hello, ""), `{"promptFeedback": {"blockReason": "OTHER"}}`}, providers.OK, "OTHER"},
		{"two candidates", []string{chunk(hello, ""), second(chunk(hello, "")), last("", "STOP", ""), second(last("", "STOP", ""))}, providers.OK, "STOP"},
		{"one of two candidates", []string{chunk(hello, ""), second(chunk(hello, "")), last("", "STOP", "")}, providers.Truncated, "STOP"},
		{"a candidate that begins after another's end", []string{last(hello, "STOP", ""), second(chunk(hello, ""))}, providers.Truncated, "STOP"},
		{"and ends", []string{last(hello, "STOP", ""), second(chunk(hello, "")), second(last("", "MAX_TOKENS", ""))}, providers.OK, "MAX_TOKENS"},
		{"names that are none", []string{strings.NewReplacer(`"r-1"`, `7`, `"gemini-2.5-flash"`, `["m"]`).Replace(last(hello, "STOP", `,"promptFeedback": "none"`))}, providers.OK, "STOP"},
		{"the same candidate twice", []string{chunk(hello, ""), last("", "STOP", ""), last("", "STOP", "")}, providers.OK, "STOP"},
		{"nothing", nil, providers.Truncated, ""},
		{"not JSON", []string{chunk(hello, ""), "<html>"}, providers.Parse, ""},
		{"JSON of another kind", []string{chunk(hello, ""), "[1]"}, providers.Parse, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for form, x := range map[string]*wire.Exchange{"events": stream(c.chunks...), "array": array(c.chunks...)} {
				if form == "array" && c.chunks == nil {
					x = pieces(jsonType, "[]")
				}
				r := decode(t, x)
				assert.Equal(t, c.class, r.Class, "%s: %s", form, r.Detail)
				assert.Equal(t, c.stop, r.Stop, form)
				assert.Equal(t, x.End, r.End, form)
			}
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
		for _, x := range []*wire.Exchange{
			stream(chunk(hello, "")),
			pieces(jsonType, "["+chunk(hello, "")),
			pieces(jsonType, "["+chunk(hello, ""), ",\r\n{\"cand"),
			pieces(jsonType, "["+last(hello, "STOP", ""), ",\r\n{\"cand"),
			exchange(200, jsonType, `{"candidates": [{`),
		} {
			x.Ending, x.Err = c.ending, c.err
			assert.Equal(t, c.class, decode(t, x).Class, "%v %v: %s", c.ending, c.err, x.Body)
		}
		for _, x := range []*wire.Exchange{
			stream(chunk(hello, ""), last("", "STOP", "")),
			pieces(jsonType, "["+chunk(hello, ""), ","+last("", "STOP", "")),
		} {
			x.Ending, x.Err = c.ending, c.err
			assert.Equal(t, providers.OK, decode(t, x).Class, "the finish reason had come: %v %v", c.ending, c.err)
		}
	}
}

// A finish reason does not make whole what is cut after it.
func TestCutAfterTheFinishReason(t *testing.T) {
	t.Parallel()
	begun := string(stream(chunk(hello, ""), last("", "STOP", "")).Body)
	for rest, class := range map[string]providers.Class{
		"":                                  providers.OK,
		"\r\n":                              providers.OK,
		": ping\r\n\r\n":                    providers.OK,
		"data:  \r\n\r\n":                   providers.OK, // blank
		"data: " + second(chunk(hello, "")): providers.Truncated,
		"data: " + second(chunk(hello, "")) + "\n\n":  providers.Truncated,
		"data: " + second(last(hello, "STOP", "")):    providers.OK, // whole but for the blank line
		"data: " + second(chunk(hello, ""))[:30]:      providers.Truncated,
		"data: {\"usageMeta":                          providers.Truncated,
		"data: {\"usageMetadata\": {}}\r\n\r\nda":     providers.Truncated,
		"data: {\"usageMetadata\": {}}\r\n\r\n: ping": providers.OK, // what is left is a comment
	} {
		assert.Equal(t, class, decode(t, exchange(200, sse, begun+rest)).Class, "%q", rest)
	}
}

// No prefix of a reply is taken for the whole: in none of its forms.
func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	chunks := []string{chunk(thought, usage1), chunk(`{"text": "東京 🐌"}`, usage1), last(there, "STOP", usage2)}
	for name, x := range map[string]*wire.Exchange{
		"events": stream(chunks...),
		"array":  array(chunks...),
		"LF":     pieces(sse, "data: "+strings.Join(chunks, "\n\ndata: ")+"\n\n"),
	} {
		body := string(x.Body)
		whole := strings.LastIndex(body, `"r-1"}`) + len(`"r-1"}`)
		for n := range len(body) + 1 {
			short := exchange(200, x.Header.Get("Content-Type"), body[:n])
			r := decode(t, short)
			want := providers.Truncated
			if n >= whole {
				want = providers.OK
				require.Equal(t, "東京 🐌 there", r.Text)
				require.Equal(t, count(45), r.Usage.Output)
			}
			require.Equal(t, want, r.Class, "%s: %q", name, body[:n])
			if n < strings.Index(body, `"r-1"}`) {
				require.Equal(t, wire.Instant{}, r.First(), "%s: %q", name, body[:n])
			}
		}
	}
	body := last(hello, "STOP", usage2)
	for n := range len(body) {
		require.Equal(t, providers.Truncated, decode(t, exchange(200, jsonType, body[:n])).Class, "%q", body[:n])
	}
}

func TestWholeReply(t *testing.T) {
	t.Parallel()
	x := exchange(200, jsonType, last(thought+","+hello, "STOP", usage2))
	x.Path = unaryPath
	r := decode(t, x)
	require.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "Hello", r.Text)
	assert.Equal(t, 3, r.Reasoning)
	assert.Equal(t, "STOP", r.Stop)
	assert.Equal(t, 1, r.Frames)
	assert.Equal(t, wire.At(500*ms), r.First(), "content came with the last byte")
	assert.Equal(t, providers.Usage{Input: count(9), Output: count(45), Reasoning: count(40)}, r.Usage)

	for body, class := range map[string]providers.Class{
		`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"now","args":{}}}]},"finishReason":"STOP"}]}`: providers.OK,
		`{"candidates":[{"finishReason":"SAFETY"}]}`:                                                               providers.Empty,
		`{"candidates":[]}`: providers.Empty,
		`{"usageMetadata":{"promptTokenCount":4},"modelVersion":"gemini-2.5"}`: providers.Empty,
		`{"promptFeedback":{"blockReason":"SAFETY"}}`:                          providers.Empty,
		`{"status":"ok"}`:       providers.Parse,
		`{}`:                    providers.Parse,
		`{"candidates":"none"}`: providers.Parse,
		`not JSON`:              providers.Parse,
		`{"error":{"code":500,"status":"INTERNAL"}}`: providers.StreamError,
		throttled: providers.Throttled,
		``:        providers.Truncated,
		`{"candidates":[{"content":{"parts":[{"text":"H"}]}`: providers.Truncated,
	} {
		assert.Equal(t, class, decode(t, exchange(200, "application/json", body)).Class, body)
	}
}

func TestReplyThatIsNoStream(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<html>\n<body>Sign in</body>\n</html>\n", "upstream is down"} {
		r := decode(t, exchange(200, "text/html", body))
		assert.Equal(t, providers.Parse, r.Class, "%q", body)
		assert.Contains(t, r.Detail, "text/html")
	}
	for body, class := range map[string]providers.Class{
		"[" + chunk(hello, "") + chunk(hello, "") + "]":  providers.Parse, // no comma
		"[" + last(hello, "STOP", "") + "}":              providers.Parse,
		"[" + last(hello, "STOP", "") + "] and the rest": providers.OK,
		"[null," + last(hello, "STOP", "") + "]":         providers.OK,
		"[":                                              providers.Truncated,
		"[,]":                                            providers.Parse,
		"[<html>]":                                       providers.Parse,
	} {
		assert.Equal(t, class, decode(t, pieces(jsonType, body)).Class, body)
	}
	x := stream(last(hello, "STOP", ""))
	for _, contentType := range []string{"", "text/plain", "application/octet-stream"} {
		x.Header.Set("Content-Type", contentType)
		assert.Equal(t, providers.OK, decode(t, x).Class, "a stream by its bytes: %q", contentType)
	}
}
