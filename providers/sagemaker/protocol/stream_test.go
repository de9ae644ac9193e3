package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// However the container's bytes fall into parts, and parts into reads: an event has
// the time of the read that brought the last byte of the part that completed it.
func TestPartsFallAnywhere(t *testing.T) {
	t.Parallel()
	for _, c := range containers {
		for _, size := range []int{1, 2, 7, 64, 1000, len(c.stream)} {
			t.Run(fmt.Sprintf("%s/%d bytes a part", c.name, size), func(t *testing.T) {
				t.Parallel()
				x := parted(t, c.contentType, inParts(c.stream, size)...)
				r := protocol.Stream{}.Decode(x)
				require.Equal(t, providers.OK, r.Class, r.Detail)
				assert.Equal(t, c.content, contentOf(r))
				assert.Equal(t, "Olá 世界", r.Text)
				assert.Equal(t, c.stop, r.Stop)
				assert.Equal(t, c.usage, r.Usage)
				assert.Equal(t, c.frames, r.Frames)
				assert.Equal(t, "sagemaker", r.Provider)
				assert.Equal(t, "invoke-endpoint-stream", r.API)
				assert.Equal(t, "my-llama", r.Model)
				assert.Equal(t, "r-1", r.RequestID)
				for i, word := range []string{"Olá", "世界"} {
					e := r.Events[i]
					line := strings.Index(c.stream, word)
					end := line + strings.IndexByte(c.stream[line:], '\n') + 1
					if strings.Contains(c.stream, "data:") {
						end++ // the blank line
					}
					completed := (end - 1) / size // the index of the part
					assert.Equal(t, time.Duration(completed+1)*10*ms, e.At)
					assert.Equal(t, completed, e.Read)
					assert.Equal(t, x.Marks[completed].End, e.End, "just past the part")
				}

				for _, bytesPerRead := range []int{1, 7, 64} {
					y := *x
					y.Marks = nil
					for end := 0; end < len(x.Body); {
						end = min(end+bytesPerRead, len(x.Body))
						y.Marks = append(y.Marks, wire.Mark{End: int64(end), At: time.Duration(end) * time.Microsecond})
					}
					s := protocol.Stream{}.Decode(&y)
					require.Equal(t, providers.OK, s.Class, s.Detail)
					require.Len(t, s.Events, len(r.Events))
					for i, e := range s.Events {
						assert.Equal(t, r.Events[i].End, e.End)
						assert.Equal(t, (int(e.End)-1)/bytesPerRead, e.Read)
					}
				}
			})
		}
	}
}

// No prefix is whole before the container's own end is there, and each has a class.
func TestStreamCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, c := range containers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var whole []byte
			terminal := 0 // offset of the part that holds the terminal event's end
			last := strings.Index(c.stream, `"finish_reason":"`)
			for _, content := range inParts(c.stream, 100) {
				if last < 0 || len(content) <= last {
					terminal = len(whole)
				}
				last -= len(content)
				whole = append(whole, part(t, content)...)
			}
			x := reads(c.contentType, whole)
			for n := range len(whole) {
				if n < terminal && n%7 != 0 {
					continue // one part is cut as another
				}
				x.Body = whole[:n]
				x.Marks = []wire.Mark{{End: int64(n), At: time.Second}}
				r := protocol.Stream{}.Decode(x)
				if n <= terminal && r.Class != providers.Truncated || r.Class != providers.Truncated && r.Class != providers.OK {
					t.Fatalf("%d of %d bytes, the end is in the part from %d: %s: %s", n, len(whole), terminal, r.Class, r.Detail)
				}
			}
		})
	}
}

