package protocol_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// An application inference profile's ARN: it does not tell the model's family.
const profile = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/"

func TestInvokeDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "bedrock-invoke" || !strings.Contains(r["api"], "stream/") {
			continue
		}
		checked++
		if r["event_types"] == "message_start=1 content_block_start=1 content_block_delta=5 d:input_json_delta=5 content_block_stop=1 message_delta=1 message_stop=1" {
			// The manifest counts a first tool delta of "", which is no content.
			r = maps.Clone(r)
			r["first_any_token_event"], r["first_any_token_end_off"], r["tool_deltas"] = "3", "1544", "4"
		}
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s#%s/%d bytes a read", r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x := r.Capture(t, "https://bedrock-runtime.us-east-1.amazonaws.com"+profile+"invoke-with-response-stream", step)
				require.True(t, protocol.Invoke{}.Recognizes(x))
				got := protocol.Invoke{}.Decode(x)
				require.Equal(t, providers.OK, got.Class, got.Detail)
				assert.Equal(t, "invoke-stream", got.API)
				assert.Equal(t, "arn:aws:bedrock:us-east-1:***:application-inference-profile/abc", got.Model)
				assert.Equal(t, r.Int(t, "n_events"), got.Frames, "frames")
				r.CheckContent(t, got, step)
				checkInvocation(t, r, got)

				last := x.Marks[len(x.Marks)-1].At
				if r["server_latency"] == "" { // blocked by a guardrail: the stream ends with its body
					assert.Equal(t, x.End, got.End)
				} else {
					assert.Equal(t, wire.At(last), got.End, "the last frame holds the metrics")
				}
				switch family := r["api"][strings.Index(r["api"], "/")+1:]; family {
				case "llama":
					assert.Equal(t, providers.CountOf(1), got.FirstCount, "it counts along")
				case "titan":
					assert.Equal(t, providers.CountOf(3), got.FirstCount)
				default:
					assert.False(t, got.FirstCount.Known())
				}
			})
		}
	}
	assert.Equal(t, 10, checked, "the manifest's streams")
}

// count reads a column that some recordings have as 6.0.
func count(t *testing.T, r recorded.Response, column string) providers.Count {
	t.Helper()
	if r[column] == "" {
		return providers.Count{}
	}
	n, err := strconv.Atoi(strings.TrimSuffix(r[column], ".0"))
	require.NoError(t, err)
	return providers.CountOf(int64(n))
}

func checkInvocation(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	assert.Equal(t, r["stop"], got.Stop)
	if r["request_id"] != "" {
		assert.Equal(t, r["request_id"], got.RequestID)
	} else {
		assert.Regexp(t, "^msg_bdrk_", got.RequestID, "the id in the body stands in")
	}
	for column, c := range map[string]providers.Count{
		"input_tokens": got.Usage.Input, "output_tokens": got.Usage.Output,
		"cached_input": got.Usage.CachedRead, "cache_write": got.Usage.CachedWrite, "reasoning_tokens": got.Usage.Reasoning,
	} {
		want := count(t, r, column)
		if n, _ := c.Get(); column == "cache_write" && n == 0 && !want.Known() {
			continue // Nova's record has the 0 that the manifest leaves out
		}
		assert.Equal(t, want, c, column)
	}
	var latency struct {
		Invocation *float64 `json:"invocationLatency"`
		FirstByte  *float64 `json:"firstByteLatency"`
	}
	if r["server_latency"] != "" {
		require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &latency))
	}
	assert.Equal(t, milliseconds(latency.Invocation), got.ServerLatency)
	assert.Equal(t, milliseconds(latency.Invocation), got.ServerTime("invocationLatency"))
	assert.Equal(t, milliseconds(latency.FirstByte), got.ServerTime("firstByteLatency"))
}

func milliseconds(n *float64) wire.Instant {
	if n == nil {
		return wire.Instant{}
	}
	return wire.At(ms(int(*n)))
}

func TestInvokeDecodesRecordedReply(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] != "nonstream:invoke" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			x := r.Capture(t, "https://bedrock-runtime.us-east-1.amazonaws.com"+profile+"invoke", step)
			var headers map[string]string
			require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &headers))
			for name, value := range headers {
				x.Header.Set(name, value)
			}
			require.True(t, protocol.Invoke{}.Recognizes(x))
			got := protocol.Invoke{}.Decode(x)
			assert.Equal(t, providers.OK, got.Class, got.Detail)
			assert.Equal(t, "invoke", got.API)
			assert.Equal(t, "Hobbits embark on epic quest to destroy powerful ring, battling dark forces.", got.Text)
			assert.Equal(t, r["stop"], got.Stop)
			assert.Equal(t, r["request_id"], got.RequestID)
			assert.Equal(t, providers.Usage{Input: r.Count(t, "input_tokens"), Output: r.Count(t, "output_tokens")}, got.Usage)
			assert.Equal(t, wire.At(ms(886)), got.ServerLatency)
			require.Len(t, got.Events, 1)
			assert.Equal(t, x.Marks[len(x.Marks)-1].At, got.Events[0].At, "the read that completed the body")
		}
	}
	assert.Equal(t, 1, checked)
}
