package custom_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/custom"
	"github.com/latgate/latgate/providers/wire"
)

// exchange is a reply that came one line end a read, each a millisecond after the other.
func exchange(mediaType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "least.test", Path: "/chat", Proto: "HTTP/1.1", Status: http.StatusOK,
		Header: http.Header{"Content-Type": {mediaType}}, Body: []byte(body), Ending: wire.EndEOF,
	}
	for i := range body {
		if body[i] == '\n' || i == len(body)-1 {
			x.Marks = append(x.Marks, wire.Mark{End: int64(i + 1), At: time.Duration(len(x.Marks)+1) * time.Millisecond})
		}
	}
	x.End = wire.At(time.Second)
	return x
}

func read(t testing.TB, yaml string) *custom.Endpoint {
	t.Helper()
	e, err := custom.Read(strings.NewReader(yaml), "e.yaml")
	require.NoError(t, err)
	return e
}

// lines decodes lines of JSON by a file with these paths and what else it says.
func lines(t *testing.T, paths, more string, body ...string) *providers.Response {
	t.Helper()
	yaml := strings.Replace(strings.Replace(least, "  text: t", paths, 1), "done: END", more, 1)
	return read(t, yaml).Decode(exchange("application/x-ndjson", strings.Join(body, "\n")+"\n"))
}

func TestReplyThatTheFileDoesNotFit(t *testing.T) {
	t.Parallel()
	const paths = "  text: choices[*].delta.content\n  finish: finish"
	for _, c := range []struct {
		name  string
		paths string
		body  []string
		class providers.Class
		want  string
	}{
		{
			"text elsewhere", paths,
			[]string{`{"id":"a","choices":[{"delta":{"text":"Secret"}}]}`, `{"finish":"stop","usage":{"in":1}}`},
			providers.Parse, "paths.text: no line has choices[*].delta.content; what there is: choices[*].delta.text, finish, id, usage.in",
		},
		{
			"something else there", paths,
			[]string{`{"choices":[{"delta":{"content":[{"type":"text","text":"Secret"}]}}]}`, `{"finish":"stop"}`},
			providers.Parse, "paths.text: choices[*].delta.content is a list, not text; what there is: choices[*].delta.content[*].text, choices[*].delta.content[*].type, finish",
		},
		{
			"several paths", "  text: [a, b]\n  finish: finish",
			[]string{`{"c":"Secret","finish":1}`},
			providers.Parse, "paths.text: no line has a or b; what there is: c, finish",
		},
		{
			"unusual names", paths,
			[]string{`{"a b":{"x.y":"Secret"},"\u001b[31m":1,"` + strings.Repeat("n", 60) + `":[],"o":{},"finish":null}`, `{"finish":true}`},
			providers.Parse, `what there is: ["\x1b[31m"], ["a b"]["x.y"], finish, finish (null), ` + strings.Repeat("n", 40) + "… (a list), o (an object)",
		},
		{
			"no end either", paths,
			[]string{`{"text":"Secret"}`},
			providers.Truncated, "paths.text: no line has choices[*].delta.content, and none ends the reply with paths.finish, finish; what there is: text",
		},
		{
			"values that are no objects", paths,
			[]string{`"Secret"`, `[1]`},
			providers.Truncated, "what there is: $, [*]",
		},
		{
			"many names", paths,
			[]string{`{` + names(50) + `,"finish":1}`},
			providers.Parse, "n08, n09, n10, and 39 more",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := lines(t, c.paths, "", c.body...)
			assert.Equal(t, c.class, r.Class)
			assert.Contains(t, r.Detail, c.want)
			assert.NotContains(t, r.Detail, "Secret")
		})
	}
}