func TestEndings(t *testing.T) {
	t.Parallel()
	chat := sse(role, olá)
	done := sse(role, olá, finish, "[DONE]")
	broken := exception(t, "ModelStreamError", `{"Message":"The container died.","ErrorCode":"StreamBroken"}`)
	for _, c := range []struct {
		name   string
		x      *wire.Exchange
		class  providers.Class
		code   string
		detail string
		events int
	}{
		{"the container dies", reads("", part(t, chat), broken), providers.StreamError, "ModelStreamError", "The container died.", 1},
		{"in the midst of an event", reads("", part(t, chat), part(t, `data: {"id":`), broken), providers.StreamError, "ModelStreamError", "The container died.", 1},
		{"before it says anything", reads("", broken), providers.StreamError, "ModelStreamError", "The container died.", 0},
		{"after it said everything", reads("", part(t, done), broken), providers.StreamError, "ModelStreamError", "The container died.", 1},
		{"SageMaker fails", reads("", part(t, chat), exception(t, "InternalStreamFailure", `{"Message":"no"}`)), providers.StreamError, "InternalStreamFailure", "no", 1},
		{"throttled in the stream", reads("", part(t, chat), exception(t, "ThrottlingException", `{"message":"Rate exceeded"}`)), providers.Throttled, "ThrottlingException", "Rate exceeded", 1},
		{"an error that is not modelled", reads("", part(t, chat), message(t, "", ":error-code", "InternalFailure", ":error-message", "no", ":message-type", "error")), providers.StreamError, "InternalFailure", "no", 1},
		{"the container reports an error", parted(t, "", chat, sse(`{"error":{"message":"out of memory","code":500}}`), sse("[DONE]")), providers.StreamError, "500", "out of memory", 1},
		{"TGI is overloaded at once", parted(t, "", `data:{"error":"Model is overloaded","error_type":"overloaded"}`+"\n\n"), providers.Throttled, "overloaded", "Model is overloaded", 0},
		{"cut in a part after the end", reads("", part(t, done), part(t, "more")[:9]), providers.Truncated, "", "", 1},
		{"parts without content", reads("", part(t, "")), providers.Truncated, "", "", 0},
		{"no parts", reads(""), providers.Truncated, "", "", 0},
		{"comments alone", parted(t, "", ": ping\n\n"), providers.Truncated, "", "", 0},
		{"the end alone", parted(t, "", sse("[DONE]")), providers.Empty, "", "", 0},
		{"no content", parted(t, "", sse(role, finish, "[DONE]")), providers.Empty, "", "", 0},
		{"an event of a later time", reads("", message(t, "{}", ":event-type", "Later", ":message-type", "event"), part(t, done)), providers.OK, "", "", 1},
		{"a wrong checksum", reads("", part(t, done), append(bytes.Clone(part(t, "x")[:len(part(t, "x"))-1]), 0)), providers.Parse, "", "checksum", 1},
		{"no event stream", func() *wire.Exchange {
			x := reads("", []byte("<html>"))
			x.Header.Set("Content-Type", "text/html")
			return x
		}(), providers.Parse, "", "got text/html", 0},

		{"plain text", parted(t, "text/plain", "Once upon", " a time"), providers.Parse, "", `neither server-sent events nor JSON, but "text/plain"`, 0},
		{"words in events", parted(t, "text/event-stream", sse("Once", "upon")), providers.Parse, "", "no JSON objects", 0},
		{"numbers in events", parted(t, "text/event-stream", sse("1", "2")), providers.Parse, "", "no JSON objects", 0},
		{"lines of no kind that is known", parted(t, "", lines(`{"outputs":["Once"],"mood":1}`, `{"outputs":["upon"]}`)), providers.Parse, "", "{mood, outputs}", 0},
		{"numbers in a list", parted(t, "", "[0.1,0.2]"), providers.Parse, "", "", 0},
		{"of no kind, cut in the first event", parted(t, "", `data: {"outp`), providers.Truncated, "", "", 0},
		{"cut in the first bytes", parted(t, "", `da`), providers.Truncated, "", "", 0},
		{"another's type", parted(t, "text/event-stream", "hello: world\n\n"+done), providers.OK, "", "", 1},

		{"a container that does not stream", parted(t, "application/json", `{"object":"chat.completion","choices":[{"message":{"content":"Hi"},"fini`, `sh_reason":"stop"}]}`), providers.OK, "", "", 1},
		{"nor does this one, over several lines", parted(t, "application/json", "{\n \"object\": \"chat.completion\",\n", "\"choices\":[{\"message\":{\"content\":\"Hi\"}}]}"), providers.OK, "", "", 1},
		{"nor this one", parted(t, "application/json", `[{"generated_text":"Hi"}]`), providers.OK, "", "", 1},
		{"nor this one, cut", parted(t, "application/json", `[{"generated_text":"Hi`), providers.Truncated, "", "", 0},
		{"nor this one, an object", parted(t, "application/json", `{"generated_text":"Hi"}`), providers.OK, "", "", 1},
		{"the last line without its end", parted(t, "", strings.TrimSpace(lines(token1, tokenEOS))), providers.OK, "", "", 1},
		{"an invalid character", parted(t, "", sse("{\"object\":\"chat.completion.chunk\",\"choices\":[{\"delta\":{\"content\":\"\xff\"},\"finish_reason\":\"stop\"}]}")), providers.OK, "", "", 1},
		{"a long event", parted(t, "", inParts(sse(strings.Replace(olá, "Olá", strings.Repeat("ä", 100_000), 1), finish), 4096)...), providers.OK, "", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := protocol.Stream{}.Decode(c.x)
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.code, r.Code)
			assert.Contains(t, r.Detail, c.detail)
			assert.Len(t, r.Events, c.events)
			assert.Equal(t, "sagemaker", r.Provider)
			assert.Equal(t, "invoke-endpoint-stream", r.API)
			assert.NotContains(t, r.Detail, "Once", "content is not quoted")
		})
	}
}

