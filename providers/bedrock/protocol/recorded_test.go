package protocol_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/wire"
)

// streams returns the folder of recorded provider responses. They are other
// people's data and no part of this repository.
func streams(t *testing.T) string {
	t.Helper()
	dir, named := os.LookupEnv("LATGATE_STREAMS")
	if !named {
		dir = filepath.Join("..", "..", "..", "..", "shared", "streams")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if named {
			t.Fatalf("LATGATE_STREAMS: %v", err)
		}
		t.Skipf("LATGATE_STREAMS: %s not found, RECORDED STREAMS WERE NOT CHECKED", dir)
	}
	return dir
}

// row is one recorded response: the manifest's columns by name.
type row map[string]string

func manifest(t *testing.T, dir string) []row {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	require.NoError(t, err)
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	require.NoError(t, err)
	var rows []row
	for _, record := range records[1:] {
		fields := make(row)
		for i, name := range records[0] {
			fields[name] = record[i]
		}
		rows = append(rows, fields)
	}
	return rows
}

func (r row) int(t *testing.T, column string) int {
	t.Helper()
	n, err := strconv.Atoi(r[column])
	require.NoError(t, err, column)
	return n
}

// count compares a column of the manifest with a count; an empty column says
// that the recording does not tell.
func (r row) count(t *testing.T, column string, got providers.Count) {
	t.Helper()
	want := providers.Count{}
	if r[column] != "" {
		want = providers.CountOf(int64(r.int(t, column)))
	}
	assert.Equal(t, want, got, column)
}

// replay is a RoundTripper whose response body comes a few bytes a read.
type replay struct {
	row  row
	body []byte
	step int
}

func (r replay) RoundTrip(req *http.Request) (*http.Response, error) {
	status, err := strconv.Atoi(r.row["status"])
	header := make(http.Header)
	header.Set("Content-Type", r.row["content_type"])
	header.Set("x-amzn-requestid", r.row["request_id"])
	header.Set("x-amzn-ErrorType", r.row["error"])
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", Header: header, Request: req,
		Body: io.NopCloser(&stepReader{r: bytes.NewReader(r.body), step: r.step}),
	}, err
}

type stepReader struct {
	r    io.Reader
	step int
}

func (s *stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(s.step, len(p))]) }

// capture sends a recording through the transport and decodes what it captured.
func capture(t *testing.T, r row, body []byte, step int) (*wire.Exchange, *providers.Response) {
	t.Helper()
	operation := protocol.StreamAPI
	if strings.HasSuffix(r["api"], "converse") {
		operation = protocol.UnaryAPI
	}
	c := wire.NewCapture(0)
	client := &http.Client{Transport: &wire.Transport{Base: replay{r, body, step}}}
	req, err := http.NewRequestWithContext(c.Context(context.Background()), http.MethodPost,
		"https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/"+operation, strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	served, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, body, served, "the caller gets every byte")
	x := c.Exchanges()[0]
	require.True(t, protocol.Converse{}.Recognizes(x))
	return x, protocol.Converse{}.Decode(x)
}

func TestConverseDecodesRecordedResponses(t *testing.T) {
	t.Parallel()
	dir := streams(t)
	checked := 0
	for _, r := range manifest(t, dir) {
		if r["provider"] != "bedrock" {
			continue
		}
		checked++
		body, err := os.ReadFile(filepath.Join(dir, r["body_file"]))
		require.NoError(t, err)
		for _, step := range []int{1, 7, 64, len(body)} {
			t.Run(fmt.Sprintf("%s#%s/%d bytes a read", r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x, got := capture(t, r, body, step)
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

func checkStream(t *testing.T, r row, x *wire.Exchange, got *providers.Response, step int) {
	t.Helper()
	require.Equal(t, providers.OK, got.Class, got.Detail)
	assert.Equal(t, r.int(t, "n_events"), got.Frames, "frames")
	assert.Equal(t, r.int(t, "first_any_token_event"), got.Events[0].Frame)
	assert.EqualValues(t, r.int(t, "first_any_token_end_off"), got.Events[0].End)

	var texts []providers.Event
	reasoning, tools := 0, 0
	for _, e := range got.Events {
		switch e.Channel {
		case providers.Text:
			texts = append(texts, e)
		case providers.Reasoning:
			reasoning++
		case providers.Tool:
			tools++
		}
		if step <= 64 { // larger ones are split by the size of the buffer
			assert.Equal(t, (int(e.End)-1)/step, e.Read, "the read that brought the event's last byte")
		}
	}
	require.NotEmpty(t, texts)
	first, last := texts[0], texts[len(texts)-1]
	assert.Equal(t, r.int(t, "first_text_event"), first.Frame)
	assert.EqualValues(t, r.int(t, "first_text_end_off"), first.End)
	assert.Equal(t, r.int(t, "last_text_event"), last.Frame)
	assert.EqualValues(t, r.int(t, "last_text_end_off"), last.End)
	assert.Equal(t, r.int(t, "text_deltas"), len(texts))
	assert.Equal(t, r.int(t, "reasoning_deltas"), reasoning)
	assert.Equal(t, r.int(t, "tool_deltas"), tools)

	sum := sha256.Sum256([]byte(got.Text))
	assert.Equal(t, r["sha256_text"], hex.EncodeToString(sum[:])[:len(r["sha256_text"])])
	assert.Equal(t, r.int(t, "text_bytes"), len(got.Text))
	assert.Equal(t, r.int(t, "text_runes"), utf8.RuneCountInString(got.Text))
	checkFacts(t, r, got)
	assert.Equal(t, wire.At(x.Marks[len(x.Marks)-1].At), got.End, "the stream ends with its metadata, the last frame")
}

func checkWhole(t *testing.T, r row, got *providers.Response) {
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

func checkFacts(t *testing.T, r row, got *providers.Response) {
	t.Helper()
	assert.Equal(t, r["stop"], got.Stop)
	r.count(t, "output_tokens", got.Usage.Output)
	r.count(t, "cached_input", got.Usage.CachedRead)
	r.count(t, "cache_write", got.Usage.CachedWrite)
	total, _ := got.Usage.Input.Get()
	read, _ := got.Usage.CachedRead.Get()
	wrote, _ := got.Usage.CachedWrite.Get()
	assert.EqualValues(t, r.int(t, "input_tokens"), total-read-wrote, "Converse's inputTokens leave the cache out")

	var latency struct {
		LatencyMs float64
		Metrics   struct{ LatencyMs float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(r["server_latency"]), &latency))
	server, _ := got.ServerLatency.Get()
	assert.InDelta(t, latency.LatencyMs+latency.Metrics.LatencyMs, server.Seconds()*1000, 1e-6)
}