func names(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"n%02d":%d`, i, i))
	}
	return strings.Join(list, ",")
}

func TestReplyWithoutContentThatFits(t *testing.T) {
	t.Parallel()
	r := lines(t, "  text: t\n  finish: f", "", `{"t":""}`, `{"f":"stop"}`)
	assert.Equal(t, providers.Empty, r.Class, "there was text, and it was empty")
	assert.Empty(t, r.Detail)

	r = lines(t, "  text: t\n  finish: f\n  tool: call", "", `{"call":{"name":"f","arguments":{"a":1}}}`, `{"f":"call"}`)
	assert.Equal(t, providers.OK, r.Class, "there was content, though no text")
	assert.Equal(t, len(`{"arguments":{"a":1},"name":"f"}`), r.Events[0].Bytes)

	sse := read(t, strings.Replace(least, "ndjson", "sse", 1)).Decode(exchange("text/event-stream", "data: {\"x\":1}\n\ndata: END\n\n"))
	assert.Equal(t, providers.Parse, sse.Class)
	assert.Equal(t, "paths.text: no event has t; what there is: x", sse.Detail)

	json := read(t, strings.Replace(strings.Replace(least, "ndjson", "json", 1), "done: END", "", 1)).Decode(exchange("application/json", `{"x":1}`))
	assert.Equal(t, providers.Parse, json.Class)
	assert.Equal(t, "paths.text: the reply does not have t; what there is: x", json.Detail)
}

func TestHowAReplyEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, paths, more string
		body              []string
		class             providers.Class
		stop              string
		end               time.Duration
	}{
		{"finish", "  text: t\n  finish: f", "", []string{`{"t":"a"}`, `{"f":"stop"}`}, providers.OK, "stop", 2 * time.Millisecond},
		{"finish that says nothing", "  text: t\n  finish: f", "", []string{`{"t":"a","f":""}`, `{"f":false}`, `{"f":null}`}, providers.Truncated, "", time.Second},
		{"finish, and more after it", "  text: t\n  finish: f", "", []string{`{"t":"a"}`, `{"f":"stop"}`, `{"u":1}`}, providers.OK, "stop", 3 * time.Millisecond},
		{"finish with a stop reason of its own", "  text: t\n  finish: f\n  stop: s", "", []string{`{"t":"a"}`, `{"f":true,"s":"length"}`}, providers.OK, "length", 2 * time.Millisecond},
		{"value", "  text: t\n  finish: type", "finish_equals: end", []string{`{"type":"text","t":"a"}`, `{"type":"end"}`}, providers.OK, "end", 2 * time.Millisecond},
		{"one of several values", "  text: t\n  finish: n", "finish_equals: [2, true]", []string{`{"n":1,"t":"a"}`, `{"n":2}`}, providers.OK, "", 2 * time.Millisecond},
		{"none of the values", "  text: t\n  finish: type", "finish_equals: [end, stop]", []string{`{"type":"text","t":"a"}`, `{"type":"ending"}`}, providers.Truncated, "", time.Second},
		{"word", "  text: t\n  finish: f", "done: END", []string{`{"t":"a"}`, `{"f":"stop"}`, `END`, `{"t":"b"}`}, providers.OK, "stop", 3 * time.Millisecond},
		{"word that does not come", "  text: t\n  finish: f", "done: END", []string{`{"t":"a"}`, `{"f":"stop"}`}, providers.Truncated, "stop", time.Second},
		{"word that the file does not know", "  text: t\n  finish: f", "", []string{`{"t":"a"}`, `[DONE]`}, providers.Parse, "", time.Second},
		{"body", "  text: t\n  finish: f", "ends_with_body: true", []string{`{"t":"a"}`, `{"f":"stop"}`, `{"t":"b"}`}, providers.OK, "stop", time.Second},
		{"error after the end", "  text: t\n  finish: f", "", []string{`{"t":"a","f":1}`, `{"error":{"code":"late"}}`}, providers.StreamError, "", 2 * time.Millisecond},
		{"error that is none", "  text: t\n  finish: f", "", []string{`{"t":"a","f":1,"error":null}`, `{"error":false}`, `{"error":""}`, `{"error":0}`, `{"error":{}}`, `{"error":[]}`}, providers.OK, "", 6 * time.Millisecond},
		{"error code of 0", "  text: t\n  finish: f\n  error: error_code", "", []string{`{"error_code":0,"t":"a"}`, `{"error_code":"","t":"a","f":1}`}, providers.OK, "", 2 * time.Millisecond},
		{"error code that is one", "  text: t\n  finish: f\n  error: parts[*].error_code", "", []string{`{"t":"a","parts":[{"error_code":0},{"error_code":17}]}`}, providers.StreamError, "", time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := lines(t, c.paths, c.more, c.body...)
			assert.Equal(t, c.class, r.Class, r.Detail)
			assert.Equal(t, c.stop, r.Stop)
			assert.Equal(t, wire.At(c.end), r.End)
		})
	}
	assert.Contains(t, lines(t, "  text: t\n  finish: f", "", `[DONE]`).Detail, `say done: "[DONE]"`)
}

func TestErrorsInTheirOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		paths, body, code, detail string
		class                     providers.Class
	}{
		{"", `{"error":{"code":"bad","message":"Broken."}}`, "bad", "Broken.", providers.StreamError},
		{"", `{"error":"Broken."}`, "", "Broken.", providers.StreamError},
		{"", `{"error":503}`, "503", "", providers.StreamError},
		{"  error: code", `{"code":17,"message":"m"}`, "17", "", providers.StreamError},
		{"", `{"error":true}`, "true", "", providers.StreamError},
		{"  error: status.failure", `{"status":{"failure":{"code":"throttled","message":"Slow."}}}`, "throttled", "Slow.", providers.Throttled},
		{"  error: {path: problem, code: 'why[0]', message: text}", `{"problem":{"why":["bad"],"text":"Broken."}}`, "bad", "Broken.", providers.StreamError},
		{"  error: {path: $.problem, code: n}", `{"problem":{"n":17}}`, "17", "", providers.StreamError},
	} {
		r := lines(t, "  text: t\n"+c.paths, "done: END", `{"t":"a"}`, c.body)
		assert.Equal(t, c.class, r.Class, c.body)
		assert.Equal(t, c.code, r.Code, c.body)
		assert.Equal(t, c.detail, r.Detail, c.body)
		assert.Len(t, r.Events, 1)
	}
}

func TestWhatAReplyTellsBesideContent(t *testing.T) {
	t.Parallel()
	r := lines(t, "  text: t\n  model: m\n  request_id: meta.id", `done: END
usage: {input: u.in, output: u.out, cached: u.hit, reasoning: u.thought}
server_latency: {path: took, unit: ms}`,
		`{"t":"a","m":"m-1","meta":{"id":17},"u":{"in":5,"out":1,"hit":"many","thought":-1},"took":1}`,
		`{"t":"b","m":"","u":{"out":2.0,"in":null},"took":12.5}`, `END`)
	assert.Equal(t, "m-1", r.Model)
	assert.Equal(t, "17", r.RequestID)
	assert.Equal(t, known(5, 2, -1, -1, -1), r.Usage)
	assert.Equal(t, wire.At(12500*time.Microsecond), r.ServerLatency)

	x := exchange("application/x-ndjson", "{\"t\":\"a\"}\nEND\n")
	x.Header.Set("X-Took", " 0.25 ")
	x.Header.Set("X-Trace", "trace-1")
	r = read(t, least+"server_latency: {header: X-Took, unit: s}\nrequest_id_header: X-Trace\n").Decode(x)
	assert.Equal(t, wire.At(250*time.Millisecond), r.ServerLatency)
	assert.Equal(t, "trace-1", r.RequestID)
	x.Header.Set("X-Took", "soon")
	assert.False(t, read(t, least+"server_latency: {header: X-Took, unit: s}\n").Decode(x).ServerLatency.Known())
}

func TestUsageThatLeavesPartsOut(t *testing.T) {
	t.Parallel()
	const usage = "done: END\nusage: {input: in, output: out, cached: hit, cache_write: put, reasoning: thought, input_excludes_cache: true, output_excludes_reasoning: true}"
	r := lines(t, "  text: t", usage, `{"t":"a","in":10,"out":4,"hit":5,"put":1,"thought":2}`, `END`)
	assert.Equal(t, known(16, 6, 5, 1, 2), r.Usage)
	r = lines(t, "  text: t", usage, `{"t":"a","hit":5,"thought":2}`, `END`)
	assert.Equal(t, known(-1, -1, 5, -1, 2), r.Usage, "parts are not the whole")
}

func TestLinesThatAreLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 100_000)
	r := lines(t, "  text: t", "done: END", `{"t":"`+long+`"}`, "", `END`)
	assert.Equal(t, providers.OK, r.Class)
	assert.Equal(t, long, r.Text)
}
