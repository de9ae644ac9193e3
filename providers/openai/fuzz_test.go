package openai_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// Whatever bytes come, decoding neither fails nor invents: there is one class,
// content has bytes and a read that brought it, and only content is "ok".
func FuzzChat(f *testing.F) {
	f.Add(200, "text/event-stream", stream(role, hello, delta(`"reasoning":"Hmm","content":"Hi"`), finish("stop"), usage, done).Body)
	f.Add(200, "text/event-stream", stream(hello, `{"error":"boom"}`, "error: {}", "event: error\ndata: {}").Body)
	f.Add(200, "application/json", []byte(`{"choices":[{"message":{"content":[{"text":"a"}]}}],"usage":{"prompt_tokens":1}}`))
	f.Add(429, "application/json", []byte(`{"error":{"code":429}}`))
	f.Add(0, "", []byte{})
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Body = body
		for end := 5; end < len(body); end += 5 {
			x.Marks = append(x.Marks, wire.Mark{End: int64(end), At: ms})
		}
		if len(body) > 0 {
			x.Marks = append(x.Marks, wire.Mark{End: int64(len(body)), At: 2 * ms})
		}
		r := openai.Chat{}.Decode(x)
		require.True(t, slices.Contains(providers.Classes, r.Class), "class %q", r.Class)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		last := int64(0)
		for _, e := range r.Events {
			assert.Positive(t, e.Bytes)
			assert.GreaterOrEqual(t, e.End, last)
			assert.LessOrEqual(t, e.End, int64(len(body)))
			assert.GreaterOrEqual(t, e.Read, 0)
			last = e.End
		}
		for _, c := range []providers.Count{r.Usage.Input, r.Usage.Output} {
			n, known := c.Get()
			assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
		}
	})
}
