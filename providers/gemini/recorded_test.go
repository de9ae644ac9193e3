package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/gemini"
)

func TestDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] != "gemini" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s#%s/%d bytes a read", r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, "https://generativelanguage.googleapis.com"+studio+"?alt=sse", step)
				got := decode(t, x)
				require.Equal(t, providers.OK, got.Class, got.Detail)
				assert.Equal(t, r.Int(t, "n_events"), got.Frames)
				r.CheckContent(t, got, step)
				assert.Equal(t, r["stop"], got.Stop)
				assert.Equal(t, x.End, got.End, "the stream ends with the connection")
				assert.Regexp(t, "^gemini-", got.Model)
				assert.Len(t, got.RequestID, 23, "the id in the body")
				assert.Empty(t, got.Code)
				assert.False(t, got.ServerLatency.Known())

				thoughts := r.Count(t, "reasoning_tokens")
				assert.Equal(t, providers.Usage{
					Input:      r.Count(t, "input_tokens"),
					Output:     r.Count(t, "output_tokens").Plus(thoughts), // the manifest has candidates
					CachedRead: r.Count(t, "cached_input"),
					Reasoning:  thoughts,
				}, got.Usage)
			})
		}
	}
	assert.Equal(t, 5, checked, "the manifest's Gemini streams")
}

// The first chunk tells its tokens, thoughts only where they were shown.
func TestRecordedFirstCounts(t *testing.T) {
	t.Parallel()
	want := map[string]providers.Count{
		"rubyllm-gemini25flash-thoughts-hidden.yml#0": count(29), // beside 137 thoughts that nobody saw
		"fantasy-gemini25flash-thought-parts.yaml#0":  count(62), // thoughts, and no candidate yet
		"fantasy-gemini25flash-thought-parts.yaml#1":  count(4),
		"fantasy-gemini3pro.yaml#0":                   count(14),
		"otel-vertex-gemini25flash.yaml#0":            {}, // Vertex tells at the end only
	}
	for _, r := range recorded.Responses(t) {
		if r["api"] == "gemini" {
			name := r["file"] + "#" + r["interaction"]
			x := r.Capture(t, "https://generativelanguage.googleapis.com"+studio, 64)
			assert.Equal(t, want[name], decode(t, x).FirstCount, name)
		}
	}
}

// A stream that is cut anywhere is not taken for a whole one before its finish
// reason.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		if r["api"] != "gemini" {
			continue
		}
		body := r.Body(t)
		t.Run(r["file"]+"#"+r["interaction"], func(t *testing.T) {
			t.Parallel()
			terminal := strings.Index(string(body), `"finishReason": "`)
			require.Positive(t, terminal)
			whole := len(strings.TrimRight(string(body), "\r\n"))
			for n := range len(body) {
				got := gemini.Decoder{}.Decode(exchange(200, sse, string(body[:n])))
				want := providers.Truncated
				if n >= whole {
					want = providers.OK
				}
				require.Equal(t, want, got.Class, "%d of %d bytes", n, len(body))
			}
		})
	}
}
