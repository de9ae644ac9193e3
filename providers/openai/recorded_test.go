package openai_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
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
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// streams returns the folder of recorded provider responses. They are other
// people's data and no part of this repository.
func streams(t *testing.T) string {
	t.Helper()
	dir, named := os.LookupEnv("LATGATE_STREAMS")
	if !named {
		dir = filepath.Join("..", "..", "..", "shared", "streams")
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

// count reads a column; an empty one says that the recording does not tell.
func (r row) count(t *testing.T, column string) providers.Count {
	t.Helper()
	if r[column] == "" {
		return providers.Count{}
	}
	return providers.CountOf(int64(r.int(t, column)))
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
	header.Set("X-Request-Id", r.row["request_id"])
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
	c := wire.NewCapture(0)
	client := &http.Client{Transport: &wire.Transport{Base: replay{r, body, step}}}
	req, err := http.NewRequestWithContext(c.Context(context.Background()), http.MethodPost,
		"https://api.openai.com/v1/chat/completions", strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	served, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, body, served, "the caller gets every byte")
	x := c.Exchanges()[0]
	return x, decode(t, x)
}

func TestChatDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	dir := streams(t)
	checked := 0
	for _, r := range manifest(t, dir) {
		if r["api"] != "openai.chat" {
			continue
		}
		checked++
		body, err := os.ReadFile(filepath.Join(dir, r["body_file"]))
		require.NoError(t, err)
		for _, step := range []int{1, 7, len(body)} {
			t.Run(fmt.Sprintf("%s/%s#%s/%d bytes a read", r["provider"], r["file"], r["interaction"], step), func(t *testing.T) {
				t.Parallel()
				x, got := capture(t, r, body, step)
				checkEnding(t, r, x, got)
				checkEvents(t, r, got, step)
				checkUsage(t, r, got)
			})
		}
	}
	assert.GreaterOrEqual(t, checked, 25, "the manifest's chat streams")
}

func checkEnding(t *testing.T, r row, x *wire.Exchange, got *providers.Response) {
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
	assert.Equal(t, r.int(t, "n_events"), got.Frames, "frames")
	end := x.End // Perplexity's streams end with the connection
	if r["end_marker"] == "[DONE]" {
		end = wire.At(x.Marks[len(x.Marks)-1].At)
	}
	assert.Equal(t, end, got.End)
}

func checkEvents(t *testing.T, r row, got *providers.Response, step int) {
	t.Helper()
	require.NotEmpty(t, got.Events)
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
		if step <= 7 { // larger ones are split by the size of the buffer
			assert.Equal(t, (int(e.End)-1)/step, e.Read, "the read that brought the event's last byte")
		}
	}
	assert.Equal(t, r.int(t, "text_deltas"), len(texts))
	assert.Equal(t, r.int(t, "reasoning_deltas"), reasoning)
	assert.Equal(t, r.int(t, "tool_deltas"), tools)
	if len(texts) > 0 {
		first, last := texts[0], texts[len(texts)-1]
		assert.Equal(t, r.int(t, "first_text_event"), first.Frame)
		assert.EqualValues(t, r.int(t, "first_text_end_off"), first.End)
		assert.Equal(t, r.int(t, "last_text_event"), last.Frame)
		assert.EqualValues(t, r.int(t, "last_text_end_off"), last.End)
	}
	sum := sha256.Sum256([]byte(got.Text))
	assert.Equal(t, r["sha256_text"], hex.EncodeToString(sum[:])[:len(r["sha256_text"])])
	assert.Equal(t, r.int(t, "text_bytes"), len(got.Text))
	assert.Equal(t, r.int(t, "text_runes"), utf8.RuneCountInString(got.Text))
	assert.GreaterOrEqual(t, got.Reasoning, r.int(t, "reasoning_runes"))
}

func checkUsage(t *testing.T, r row, got *providers.Response) {
	t.Helper()
	output := r.count(t, "output_tokens")
	if strings.Contains(r["file"], "xai") { // the one recorded server whose completion_tokens leave reasoning out
		output = output.Plus(r.count(t, "reasoning_tokens"))
	}
	assert.Equal(t, r.count(t, "input_tokens"), got.Usage.Input)
	assert.Equal(t, output, got.Usage.Output)
	assert.Equal(t, r.count(t, "cached_input"), got.Usage.CachedRead)
	assert.Equal(t, r.count(t, "reasoning_tokens"), got.Usage.Reasoning)
}

// A stream that is cut anywhere is never taken for a whole one before its finish
// reason: on real bytes, of the shorter streams.
func TestRecordedStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := streams(t)
	for _, r := range manifest(t, dir) {
		size, _ := strconv.Atoi(r["body_bytes"])
		if r["api"] != "openai.chat" || r["error"] != "" || size > 2800 {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, r["body_file"]))
		require.NoError(t, err)
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
