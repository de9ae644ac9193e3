package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readEvents reads to the first error, copying what Next does not leave.
func readEvents(r io.Reader) (events []wire.SSEEvent, comments int, err error) {
	reader := wire.NewSSEReader(r)
	for {
		e, err := reader.Next()
		if err != nil {
			return events, reader.Comments(), err
		}
		e.Data = bytes.Clone(e.Data)
		events = append(events, e)
	}
}

func TestSSEReader(t *testing.T) {
	type event struct {
		raw          string // the body from Start to End
		name         string
		data         string
		noData       bool
		id           string
		other        string // "name=value" pairs, joined by |
		unterminated bool
	}
	long := strings.Repeat("0123456789abcdef", 70<<10/16)
	tests := []struct {
		name     string
		body     string
		want     []event
		comments int
	}{
		{name: "empty body"},
		{name: "blank lines only", body: "\n\r\n\r\n\n"},
		{
			name: "LF", body: "data: a\n\ndata: b\n\n",
			want: []event{{raw: "data: a\n\n", data: "a"}, {raw: "data: b\n\n", data: "b"}},
		},
		{
			name: "CRLF", body: "data: a\r\n\r\ndata: b\r\n\r\n",
			want: []event{{raw: "data: a\r\n\r\n", data: "a"}, {raw: "data: b\r\n\r\n", data: "b"}},
		},
		{
			name: "lone CR", body: "data: a\r\rdata: b\r\r",
			want: []event{{raw: "data: a\r\r", data: "a"}, {raw: "data: b\r\r", data: "b"}},
		},
		{
			name: "mixed line ends", body: "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r",
			want: []event{
				{raw: "data: a\r\n\n", data: "a"},
				{raw: "data: b\n\r\n", data: "b"},
				{raw: "data: c\r\r\n", data: "c"},
				{raw: "data: d\n\r", data: "d"},
			},
		},
		{
			name: "more than one blank line", body: "\n\ndata: a\n\n\n\ndata: b\n\n\n",
			want: []event{{raw: "data: a\n\n", data: "a"}, {raw: "data: b\n\n", data: "b"}},
		},
		{
			name: "byte order mark", body: "\ufeffdata: a\n\n",
			want: []event{{raw: "data: a\n\n", data: "a"}},
		},
		{
			name: "byte order mark before a comment", body: "\ufeff: hi\ndata: a\n\n",
			want: []event{{raw: "data: a\n\n", data: "a"}}, comments: 1,
		},
		{name: "byte order mark alone", body: "\ufeff"},
		{
			name: "byte order mark in the middle", body: "data: a\n\n\ufeffdata: b\n\n",
			want: []event{
				{raw: "data: a\n\n", data: "a"},
				{raw: "\ufeffdata: b\n\n", noData: true, other: "\ufeffdata=b"},
			},
		},
		{
			name: "half a byte order mark", body: "\xef\xbb",
			want: []event{{raw: "\xef\xbb", noData: true, other: "\xef\xbb=", unterminated: true}},
		},
		{
			name: "one space after the colon is not data", body: "data:a\n\ndata: b\n\ndata:  c\n\ndata:\td \n\n",
			want: []event{
				{raw: "data:a\n\n", data: "a"},
				{raw: "data: b\n\n", data: "b"},
				{raw: "data:  c\n\n", data: " c"},
				{raw: "data:\td \n\n", data: "\td "},
			},
		},
		{
			name: "colons in data", body: "data: {\"a\":\"b: c\"}\n\n",
			want: []event{{raw: "data: {\"a\":\"b: c\"}\n\n", data: `{"a":"b: c"}`}},
		},
		{
			name: "several data lines", body: "data: :\ndata: \ndata: Why\r\n\r\n",
			want: []event{{raw: "data: :\ndata: \ndata: Why\r\n\r\n", data: ":\n\nWhy"}},
		},
		{
			name: "empty data is data", body: "data:\n\ndata\n\ndata\ndata\n\n",
			want: []event{
				{raw: "data:\n\n"},
				{raw: "data\n\n"},
				{raw: "data\ndata\n\n", data: "\n"},
			},
		},
		{
			name: "event and ID", body: "event: output\nid: 7:0\ndata: Sure\n\ndata: more\n\nid\ndata: none\n\n",
			want: []event{
				{raw: "event: output\nid: 7:0\ndata: Sure\n\n", name: "output", id: "7:0", data: "Sure"},
				{raw: "data: more\n\n", id: "7:0", data: "more"},
				{raw: "id\ndata: none\n\n", data: "none"},
			},
		},
		{
			name: "an ID with NUL is ignored", body: "id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n",
			want: []event{
				{raw: "id: 1\ndata: a\n\n", id: "1", data: "a"},
				{raw: "id: 2\x00\ndata: b\n\n", id: "1", data: "b"},
			},
		},
		{
			name: "data before event", body: "data: {}\nevent: response.created\n\n",
			want: []event{{raw: "data: {}\nevent: response.created\n\n", name: "response.created", data: "{}"}},
		},
		{
			name: "the last event name wins", body: "event: a\nevent: b\ndata: x\n\n",
			want: []event{{raw: "event: a\nevent: b\ndata: x\n\n", name: "b", data: "x"}},
		},
		{
			name: "a block without data is no event", body: "event: ping\n\nid: 9\n\nretry: 100\n\ndata: a\n\n",
			want: []event{{raw: "data: a\n\n", id: "9", data: "a"}},
		},
		{
			name: "comments", body: ": OPENROUTER PROCESSING\n\n:\n: x\ndata: a\n: y\ndata: b\n\n: z\n\n", comments: 5,
			want: []event{{raw: "data: a\n: y\ndata: b\n\n", data: "a\nb"}},
		},
		{
			name: "error field", body: "data: a\n\nerror: {\"detail\":\"x\"}\n\n\n",
			want: []event{
				{raw: "data: a\n\n", data: "a"},
				{raw: "error: {\"detail\":\"x\"}\n\n", noData: true, other: `error={"detail":"x"}`},
			},
		},
		{
			name: "unknown fields beside data", body: "Data: no\ndata: a\n data: b\ntoken: c\n\n",
			want: []event{{
				raw:  "Data: no\ndata: a\n data: b\ntoken: c\n\n",
				data: "a", other: "Data=no| data=b|token=c",
			}},
		},
		{
			name: "body ends before the blank line", body: "data: a\n\nevent: error\ndata: b\n",
			want: []event{
				{raw: "data: a\n\n", data: "a"},
				{raw: "event: error\ndata: b\n", name: "error", data: "b", unterminated: true},
			},
		},
		{
			name: "body ends within a line", body: "data: a\r\n\r\ndata: {\"b",
			want: []event{
				{raw: "data: a\r\n\r\n", data: "a"},
				{raw: "data: {\"b", data: `{"b`, unterminated: true},
			},
		},
		{
			name: "body ends within CRLF", body: "data: a\r\n\r\ndata: b\r",
			want: []event{
				{raw: "data: a\r\n\r\n", data: "a"},
				{raw: "data: b\r", data: "b", unterminated: true},
			},
		},
		{
			name: "body ends within a field name", body: "data: a\n\nda",
			want: []event{
				{raw: "data: a\n\n", data: "a"},
				{raw: "da", noData: true, other: "da=", unterminated: true},
			},
		},
		{name: "body ends after an event name", body: "event: message_st"},
		{
			name: "raw JSON at the end", body: "data: {}\r\n\r\n{\n  \"error\": {\n    \"code\": 503\n  }\n}\n",
			want: []event{
				{raw: "data: {}\r\n\r\n", data: "{}"},
				{
					raw:    "{\n  \"error\": {\n    \"code\": 503\n  }\n}\n",
					noData: true, other: `{=|  "error"={|    "code"=503|  }=|}=`, unterminated: true,
				},
			},
		},
		{
			name: "raw JSON only", body: `{"error":{"code":429}}`,
			want: []event{{
				raw:    `{"error":{"code":429}}`,
				noData: true, other: `{"error"={"code":429}}`, unterminated: true,
			}},
		},
		{
			name: "invalid UTF-8", body: "event: \xff\ndata: \xf0\x9f\x00\n\n",
			want: []event{{raw: "event: \xff\ndata: \xf0\x9f\x00\n\n", name: "\xff", data: "\xf0\x9f\x00"}},
		},
		{
			name: "line of 70 KiB", body: "data: a\n\ndata: " + long + "\r\n\r\ndata: b\n\n",
			want: []event{
				{raw: "data: a\n\n", data: "a"},
				{raw: "data: " + long + "\r\n\r\n", data: long},
				{raw: "data: b\n\n", data: "b"},
			},
		},
	}
	for _, test := range tests {
		for feed, open := range feeds {
			t.Run(test.name+"/"+feed, func(t *testing.T) {
				events, comments, err := readEvents(open([]byte(test.body)))
				require.Equal(t, io.EOF, err)
				assert.Equal(t, test.comments, comments)
				var got []event
				for _, e := range events {
					got = append(got, event{
						raw: test.body[e.Start:e.End], name: e.Event, data: string(e.Data), noData: e.Data == nil,
						id: e.ID, other: joinFields(e.Other), unterminated: e.Unterminated,
					})
				}
				if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(event{})); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func joinFields(fields []wire.SSEField) string {
	var pairs []string
	for _, f := range fields {
		pairs = append(pairs, f.Name+"="+string(f.Value))
	}
	return strings.Join(pairs, "|")
}

func TestSSEReaderLimitsEvents(t *testing.T) {
	tests := []struct {
		name   string
		body   io.Reader
		offset int64
	}{
		{"a line", io.MultiReader(strings.NewReader("data: a\n\n"), repeated("x")), 9},
		{"a line after another", io.MultiReader(strings.NewReader("data: a\n\nevent: b\ndata:"), repeated("x")), 9},
		{"lines", io.MultiReader(strings.NewReader("data: a\n\n: b\n"), repeated("data: a line of an event without end\n")), 13},
		{"unknown fields", io.MultiReader(strings.NewReader("data: a\n\n"), repeated("<p>a paragraph of no event stream</p>\n")), 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := wire.NewSSEReader(test.body)
			_, err := reader.Next()
			require.NoError(t, err)
			for range 2 {
				_, err = reader.Next()
				var broken *wire.FrameError
				require.ErrorAs(t, err, &broken)
				assert.Equal(t, test.offset, broken.Offset)
			}
		})
	}
}

// repeated returns a reader of far more of text than an event may hold.
func repeated(text string) io.Reader {
	part := strings.Repeat(text, 1<<20/len(text))
	var parts []io.Reader
	for range 64 {
		parts = append(parts, strings.NewReader(part))
	}
	return io.MultiReader(parts...)
}

func TestSSEReaderListsSomeOfManyFields(t *testing.T) {
	body := strings.Repeat("<p>\n", 5000)
	events, _, err := readEvents(strings.NewReader(body))
	require.Equal(t, io.EOF, err)
	require.Len(t, events, 1)
	assert.Len(t, events[0].Other, 1024)
	assert.EqualValues(t, len(body), events[0].End, "the range covers what is not listed")
}

func TestSSEReaderAfterReadError(t *testing.T) {
	failure := errors.New("connection reset")
	reader := wire.NewSSEReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(failure)))
	e, err := reader.Next()
	require.NoError(t, err)
	assert.False(t, e.Unterminated)
	e, err = reader.Next()
	require.NoError(t, err)
	assert.Equal(t, "b", string(e.Data))
	assert.True(t, e.Unterminated)
	for range 2 {
		_, err = reader.Next()
		assert.Equal(t, failure, err)
	}
}

// chatBody is a body of n events like those of OpenAI's chat API.
func chatBody(n int) []byte {
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, `data: {"id":"chatcmpl-8f3k2","object":"chat.completion.chunk","created":1780944970,`+
			`"model":"gpt-5-mini-2025-08-07","service_tier":"default","system_fingerprint":"fp_9b1",`+
			`"choices":[{"index":0,"delta":{"content":" token%d"},"finish_reason":null}],"usage":null,`+
			`"obfuscation":"qL3xWb"}`+"\n\n", i)
	}
	return body.Bytes()
}

