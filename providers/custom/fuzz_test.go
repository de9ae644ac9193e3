package custom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/custom"
	"github.com/latgate/latgate/providers/wire"
)

func FuzzDecode(f *testing.F) {
	endpoints := []*custom.Endpoint{
		read(f, exampleFile(f, "acme.yaml")), read(f, exampleFile(f, "lines.yaml")), read(f, whole),
		read(f, fmt.Sprintf(untilTheEnd, "sse")), read(f, fmt.Sprintf(untilTheEnd, "ndjson")),
	}
	for _, body := range []string{
		"data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"As\"}}]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3}}\n\ndata: [DONE]\n\n",
		"{\"response\":\"As\",\"done\":false}\n{\"response\":\"\",\"done\":true,\"total_duration\":5,\"eval_count\":2}\n",
		`{"answers":[{"parts":["As","sur"],"why":"end"}],"in":10}`,
		"data: {\"error\":{\"code\":429}}\n\n", "{\"t\":\"a\"}\n{\"t\":[]}", "data: {\"t\":\"a\"}\n\n", "error: {}\n\n", "<html>",
	} {
		f.Add([]byte(body), 200, 7)
		f.Add([]byte(body), 500, 1)
	}
	f.Fuzz(func(t *testing.T, body []byte, status, step int) {
		x := &wire.Exchange{Status: status, Body: body, Ending: wire.EndEOF}
		step = 1 + max(0, step)%1000
		for end := step; end < len(body)+step; end += step {
			x.Marks = append(x.Marks, wire.Mark{End: int64(min(end, len(body))), At: 1})
		}
		before := bytes.Clone(body)
		for _, e := range endpoints {
			r := e.Decode(x)
			assert.Contains(t, providers.Classes, r.Class)
			assert.True(t, slices.IsSortedFunc(r.Events, func(a, b providers.Event) int { return int(a.End - b.End) }))
			for _, event := range r.Events {
				assert.Positive(t, event.Bytes)
				assert.LessOrEqual(t, event.End, int64(len(body)))
				assert.Less(t, event.Frame, r.Frames)
			}
			assert.LessOrEqual(t, len(r.Text), 8*len(body)+8, "content is of the body")
			assert.LessOrEqual(t, len(r.Detail), 3*len(body)+4096, "a byte that is not UTF-8 takes three")
		}
		assert.Equal(t, before, x.Body)
	})
}

func exampleFile(f *testing.F, name string) string {
	f.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		f.Fatal(err)
	}
	return string(data)
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{exampleFile(f, "acme.yaml"), exampleFile(f, "lines.yaml"), whole, least, "a: &a [*a]", "body: {<<: {a: b}}", "? [a]\n: b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, yaml string) {
		e, err := custom.Read(strings.NewReader(yaml), "e.yaml")
		if err != nil {
			assert.Nil(t, e)
			assert.ErrorContains(t, err, "e.yaml")
			return
		}
		for _, fact := range e.Describe(providers.Prompt{Text: "Hi"}) {
			assert.NotEmpty(t, fact.Value, fact.Name)
		}
		r := &recorder{}
		capture := wire.NewCapture(0)
		_ = e.Through(&http.Client{Transport: r}).Send(capture.Context(t.Context()), providers.Prompt{Text: "Hi"})
		if exchanges := capture.Exchanges(); len(exchanges) > 0 {
			assert.True(t, json.Valid([]byte(r.body)))
			assert.True(t, e.Recognizes(exchanges[0]), "%s%s", exchanges[0].Host, exchanges[0].Path)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	const events = 2000
	var stream strings.Builder
	for i := range events {
		fmt.Fprintf(&stream, "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"model\":\"acme-large\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word%d \"},\"finish_reason\":null}]}\n\n", i)
	}
	stream.WriteString("data: [DONE]\n\n")
	data, err := os.ReadFile("testdata/acme.yaml")
	if err != nil {
		b.Fatal(err)
	}
	e := read(b, string(data))
	x := exchange("text/event-stream", stream.String())
	b.SetBytes(int64(len(x.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if r := e.Decode(x); r.Class != providers.OK || len(r.Events) != events {
			b.Fatal(r.Class, len(r.Events), r.Detail)
		}
	}
}
