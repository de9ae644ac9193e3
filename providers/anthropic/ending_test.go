package anthropic_test

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

// A stream is whole at message_stop, and by nothing else.
func TestEndsOfStreams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		events []string
		class  providers.Class
		end    int // index of the event that ends the stream; −1 is the end of the body
	}{
		{"as ever", []string{begin, textStart, ping, hello, blockStop, finish, stop}, providers.OK, 6},
		{"no ping", []string{begin, textStart, hello, blockStop, finish, stop}, providers.OK, 5},
		{"ping first", []string{begin, ping, textStart, hello, blockStop, finish, stop}, providers.OK, 6},
		{"message_stop alone", []string{hello, stop}, providers.OK, 1},
		{"a stop reason is no end", []string{begin, textStart, hello, blockStop, finish}, providers.Truncated, -1},
		{"nor is the end of a block", []string{begin, textStart, hello, blockStop}, providers.Truncated, -1},
		{"[DONE] is none either", []string{begin, hello, "data: [DONE]"}, providers.Parse, -1},
		{"nothing generated", []string{begin, finish, stop}, providers.Empty, 2},
		{"an empty block", []string{begin, textStart, delta(`"type":"text_delta","text":""`), blockStop, finish, stop}, providers.Empty, 5},
		{"only message_stop", []string{stop}, providers.Empty, 0},
		{"only pings", []string{ping, ping}, providers.Truncated, -1},
		{"only comments", []string{": keep-alive"}, providers.Truncated, -1},
		{"nothing", nil, providers.Truncated, -1},
		{"not JSON", []string{begin, hello, "data: <html>"}, providers.Parse, -1},
		{"JSON of another kind", []string{begin, hello, "data: [1]"}, providers.Parse, -1},
		{"a delta that is none", []string{begin, `{"type":"content_block_delta","delta":"x"}`}, providers.Parse, -1},
		{"text that is none", []string{begin, delta(`"type":"text_delta","text":1`)}, providers.Parse, -1},
		{"a message that is none", []string{`{"type":"message_start","message":[]}`}, providers.Parse, -1},
		{"a stop reason that is none", []string{begin, hello, `{"type":"message_delta","delta":{"stop_reason":1}}`, stop}, providers.OK, 3},
		{"names that are none", []string{`{"type":"message_start","message":{"id":1,"model":{"name":"m"},"usage":{}}}`, hello, stop}, providers.OK, 2},
		{"what comes after message_stop is ignored", []string{hello, stop, "data: <html>", hello}, providers.OK, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := stream(c.events...)
			r := decode(t, x)
			assert.Equal(t, c.class, r.Class, r.Detail)
			want := x.End
			if c.end >= 0 {
				want = wire.At(x.Marks[c.end].At)
			}
			assert.Equal(t, want, r.End)
			if c.class == providers.OK {
				assert.Equal(t, "Hello", r.Text)
			}
		})
	}
}

func TestStopReasons(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"} {
		r := decode(t, stream(begin, hello, strings.Replace(finish, "end_turn", reason, 1), stop))
		assert.Equal(t, reason, r.Stop)
		assert.Equal(t, providers.OK, r.Class, "whatever stopped the model, the reply is whole: %s", reason)
	}
	r := decode(t, stream(begin, hello, finish, `{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":6}}`, stop))
	assert.Equal(t, "end_turn", r.Stop, "null takes none back")
}

// How the bytes stopped decides the class of a stream that is not whole, and
// nothing else.
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
		x := stream(begin, hello, finish)
		x.Ending, x.Err = c.ending, c.err
		r := decode(t, x)
		assert.Equal(t, c.class, r.Class, "%v %v", c.ending, c.err)
		assert.Equal(t, wire.At(20*ms), r.First(), "times so far stay in the record")

		x = stream(begin, hello, finish, stop)
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, providers.OK, decode(t, x).Class, "message_stop had come: %v %v", c.ending, c.err)

		x = exchange(200, "application/json", `{"type":"message","content":[{"ty`)
		x.Ending, x.Err = c.ending, c.err
		assert.Equal(t, c.class, decode(t, x).Class, "a whole reply, cut: %v %v", c.ending, c.err)
	}
}

// No prefix of a stream is taken for a whole one: that takes the whole JSON of
// message_stop, though not its blank line. Counts are whole or missing.
func TestNoPrefixIsTakenForTheWhole(t *testing.T) {
	t.Parallel()
	whole := string(stream(begin, textStart, ping, hello, delta(`"type":"text_delta","text":" 東京 🐌"`), blockStop, finish, stop).Body)
	for _, newline := range []string{"\n", "\r\n", "\r"} {
		body := strings.ReplaceAll(whole, "\n", newline)
		terminal := strings.LastIndexByte(body, '}') + 1
		first := strings.Index(body, `"text":"Hello"`)
		for n := range len(body) + 1 {
			r := decode(t, exchange(200, textSSE, body[:n]))
			if n < terminal {
				require.Equal(t, providers.Truncated, r.Class, "%q", body[:n])
			} else {
				require.Equal(t, providers.OK, r.Class, "%q", body[:n])
				require.Equal(t, "Hello 東京 🐌", r.Text)
			}
			if n <= first {
				require.Equal(t, wire.Instant{}, r.First(), "%q", body[:n])
			}
			if output, known := r.Usage.Output.Get(); known {
				require.Contains(t, []int64{1, 5}, output)
			}
		}
	}
}

// Nor is a prefix of a whole JSON reply, or one of an error in a stream for
// something else than that.
func TestNoPrefixOfOtherReplies(t *testing.T) {
	t.Parallel()
	body := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`
	for n := range len(body) {
		require.Equal(t, providers.Truncated, decode(t, exchange(200, "application/json", body[:n])).Class, "%q", body[:n])
	}
	failure := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"boom\"}}"
	for n := range len(failure) + 1 {
		want := providers.Truncated
		if n == len(failure) {
			want = providers.StreamError
		}
		require.Equal(t, want, decode(t, exchange(200, textSSE, block(hello)+failure[:n])).Class, "%q", failure[:n])
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
	x := stream(begin, hello, finish, stop)
	for _, contentType := range []string{"", "text/plain", "application/octet-stream"} {
		x.Header.Set("Content-Type", contentType)
		assert.Equal(t, providers.OK, decode(t, x).Class, "a stream by its bytes: %q", contentType)
	}
	x.Header.Set("Content-Type", "application/json")
	assert.Equal(t, providers.Parse, decode(t, x).Class, "a stream that says it is none")
}
