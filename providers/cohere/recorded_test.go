package cohere_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/wire"
)

func TestDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] != "cohere" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s/%d bytes a read", r["file"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, "https://api.cohere.com/v2/chat", step)
				got := decode(t, x)
				require.Equal(t, providers.OK, got.Class, got.Detail)
				assert.Equal(t, r.Int(t, "n_events"), got.Frames)
				r.CheckContent(t, got, step)
				assert.Equal(t, r["stop"], got.Stop)
				assert.Equal(t, r["request_id"], got.RequestID)
				assert.Equal(t, "[DONE]", r["end_marker"])
				assert.Equal(t, wire.At(x.Marks[len(x.Marks)-1].At), got.End, "[DONE]")
				assert.False(t, got.ServerLatency.Known())
				want := providers.Usage{
					Input:      r.Count(t, "input_tokens"),
					Output:     r.Count(t, "output_tokens"),
					CachedRead: r.Count(t, "cached_input"),
				}
				if strings.Contains(r["file"], "thinking") {
					want.Reasoning = count(28) // which the manifest leaves out
				}
				assert.Equal(t, want, got.Usage)
			})
		}
	}
	assert.Equal(t, 3, checked, "the manifest's Cohere streams")
}

// A stream that is cut anywhere is not taken for a whole one before the end of its
// message.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		if r["api"] != "cohere" {
			continue
		}
		body := string(r.Body(t))
		t.Run(r["file"], func(t *testing.T) {
			t.Parallel()
			whole := strings.Index(body, "\n\ndata: [DONE]")
			require.Positive(t, whole)
			for n := max(0, whole-600); n < len(body); n++ {
				got := cohere.Decoder{}.Decode(exchange(200, sse, body[:n]))
				inside := n > whole+2 && n < len(strings.TrimRight(body, "\n")) // of [DONE]
				want := providers.Truncated
				if n >= whole && !inside {
					want = providers.OK
				}
				require.Equal(t, want, got.Class, "%d of %d bytes", n, len(body))
			}
		})
	}
}