func TestWhenTheStreamEnds(t *testing.T) {
	t.Parallel()
	x := parted(t, "", sse(role, olá), sse(finish, "[DONE]"))
	assert.Equal(t, wire.At(20*ms), protocol.Stream{}.Decode(x).End, "with the part that completes its terminal event")
	x = reads("", part(t, sse(role, olá)), exception(t, "ModelStreamError", `{}`))
	assert.Equal(t, wire.At(20*ms), protocol.Stream{}.Decode(x).End, "with the exception")
	x = parted(t, "", sse(role, olá))
	x.Ending, x.Err = wire.EndContext, context.DeadlineExceeded
	assert.Equal(t, providers.Timeout, protocol.Stream{}.Decode(x).Class)
	assert.Equal(t, x.End, protocol.Stream{}.Decode(x).End)
}

// Who hangs up at the end does not wait for the rest of a part.
func TestHangingUpAfterTheEnd(t *testing.T) {
	t.Parallel()
	x := reads("", part(t, sse(role, olá, finish, "[DONE]")), part(t, "more")[:9])
	for ending, class := range map[wire.Ending]providers.Class{
		wire.EndClosed: providers.OK, wire.EndTerminal: providers.OK, wire.EndContext: providers.OK, wire.EndFailed: providers.Truncated,
	} {
		x.Ending = ending
		assert.Equal(t, class, protocol.Stream{}.Decode(x).Class, ending)
	}
}

func TestErrorsBeforeTheStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status         int
		header, body   string
		class          providers.Class
		code           string
		overloaded     bool
		retryAfter     time.Duration
		mayTryAgain    bool
		alsoNonStreams bool
	}{
		{status: 400, header: "ValidationError:", body: `{"Message":"Endpoint x not found."}`, class: providers.HTTP4xx, code: "ValidationError"},
		{status: 400, header: "ThrottlingException", body: `{"message":"Rate exceeded"}`, class: providers.Throttled, code: "ThrottlingException"},
		{status: 429, header: "ThrottlingException", body: `{"message":"Rate exceeded"}`, class: providers.Throttled, code: "ThrottlingException"},
		{status: 429, header: "ModelNotReadyException", body: `{"Message":"loading"}`, class: providers.HTTP4xx, code: "ModelNotReadyException"},
		{status: 424, header: "ModelError", body: `{"Message":"Received client error (429) from primary","OriginalStatusCode":429,"OriginalMessage":"busy","LogStreamArn":"arn"}`, class: providers.Throttled, code: "ModelError"},
		{status: 424, header: "ModelError", body: `{"Message":"Received server error (503) from primary","OriginalStatusCode":503,"OriginalMessage":"busy"}`, class: providers.HTTP4xx, code: "ModelError", overloaded: true},
		{status: 424, header: "", body: `{"__type":"com.amazonaws.sagemaker#ModelError","Message":"no","OriginalStatusCode":500}`, class: providers.HTTP4xx, code: "ModelError"},
		{status: 500, header: "InternalFailure", body: `{"Message":"no"}`, class: providers.HTTP5xx, code: "InternalFailure"},
		{status: 503, header: "ServiceUnavailable", body: `{"Message":"no"}`, class: providers.HTTP5xx, code: "ServiceUnavailable", overloaded: true},
		{status: 530, header: "InternalDependencyException", body: `{"Message":"no"}`, class: providers.HTTP5xx, code: "InternalDependencyException"},
		{status: 502, header: "", body: `<html>Bad Gateway</html>`, class: providers.HTTP5xx},
		{status: 307, header: "", body: ``, class: providers.Parse},
	} {
		for _, path := range []string{"/endpoints/e/invocations", "/endpoints/e/invocations-response-stream"} {
			x := reads("", []byte(c.body))
			x.Path, x.Status = path, c.status
			x.Header.Set("Content-Type", "application/json")
			x.Header.Set("x-amzn-ErrorType", c.header)
			x.Header.Set("X-Amz-Retry-After", "250")
			r := protocol.Stream{}.Decode(x)
			assert.Equal(t, c.class, r.Class, "%+v", c)
			assert.Equal(t, c.code, r.Code)
			assert.Equal(t, c.overloaded, r.Overloaded)
			assert.Equal(t, wire.At(250*ms), r.RetryAfter)
			assert.Equal(t, "e", r.Model)
		}
	}
	gone := &wire.Exchange{Method: http.MethodPost, Path: "/endpoints/e/invocations", Ending: wire.EndNoReply, Err: errors.New("refused")}
	r := protocol.Stream{}.Decode(gone)
	assert.Equal(t, providers.Connect, r.Class)
	assert.Equal(t, "invoke-endpoint", r.API)
}

