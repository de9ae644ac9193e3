package openai_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

const endpoint = "https://api.openai.com/v1/chat/completions"

func TestChatDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] != "openai.chat" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s/%s#%s/%d bytes a read", r["provider"], r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, endpoint, step)
				got := decode(t, x)
				checkEnding(t, r, x, got)
				r.CheckContent(t, got, step)
				checkUsage(t, r, got)
			})
		}
	}
	assert.GreaterOrEqual(t, checked, 25, "the manifest's chat streams")
}

func checkEnding(t *testing.T, r recorded.Response, x *wire.Exchange, got *providers.Response) {
	t.Helper()
	if r["request_id"] != "" {
		assert.Equal(t, r["request_id"], got.RequestID)
	} else {
		assert.NotEmpty(t, got.RequestID, "the id in the body stands in")
	}
	assert.Equal(t, r["stop"], got.Stop)
	assert.NotEmpty(t, got.Model)
	if r["error"] != "" {
		assert.Equal(t, providers.StreamError, got.Class, got.Detail)
		assert.NotEmpty(t, got.Detail)
		return
	}
	require.Equal(t, providers.OK, got.Class, got.Detail)
	assert.Equal(t, r.Int(t, "n_events"), got.Frames, "frames")
	end := x.End // Perplexity's streams end with the connection
	if r["end_marker"] == "[DONE]" {
		end = wire.At(x.Marks[len(x.Marks)-1].At)
	}
	assert.Equal(t, end, got.End)
}

func checkUsage(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	output := r.Count(t, "output_tokens")
	if strings.Contains(r["file"], "xai") { // the one recorded server whose completion_tokens leave reasoning out
		output = output.Plus(r.Count(t, "reasoning_tokens"))
	}
	assert.Equal(t, r.Count(t, "input_tokens"), got.Usage.Input)
	assert.Equal(t, output, got.Usage.Output)
	assert.Equal(t, r.Count(t, "cached_input"), got.Usage.CachedRead)
	assert.Equal(t, r.Count(t, "reasoning_tokens"), got.Usage.Reasoning)
}

// A stream that is cut anywhere is never taken for a whole one before its finish
// reason: on real bytes, of the shorter streams.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		size, _ := strconv.Atoi(r["body_bytes"])
		if r["api"] != "openai.chat" || r["error"] != "" || size > 2800 {
			continue
		}
		body := r.Body(t)
		t.Run(r["file"], func(t *testing.T) {
			t.Parallel()
			terminal := bytes.Index(body, []byte(`"finish_reason":"`+r["stop"]))
			if terminal < 0 {
				terminal = bytes.Index(body, []byte(`"finish_reason": "`+r["stop"]))
			}
			require.Positive(t, terminal)
			for n := range terminal {
				got := openai.Chat{}.Decode(exchange(200, textSSE, string(body[:n])))
				require.Equal(t, providers.Truncated, got.Class, "%d of %d bytes", n, len(body))
			}
		})
	}
}
