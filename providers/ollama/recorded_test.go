package ollama_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/wire"
)

func TestDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] != "ollama" {
			continue
		}
		checked++
		api := "chat"
		if strings.Contains(r["file"], "generate") {
			api = "generate"
		}
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s/%d bytes a read", r["file"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, "http://localhost:11434/api/"+api, step)
				got := decode(t, x)
				require.Equal(t, providers.OK, got.Class, got.Detail)
				assert.Equal(t, api, got.API)
				assert.Equal(t, r.Int(t, "n_events"), got.Frames)
				r.CheckContent(t, got, step)
				assert.Equal(t, r["stop"], got.Stop)
				assert.Equal(t, "llama3", got.Model)
				assert.Equal(t, wire.At(x.Marks[len(x.Marks)-1].At), got.End, "the last line")
				assert.Equal(t, providers.Usage{
					Input: r.Count(t, "input_tokens"), Output: r.Count(t, "output_tokens"),
				}, got.Usage)

				var times map[string]int64
				require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &times))
				require.Len(t, got.ServerTimes, len(times))
				for name, ns := range times {
					assert.Equal(t, wire.At(time.Duration(ns)), got.ServerTime(name), name)
				}
				assert.Equal(t, wire.At(time.Duration(times["total_duration"])), got.ServerLatency)
			})
		}
	}
	assert.Equal(t, 2, checked, "the manifest's Ollama streams")
}

// A stream that is cut anywhere is not taken for a whole one.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		if r["api"] != "ollama" {
			continue
		}
		body := string(r.Body(t))
		t.Run(r["file"], func(t *testing.T) {
			t.Parallel()
			whole := len(strings.TrimRight(body, "\n"))
			for n := max(0, whole-1200); n <= len(body); n++ {
				want := providers.Truncated
				if n >= whole {
					want = providers.OK
				}
				got := ollama.Decoder{}.Decode(exchange(200, ndjson, body[:n]))
				require.Equal(t, want, got.Class, "%d of %d bytes", n, len(body))
			}
		})
	}
}