func TestRecordedReply(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "sagemaker" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			x := r.Capture(t, "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my-llama2-endpoint/invocations", step)
			require.True(t, protocol.Stream{}.Recognizes(x))
			got := protocol.Stream{}.Decode(x)
			assert.Equal(t, providers.OK, got.Class, got.Detail)
			assert.Equal(t, "invoke-endpoint", got.API)
			assert.Equal(t, "my-llama2-endpoint", got.Model)
			assert.Equal(t, r["request_id"], got.RequestID)
			assert.True(t, strings.HasPrefix(got.Text, "<s>[INST] <<SYS>>"))
			assert.True(t, strings.HasSuffix(got.Text, "local animal control or a wildlife"))
			assert.Equal(t, providers.Usage{}, got.Usage, "it does not tell")
			require.Len(t, got.Events, 1)
			assert.EqualValues(t, r.Int(t, "body_bytes"), got.Events[0].End)
			assert.Equal(t, x.Marks[len(x.Marks)-1].At, got.Events[0].At)
		}
	}
	assert.Equal(t, 1, checked)
}

func TestRepliesInOnePiece(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		class      providers.Class
		text, stop string
		usage      providers.Usage
	}{
		{"TGI with details", `{"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":2}}`, providers.OK, "Hi", "length", providers.Usage{Output: providers.CountOf(2)}},
		{"TGI in a list", `[{"generated_text":"Hi"}]`, providers.OK, "Hi", "", providers.Usage{}},
		{"TGI says nothing", `[{"generated_text":""}]`, providers.Empty, "", "", providers.Usage{}},
		{"chat", `{"id":"c","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}`, providers.OK, "Hi", "stop", usageOf(9, 2)},
		{"an error", `{"error":{"message":"no"}}`, providers.StreamError, "", "", providers.Usage{}},
		{"something else", `{"predictions":[[0.1]]}`, providers.Parse, "", "", providers.Usage{}},
		{"a page", `<html></html>`, providers.Parse, "", "", providers.Usage{}},
		{"cut", `{"generated_text":"Hi`, providers.Truncated, "", "", providers.Usage{}},
		{"nothing", ``, providers.Truncated, "", "", providers.Usage{}},
	} {
		x := reads("", []byte(c.body))
		x.Path = "/endpoints/e/invocations"
		x.Header.Set("Content-Type", "application/json")
		r := protocol.Stream{}.Decode(x)
		assert.Equal(t, c.class, r.Class, "%s: %s", c.name, r.Detail)
		assert.Equal(t, c.text, r.Text, c.name)
		assert.Equal(t, c.stop, r.Stop, c.name)
		assert.Equal(t, c.usage, r.Usage, c.name)
		assert.Equal(t, "invoke-endpoint", r.API)
	}
}

func TestRecognizes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/endpoints/e/invocations": true, "/endpoints/e/invocations-response-stream": true, "/proxy/endpoints/e%2Ff/invocations": true,
		"/endpoints/e/async-invocations": false, "/endpoints/e": false, "/invocations": false, "/v1/chat/completions": false,
	} {
		assert.Equal(t, want, protocol.Stream{}.Recognizes(&wire.Exchange{Method: http.MethodPost, Path: path}), path)
	}
	assert.False(t, protocol.Stream{}.Recognizes(&wire.Exchange{Method: http.MethodGet, Path: "/endpoints/e/invocations"}))
}

func TestIsSniffed(t *testing.T) {
	t.Parallel()
	x := parted(t, "", sse(role, olá, finish, "[DONE]"))
	x.Path = "/my/own/proxy"
	r := providers.Decoders{protocol.Stream{}}.Decode(x)
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "invoke-endpoint-stream", r.API)
	assert.Empty(t, r.Model)
}
