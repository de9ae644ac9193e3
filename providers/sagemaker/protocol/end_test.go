package protocol_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// endOf returns at which byte StreamEnd sees the end, fed with step bytes more a
// call; -1 when never.
func endOf(body []byte, step int) int {
	ended := protocol.StreamEnd()
	for n := 0; ; n = min(n+step, len(body)) {
		if ended(bytes.Clone(body[:n])) { // the transport moves its buffer
			return n
		}
		if n == len(body) {
			return -1
		}
	}
}

func TestStreamEndsWithItsContainer(t *testing.T) {
	t.Parallel()
	parts := func(text string, size int) []byte {
		var body []byte
		for _, content := range inParts(text, size) {
			body = append(body, part(t, content)...)
		}
		return body
	}
	for _, c := range []struct {
		name string
		body []byte
		ends bool
	}{
		{"nothing", nil, false},
		{"blanks", parts("\n\n", 1), false},
		{"chat", parts(sse(role, olá, finish, "[DONE]"), 50), true},
		{"chat, its end cut over parts", parts(sse(role, olá, finish, "[DONE]"), 3), true},
		{"chat without [DONE]", parts(sse(role, olá, finish), 50), false},
		{"an error", parts(sse(role, `{"error":{"message":"no"}}`), 50), true},
		{"TGI", parts(sse(token1, tokenEOS), 50), true},
		{"TGI goes on", parts(sse(token1, token2), 50), false},
		{"TGI in lines", parts(lines(token1, tokenEOS), 50), true},
		{"lines of chat", parts(lines(role, olá, finish, usage), 50), false},
		{"text that quotes the end", parts(sse(`{"choices":[{"delta":{"content":"data: [DONE]\n\n"}}]}`), 50), false},
		{"an exception", append(parts(sse(role), 50), exception(t, "ModelStreamError", `{}`)...), true},
		{"corrupt", append([]byte{0, 0, 0, 16, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, parts(sse("[DONE]"), 50)...), false},
		{"no event stream", []byte("<html>blocked by the proxy</html>"), false},
	} {
		for _, step := range []int{1, 7, 1000} {
			got := endOf(c.body, step)
			if !c.ends {
				assert.Equal(t, -1, got, "%s, %d bytes a read", c.name, step)
				continue
			}
			assert.Equal(t, len(c.body), got, "%s, %d bytes a read: the last part completes it", c.name, step)
		}
	}
}

// Whatever the container streams and however it falls into parts: decoding does not
// panic, events are in order and within the body, and where StreamEnd sees the end,
// more bytes do not change what is decoded.
func FuzzStream(f *testing.F) {
	for _, c := range containers {
		f.Add([]byte(c.stream), c.contentType, 7, 100)
	}
	f.Add([]byte(`[{"generated_text":"Hi"}]`), "application/json", 5, 3)
	f.Add([]byte("data: {\"error\":\"no\"}\n\n"), "", 100, 1)
	f.Fuzz(func(t *testing.T, stream []byte, contentType string, size, step int) {
		size, step = max(1, size), min(max(1, step), 1<<20) // the sum of offset and step is an int
		if len(stream)/size > 2000 {
			size = len(stream) / 2000
		}
		var body []byte
		for _, content := range inParts(string(stream), size) {
			body = append(body, part(t, content)...)
		}
		step = max(step, len(body)/500+1) // the check clones the body for each
		x := reads(contentType)
		x.Body = body
		for end := 0; end < len(body); {
			end = min(end+step, len(body))
			x.Marks = append(x.Marks, wire.Mark{End: int64(end), At: time.Duration(end)})
		}
		r := decodeCheaply(t, x)
		check(t, x, r)
		if end := endOf(body, step); end >= 0 {
			cut := *x
			cut.Body = body[:end]
			for i, mark := range x.Marks {
				if mark.End >= int64(end) {
					cut.Marks = x.Marks[:i+1]
					break
				}
			}
			cut.Ending = wire.EndTerminal
			c := protocol.Stream{}.Decode(&cut)
			unreadable := func(r *providers.Response) bool { return r.Class == providers.Parse || r.Class == providers.Truncated }
			if unreadable(c) && unreadable(r) {
				return
			}
			if c.Class != r.Class || c.Text != r.Text {
				t.Errorf("cut at %d: %s %q, whole: %s %q", end, c.Class, c.Text, r.Class, r.Text)
			}
		}

		unary := reads("", stream)
		unary.Path = "/endpoints/e/invocations"
		unary.Header = http.Header{"Content-Type": {contentType}}
		check(t, unary, decodeCheaply(t, unary))
	})
}

// decodeCheaply decodes within a bound: 64 times the body, of which a decoder of
// the container's words sees each byte several times, and one MiB.
func decodeCheaply(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := protocol.Stream{}.Decode(x)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(1<<20+64*len(x.Body)) {
		t.Errorf("%d bytes allocated for %d bytes", n, len(x.Body))
	}
	return r
}

func check(t *testing.T, x *wire.Exchange, r *providers.Response) {
	t.Helper()
	if r.Class == "" {
		t.Error("no class")
	}
	if r.Class == providers.OK && len(r.Events) == 0 {
		t.Error("ok without content")
	}
	for i, e := range r.Events {
		if read, at := x.ReadOf(e.End); e.End <= 0 || e.End > int64(len(x.Body)) || read != e.Read || at != wire.At(e.At) || e.Frame >= r.Frames || e.Bytes <= 0 {
			t.Errorf("impossible event %+v: the read is %d", e, read)
		}
		if i > 0 && (e.Frame < r.Events[i-1].Frame || e.End < r.Events[i-1].End || e.At < r.Events[i-1].At) {
			t.Errorf("event %d is out of order", i)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data := []string{role}
	for range 3000 {
		data = append(data, olá)
	}
	x := parted(b, "text/event-stream", inParts(sse(append(data, finish, usage, "[DONE]")...), 300)...)
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if r := (protocol.Stream{}).Decode(x); r.Class != providers.OK {
			b.Fatal(r.Class, r.Detail)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3000, "ns/event")
}

func BenchmarkStreamEnd(b *testing.B) {
	var body []byte
	var reads []int
	for range 500 {
		body = append(body, part(b, sse(olá))...)
		reads = append(reads, len(body))
	}
	b.ReportAllocs()
	for b.Loop() {
		ended := protocol.StreamEnd()
		for _, n := range reads {
			if ended(body[:n]) {
				b.Fatal("ended")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/read")
}

func ExampleStream() {
	body := []byte(`[{"generated_text":"Hello."}]`)
	x := &wire.Exchange{
		Method: http.MethodPost, Path: "/endpoints/my-llama/invocations", Status: 200,
		Body: body, Marks: []wire.Mark{{End: int64(len(body)), At: 480 * time.Millisecond}}, Ending: wire.EndEOF,
	}
	r := protocol.Stream{}.Decode(x)
	first, _ := r.First().Get()
	fmt.Println(r.Class, r.Model, first, r.Text)
	// Output: ok my-llama 480ms Hello.
}
