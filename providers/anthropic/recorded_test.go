package anthropic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/wire"
)

const url = "https://api.anthropic.com/v1/messages"

func TestRecordedStreams(t *testing.T) {
	t.Parallel()
	checked, compressed := 0, 0
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "anthropic" {
			continue
		}
		checked++
		if r["content_encoding"] != "" {
			compressed++
		}
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			t.Run(fmt.Sprintf("%s#%s/%d bytes a read", r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x := capture(t, r, step)
				got := decode(t, x)
				require.Equal(t, providers.OK, got.Class, got.Detail)
				assert.Equal(t, r.Int(t, "n_events"), got.Frames, "frames")
				checkEnding(t, r, x, got)
				checkContent(t, r, x, got, step)
				checkUsage(t, r, got)
			})
		}
	}
	assert.Equal(t, 7, checked, "the manifest's recordings of the Messages API, none of them whole")
	assert.Equal(t, 1, compressed)
}

// capture adds the headers that a recording's replay leaves out.
func capture(t *testing.T, r recorded.Response, step int) *wire.Exchange {
	t.Helper()
	x := r.Capture(t, url, step)
	if encoding := r["content_encoding"]; encoding != "" {
		x.Header.Set("Content-Encoding", encoding)
	}
	for name, value := range latencies(t, r) {
		x.Header.Set(name, value)
	}
	return x
}

// latencies are the headers of a recording that tell the server's own time.
func latencies(t *testing.T, r recorded.Response) map[string]string {
	t.Helper()
	told := make(map[string]string)
	if r["server_latency"] != "" {
		require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &told))
	}
	delete(told, "go-vcr-duration") // the client's
	return told
}

func checkEnding(t *testing.T, r recorded.Response, x *wire.Exchange, got *providers.Response) {
	t.Helper()
	assert.Equal(t, r["stop"], got.Stop)
	assert.Contains(t, got.Model, "claude-")
	if r["request_id"] != "" {
		assert.Equal(t, r["request_id"], got.RequestID)
	} else {
		assert.Contains(t, got.RequestID, "msg_", "the id in the body stands in")
	}
	last := wire.At(x.Marks[len(x.Marks)-1].At)
	if r["content_encoding"] == "" {
		assert.Equal(t, last, got.End, "message_stop is the last event")
	} else {
		end, known := got.End.Get()
		assert.True(t, known && wire.At(end).Known() && end <= x.Marks[len(x.Marks)-1].At, "the trailer may come later")
	}
	assert.False(t, got.ServerLatency.Known(), "no header tells the time of the whole stream")
	want := 0
	for name, value := range latencies(t, r) {
		want++
		if milliseconds, err := strconv.Atoi(value); err == nil {
			assert.Equal(t, wire.At(time.Duration(milliseconds)*ms), got.ServerTime(name))
		} else {
			assert.Equal(t, wire.At(375*ms), got.ServerTime("server-timing x-originResponse"), value)
		}
	}
	assert.Len(t, got.ServerTimes, want)
}

// checkContent compares content with the manifest, whose tool_deltas count the
// empty delta that each tool call begins with.
func checkContent(t *testing.T, r recorded.Response, x *wire.Exchange, got *providers.Response, step int) {
	t.Helper()
	plain, err := x.Identity()
	require.NoError(t, err)
	empty := bytes.Count(plain.Body, []byte(`"partial_json":""`))
	expected := maps.Clone(r)
	expected["tool_deltas"] = strconv.Itoa(r.Int(t, "tool_deltas") - empty)
	if r["content_encoding"] != "" {
		for _, e := range got.Events {
			index, at := plain.ReadOf(e.End)
			assert.Equal(t, index, e.Read)
			assert.Equal(t, at, wire.At(e.At))
		}
		step = len(plain.Body) // bytes of a read are no bytes of the stream
	}
	expected.CheckContent(t, got, step)
	switch {
	case r.Int(t, "reasoning_deltas") > 0:
		assert.Equal(t, providers.Verbatim, got.Disclosure)
	case bytes.Contains(plain.Body, []byte("redacted_thinking")):
		assert.Equal(t, providers.Redacted, got.Disclosure)
	default:
		assert.Empty(t, got.Disclosure)
	}
}

func checkUsage(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	assert.Equal(t, providers.Usage{
		Input:       r.Count(t, "input_tokens").Plus(r.Count(t, "cached_input"), r.Count(t, "cache_write")),
		Output:      r.Count(t, "output_tokens"),
		CachedRead:  r.Count(t, "cached_input"),
		CachedWrite: r.Count(t, "cache_write"),
		Reasoning:   r.Count(t, "reasoning_tokens"),
	}, got.Usage)
	assert.False(t, got.FirstCount.Known())
}

// A stream that is cut anywhere is never taken for a whole one before message_stop,
// on real bytes.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "anthropic" || r["content_encoding"] != "" || r.Int(t, "body_bytes") > 3500 {
			continue
		}
		body := r.Body(t)
		t.Run(r["file"]+"#"+r["interaction"], func(t *testing.T) {
			t.Parallel()
			terminal := bytes.LastIndexByte(body, '}') + 1
			for n := range len(body) + 1 {
				got := anthropic.MessagesDecoder{}.Decode(exchange(200, textSSE, string(body[:n])))
				want := providers.Truncated
				if n >= terminal {
					want = providers.OK
				}
				require.Equal(t, want, got.Class, "%d of %d bytes", n, len(body))
			}
		})
	}
}

// Of a compressed stream, too, only the whole is taken for it.
func TestRecordedGzipCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "anthropic" || r["content_encoding"] != "gzip" {
			continue
		}
		body := r.Body(t)
		for n := range len(body) {
			x := exchange(200, textSSE, string(body[:n]))
			x.Header.Set("Content-Encoding", "gzip")
			got := anthropic.MessagesDecoder{}.Decode(x)
			if got.Class == providers.OK {
				require.Equal(t, "end_turn", got.Stop)
				require.Greater(t, n, len(body)-40, "only the checksum is missing")
				continue
			}
			require.Equal(t, providers.Truncated, got.Class, "%d of %d bytes: %s", n, len(body), got.Detail)
		}
	}
}
