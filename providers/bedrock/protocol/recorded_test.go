package protocol_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

func TestConverseDecodesRecordedResponses(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "bedrock" {
			continue
		}
		checked++
		operation := protocol.StreamAPI
		if strings.HasSuffix(r["api"], "converse") {
			operation = protocol.UnaryAPI
		}
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s#%s/%d bytes a read", r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/"+operation, step)
				require.True(t, protocol.Converse{}.Recognizes(x))
				got := protocol.Converse{}.Decode(x)
				if r["api"] == "bedrock.converse-stream" {
					checkStream(t, r, x, got, step)
				} else {
					checkWhole(t, r, got)
				}
				assert.Equal(t, r["request_id"], got.RequestID)
				assert.Equal(t, "amazon.nova-lite-v1:0", got.Model)
			})
		}
	}
	assert.GreaterOrEqual(t, checked, 12, "the manifest's Bedrock recordings")
}

func checkStream(t *testing.T, r recorded.Response, x *wire.Exchange, got *providers.Response, step int) {
	t.Helper()
	require.Equal(t, providers.OK, got.Class, got.Detail)
	assert.Equal(t, r.Int(t, "n_events"), got.Frames, "frames")
	r.CheckContent(t, got, step)
	checkFacts(t, r, got)
	assert.Equal(t, wire.At(x.Marks[len(x.Marks)-1].At), got.End, "the stream ends with its metadata, the last frame")
}

func checkWhole(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	if r["status"] != "200" {
		assert.Equal(t, providers.HTTP4xx, got.Class)
		assert.Equal(t, "ValidationException", got.Code)
		assert.Equal(t, "The provided model identifier is invalid.", got.Detail)
		return
	}
	assert.Equal(t, providers.OK, got.Class, got.Detail)
	checkFacts(t, r, got)
}

func checkFacts(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	assert.Equal(t, r["stop"], got.Stop)
	assert.Equal(t, r.Count(t, "output_tokens"), got.Usage.Output)
	assert.Equal(t, r.Count(t, "cached_input"), got.Usage.CachedRead)
	assert.Equal(t, r.Count(t, "cache_write"), got.Usage.CachedWrite)
	total, _ := got.Usage.Input.Get()
	read, _ := got.Usage.CachedRead.Get()
	wrote, _ := got.Usage.CachedWrite.Get()
	assert.EqualValues(t, r.Int(t, "input_tokens"), total-read-wrote, "Converse's inputTokens leave the cache out")

	var latency struct {
		LatencyMs float64
		Metrics   struct{ LatencyMs float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &latency))
	server, _ := got.ServerLatency.Get()
	assert.InDelta(t, latency.LatencyMs+latency.Metrics.LatencyMs, server.Seconds()*1000, 1e-6)
}
