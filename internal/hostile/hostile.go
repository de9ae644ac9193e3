// Package hostile checks, for fuzz tests of decoders, what holds of the response to
// any bytes:
//
//	f.Fuzz(func(t *testing.T, body []byte) {
//		r := hostile.Decode(t, acme.Decoder{}, &wire.Exchange{Status: 200, Header: header, Body: body})
//		...
//	})
package hostile

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Decode has the body of x come in reads of five bytes, and decodes it. It may
// allocate 64 bytes for each of the body's, and one MiB: lists of many empty
// elements cost most. There is one class; content has bytes, a frame of the body
// and a read that brought it; a count of 0 does not stand beside content.
func Decode(t testing.TB, d providers.Decoder, x *wire.Exchange) *providers.Response {
	t.Helper()
	const ms = time.Millisecond
	for end := 5; end < len(x.Body); end += 5 {
		x.Marks = append(x.Marks, wire.Mark{End: int64(end), At: ms})
	}
	if len(x.Body) > 0 {
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: 2 * ms})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := d.Decode(x)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(x.Body)), "bytes allocated for %d bytes", len(x.Body))

	require.True(t, slices.Contains(providers.Classes, r.Class), "class %q", r.Class)
	last := providers.Event{}
	for _, e := range r.Events {
		assert.Positive(t, e.Bytes)
		assert.GreaterOrEqual(t, e.Frame, last.Frame)
		assert.GreaterOrEqual(t, e.End, last.End)
		assert.GreaterOrEqual(t, e.At, last.At)
		assert.LessOrEqual(t, e.End, int64(len(x.Body)))
		assert.GreaterOrEqual(t, e.Read, 0)
		assert.Less(t, e.Frame, r.Frames)
		last = e
	}
	for _, c := range []providers.Count{r.Usage.Input, r.Usage.Output} {
		n, known := c.Get()
		assert.False(t, known && n == 0 && len(r.Events) > 0, "never 0 beside content")
	}
	return r
}