// messagesBody is a body of n events like those of Anthropic's Messages API.
func messagesBody(n int) []byte {
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, "event: content_block_delta\ndata: "+`{"type":"content_block_delta","index":0,`+
			`"delta":{"type":"text_delta","text":" token%d"}      }`+"\n\n", i)
	}
	return body.Bytes()
}

// countEvents reads body to its end and keeps nothing.
func countEvents(body []byte) (n int) {
	reader := wire.NewSSEReader(bytes.NewReader(body))
	for {
		if _, err := reader.Next(); err != nil {
			return n
		}
		n++
	}
}

func BenchmarkSSE(b *testing.B) {
	const events = 1000
	for name, body := range map[string][]byte{
		"chat":     chatBody(events),
		"messages": messagesBody(events),
		"crlf":     bytes.ReplaceAll(chatBody(events), []byte("\n"), []byte("\r\n")),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if n := countEvents(body); n != events {
					b.Fatalf("read %d events, want %d", n, events)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
		})
	}
}

// BenchmarkSSELongLine shows that a line is searched once, however many reads
// it takes.
func BenchmarkSSELongLine(b *testing.B) {
	body := []byte("data: " + strings.Repeat("x", 1<<20) + "\n\n")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.NewSSEReader(piecewise{bytes.NewReader(body), 256}).Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleSSEReader() {
	body := ": keep-alive\n\n" +
		"data: {\"text\":\"Hello\"}\n\n" +
		"event: error\ndata: {\"message\":\"overloaded\"}\n\n"
	reader := wire.NewSSEReader(strings.NewReader(body))
	for {
		e, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("bytes %d to %d: %q %s\n", e.Start, e.End, e.Event, e.Data)
	}
	// Output:
	// bytes 14 to 38: "" {"text":"Hello"}
	// bytes 38 to 83: "error" {"message":"overloaded"}
}
