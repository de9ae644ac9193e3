package openai_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

var decoders = providers.Decoders{openai.ChatDecoder{}, openai.CompletionsDecoder{}, openai.ResponsesDecoder{}}

// recordings returns the recorded responses of an API, with its usual address.
func recordings(t *testing.T, api string) (responses []recorded.Response, url string) {
	t.Helper()
	for _, r := range recorded.Responses(t) {
		if r["api"] == api {
			responses = append(responses, r)
		}
	}
	return responses, map[string]string{
		"openai.chat":      "https://api.openai.com/v1/chat/completions",
		"openai.responses": "https://api.openai.com/v1/responses",
	}[api]
}

func TestRecordedStreams(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]int{"openai.chat": 25, "openai.responses": 8} {
		responses, url := recordings(t, api)
		assert.GreaterOrEqual(t, len(responses), want, "the manifest's streams of %s", api)
		for _, r := range responses {
			for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
				t.Run(fmt.Sprintf("%s/%s#%s/%d bytes a read", r["provider"], r["file"], r["interaction"], step), func(t *testing.T) {
					t.Parallel()
					x := r.Capture(t, url, step)
					times := addServerLatency(t, r, x)
					got := decoders.Decode(x)
					checkEnding(t, r, x, got)
					r.CheckContent(t, got, step)
					checkUsage(t, r, got)
					for name, want := range times {
						at, known := got.ServerTime(name).Get()
						assert.True(t, known, name)
						assert.InDelta(t, want, at, float64(time.Microsecond), name)
					}
					if want, reported := times["openai-processing-ms"]; reported {
						assert.Equal(t, wire.At(want), got.ServerLatency)
					}
					if want, reported := times["total_time"]; reported {
						at, _ := got.ServerLatency.Get()
						assert.InDelta(t, want, at, float64(time.Microsecond))
					}
				})
			}
		}
	}
}

// addServerLatency puts the recorded times into the response head that the replay
// leaves out, and returns all the times there are, those in the body included.
func addServerLatency(t *testing.T, r recorded.Response, x *wire.Exchange) map[string]time.Duration {
	t.Helper()
	times := map[string]time.Duration{}
	if r["server_latency"] == "" {
		return times
	}
	var columns map[string]any
	require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &columns))
	for name, value := range columns {
		switch value := value.(type) {
		case float64: // Groq's usage record
			times[name] = time.Duration(value * float64(time.Second))
		case string:
			if ms, err := strconv.Atoi(value); err == nil { // not the recorder's own duration
				x.Header.Set(name, value)
				times[name] = time.Duration(ms) * time.Millisecond
			}
		}
	}
	return times
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
	end := wire.At(x.Marks[len(x.Marks)-1].At)
	if r["end_marker"] == "EOF" {
		end = x.End // Perplexity's streams end with the connection
	}
	assert.Equal(t, end, got.End)
}

func checkUsage(t *testing.T, r recorded.Response, got *providers.Response) {
	t.Helper()
	output := r.Count(t, "output_tokens")
	if strings.Contains(r["file"], "xai") { // the one recorded server whose completion_tokens leave reasoning out
		output = output.Plus(r.Count(t, "reasoning_tokens"))
	}
	if r["stop"] == "incomplete:max_output_tokens" { // a record of zeros beside 76 bytes of text
		assert.Equal(t, count(0), output)
		assert.Equal(t, providers.Usage{}, got.Usage)
		return
	}
	assert.Equal(t, r.Count(t, "input_tokens"), got.Usage.Input)
	assert.Equal(t, output, got.Usage.Output)
	assert.Equal(t, r.Count(t, "cached_input"), got.Usage.CachedRead)
	assert.Equal(t, r.Count(t, "reasoning_tokens"), got.Usage.Reasoning)
}

// Whoever serves these streams under a path of his own is found out by the first
// frame, with Azure too, whose first chunk names no object.
func TestRecordedStreamsUnderAPathOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, api := range []string{"openai.chat", "openai.responses"} {
		responses, url := recordings(t, api)
		for _, r := range responses {
			want := decoders.Decode(r.Capture(t, url, r.Int(t, "body_bytes")))
			got := decoders.Decode(r.Capture(t, "https://llm.example.com/serve/v3/answer", r.Int(t, "body_bytes")))
			assert.Equal(t, want.API, got.API, r["file"])
			assert.Equal(t, want.Text, got.Text, r["file"])
			assert.Equal(t, want.Class, got.Class, r["file"])
			assert.Len(t, got.Events, len(want.Events), r["file"])
		}
	}
}

// What is neither is told as such: which bytes of it are content would be a guess.
func TestOtherRecordingsAreNotGuessed(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["api"] == "openai.chat" || r["api"] == "openai.responses" || r["content_encoding"] != "" {
			continue
		}
		checked++
		got := decoders.Decode(r.Capture(t, "https://api.example.com/v1/predictions", r.Int(t, "body_bytes")))
		assert.Equal(t, providers.Unknown, got.Provider, r["file"])
		assert.NotEqual(t, providers.OK, got.Class, r["file"])
		assert.Empty(t, got.Events, r["file"])
		if r["status"] == "200" {
			assert.Equal(t, providers.Parse, got.Class, r["file"])
		}
	}
	assert.GreaterOrEqual(t, checked, 40)
}

// A hop that compresses and flushes changes neither content nor times.
func TestRecordedStreamsCompressed(t *testing.T) {
	t.Parallel()
	for _, api := range []string{"openai.chat", "openai.responses"} {
		responses, url := recordings(t, api)
		for _, r := range responses {
			plain := r.Capture(t, url, r.Int(t, "body_bytes"))
			want := decoders.Decode(plain)
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, err := w.Write(plain.Body)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			x := *plain
			x.Header = x.Header.Clone()
			x.Header.Set("Content-Encoding", "gzip")
			x.Body, x.Marks = b.Bytes(), []wire.Mark{{End: int64(b.Len()), At: ms}}
			got := decoders.Decode(&x)
			assert.Equal(t, want.Class, got.Class, r["file"])
			assert.Equal(t, want.Text, got.Text, r["file"])
			assert.Equal(t, want.Usage, got.Usage, r["file"])
			require.Len(t, got.Events, len(want.Events), r["file"])
			for i, e := range got.Events {
				assert.Equal(t, want.Events[i].End, e.End, "offsets count bytes that are not compressed")
			}
		}
	}
}

// A stream that is cut anywhere is never taken for a whole one before its terminal
// event has its payload: on real bytes, of the shorter streams.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	for api, longest := range map[string]int{"openai.chat": 1500, "openai.responses": 4500} {
		responses, _ := recordings(t, api)
		for _, r := range responses {
			size, _ := strconv.Atoi(r["body_bytes"])
			if r["error"] != "" || size > longest {
				continue
			}
			body := r.Body(t)
			t.Run(r["file"], func(t *testing.T) {
				t.Parallel()
				terminal := bytes.Index(body, []byte(`"finish_reason":"`+r["stop"]))
				if terminal < 0 {
					terminal = bytes.Index(body, []byte(`"finish_reason": "`+r["stop"]))
				}
				if api == "openai.responses" {
					terminal = bytes.LastIndex(body, []byte("data:"))
				}
				require.Positive(t, terminal)
				for n := range terminal {
					x := exchange(200, textSSE, string(body[:n]))
					if api == "openai.responses" {
						x.Path = "/v1/responses"
					}
					require.Equal(t, providers.Truncated, decoders.Decode(x).Class, "%d of %d bytes", n, len(body))
				}
			})
		}
	}
}
